package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a network is told besides latents and time.
 *
 * @param slots (B, K, D)
 * @param maps who sees how places attend to slots; null where nobody asks, and then nothing is
 *     computed for it
 */
record Told(NDArray slots, @Nullable CrossAttentionMaps maps) {

    /** Slots alone. */
    static Told of(NDArray slots) {
        return new Told(slots, null);
    }

    /** Slots, and who sees how places attend to them. */
    static Told of(NDArray slots, CrossAttentionMaps maps) {
        return new Told(slots, maps);
    }

    /** Shows weights (B, K, N), a new array, to whoever asks for them. */
    void show(Supplier<NDArray> weights) {
        if (maps != null) {
            maps.add(weights.get());
        }
    }
}
