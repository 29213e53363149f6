package org.slotwise.internal;

/** As {@link VectorLoops}, in float64. */
public final class DoubleLoops {

    private DoubleLoops() {}

    /**
     * x = 1 / x.
     *
     * @param x a row
     * @param to the index after the last
     */
    public static void invert(double[] x, int to) {
        for (int i = 0; i < to; i++) {
            x[i] = 1 / x[i];
        }
    }

    /**
     * x *= y of each pair of numbers.
     *
     * @param x a row
     * @param y another row
     * @param to the index after the last
     */
    public static void multiply(double[] x, double[] y, int to) {
        for (int i = 0; i < to; i++) {
            x[i] *= y[i];
        }
    }

    /**
     * sum += x, up to an index.
     *
     * @param sum a row of sums
     * @param x a row
     * @param to the index after the last
     */
    public static void add(double[] sum, double[] x, int to) {
        for (int i = 0; i < to; i++) {
            sum[i] += x[i];
        }
    }

    /**
     * x = e to the power of x, up to an index: as a power of 1024 of a polynomial, which a compiler
     * makes vectors of, within 3e-10 of it; 0 and infinity come near, at e to the power of -110 and
     * 110, which float32 cannot tell from them.
     *
     * @param x a row
     * @param to the index after the last
     */
    public static void exponentials(double[] x, int to) {
        for (int i = 0; i < to; i++) {
            double t = Math.max(-110, Math.min(110, x[i])) * (1.0 / 1024);
            double y = Math.fma(t, 1.0 / 5040, 1.0 / 720);
            y = Math.fma(y, t, 1.0 / 120);
            y = Math.fma(y, t, 1.0 / 24);
            y = Math.fma(y, t, 1.0 / 6);
            y = Math.fma(y, t, 0.5);
            y = Math.fma(y, t, 1);
            y = Math.fma(y, t, 1);
            double y8 = y * y;
            y8 *= y8;
            y8 *= y8;
            double y64 = y8 * y8;
            y64 *= y64;
            y64 *= y64;
            double y512 = y64 * y64;
            y512 *= y512;
            y512 *= y512;
            x[i] = y512 * y512;
        }
    }
}
