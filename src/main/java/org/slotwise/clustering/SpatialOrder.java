package org.slotwise.clustering;

/**
 * An order of features of few elements in which those that follow each other are near each other:
 * along Morton's curve through the cells of a grid (Morton, "A computer oriented geodetic data base
 * and a new technique in file sequencing", 1966).
 */
final class SpatialOrder {

    /** Cells along each axis are 2 to the power of this. */
    private static final int BITS = 5;

    private static final int CELLS = 1 << BITS;

    /**
     * How far the grid reaches from the mean, in standard deviations; what is beyond is at its rim.
     */
    private static final double REACH = 2.5;

    private SpatialOrder() {}

    /**
     * Orders features.
     *
     * @param rows (N, F)
     * @param featureSize F, at most {@link BoxedAssignment#ELEMENTS}
     * @return which feature is at each place, (N)
     */
    static int[] of(float[] rows, int featureSize) {
        int size = rows.length / featureSize;
        int[] cell = new int[size];
        for (int f = 0; f < featureSize; f++) {
            addCells(cell, rows, featureSize, f);
        }
        int[] begin = new int[(1 << (BITS * featureSize)) + 1];
        for (int c : cell) {
            begin[c + 1]++;
        }
        for (int c = 1; c < begin.length; c++) {
            begin[c] += begin[c - 1];
        }
        int[] order = new int[size];
        for (int j = 0; j < size; j++) {
            order[begin[cell[j]]++] = j;
        }
        return order;
    }

    /** Adds the bits of one axis to the numbers of the features' cells. */
    private static void addCells(int[] cell, float[] rows, int featureSize, int f) {
        double sum = 0;
        double squares = 0;
        for (int at = f; at < rows.length; at += featureSize) {
            sum += rows[at];
            squares += (double) rows[at] * rows[at];
        }
        double mean = sum / cell.length;
        double reach = REACH * Math.sqrt(Math.max(0, squares / cell.length - mean * mean));
        float least = (float) (mean - reach);
        float scale = reach > 0 ? (float) (CELLS / (2 * reach)) : 0;
        int[] spread = new int[CELLS];
        for (int c = 0; c < CELLS; c++) {
            for (int bit = 0; bit < BITS; bit++) {
                spread[c] |= ((c >> bit) & 1) << (bit * featureSize + f);
            }
        }
        int at = f;
        for (int j = 0; j < cell.length; j++) {
            int c = (int) ((rows[at] - least) * scale);
            cell[j] |= spread[Math.max(0, Math.min(CELLS - 1, c))];
            at += featureSize;
        }
    }
}
