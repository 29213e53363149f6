package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;
import org.slotwise.layer.Gaussian;

/**
 * All that is found of pictures in a step of training.
 *
 * @param map e (B, E, G, G)
 * @param scene the scene latent
 * @param posterior of the cells, by the picture
 * @param prior of the cells, by the scene latent
 * @param backgroundPosterior (B, Zb); null where no background is drawn
 * @param backgroundPrior (B, Zb); null where no background is drawn
 * @param background the background's latent (B, Zb); null where none is drawn
 * @param cells what was drawn of the posterior
 */
public record Explanation(
        NDArray map,
        SceneSteps scene,
        CellLatents posterior,
        CellLatents prior,
        @Nullable Gaussian backgroundPosterior,
        @Nullable Gaussian backgroundPrior,
        @Nullable NDArray background,
        Cells cells) {

    /** All arrays. */
    NDList arrays() {
        NDList all = new NDList(map);
        all.addAll(scene.arrays());
        all.addAll(posterior.arrays());
        all.addAll(prior.arrays());
        if (backgroundPosterior != null && backgroundPrior != null && background != null) {
            all.add(backgroundPosterior.mean());
            all.add(backgroundPosterior.deviation());
            all.add(backgroundPrior.mean());
            all.add(backgroundPrior.deviation());
            all.add(background);
        }
        all.addAll(cells.arrays());
        return all;
    }
}
