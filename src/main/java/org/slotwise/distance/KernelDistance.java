package org.slotwise.distance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * The kernel distance of two sets of pictures: the unbiased squared maximum mean discrepancy of
 * their features. In the features of Inception-v3 as clean-fid takes them ({@link
 * PictureFeatures#inception}) it is the KID, often given times 1,000; in those of another network
 * the numbers compare only with themselves.
 *
 * <p>Source: Bińkowski et al., "Demystifying MMD GANs" (2018), as clean-fid computes it; all in
 * float64, where clean-fid computes in the type of the features, and with subsets from a seed.
 *
 * <pre>{@code
 * k(x, y) = (x . y / d + 1)³
 * a subset, m of each set:  t = (sum K_xx - trace K_xx + sum K_yy - trace K_yy) / (m (m - 1)) - 2 sum K_xy / m²
 * the distance              = the mean of t over subsets
 * }</pre>
 *
 * <p>Unlike the Fréchet distance it is not biased for few pictures; it may be below 0 where two
 * sets are much alike.
 *
 * @param value the distance
 * @param standardError the deviation of t over subsets, divided by the root of their number: how
 *     much the draws matter, not how much the pictures do. 0 for one subset, which is all of both
 * @param subsets how many there were: 1 where each is all of both sets
 * @param subsetSize m
 * @param first of how many pictures the first set is
 * @param second of how many the second
 */
public record KernelDistance(
        double value, double standardError, int subsets, int subsetSize, long first, long second) {

    private static final String WHO = "KernelDistance";

    /**
     * A distance that was measured.
     *
     * @param value finite
     * @param standardError at least 0
     * @param subsets at least 1
     * @param subsetSize at least 2
     * @param first at least 2
     * @param second at least 2
     * @throws IllegalArgumentException if a number is none of these
     */
    public KernelDistance {
        Check.option(Double.isFinite(value), WHO + ": value must be finite, got " + value);
        Check.notNegative(WHO, "standardError", standardError);
        Check.atLeast(WHO, "subsets", subsets, 1);
        Check.atLeast(WHO, "subsetSize", subsetSize, 2);
        Check.atLeast(WHO, "first", first, 2);
        Check.atLeast(WHO, "second", second, 2);
    }

    /**
     * The distance of two sets of features.
     *
     * @param first (n1, d), float32, float64 or float16, at least two rows
     * @param second (n2, d), likewise; n2 may differ, and so may the type
     * @param subsets how they are drawn
     * @return the distance
     * @throws IllegalArgumentException if a set has another shape or type, fewer than two rows, NaN
     *     or infinity (the error names the first such row), or numbers whose kernel is not finite,
     *     or the sizes of features differ
     */
    public static KernelDistance of(NDArray first, NDArray second, KernelSubsets subsets) {
        FeatureRows.check(WHO, "first", first, 0);
        FeatureRows.check(WHO, "second", second, 0);
        FeatureRows.sameDim(WHO, first.getShape().get(1), second.getShape().get(1));
        Check.sameDevice(WHO, "second", second, "first", first);
        int n1 = Math.toIntExact(first.getShape().get(0));
        int n2 = Math.toIntExact(second.getShape().get(0));
        FeatureRows.atLeastTwo(WHO, "first", n1);
        FeatureRows.atLeastTwo(WHO, "second", n2);
        int m = Math.min(subsets.size(), Math.min(n1, n2));
        int count = m == n1 && m == n2 ? 1 : subsets.count();
        return of(first, second, subsets.draw(0, n1, m, count), subsets.draw(1, n2, m, count));
    }

    /** With subsets that are given, (count, m) rows of each set. */
    static KernelDistance of(NDArray first, NDArray second, long[][] rows1, long[][] rows2) {
        int count = rows1.length;
        int m = rows1[0].length;
        double[] t = new double[count];
        double sum = 0;
        for (int i = 0; i < count; i++) {
            t[i] = discrepancy(first, second, rows1[i], rows2[i]);
            Check.option(
                    Double.isFinite(t[i]),
                    WHO
                            + ": features are so large that the kernel, a third power of their"
                            + " products, is not finite in float64");
            sum += t[i];
        }
        double mean = sum / count;
        double squares = 0;
        for (double value : t) {
            squares += (value - mean) * (value - mean);
        }
        double error = count == 1 ? 0 : Math.sqrt(squares / (count - 1.0) / count);
        return new KernelDistance(
                mean, error, count, m, first.getShape().get(0), second.getShape().get(0));
    }

    @SuppressWarnings("try") // the scope works by being open
    private static double discrepancy(NDArray first, NDArray second, long[] rows1, long[] rows2) {
        double m = rows1.length;
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray x = rows(first, rows1);
                        NDArray y = rows(second, rows2);
                        double own = offDiagonal(x) + offDiagonal(y);
                        double cross = read(kernel(x.matMul(y.transpose()), x).sum());
                        return own / (m - 1) / m - 2 * cross / m / m;
                    }
                });
    }

    private static NDArray rows(NDArray set, long[] rows) {
        return Ops.rows(set, Ops.indices(set, rows)).toType(DataType.FLOAT64, false);
    }

    private static double offDiagonal(NDArray x) {
        double all = read(kernel(x.matMul(x.transpose()), x).sum());
        double diagonal = read(kernel(x.square().sum(new int[] {1}), x).sum());
        return all - diagonal;
    }

    /** (dots / d + 1)³. */
    private static NDArray kernel(NDArray dots, NDArray x) {
        NDArray d = Scalars.like(dots, (double) x.getShape().get(1));
        NDArray base = dots.div(d).addi(Scalars.like(dots, 1));
        return base.square().mul(base);
    }

    private static double read(NDArray scalar) {
        return Ops.read(scalar)[0];
    }
}
