package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * What a mixture starts from where its means lie on features: the arithmetic of {@link
 * SlotMixtureGrouping#startOnFeatures}, without a graph.
 *
 * <p>Features are measured from their image's mean, in units in which the mean square of an element
 * is 1. Two that have nothing to do with each other are then 2 C apart, squared.
 */
final class MixtureStart {

    /** Of a slot, as a share of the variance of the image's features. */
    private static final double SHARE = 0.25;

    private static final double EPS = 1e-8;

    private MixtureStart() {}

    /**
     * Chooses features.
     *
     * @param x (B, N, C)
     * @param uniform (B, N)
     * @param slots K
     * @param leastVariance above 0 in the features' type
     * @return (B, K, 2 C): means, and logarithms of deviations
     */
    static NDArray of(NDArray x, NDArray uniform, int slots, double leastVariance) {
        DataType type = x.getDataType();
        long images = x.getShape().get(0);
        long size = x.getShape().get(1);
        long elements = x.getShape().get(2);
        NDArray centred = x.sub(x.mean(new int[] {1}, true));
        NDArray variances = centred.square().mean(new int[] {1}, true); // (B, 1, C)
        NDArray variance = variances.mean(new int[] {2}, true); // (B, 1, 1)
        NDArray unit = Ops.clampMin(variance, Scalars.smallest(type)).sqrt();
        NDArray y = centred.div(unit);
        NDArray squares = y.square().sum(new int[] {2});
        NDArray chosen =
                StickBreakingSteps.take(
                                y,
                                squares.onesLike(),
                                false,
                                squares,
                                uniform,
                                Kernel.GAUSSIAN,
                                Scalars.like(x, -(double) elements),
                                StickBreaking.least(EPS, type),
                                StickBreaking.rounding(type, elements) / 2,
                                slots,
                                slots)
                        .chosen();
        NDArray rows = chosen.add(Ops.begins(x, Math.toIntExact(images), size).reshape(images, 1));
        NDArray means = Ops.rows(x.reshape(images * size, elements), rows);
        NDArray spread = Ops.clampMin(variances.mul(Scalars.like(x, SHARE)), leastVariance);
        NDArray logSigma = spread.log().mul(Scalars.like(x, 0.5));
        return means.concat(logSigma.broadcast(means.getShape()), 2);
    }
}
