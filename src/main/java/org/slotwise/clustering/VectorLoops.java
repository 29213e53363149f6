package org.slotwise.clustering;

/**
 * Loops over rows of numbers in a form that the JVM's compiler turns into vector instructions:
 * separate arrays, one index, few operations. Which loops it takes was found by measuring
 * (docs/performance.md): with Java 17, three sums of two rows each are five times as fast as two
 * sums of three rows.
 */
final class VectorLoops {

    private VectorLoops() {}

    /** p += a x + b y, from one index up to another. */
    static void addScaled(float[] p, float[] x, float[] y, float a, float b, int from, int to) {
        for (int i = from; i < to; i++) {
            p[i] = Math.fma(b, y[i], Math.fma(a, x[i], p[i]));
        }
    }

    /** p += a x + b y and q += c x + d y. */
    static void addScaled(
            float[] p,
            float[] q,
            float[] x,
            float[] y,
            float a,
            float b,
            float c,
            float d,
            int from,
            int to) {
        for (int i = from; i < to; i++) {
            float v = x[i];
            float w = y[i];
            p[i] = Math.fma(b, w, Math.fma(a, v, p[i]));
            q[i] = Math.fma(d, w, Math.fma(c, v, q[i]));
        }
    }

    /** p += a x + b y, q += c x + d y and r += e x + f y. */
    static void addScaled(
            float[] p,
            float[] q,
            float[] r,
            float[] x,
            float[] y,
            float a,
            float b,
            float c,
            float d,
            float e,
            float f,
            int from,
            int to) {
        for (int i = from; i < to; i++) {
            float v = x[i];
            float w = y[i];
            p[i] = Math.fma(b, w, Math.fma(a, v, p[i]));
            q[i] = Math.fma(d, w, Math.fma(c, v, q[i]));
            r[i] = Math.fma(f, w, Math.fma(e, v, r[i]));
        }
    }

    /** sum += x + y + v + w. */
    static void add(float[] sum, float[] x, float[] y, float[] v, float[] w) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += (x[i] + y[i]) + (v[i] + w[i]);
        }
    }

    /** sum += x. */
    static void add(float[] sum, float[] x) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += x[i];
        }
    }

    /** x = min(x + y + a, z), of y and z from an index on. */
    static void closer(float[] x, float[] y, float[] z, float a, int first, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.min(x[i] + y[first + i] + a, z[first + i]);
        }
    }

    /** The sum in float64, up to an index. */
    static double sum(float[] x, int to) {
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

    /** sum += x². */
    static void addSquares(float[] sum, float[] x) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] = Math.fma(x[i], x[i], sum[i]);
        }
    }

    /** sum = (x - a)² + (y - b)² + (v - c)². */
    static void squares(float[] sum, float[] x, float[] y, float[] v, float a, float b, float c) {
        for (int i = 0; i < sum.length; i++) {
            float p = x[i] - a;
            float q = y[i] - b;
            float r = v[i] - c;
            sum[i] = Math.fma(p, p, Math.fma(q, q, r * r));
        }
    }

    /** highest = max(highest, x), from one index up to another. */
    static void raise(float[] highest, float[] x, int from, int to) {
        for (int i = from; i < to; i++) {
            highest[i] = Math.max(highest[i], x[i]);
        }
    }

    /** The least and the second least of what came, and now of a - x, up to an index. */
    static void lowerTwo(float[] least, float[] second, float[] x, float a, int to) {
        for (int i = 0; i < to; i++) {
            float v = a - x[i];
            float w = least[i];
            second[i] = Math.min(second[i], Math.max(v, w));
            least[i] = Math.min(w, v);
        }
    }

    /** error = e (norm + a)², up to an index. */
    static void reach(float[] error, float[] norm, float a, float e, int to) {
        for (int i = 0; i < to; i++) {
            float r = norm[i] + a;
            error[i] = r * r * e;
        }
    }

    /** distance = b √(norm² + 2 score + sign error), of at least 0, up to an index. */
    static void distances(
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

    /** x -= y, up to an index. */
    static void subtract(float[] x, float[] y, int to) {
        for (int i = 0; i < to; i++) {
            x[i] -= y[i];
        }
    }

    /** The least and the second least of what came. */
    static void lowerTwo(float[] least, float[] second, float[] x) {
        for (int i = 0; i < x.length; i++) {
            float v = x[i];
            float w = least[i];
            second[i] = Math.min(second[i], Math.max(v, w));
            least[i] = Math.min(w, v);
        }
    }
}
