package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Normal distributions of independent numbers.
 *
 * <pre>{@code
 * sample:       m + s noise
 * ln p(x)     = -(x - m)² / (2 s²) - ln s - ln(2 pi) / 2
 * KL(q || p)  = ln(sp / sq) + (sq² + (mq - mp)²) / (2 sp²) - 1/2
 * }</pre>
 *
 * @param mean m, any array
 * @param deviation s, above 0, of the mean's shape, or of one that broadcasts with it
 */
public record Gaussian(NDArray mean, NDArray deviation) {

    private static final String WHO = "Gaussian";
    private static final double HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);

    /**
     * Creates the distributions.
     *
     * @param mean m
     * @param deviation s, of the mean's type
     * @throws IllegalArgumentException if types are no floating ones, or not the same
     */
    public Gaussian {
        Check.floating(WHO, "mean", Check.present(WHO, "mean", mean).getDataType());
        Check.present(WHO, "deviation", deviation);
        Check.sameTypeAndDevice(WHO, "deviation", deviation, "mean", mean);
        broadcasts("deviation", deviation, mean);
    }

    /** Requires two shapes to go together, size by size from the last. */
    private static void broadcasts(String what, NDArray array, NDArray mean) {
        Shape a = array.getShape();
        Shape b = mean.getShape();
        boolean fits = true;
        for (int i = 1; i <= Math.min(a.dimension(), b.dimension()); i++) {
            long own = a.get(a.dimension() - i);
            long other = b.get(b.dimension() - i);
            fits &= own == other || own == 1 || other == 1;
        }
        Check.option(fits, WHO + ": " + what + " must go with a mean of " + b + ", got " + a);
    }

    /**
     * Of numbers that a network gave: the first half of an axis are means, the softplus of the
     * second half deviations.
     *
     * @param numbers any array, of an even size along the axis
     * @param axis counted from 0
     * @return distributions of half the size along the axis
     * @throws IllegalArgumentException if there is no such axis, or its size is odd
     */
    public static Gaussian halves(NDArray numbers, int axis) {
        Shape s = Check.present(WHO, "numbers", numbers).getShape();
        Check.floating(WHO, "numbers", numbers.getDataType());
        Check.option(
                axis >= 0 && axis < s.dimension() && s.get(axis) > 0 && s.get(axis) % 2 == 0,
                WHO + ": numbers must be even along axis " + axis + ", got " + s);
        NDList halves = numbers.split(2, axis);
        return new Gaussian(halves.get(0), softplus(halves.get(1)));
    }

    private static NDArray softplus(NDArray x) {
        return Activation.softPlus(x);
    }

    /**
     * Samples.
     *
     * @param noise standard normal draws of the mean's shape; null to draw them with the engine's
     *     generator
     * @return m + s noise
     * @throws IllegalArgumentException if the noise has another shape or type
     */
    public NDArray sample(@Nullable NDArray noise) {
        if (noise == null) {
            NDArray drawn =
                    Ops.normal(
                            mean.getManager(),
                            mean.getDevice(),
                            mean.getShape(),
                            mean.getDataType());
            return mean.add(deviation.mul(drawn));
        }
        Check.present(WHO, "noise", noise);
        Check.option(
                noise.getShape().equals(mean.getShape()),
                WHO + ": noise must be " + mean.getShape() + ", got " + noise.getShape());
        Check.sameTypeAndDevice(WHO, "noise", noise, "mean", mean);
        return mean.add(deviation.mul(noise));
    }

    /**
     * The logarithm of the density.
     *
     * @param x numbers of a shape that broadcasts with the mean's
     * @return ln p(x), number by number
     */
    public NDArray logDensity(NDArray x) {
        Check.present(WHO, "x", x);
        Check.sameTypeAndDevice(WHO, "x", x, "mean", mean);
        broadcasts("x", x, mean);
        NDArray variance = deviation.square();
        NDArray square = x.sub(mean).square().div(variance.mul(Scalars.like(mean, 2)));
        return square.neg().sub(deviation.log()).sub(Scalars.like(mean, HALF_LOG_TWO_PI));
    }

    /**
     * The Kullback-Leibler divergence from another distribution.
     *
     * @param prior p, of a shape that broadcasts with this one's
     * @return KL(this || p), number by number, at least 0 but for rounding
     */
    public NDArray divergence(Gaussian prior) {
        Check.sameTypeAndDevice(WHO, "prior", prior.mean, "mean", mean);
        broadcasts("prior", prior.mean, mean);
        NDArray half = Scalars.like(mean, 0.5);
        // 1/2 ((sq/sp)² + ((mq - mp)/sp)² - 1 - ln (sq/sp)²)
        NDArray ratio = deviation.div(prior.deviation).square();
        NDArray distance = mean.sub(prior.mean).div(prior.deviation).square();
        NDArray sum = ratio.add(distance).sub(Scalars.like(mean, 1)).sub(ratio.log());
        return sum.mul(half);
    }
}
