package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/** How slots share features, where some take no part, or receive nothing. */
final class SlotShares {

    private SlotShares() {}

    /**
     * The softmax over the slots that take part; 0 for the others, and for all where none does.
     *
     * @param logits (B, K, N)
     * @param mask true for slots that take no part, of a shape that broadcasts to the logits'; null
     *     for none
     * @return (B, K, N)
     */
    static NDArray of(NDArray logits, @Nullable NDArray mask) {
        return of(logits, mask, seen -> seen.softmax(1));
    }

    /**
     * The same by a softmax of one's own.
     *
     * @param logits of any shape
     * @param mask as above
     * @param softmax keeps the shape
     * @return of the logits' shape
     */
    static NDArray of(NDArray logits, @Nullable NDArray mask, UnaryOperator<NDArray> softmax) {
        if (mask == null) {
            return softmax.apply(logits);
        }
        // The lowest number rather than -infinity: an image without any unmasked slot then has
        // no NaN on its way, neither in values nor in gradients.
        double lowest = Scalars.lowest(logits.getDataType());
        return Ops.maskedFill(softmax.apply(Ops.maskedFill(logits, mask, lowest)), mask, 0);
    }

    /**
     * What weights are divided by: without eps a slot may receive nothing at all, and has 0 / 1
     * then instead of 0 / 0.
     *
     * @param total what each slot receives in all, at least 0
     * @param eps what is added to each share
     * @return the same, and 1 in place of 0
     */
    static NDArray divisor(NDArray total, double eps) {
        if (eps >= Scalars.smallest(total.getDataType())) {
            return total;
        }
        return Ops.maskedFill(total, total.eq(Scalars.like(total, 0)), 1);
    }
}
