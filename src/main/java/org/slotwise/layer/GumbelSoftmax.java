package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * A sample of categories through which gradients flow.
 *
 * <p>Source: Jang et al., "Categorical Reparameterization with Gumbel-Softmax" (2017), equations 1
 * and 2; hard samples by the straight-through estimator of their section 2.2.
 *
 * <pre>{@code
 * y = softmax((logits + g) / temperature)          g ~ -log(-log U)
 * hard:  one at the largest y, with the gradient of y
 * }</pre>
 *
 * <p>How this differs from others: a hard sample is {@code onehot + (y - y)}, the second y without
 * gradient, whose zeros and ones are exact.
 *
 * @param temperature above 0
 * @param hard whether samples are one category each, in value
 */
public record GumbelSoftmax(double temperature, boolean hard) {

    private static final String WHO = "GumbelSoftmax";

    /** Requires something along an axis. */
    private static void values(NDArray x, int axis) {
        axis(axis, x.getShape().dimension());
        Check.option(
                x.getShape().size() > 0,
                WHO + ": arrays must have at least one number, got " + x.getShape());
    }

    private static void axis(int axis, int axes) {
        Check.option(
                axis >= 0 && axis < axes,
                WHO + ": axis must be from 0 to " + (axes - 1) + ", got " + axis);
    }

    /**
     * Creates the sampling.
     *
     * @param temperature above 0
     * @param hard whether samples are one category each, in value
     * @throws IllegalArgumentException if the temperature is not above 0 and finite
     */
    public GumbelSoftmax {
        Check.positive("GumbelSoftmax", "temperature", temperature);
    }

    /**
     * Samples.
     *
     * @param logits any array; along the axis logarithms of probabilities, up to a number
     * @param gumbel g, of the logits' shape; null to draw it with the engine's generator
     * @param axis the axis of the categories, counted from 0
     * @return y, of the logits' shape, sums to 1 along the axis
     */
    public NDArray sample(NDArray logits, @Nullable NDArray gumbel, int axis) {
        Check.floating(WHO, "logits", Check.present(WHO, "logits", logits).getDataType());
        values(logits, axis);
        if (gumbel != null) {
            Check.option(
                    logits.getShape().equals(gumbel.getShape()),
                    WHO + ": gumbel must be " + logits.getShape() + ", got " + gumbel.getShape());
            Check.sameTypeAndDevice(WHO, "gumbel", gumbel, "logits", logits);
        }
        NDArray noise = gumbel == null ? noise(logits) : gumbel;
        NDArray sum = logits.add(noise);
        if (temperature != 1) {
            sum = sum.divi(Scalars.like(logits, temperature));
        }
        NDArray y = sum.softmax(axis);
        return hard ? straightThrough(y, axis) : y;
    }

    /**
     * One at the largest element along an axis, with the gradient of what it was made of.
     *
     * @param y any array
     * @param axis an axis of y, counted from 0
     * @return zeros and ones, of y's shape
     */
    public static NDArray straightThrough(NDArray y, int axis) {
        Check.floating(WHO, "y", Check.present(WHO, "y", y).getDataType());
        values(y, axis);
        return oneHot(y.argMax(axis), y, axis).add(y.sub(y.stopGradient()));
    }

    /**
     * One at a category, zero elsewhere. No gradient flows.
     *
     * @param chosen int64, the categories: the shape of {@code like} without the axis
     * @param like an array of the type and, along the axis, the size of the result
     * @param axis the axis of the categories, counted from 0
     * @return zeros and ones
     */
    public static NDArray oneHot(NDArray chosen, NDArray like, int axis) {
        axis(axis, Check.present(WHO, "like", like).getShape().dimension());
        int categories = Math.toIntExact(like.getShape().get(axis));
        return oneHot(chosen, categories, axis, like.getDataType());
    }

    /**
     * One at a category, zero elsewhere. No gradient flows.
     *
     * @param chosen int64, the categories
     * @param categories how many there are
     * @param axis where their axis comes to lie in the result, counted from 0
     * @param type the type of the result
     * @return zeros and ones, of one axis more
     */
    public static NDArray oneHot(NDArray chosen, int categories, int axis, DataType type) {
        int rank = Check.present(WHO, "chosen", chosen).getShape().dimension();
        Check.type(WHO, "chosen", chosen, DataType.INT64, "");
        Check.floating(WHO, "type", type);
        Check.atLeast(WHO, "categories", categories, 1);
        Limits.numbers(WHO, "one-hot vectors", Math.max(1, chosen.size()), categories);
        axis(axis, rank + 1);
        NDArray last = chosen.oneHot(categories, type).stopGradient();
        if (axis == rank) {
            return last;
        }
        int[] order = new int[rank + 1];
        for (int i = 0, from = 0; i <= rank; i++) {
            order[i] = i == axis ? rank : from++;
        }
        return last.transpose(order);
    }

    /**
     * Draws from the standard Gumbel distribution with the engine's generator: -log(-log U).
     *
     * @param like the array whose shape, type, device and manager are used
     * @return g
     */
    public static NDArray noise(NDArray like) {
        // U is in [0, 1): neither logarithm may see 0. In float16, U itself may round to 1.
        Check.floating(WHO, "like", Check.present(WHO, "like", like).getDataType());
        boolean half = like.getDataType() == DataType.FLOAT16;
        double least = half ? 0x1p-14 : 1e-30;
        NDArray u = Ops.uniform(like, like.getShape().getShape());
        NDArray e = Ops.clampMin(Ops.clampMin(u, least).log().neg(), least);
        return e.log().neg();
    }
}
