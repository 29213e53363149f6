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
     * x = min(x + y + a, z), of y and z from an index on.
     *
     * @param x a row
     * @param y another row
     * @param z a third
     * @param a a number
     * @param first where in the longer rows the first index is
     * @param n how many
     */
    public static void closer(float[] x, float[] y, float[] z, float a, int first, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.min(x[i] + y[first + i] + a, z[first + i]);
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
     * sum += x².
     *
     * @param sum a row of sums
     * @param x a row
     */
    public static void addSquares(float[] sum, float[] x) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] = Math.fma(x[i], x[i], sum[i]);
        }
    }

    /**
     * sum = (x - a)² + (y - b)² + (v - c)².
     *
     * @param sum a row of sums
     * @param x a row
     * @param y another row
     * @param v a third
     * @param a a number
     * @param b another
     * @param c a third
     */
    public static void squares(
            float[] sum, float[] x, float[] y, float[] v, float a, float b, float c) {
        for (int i = 0; i < sum.length; i++) {
            float p = x[i] - a;
            float q = y[i] - b;
            float r = v[i] - c;
            sum[i] = Math.fma(p, p, Math.fma(q, q, r * r));
        }
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
     * The least and the second least of what came, and now of a - x, up to an index.
     *
     * @param least the least so far
     * @param second the second least so far
     * @param x a row
     * @param a a number
     * @param to the index after the last
     */
    public static void lowerTwo(float[] least, float[] second, float[] x, float a, int to) {
        for (int i = 0; i < to; i++) {
            float v = a - x[i];
            float w = least[i];
            second[i] = Math.min(second[i], Math.max(v, w));
            least[i] = Math.min(w, v);
        }
    }

    /**
     * error = e (norm + a)², up to an index.
     *
     * @param error what is written
     * @param norm a row
     * @param a a number
     * @param e a fifth
     * @param to the index after the last
     */
    public static void reach(float[] error, float[] norm, float a, float e, int to) {
        for (int i = 0; i < to; i++) {
            float r = norm[i] + a;
            error[i] = r * r * e;
        }
    }

    /**
     * distance = b √(norm² + 2 score + sign error), of at least 0, up to an index.
     *
     * @param distance what is written
     * @param score a row
     * @param norm a row
     * @param error what is written
     * @param sign 1 or -1
     * @param b another
     * @param to the index after the last
     */
    public static void distances(
            float[] distance,
            float[] score,
            float[] norm,
            float[] error,
            float sign,
            float b,
            int to) {
        for (int i = 0; i < to; i++) {
            float square = (norm[i] * norm[i] + 2 * score[i]) + sign * error[i];
            distance[i] = (float) Math.sqrt(Math.max(0, square)) * b;
        }
    }

    /**
     * x -= y, up to an index.
     *
     * @param x a row
     * @param y another row
     * @param to the index after the last
     */
    public static void subtract(float[] x, float[] y, int to) {
        for (int i = 0; i < to; i++) {
            x[i] -= y[i];
        }
    }

    /**
     * The least and the second least of what came.
     *
     * @param least the least so far
     * @param second the second least so far
     * @param x a row
     */
    public static void lowerTwo(float[] least, float[] second, float[] x) {
        for (int i = 0; i < x.length; i++) {
            float v = x[i];
            float w = least[i];
            second[i] = Math.min(second[i], Math.max(v, w));
            least[i] = Math.min(w, v);
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
