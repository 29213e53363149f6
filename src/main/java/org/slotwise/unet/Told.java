package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a network is told besides latents and time.
 *
 * @param slots (B, K, D)
 * @param maps who sees how places attend to slots; null where nobody asks, and then nothing is
 *     computed for it
 * @param before what was made of the slots before; empty where nothing was
 */
record Told(NDArray slots, @Nullable CrossAttentionMaps maps, NDList before) {

    /** Slots alone. */
    static Told of(NDArray slots) {
        return new Told(slots, null, new NDList());
    }

    /** Slots, and who sees how places attend to them. */
    static Told of(NDArray slots, CrossAttentionMaps maps) {
        return new Told(slots, maps, new NDList());
    }

    /** Shows weights (B, K, N), a new array, to whoever asks for them. */
    void show(Supplier<NDArray> weights) {
        if (maps != null) {
            maps.add(weights.get());
        }
    }
}
