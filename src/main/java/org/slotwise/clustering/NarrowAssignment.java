package org.slotwise.clustering;

import java.util.Arrays;

/**
 * The labels of a block of features of few elements, for which computing all distances is faster
 * than keeping bounds: for {@link BoundedStart}, of which each thread has one of these.
 */
final class NarrowAssignment {

    /** Of how many elements features are at most; what they lack is 0. */
    static final int ELEMENTS = 3;

    private final float[][] columns = new float[ELEMENTS][BlockedPoints.BLOCK];
    private final float[][] squares; // (K)(BLOCK)
    private final float[] least = new float[BlockedPoints.BLOCK];
    private final float[] second = new float[BlockedPoints.BLOCK];
    private final float[] c = new float[ELEMENTS];

    NarrowAssignment(int clusters) {
        squares = new float[clusters][BlockedPoints.BLOCK];
    }

    /**
     * Finds the nearest centres, the first of equals.
     *
     * @param block which features
     * @param labels in which their labels are from the iteration before, and are put, (N)
     * @param changed where the features are noted whose labels change, (BLOCK)
     * @param before and the labels that they had, (BLOCK)
     * @return how many they are
     */
    int assign(
            BlockedPoints points,
            int block,
            float[][] centers,
            int[] labels,
            int[] changed,
            int[] before) {
        points.columns(block, columns);
        Arrays.fill(least, Float.POSITIVE_INFINITY);
        Arrays.fill(second, Float.POSITIVE_INFINITY);
        for (int k = 0; k < squares.length; k++) {
            System.arraycopy(centers[k], 0, c, 0, centers[k].length);
            VectorLoops.squares(squares[k], columns[0], columns[1], columns[2], c[0], c[1], c[2]);
            VectorLoops.lowerTwo(least, second, squares[k]);
        }
        int start = block * BlockedPoints.BLOCK;
        int size = points.end(block) - start;
        int count = 0;
        for (int i = 0; i < size; i++) {
            int label = labels[start + i];
            if (squares[label][i] == least[i] && least[i] < second[i]) {
                continue;
            }
            int k = 0;
            while (squares[k][i] != least[i]) {
                k++;
            }
            if (k != label) {
                changed[count] = i;
                before[count++] = label;
                labels[start + i] = k;
            }
        }
        return count;
    }
}
