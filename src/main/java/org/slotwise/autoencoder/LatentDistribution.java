package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * What latents an image may be: for each number a normal distribution, or the number itself.
 *
 * <p>Source: Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), appendix B; in the form
 * of {@code DiagonalGaussianDistribution} of diffusers.
 *
 * <pre>{@code
 * z  = mean + exp(logvar / 2) n                              n: standard normal
 * KL = 1/2 sum(mean² + exp(logvar) - 1 - logvar)             of each image
 * }</pre>
 *
 * <p>What methods give belongs to the mean's manager. They are part of a graph where the mean is.
 *
 * @param mean (B, C, h, w)
 * @param logVariance (B, C, h, w), within [-30, 20]; null where latents are known: no noise is in a
 *     sample then, and the KL is of no meaning
 */
public record LatentDistribution(NDArray mean, @Nullable NDArray logVariance) {

    private static final String WHO = "LatentDistribution";
    private static final double LEAST = -30;
    private static final double MOST = 20;

    /**
     * Creates a distribution.
     *
     * @param mean (B, C, h, w)
     * @param logVariance (B, C, h, w); null where latents are known
     * @throws IllegalArgumentException if the shapes or types differ
     */
    public LatentDistribution {
        Check.shape(WHO, "mean", mean, "B", "C", "h", "w");
        Check.floating(WHO, "mean", mean.getDataType());
        if (logVariance != null) {
            Shape s = mean.getShape();
            Check.shape(WHO, "logVariance", logVariance, s.get(0), s.get(1), s.get(2), s.get(3));
            Check.sameTypeAndDevice(WHO, "logVariance", logVariance, "mean", mean);
        }
    }

    /**
     * Splits what a network gives into mean and log variance. The gradient passes through the
     * bounds of the log variance only inside of them.
     *
     * @param moments (B, 2 C, h, w)
     * @return the distribution
     * @throws IllegalArgumentException if the channels are odd
     */
    public static LatentDistribution of(NDArray moments) {
        Check.shape(WHO, "moments", moments, "B", "2 C", "h", "w");
        long channels = moments.getShape().get(1);
        Check.option(
                channels % 2 == 0, WHO + ": channels of moments must be even, got " + channels);
        NDManager owner = moments.getManager();
        try (Scope scope = new Scope()) {
            NDArray mean = moments.get(":, 0:{}", channels / 2);
            NDArray open = moments.get(":, {}:", channels / 2);
            NDArray high = Ops.clampMin(open, LEAST);
            NDArray bounded = Ops.clampMin(high.neg(), -MOST).neg();
            return new LatentDistribution(scope.keep(mean, owner), scope.keep(bounded, owner));
        }
    }

    /**
     * Draws latents from given noise.
     *
     * @param noise n (B, C, h, w), standard normal draws
     * @return z; the mean itself where latents are known
     * @throws IllegalArgumentException if the noise has another shape or type
     */
    public NDArray sample(NDArray noise) {
        Shape s = mean.getShape();
        Check.shape(WHO, "noise", noise, s.get(0), s.get(1), s.get(2), s.get(3));
        Check.sameTypeAndDevice(WHO, "noise", noise, "mean", mean);
        if (logVariance == null) {
            return mean;
        }
        try (Scope scope = new Scope()) {
            return scope.keep(mean.add(deviation().mul(noise)), mean.getManager());
        }
    }

    /**
     * Draws latents with the engine's generator.
     *
     * @return z; the mean itself where latents are known
     */
    public NDArray sample() {
        if (logVariance == null) {
            return mean;
        }
        try (Scope scope = new Scope()) {
            NDArray noise =
                    Ops.normal(
                            mean.getManager(),
                            mean.getDevice(),
                            mean.getShape(),
                            mean.getDataType());
            return scope.keep(sample(noise), mean.getManager());
        }
    }

    /**
     * Standard deviations.
     *
     * @return exp(logvar / 2) (B, C, h, w)
     * @throws IllegalArgumentException if latents are known: there are none then
     */
    public NDArray deviation() {
        NDArray v = variances("deviation");
        try (Scope scope = new Scope()) {
            return scope.keep(v.mul(Scalars.like(v, 0.5)).exp(), mean.getManager());
        }
    }

    /**
     * How far the distribution is from the standard normal one.
     *
     * @return KL of each image (B), in nats, at least 0
     * @throws IllegalArgumentException if latents are known
     */
    public NDArray kl() {
        NDArray v = variances("kl");
        try (Scope scope = new Scope()) {
            NDArray all = mean.square().add(v.exp()).sub(Scalars.like(v, 1)).sub(v);
            return scope.keep(halfOfEach(all), mean.getManager());
        }
    }

    /**
     * How improbable latents are.
     *
     * @param latents (B, C, h, w)
     * @return the negative logarithm of their density, of each image (B)
     * @throws IllegalArgumentException if latents are known, or have another shape
     */
    public NDArray negativeLogLikelihood(NDArray latents) {
        NDArray v = variances("negativeLogLikelihood");
        Shape s = mean.getShape();
        Check.shape(WHO, "latents", latents, s.get(0), s.get(1), s.get(2), s.get(3));
        Check.sameTypeAndDevice(WHO, "latents", latents, "mean", mean);
        try (Scope scope = new Scope()) {
            NDArray far = latents.sub(mean).square().mul(v.neg().exp());
            NDArray all = far.add(v).add(Scalars.like(v, Math.log(2 * Math.PI)));
            return scope.keep(halfOfEach(all), mean.getManager());
        }
    }

    private NDArray variances(String what) {
        if (logVariance == null) {
            throw new IllegalArgumentException(
                    WHO + ": " + what + " needs a log variance, which known latents have not");
        }
        return logVariance;
    }

    private static NDArray halfOfEach(NDArray all) {
        NDArray sums = all.reshape(all.getShape().get(0), -1).sum(new int[] {1});
        return sums.mul(Scalars.like(all, 0.5));
    }
}
