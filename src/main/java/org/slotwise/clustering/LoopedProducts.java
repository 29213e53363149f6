package org.slotwise.clustering;

import java.util.Arrays;
import org.slotwise.internal.ColumnProducts;

/**
 * {@link CenterProducts} by loops: for several threads, where those of an engine's product would
 * hinder those that call it.
 */
final class LoopedProducts implements CenterProducts {

    private final BlockedPoints points;
    private final FeatureTiles tiles; // the same
    private final float[][] some; // features in columns
    private final float[][] even; // the centres, (K)(F, and 0 if that is odd)

    LoopedProducts(BlockedPoints points, FeatureTiles tiles, int clusters) {
        this.points = points;
        this.tiles = tiles;
        int width = ColumnProducts.width(points.featureSize);
        some = new float[width][TOGETHER];
        even = new float[clusters][width];
    }

    @Override
    public void ofPart(int part, float[][] centers, float[][] products) {
        multiply(tiles.columns(part), tiles.size(part), centers, products);
    }

    @Override
    public void ofSome(int[] features, int n, float[][] centers, float[][] products) {
        FeatureTiles.lay(points.rows, points.featureSize, features, n, some);
        multiply(some, n, centers, products);
    }

    private void multiply(float[][] columns, int n, float[][] centers, float[][] products) {
        for (int k = 0; k < centers.length; k++) {
            System.arraycopy(centers[k], 0, even[k], 0, centers[k].length);
            Arrays.fill(products[k], 0, n, 0);
        }
        ColumnProducts.add(columns, products, even, even.length, 0, n);
    }
}
