package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * One step of expectation and maximisation, and its repetition: the equations of {@link
 * SlotMixtureGrouping}.
 *
 * <p>A Gaussian with a diagonal covariance is of the exponential family, so that both halves of a
 * step are one product with the moments y = [x, x²] of the features:
 *
 * <pre>{@code
 * -1/2 sum of (x - mu)² / sigma² = [mu / sigma², -1/2 / sigma²] . y - 1/2 sum of mu² / sigma²
 * [mean of x, mean of x²]        = sum of w y
 * }</pre>
 *
 * <p>Differences x - mu of every feature with every slot, (B, K, N, C), are never made. What that
 * costs in precision is kept small by moments about the image's mean.
 *
 * <p>The state is a list: means (B, K, C), logarithms of the deviations (B, K, C) and of the priors
 * (B, K, 1), the latter up to a number that all slots share.
 */
final class SlotMixtureIteration {

    private final NDArray centre; // the mean of x, (B, 1, C)
    private final NDArray moments; // of x - centre, (B, N, 2 C)
    private final NDArray epsTimesSum; // eps times the sum of the moments, (B, 1, 2 C)
    private final SlotMixtureGrouping.Likelihood likelihood;
    private final double eps;
    private final double leastVariance;
    private final BinaryOperator<NDArray> updateMeans;
    private final @Nullable NDArray mask; // (B, K, 1)

    /**
     * Prepares features.
     *
     * @param x (B, N, C)
     * @param likelihood what decides which slot a feature is of
     * @param eps what is added to the responsibilities
     * @param leastVariance above 0 in the features' type
     * @param slotMask (B, K) or null
     * @param updateMeans from the means of the features and the means before, (B, K, C) both, to
     *     the next means
     */
    SlotMixtureIteration(
            NDArray x,
            SlotMixtureGrouping.Likelihood likelihood,
            double eps,
            double leastVariance,
            @Nullable NDArray slotMask,
            BinaryOperator<NDArray> updateMeans) {
        this.likelihood = likelihood;
        this.eps = eps;
        this.leastVariance = leastVariance;
        this.updateMeans = updateMeans;
        centre = x.mean(new int[] {1}, true);
        NDArray centred = x.sub(centre);
        moments = centred.concat(centred.square(), 2);
        epsTimesSum = moments.sum(new int[] {1}, true).mul(Scalars.like(x, eps));
        mask = slotMask == null ? null : slotMask.expandDims(2);
    }

    /** The state for slots (B, K, 2 C), with equal priors. */
    static NDList start(NDArray slots) {
        NDList halves = slots.split(2, 2);
        NDArray equal = halves.get(0).sum(new int[] {2}, true).zerosLike();
        return new NDList(halves.get(0), halves.get(1), equal);
    }

    /**
     * Iterates; what an iteration makes on its way is freed before the next one starts.
     *
     * @return the state, and the responsibilities (B, K, N) that led to it
     */
    NDList repeat(NDList start, int times) {
        NDList state = start;
        for (int t = 0; t < times; t++) {
            NDList before = state;
            try (Scope scope = new Scope()) {
                NDArray r = expect(before);
                state = maximise(before, r);
                if (t + 1 == times) {
                    state.add(r);
                }
                state.forEach(scope::keep);
            }
            if (t > 0) {
                before.close();
            }
        }
        return state;
    }

    /** Responsibilities (B, K, N). */
    private NDArray expect(NDList state) {
        return SlotShares.of(logits(state), mask);
    }

    /** What the softmax takes, (B, K, N): up to a number that all slots share, log pi N(x). */
    NDArray logits(NDList state) {
        NDArray mu = state.get(0).sub(centre);
        NDArray logSigma = Ops.clampMin(state.get(1), Math.log(leastVariance) / 2);
        NDArray minusHalf = Scalars.like(mu, -0.5);
        NDArray precision = logSigma.mul(Scalars.like(mu, -2)).exp(); // 1 / sigma²
        NDArray muPrecision = mu.mul(precision);
        int[] elements = {2};
        NDArray constant = mu.mul(muPrecision).sum(elements, true).mul(minusHalf); // (B, K, 1)
        if (likelihood == SlotMixtureGrouping.Likelihood.FULL) {
            constant = constant.sub(logSigma.sum(elements, true)).add(state.get(2));
        }
        NDArray natural = muPrecision.concat(precision.mul(minusHalf), 2); // (B, K, 2 C)
        return Ops.dots(natural, moments).add(constant);
    }

    /** The next state for responsibilities r (B, K, N). */
    private NDList maximise(NDList state, NDArray r) {
        NDArray n = Scalars.like(r, (double) r.getShape().get(2));
        NDArray total = r.sum(new int[] {2}, true).add(Scalars.like(r, eps).mul(n));
        total = Ops.clampMin(total, nearlyNothing(r.getDataType())); // (B, K, 1)
        // sum of (r + eps) y = sum of r y + eps times the sum of y
        NDList means = r.matMul(moments).add(epsTimesSum).div(total).split(2, 2);
        NDArray offset = means.get(0);
        NDArray u = offset.add(centre);
        NDArray mu = updateMeans.apply(u, state.get(0));
        // sum of w (x - mu)² = (sum of w x² - u²) + (mu - u)²
        NDArray variance = means.get(1).sub(offset.square()).add(mu.sub(u).square());
        NDArray logSigma =
                Ops.clampMin(variance, leastVariance).log().mul(Scalars.like(variance, 0.5));
        return new NDList(mu, logSigma, total.div(n).log());
    }

    /** What a slot that has nothing divides by: 0 / something, instead of 0 / 0. */
    private static double nearlyNothing(DataType type) {
        return type == DataType.FLOAT16 ? 0x1p-14 : 1e-30;
    }
}
