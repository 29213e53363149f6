package org.slotwise.internal;

/**
 * The products x . c of features that lie in columns, element by element, with centres: loops over
 * features that a compiler makes vectors of.
 */
public final class ColumnProducts {

    private ColumnProducts() {}

    /**
     * How many columns features have: an even number, the last of which may be 0.
     *
     * @param featureSize the number of their elements
     * @return the same or one more
     */
    public static int width(int featureSize) {
        return featureSize + featureSize % 2;
    }

    /**
     * Adds x . c, from one feature up to another.
     *
     * @param columns of the features, (F)(N); F even
     * @param rows what to add to, (K)(N)
     * @param of the centres, (K)(F)
     * @param count K; arrays may hold more
     * @param from the first feature
     * @param to the one after the last
     */
    public static void add(
            float[][] columns, float[][] rows, float[][] of, int count, int from, int to) {
        add(columns, 0, columns.length, rows, of, count, from, to);
    }

    /**
     * Adds the products of some of the elements.
     *
     * @param columns of the features, (F)(N)
     * @param first the first element, even
     * @param end the one after the last, even
     * @param rows what to add to, (K)(N)
     * @param of the centres, (K)(F)
     * @param count K; arrays may hold more
     * @param from the first feature
     * @param to the one after the last
     */
    public static void add(
            float[][] columns,
            int first,
            int end,
            float[][] rows,
            float[][] of,
            int count,
            int from,
            int to) {
        for (int f = first; f < end; f += 2) {
            float[] x = columns[f];
            float[] y = columns[f + 1];
            int i = 0;
            while (i < count) {
                i += addNext(rows, of, i, count - i, f, x, y, from, to);
            }
        }
    }

    /** Adds to the next rows, as few times for all as goes with few sums of one row alone. */
    private static int addNext(
            float[][] rows,
            float[][] of,
            int i,
            int left,
            int f,
            float[] x,
            float[] y,
            int from,
            int to) {
        float[] c = of[i];
        if (left == 1) {
            VectorLoops.addScaled(rows[i], x, y, c[f], c[f + 1], from, to);
            return 1;
        }
        float[] d = of[i + 1];
        if (left == 2) {
            ScaledSums.add(rows[i], rows[i + 1], x, y, c[f], c[f + 1], d[f], d[f + 1], from, to);
            return 2;
        }
        float[] e = of[i + 2];
        if (left % 3 == 0 || left == 5) {
            ScaledSums.add(
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
            return 3;
        }
        float[] g = of[i + 3];
        ScaledSums.add(
                rows[i],
                rows[i + 1],
                rows[i + 2],
                rows[i + 3],
                x,
                y,
                c[f],
                c[f + 1],
                d[f],
                d[f + 1],
                e[f],
                e[f + 1],
                g[f],
                g[f + 1],
                from,
                to);
        return 4;
    }
}
