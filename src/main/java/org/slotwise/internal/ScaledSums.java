package org.slotwise.internal;

/**
 * Sums of two scaled rows each, several in one loop ({@link VectorLoops}). Which loops the JVM's
 * compiler turns into vector instructions was found by measuring (docs/performance.md): with Java
 * 17, three sums of two rows each are five times as fast as two sums of three rows.
 */
final class ScaledSums {

    private ScaledSums() {}

    /** p += a x + b y and q += c x + d y. */
    static void add(
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
    static void add(
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

    /** p += a x + b y, q += c x + d y, r += e x + f y and s += g x + h y. */
    static void add(
            float[] p,
            float[] q,
            float[] r,
            float[] s,
            float[] x,
            float[] y,
            float a,
            float b,
            float c,
            float d,
            float e,
            float f,
            float g,
            float h,
            int from,
            int to) {
        for (int i = from; i < to; i++) {
            float v = x[i];
            float w = y[i];
            p[i] = Math.fma(b, w, Math.fma(a, v, p[i]));
            q[i] = Math.fma(d, w, Math.fma(c, v, q[i]));
            r[i] = Math.fma(f, w, Math.fma(e, v, r[i]));
            s[i] = Math.fma(h, w, Math.fma(g, v, s[i]));
        }
    }
}
