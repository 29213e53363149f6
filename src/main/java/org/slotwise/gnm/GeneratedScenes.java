package org.slotwise.gnm;

import ai.djl.ndarray.NDList;

/**
 * Scenes that a scene latent was made into.
 *
 * @param scenes what is in them
 * @param latent the scene latent
 */
public record GeneratedScenes(ExplainedScenes scenes, SceneSteps latent) {

    /** All arrays. */
    NDList arrays() {
        NDList all = scenes.arrays();
        all.addAll(latent.arrays());
        return all;
    }
}
