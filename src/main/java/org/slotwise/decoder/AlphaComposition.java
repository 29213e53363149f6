package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scope;

/**
 * Composes images of slots into one: each slot's fourth channel says how much it wants to be seen
 * at a pixel, and a softmax over slots settles who is.
 */
final class AlphaComposition {

    static final String SLOTS = "slots";

    /** Red, green, blue and alpha. */
    static final int CHANNELS = 4;

    private static final int COLOURS = 3;

    private AlphaComposition() {}

    /** Requires slots (B, K, D) of a type that the blocks compute in. */
    static void checkSlots(String who, NDArray slots, int slotDim) {
        Check.shape(who, SLOTS, slots, "B", "K", slotDim);
        Check.floating(who, SLOTS, slots.getDataType());
    }

    /** The decoding of channels (B, K, 4, H, W), kept from a scope for a manager. */
    static SlotDecoding keep(Scope scope, NDArray channels, NDManager owner) {
        NDArray colours = channels.get(":, :, 0:{}", COLOURS); // (B, K, 3, H, W)
        NDArray masks = channels.get(":, :, {}", COLOURS).softmax(1); // (B, K, H, W)
        NDArray reconstruction = colours.mul(masks.expandDims(2)).sum(new int[] {1});
        return new SlotDecoding(
                scope.keep(reconstruction, owner),
                scope.keep(colours, owner),
                scope.keep(masks, owner));
    }

    /** The shapes of reconstruction, slot images and masks for slots (B, K, D). */
    static Shape[] shapes(String who, Shape slots, int slotDim, long height, long width) {
        Check.shape(who, SLOTS, slots, "B", "K", slotDim);
        long batch = slots.get(0);
        long k = slots.get(1);
        return new Shape[] {
            new Shape(batch, COLOURS, height, width),
            new Shape(batch, k, COLOURS, height, width),
            new Shape(batch, k, height, width)
        };
    }
}
