package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * What a step of {@link Gnm} gives.
 *
 * @param loss (), what is minimised: -mean likelihood + the weighted terms
 * @param likelihood ln p(x | z) of each image, (B)
 * @param terms (B, 11), of each image and {@link GnmTerm}, without their weights
 * @param rendered the pictures that were drawn
 * @param explanation all latents, with their distributions
 */
public record GnmOutput(
        NDArray loss,
        NDArray likelihood,
        NDArray terms,
        RenderedScenes rendered,
        Explanation explanation) {

    /** The name of the loss in an {@link NDList}. */
    public static final String LOSS = "loss";

    /** All arrays. */
    NDList arrays() {
        NDList all = new NDList(loss, likelihood, terms);
        all.addAll(rendered.arrays());
        all.addAll(explanation.arrays());
        return all;
    }

    /**
     * The log importance weights of the latents that were drawn, for estimates of ln p(x): added to
     * the likelihood, log p - log q of presence, where, depth, what, background and scene, each
     * summed. Presence enters by the formula of a yes or no on the relaxed number, as in the
     * original.
     *
     * @return (B, 6), owned by the manager of the loss; the background is 0 where none is drawn
     */
    public NDArray logImportance() {
        return Importance.of(explanation);
    }
}
