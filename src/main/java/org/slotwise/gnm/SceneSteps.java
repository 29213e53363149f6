package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;
import org.slotwise.layer.Gaussian;

/**
 * A scene latent as it was drawn.
 *
 * @param map f (B, E, G, G) after the last step, of which the cells' prior is made
 * @param latent z (B, T, Zg)
 * @param prior (B, T, Zg), each step's after those before it
 * @param posterior (B, n, Zg) of the n steps that saw a picture; null if none did
 */
public record SceneSteps(
        NDArray map, NDArray latent, Gaussian prior, @Nullable Gaussian posterior) {

    /** All arrays. */
    NDList arrays() {
        NDList all = new NDList(map, latent, prior.mean(), prior.deviation());
        if (posterior != null) {
            all.add(posterior.mean());
            all.add(posterior.deviation());
        }
        return all;
    }
}
