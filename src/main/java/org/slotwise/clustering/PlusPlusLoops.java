package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.VectorLoops;
import org.slotwise.internal.Workers;

/**
 * The starts of k-means++ for many features of an image in float32 on a CPU: loops over tiles of
 * features ({@link FeatureTiles}) on all threads, start after start or several at a time, where
 * {@link InitialCenters} makes a dozen operations on arrays of that size. The same features are
 * drawn by the same draws, up to rounding; how many threads there are changes nothing.
 */
final class PlusPlusLoops {

    private final int size; // N
    private final int trials; // L
    private final int featureSize; // F
    private final FloatBuffer values; // (N, F)
    private final FeatureTiles tiles; // the same
    private final float[] squares; // ||x||², (N)
    private final float[] closest; // squared distances to the closest centre so far, (N)
    private final float[] upTo; // their sums, (N)
    private final float[][] tried; // -2 c, (L)(F, and 0 if that is odd)
    private final float[] own; // ||c||², (L)
    private final float[][][] distances; // to what was tried, if not farther: (tiles)(L)(TILE)
    private final double[][] sums; // of these, (tiles)(L)

    private PlusPlusLoops(FloatBuffer values, FeatureTiles tiles, float[] squares, int trials) {
        this.values = values;
        this.tiles = tiles;
        this.squares = squares;
        this.trials = trials;
        size = squares.length;
        featureSize = values.capacity() / size;
        closest = new float[size];
        upTo = new float[size];
        tried = new float[trials][ColumnProducts.width(featureSize)];
        own = new float[trials];
        distances = new float[tiles.count()][trials][FeatureTiles.TILE];
        sums = new double[tiles.count()][trials];
    }

    /**
     * Draws starts for an image.
     *
     * @param features (N, F)
     * @param squares ||x||² of each, (N)
     * @param trials L, how many features are tried for each centre
     * @param draws numbers from 0 to 1 for each start: one for its first centre, L for each other
     * @return the features that are drawn for each start, (R)(K)
     */
    static long[][] draw(NDArray features, NDArray squares, int trials, float[][] draws) {
        int size = Math.toIntExact(features.getShape().get(0));
        FloatBuffer values = ArrayMemory.floats(features);
        FeatureTiles tiles =
                FeatureTiles.read(values, size, Math.toIntExact(features.getShape().get(1)));
        float[] norms = squares.toFloatArray();
        long[][] rows = new long[draws.length][1 + (draws[0].length - 1) / trials];
        Workers.eachWithOwn(
                draws.length,
                () -> {
                    PlusPlusLoops loops = new PlusPlusLoops(values, tiles, norms, trials);
                    return r -> loops.draw(draws[r], rows[r]);
                });
        return rows;
    }

    private void draw(float[] draws, long[] rows) {
        int[] candidates = new int[trials];
        rows[0] = Math.min((long) (draws[0] * size), size - 1L);
        Arrays.fill(candidates, (int) rows[0]);
        Arrays.fill(closest, Float.POSITIVE_INFINITY);
        measure(candidates);
        approach(0);
        for (int k = 1; k < rows.length; k++) {
            addUp();
            for (int l = 0; l < trials; l++) {
                candidates[l] = proportional(draws[1 + (k - 1) * trials + l]);
            }
            measure(candidates);
            int best = best();
            rows[k] = candidates[best];
            approach(best);
        }
    }

    /** Measures how far features are from the closest centre if one that is tried is added. */
    private void measure(int[] candidates) {
        for (int l = 0; l < trials; l++) {
            values.get(candidates[l] * featureSize, tried[l], 0, featureSize);
            for (int f = 0; f < featureSize; f++) {
                tried[l][f] *= -2;
            }
            own[l] = squares[candidates[l]];
        }
        Workers.each(tiles.count(), () -> this::measureTile);
    }

    private void measureTile(int tile) {
        int n = tiles.size(tile);
        int first = tile * FeatureTiles.TILE;
        float[][] rows = distances[tile];
        for (float[] row : rows) {
            Arrays.fill(row, 0, n, 0);
        }
        ColumnProducts.add(tiles.columns(tile), rows, tried, trials, 0, n);
        for (int l = 0; l < trials; l++) {
            DistanceLoops.closer(rows[l], squares, closest, own[l], first, n);
            sums[tile][l] = VectorLoops.sum(rows[l], n);
        }
    }

    /** Which of the features that are tried brings centres closest to all features. */
    private int best() {
        double[] all = new double[trials];
        for (double[] some : sums) {
            for (int l = 0; l < trials; l++) {
                all[l] += some[l];
            }
        }
        int best = 0;
        for (int l = 1; l < trials; l++) {
            best = all[l] < all[best] ? l : best;
        }
        return best;
    }

    /** Adds a centre that was tried. */
    private void approach(int l) {
        for (int tile = 0; tile < tiles.count(); tile++) {
            float[] distance = distances[tile][l];
            int first = tile * FeatureTiles.TILE;
            int n = tiles.size(tile);
            for (int m = 0; m < n; m++) {
                closest[first + m] = Math.max(distance[m], 0);
            }
        }
    }

    private void addUp() {
        double sum = 0;
        for (int j = 0; j < size; j++) {
            sum += closest[j];
            upTo[j] = (float) sum;
        }
    }

    /** A feature, drawn with a chance proportional to its distance. */
    private int proportional(float draw) {
        float threshold = draw * upTo[size - 1];
        int below = countBelow(threshold);
        int upToIt = countBelow(Math.nextUp(threshold));
        return Math.min((below + upToIt) / 2, size - 1);
    }

    /** How many sums are below a number. */
    private int countBelow(float threshold) {
        int from = 0;
        int to = size;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (upTo[middle] < threshold) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }
}
