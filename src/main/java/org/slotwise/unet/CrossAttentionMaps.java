package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Scope;

/** How places attend to slots, in one cross attention of a network after the other. */
final class CrossAttentionMaps {

    private final Shape latents;
    private final NDList maps = new NDList();

    /** Of latents (B, C, H, W). */
    CrossAttentionMaps(Shape latents) {
        this.latents = latents;
    }

    /** Adds weights (B, K, N) of the places of a map, which is so many times smaller each way. */
    void add(NDArray weights) {
        Shape s = weights.getShape();
        long factor = Math.round(Math.sqrt((double) latents.get(2) * latents.get(3) / s.get(2)));
        long height = latents.get(2) / factor;
        maps.add(Scope.release(weights.reshape(s.get(0), s.get(1), height, s.get(2) / height)));
    }

    /** All of them (B, K, h, w), which no scope frees any more. */
    NDList all() {
        return maps;
    }

    /** Frees them. */
    void close() {
        maps.close();
    }
}
