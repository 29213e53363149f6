package org.slotwise.clustering;

/**
 * The products x . c of features that lie in columns, element by element, with centres: loops over
 * features that a compiler makes vectors of.
 */
final class ColumnProducts {

    private ColumnProducts() {}

    /** How many columns features have: an even number, the last of which may be 0. */
    static int width(int featureSize) {
        return featureSize + featureSize % 2;
    }

    /**
     * Adds x . c, from one feature up to another.
     *
     * @param columns of the features, (F)(N); F even
     * @param rows what to add to, (K)(N)
     * @param of the centres, (K)(F)
     * @param count K; arrays may hold more
     */
    static void add(float[][] columns, float[][] rows, float[][] of, int count, int from, int to) {
        for (int f = 0; f < columns.length; f += 2) {
            float[] x = columns[f];
            float[] y = columns[f + 1];
            int i = 0;
            for (; i + 3 <= count; i += 3) {
                float[] c = of[i];
                float[] d = of[i + 1];
                float[] e = of[i + 2];
                VectorLoops.addScaled(
                        rows[i],
                        rows[i + 1],
                        rows[i + 2],
                        x,
                        y,
                        c[f],
                        c[f + 1],
                        d[f],
                        d[f + 1],
                        e[f],
                        e[f + 1],
                        from,
                        to);
            }
            if (i + 2 <= count) {
                float[] c = of[i];
                float[] d = of[i + 1];
                VectorLoops.addScaled(
                        rows[i], rows[i + 1], x, y, c[f], c[f + 1], d[f], d[f + 1], from, to);
            } else if (i < count) {
                VectorLoops.addScaled(rows[i], x, y, of[i][f], of[i][f + 1], from, to);
            }
        }
    }
}
