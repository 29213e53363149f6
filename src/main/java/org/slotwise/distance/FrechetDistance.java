package org.slotwise.distance;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.function.Supplier;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scope;

/**
 * The Fréchet distance of two sets of pictures, as Gaussians of their features. In the features of
 * Inception-v3 as clean-fid takes them ({@link PictureFeatures#inception}) it is the FID; in those
 * of another network never call it that: the numbers compare only with themselves.
 *
 * <p>Source: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash
 * equilibrium" (2017); as clean-fid computes it (Parmar et al., "On aliased resizing and surprising
 * subtleties in GAN evaluation", 2022), but for the root, of which clean-fid takes the real part of
 * Schur's method.
 *
 * <pre>{@code
 * |mu1 - mu2|² + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2)
 * A = R of QR((f1 - mu1) / sqrt(n1 - 1)),  B likewise:  S1 = AᵀA,  S2 = BᵀB
 * tr (S1 S2)^(1/2) = the sum of the singular values of A Bᵀ
 * }</pre>
 *
 * <p>All in float64; exact where covariances are singular, as they are for fewer pictures than
 * features have numbers. A set's distance to itself is 0 up to rounding, and may be a little below.
 * The distance is biased upwards for few pictures, by how much depends on the sets: compare only
 * distances of equal numbers of pictures.
 *
 * @param value the distance
 * @param first of how many pictures the first set is; 0 if its statistics do not say
 * @param second of how many the second
 */
public record FrechetDistance(double value, long first, long second) {

    private static final String WHO = "FrechetDistance";

    /**
     * A distance that was measured.
     *
     * @param value finite
     * @param first at least 0
     * @param second at least 0
     * @throws IllegalArgumentException if a number is none of these
     */
    public FrechetDistance {
        Check.option(Double.isFinite(value), WHO + ": value must be finite, got " + value);
        Check.atLeast(WHO, "first", first, 0);
        Check.atLeast(WHO, "second", second, 0);
    }

    /**
     * The distance of two sets of features.
     *
     * @param first (n1, d), float32, float64 or float16, at least two rows
     * @param second (n2, d), likewise; n2 may differ, and so may the type
     * @return the distance
     * @throws IllegalArgumentException if a set has another shape or type, fewer than two rows,
     *     NaN, infinity or a row above 1e150 in size (the error names the first such row), or the
     *     sizes of features differ
     */
    public static FrechetDistance of(NDArray first, NDArray second) {
        FeatureRows.check(WHO, "first", first, 0);
        FeatureRows.check(WHO, "second", second, 0);
        FeatureRows.sameDim(WHO, first.getShape().get(1), second.getShape().get(1));
        FeatureRows.atLeastTwo(WHO, "first", first.getShape().get(0));
        FeatureRows.atLeastTwo(WHO, "second", second.getShape().get(0));
        Check.sameDevice(WHO, "second", second, "first", first);
        return between(() -> factor(first), () -> factor(second));
    }

    /**
     * The distance of two sets whose statistics are known.
     *
     * @param first of one set
     * @param second of the other
     * @return the distance
     * @throws IllegalArgumentException if the sizes of features differ
     */
    public static FrechetDistance of(FeatureStatistics first, FeatureStatistics second) {
        FeatureRows.sameDim(WHO, first.featureDim(), second.featureDim());
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            return between(() -> first.factor(manager), () -> second.factor(manager));
        }
    }

    private static CovarianceFactor factor(NDArray features) {
        return CovarianceFactor.of(features.toType(DataType.FLOAT64, true));
    }

    @SuppressWarnings("try") // the scope works by being open
    private static FrechetDistance between(
            Supplier<CovarianceFactor> first, Supplier<CovarianceFactor> second) {
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        CovarianceFactor a = first.get();
                        CovarianceFactor b = second.get();
                        return new FrechetDistance(a.distance(b), a.count(), b.count());
                    }
                });
    }
}
