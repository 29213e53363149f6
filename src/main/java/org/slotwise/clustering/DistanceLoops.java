package org.slotwise.clustering;

import org.slotwise.internal.VectorLoops;

/** Loops over distances and their bounds, in the form of {@link VectorLoops}. */
final class DistanceLoops {

    private DistanceLoops() {}

    /** x = min(x + y + a, z), of y and z from an index on. */
    static void closer(float[] x, float[] y, float[] z, float a, int first, int n) {
        for (int i = 0; i < n; i++) {
            x[i] = Math.min(x[i] + y[first + i] + a, z[first + i]);
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
