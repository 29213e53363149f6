package org.slotwise.internal;

/**
 * Loops over rows of numbers in a form that the JVM's compiler turns into vector instructions:
 * separate arrays, one index, few operations. Which loops it takes was found by measuring
 * (docs/performance.md).
 */
public final class VectorLoops {

    private static final boolean FAST = Processor.fusesMultiplyAdd();

    private VectorLoops() {}

    /**
     * Whether these are faster than the engine's operations on this machine.
     *
     * @return false where a product and a sum at once are no instruction
     */
    public static boolean areFast() {
        return FAST;
    }

    /**
     * p += a x + b y, from one index up to another.
     *
     * @param p a row of sums
     * @param x a row
     * @param y another row
     * @param a a number
     * @param b another
     * @param from the first index
     * @param to the index after the last
     */
    public static void addScaled(
            float[] p, float[] x, float[] y, float a, float b, int from, int to) {
        for (int i = from; i < to; i++) {
            p[i] = Math.fma(b, y[i], Math.fma(a, x[i], p[i]));
        }
    }

    /**
     * sum += x + y + v + w.
     *
     * @param sum a row of sums
     * @param x a row
     * @param y another row
     * @param v a third
     * @param w a fourth
     */
    public static void add(float[] sum, float[] x, float[] y, float[] v, float[] w) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += (x[i] + y[i]) + (v[i] + w[i]);
        }
    }

    /**
     * sum += x.
     *
     * @param sum a row of sums
     * @param x a row
     */
    public static void add(float[] sum, float[] x) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += x[i];
        }
    }

    /**
     * The sum in float64, up to an index.
     *
     * @param x a row
     * @param to the index after the last
     * @return the sum
     */
    public static double sum(float[] x, int to) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = 0;
        for (; i + 4 <= to; i += 4) {
            a += x[i];
            b += x[i + 1];
            c += x[i + 2];
            d += x[i + 3];
        }
        for (; i < to; i++) {
            a += x[i];
        }
        return (a + b) + (c + d);
    }

    /**
     * highest = max(highest, x), from one index up to another.
     *
     * @param highest the highest so far
     * @param x a row
     * @param from the first index
     * @param to the index after the last
     */
    public static void raise(float[] highest, float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            highest[i] = Math.max(highest[i], x[i]);
        }
    }

    /**
     * sum += (x - a)² of each pair of numbers.
     *
     * @param sum a row of sums
     * @param x a row
     * @param a a row
     * @param to the index after the last
     */
    public static void addSquaredDifferences(float[] sum, float[] x, float[] a, int to) {
        for (int i = 0; i < to; i++) {
            float d = x[i] - a[i];
            sum[i] = Math.fma(d, d, sum[i]);
        }
    }

    /**
     * x = (x - a) b c + d, of rows a and b.
     *
     * @param x a row
     * @param a what is taken away
     * @param b its factors
     * @param c another factor
     * @param d what is added
     * @param to the index after the last
     */
    public static void standardize(float[] x, float[] a, float[] b, float c, float d, int to) {
        for (int i = 0; i < to; i++) {
            x[i] = Math.fma((x[i] - a[i]) * b[i], c, d);
        }
    }

    /**
     * x = (x - a) b c + d, of rows c and d.
     *
     * @param x a row
     * @param a what is taken away
     * @param b its factor
     * @param c more factors
     * @param d what is added
     * @param to the index after the last
     */
    public static void standardize(float[] x, float a, float b, float[] c, float[] d, int to) {
        for (int i = 0; i < to; i++) {
            x[i] = Math.fma((x[i] - a) * b, c[i], d[i]);
        }
    }

    /**
     * x *= a.
     *
     * @param x a row
     * @param a a number
     * @param to the index after the last
     */
    public static void scale(float[] x, float a, int to) {
        for (int i = 0; i < to; i++) {
            x[i] *= a;
        }
    }

    /**
     * Rows as columns.
     *
     * @param from rows
     * @param to columns: at least as many as the numbers of a row
     * @param rows how many rows
     * @param size how many numbers of each
     */
    public static void transpose(float[][] from, float[][] to, int rows, int size) {
        int i = 0;
        for (; i + 4 <= rows; i += 4) {
            float[] a = from[i];
            float[] b = from[i + 1];
            float[] c = from[i + 2];
            float[] d = from[i + 3];
            for (int j = 0; j < size; j++) {
                float[] column = to[j];
                column[i] = a[j];
                column[i + 1] = b[j];
                column[i + 2] = c[j];
                column[i + 3] = d[j];
            }
        }
        for (; i < rows; i++) {
            for (int j = 0; j < size; j++) {
                to[j][i] = from[i][j];
            }
        }
    }

    /**
     * z = (x - a) (b - c (x - a)) + (y - d) (e - c (y - d)).
     *
     * @param z what is written
     * @param x a row
     * @param y another row
     * @param a what is taken from x
     * @param b a number
     * @param c a factor of both squares
     * @param d what is taken from y
     * @param e a number
     * @param to the index after the last
     */
    public static void parabolas(
            float[] z, float[] x, float[] y, float a, float b, float c, float d, float e, int to) {
        for (int i = 0; i < to; i++) {
            float p = x[i] - a;
            float q = y[i] - d;
            z[i] = Math.fma(p, Math.fma(-c, p, b), q * Math.fma(-c, q, e));
        }
    }

    /**
     * z = a x + b y.
     *
     * @param z what is written
     * @param x a row
     * @param y another row
     * @param a a number
     * @param b another
     * @param to the index after the last
     */
    public static void combine(float[] z, float[] x, float[] y, float a, float b, int to) {
        for (int i = 0; i < to; i++) {
            z[i] = Math.fma(a, x[i], b * y[i]);
        }
    }

    /**
     * sum += a (x + y + z) where that is positive.
     *
     * @param sum a row of sums
     * @param x a row
     * @param y another row
     * @param z a third
     * @param a a number
     * @param to the index after the last
     */
    public static void addPositive(float[] sum, float[] x, float[] y, float[] z, float a, int to) {
        float half = a / 2; // of twice what is positive
        for (int i = 0; i < to; i++) {
            float v = x[i] + (y[i] + z[i]);
            sum[i] = Math.fma(half, v + Math.abs(v), sum[i]);
        }
    }

    /**
     * sum += x, up to an index.
     *
     * @param sum a row of sums
     * @param x a row
     * @param to the index after the last
     */
    public static void add(float[] sum, float[] x, int to) {
        for (int i = 0; i < to; i++) {
            sum[i] += x[i];
        }
    }
}
