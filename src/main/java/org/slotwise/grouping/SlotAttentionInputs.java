package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * What the inputs of Slot Attention must be, and which shapes its outputs have.
 *
 * @param featureDim F
 * @param dim D
 */
record SlotAttentionInputs(int featureDim, int dim) {

    /** Checks the inputs in the name of a block, and returns the conditioning. */
    NDArray check(
            String who, NDArray x, @Nullable NDArray conditioning, @Nullable NDArray slotMask) {
        return check(who, x, featureDim, conditioning, slotMask);
    }

    /** Checks the inputs where the features may still be of another size than the attention's. */
    NDArray check(
            String who,
            NDArray x,
            long size,
            @Nullable NDArray conditioning,
            @Nullable NDArray slotMask) {
        Check.floating(who, "features", x.getDataType());
        Check.shape(who, "features", x, "B", "N", size);
        long batch = x.getShape().get(0);
        if (conditioning == null) {
            throw new IllegalArgumentException(
                    who + ": conditioning is missing: the slots' initial values, (B, K, D)");
        }
        Check.shape(who, "conditioning", conditioning, batch, "K", dim);
        Check.sameTypeAndDevice(who, "conditioning", conditioning, "features", x);
        if (slotMask != null) {
            long slots = conditioning.getShape().get(1);
            Check.shape(who, "slot_mask", slotMask, batch, slots);
            Check.type(who, "slot_mask", slotMask, DataType.BOOLEAN, "");
            Check.sameDevice(who, "slot_mask", slotMask, "features", x);
        }
        return conditioning;
    }

    /**
     * The shapes of objects, attributions and, where a mask comes in, the empty-slot indicator.
     * Shapes carry no names: conditioning is the first one that fits, so that auxiliary features
     * may stand before it.
     *
     * @param at the first place among the inputs where the conditioning may stand
     */
    Shape[] outputShapes(String who, Shape features, Shape[] inputs, int at) {
        Check.shape(who, "features", features, "B", "N", featureDim);
        if (inputs.length <= at) {
            throw new IllegalArgumentException(who + ": conditioning is missing");
        }
        int found = at;
        while (found < inputs.length - 1 && !isConditioning(inputs[found], features.get(0))) {
            found++;
        }
        Shape conditioning = inputs[found];
        if (!isConditioning(conditioning, features.get(0))) {
            Check.shape(who, "conditioning", inputs[at], features.get(0), "K", dim);
        }
        long batch = features.get(0);
        long slots = conditioning.get(1);
        Shape objects = new Shape(batch, slots, dim);
        Shape attention = new Shape(batch, slots, features.get(1));
        return inputs.length > found + 1
                ? new Shape[] {objects, attention, new Shape(batch, slots)}
                : new Shape[] {objects, attention};
    }

    private boolean isConditioning(Shape shape, long batch) {
        return shape.dimension() == 3
                && (shape.get(0) == batch || shape.get(0) == -1 || batch == -1)
                && (shape.get(2) == dim || shape.get(2) == -1);
    }

    /** Features, conditioning and, where there is one, a slot mask, checked. */
    NDList list(String who, NDArray x, @Nullable NDArray conditioning, @Nullable NDArray slotMask) {
        NDList list = new NDList(x, check(who, x, conditioning, slotMask));
        if (slotMask != null) {
            list.add(slotMask);
        }
        return list;
    }

    /** The mask of such a list. */
    static @Nullable NDArray slotMask(NDList list) {
        return list.size() > 2 ? list.get(2) : null;
    }

    /** Which slots are empty: a copy, since the mask is the caller's, and outputs get names. */
    static @Nullable NDArray isEmpty(@Nullable NDArray slotMask, NDArray features) {
        if (slotMask == null) {
            return null;
        }
        NDArray copy = slotMask.duplicate();
        copy.attach(features.getManager());
        return copy;
    }
}
