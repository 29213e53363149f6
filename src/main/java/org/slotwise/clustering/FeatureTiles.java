package org.slotwise.clustering;

import java.nio.FloatBuffer;
import java.util.stream.IntStream;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.Workers;

/**
 * Many features in columns, element by element, as {@link ColumnProducts} take them, in tiles that
 * are worked on one by one: long loops, in a core's cache.
 */
final class FeatureTiles {

    /** How many features a tile has; the last may have fewer. */
    static final int TILE = CenterProducts.TOGETHER;

    /** As many rows as columns are written of at once: a cache line of each. */
    private static final int LINE = 16;

    private final int size; // N
    private final float[][][] columns; // (tiles)(width)(TILE)

    private FeatureTiles(int size, int featureSize) {
        this.size = size;
        columns = new float[(size + TILE - 1) / TILE][ColumnProducts.width(featureSize)][];
    }

    /** Reads features that lie one after the other, on all threads. */
    static FeatureTiles read(FloatBuffer from, int size, int featureSize) {
        FeatureTiles tiles = new FeatureTiles(size, featureSize);
        Workers.each(
                tiles.count(),
                () -> {
                    float[] rows = new float[TILE * featureSize];
                    int[] inOrder = IntStream.range(0, TILE).toArray();
                    return tile -> {
                        int n = tiles.size(tile);
                        from.get(tile * TILE * featureSize, rows, 0, n * featureSize);
                        tiles.lay(tile, rows, featureSize, inOrder);
                    };
                });
        return tiles;
    }

    /** Lays features (N, F) in columns, on all threads. */
    static FeatureTiles of(float[] rows, int featureSize) {
        FeatureTiles tiles = new FeatureTiles(rows.length / featureSize, featureSize);
        Workers.each(
                tiles.count(),
                () ->
                        tile -> {
                            int[] own = IntStream.range(tile * TILE, (tile + 1) * TILE).toArray();
                            tiles.lay(tile, rows, featureSize, own);
                        });
        return tiles;
    }

    private void lay(int tile, float[] rows, int featureSize, int[] features) {
        columns[tile] = new float[columns[tile].length][TILE];
        lay(rows, featureSize, features, size(tile), columns[tile]);
    }

    /** Lays some of the features (N, F) in columns (at least F)(at least n). */
    static void lay(float[] rows, int featureSize, int[] features, int n, float[][] into) {
        for (int from = 0; from < n; from += LINE) {
            int to = Math.min(n, from + LINE);
            for (int f = 0; f < featureSize; f++) {
                float[] column = into[f];
                for (int m = from; m < to; m++) {
                    column[m] = rows[features[m] * featureSize + f];
                }
            }
        }
    }

    /** How many tiles there are. */
    int count() {
        return columns.length;
    }

    /** How many features a tile has. */
    int size(int tile) {
        return Math.min(TILE, size - tile * TILE);
    }

    /** The columns of a tile: (F, or one more)(TILE). */
    float[][] columns(int tile) {
        return columns[tile];
    }
}
