package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.DropoutDraw;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Dropout whose draw is an array like any other: a step is a function of its arguments, and can be
 * repeated or compared.
 *
 * <p>Source: Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting"
 * (2014), scaled in training as PyTorch does.
 *
 * <pre>{@code
 * y = x m            m = 0 with probability p, 1 / (1 - p) otherwise
 * }</pre>
 *
 * <p>A mask of an array's own shape is drawn at the next multiple of 1/32768, if that is no more
 * than a thousandth of p away.
 *
 * @param rate p, at least 0 and below 1
 */
public record Dropout(double rate) {

    /**
     * Creates dropout.
     *
     * @param rate p, at least 0 and below 1
     * @throws IllegalArgumentException if the rate is out of range
     */
    public Dropout {
        Check.option(
                rate >= 0 && rate < 1, "Dropout: rate must be at least 0 and below 1, got " + rate);
    }

    /**
     * Draws a mask with the engine's generator.
     *
     * @param like the array whose type, device and manager are used
     * @param shape the mask's shape
     * @return m, of zeros and 1 / (1 - p); null if nothing is dropped, p being 0
     */
    public @Nullable NDArray mask(NDArray like, Shape shape) {
        Check.present("Dropout", "like", like);
        Check.floating("Dropout", "like", like.getDataType());
        Limits.numbers("Dropout", "the mask", shape.getShape());
        if (rate == 0) {
            return null;
        }
        return drawn(like, shape)
                .toType(like.getDataType(), false)
                .muli(Scalars.like(like, 1 / (1 - rate)));
    }

    /**
     * Draws a mask of booleans with the engine's generator: the same draw as that of {@link #mask},
     * in less memory.
     *
     * @param like the array whose type, device and manager are used
     * @param shape the mask's shape
     * @return what is kept, and its scale; null if nothing is dropped, p being 0
     */
    public @Nullable DropoutMask kept(NDArray like, Shape shape) {
        Check.present("Dropout", "like", like);
        Check.floating("Dropout", "like", like.getDataType());
        Limits.numbers("Dropout", "the mask", shape.getShape());
        return rate == 0 ? null : new DropoutMask(drawn(like, shape), 1 / (1 - rate));
    }

    private NDArray drawn(NDArray like, Shape shape) {
        if (shape.equals(like.getShape()) && DropoutDraw.isFine(rate)) {
            return DropoutDraw.kept(like, rate);
        }
        return Ops.uniform(like, shape.getShape()).gte(Scalars.like(like, rate));
    }

    /**
     * Drops elements.
     *
     * @param x any array
     * @param mask m, of x's shape; null for nothing to drop
     * @return x m; x itself without a mask
     */
    public static NDArray apply(NDArray x, @Nullable NDArray mask) {
        if (mask == null) {
            return x;
        }
        Check.present("Dropout", "x", x);
        return DropoutMask.of(mask).apply(x);
    }
}
