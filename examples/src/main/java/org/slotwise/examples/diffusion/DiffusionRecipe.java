package org.slotwise.examples.diffusion;

import org.slotwise.training.AveragingDecay;
import org.slotwise.training.LearningRate;

/**
 * How a model is trained, apart from how long.
 *
 * @param batch how many pictures a step of slots or the denoiser sees
 * @param slotRate the highest learning rate of encoder, slots and their decoder
 * @param slotNorm the bound of their gradients' norm
 * @param codeBatch how many pictures a step of the autoencoder sees
 * @param codeRate its highest learning rate
 * @param divergence how much the latents' distance from the normal distribution counts
 * @param rate the highest learning rate of the denoiser
 * @param norm the bound of its gradients' norm, and of the autoencoder's
 * @param warmUp steps of rising learning rate
 * @param decay how much of the average of the denoiser's weights stays in a step
 */
record DiffusionRecipe(
        int batch,
        double slotRate,
        double slotNorm,
        int codeBatch,
        double codeRate,
        double divergence,
        double rate,
        double norm,
        int warmUp,
        double decay) {

    /** What the shipped model was trained with. */
    static final DiffusionRecipe USUAL =
            new DiffusionRecipe(32, 2e-3, 0.1, 64, 2e-3, 1e-4, 1e-3, 1, 100, 0.995);

    /** Warm-up, then half a cosine down to a fiftieth. */
    LearningRate rate(double peak, int steps) {
        int rising = Math.min(warmUp, steps / 2);
        return LearningRate.cosineDecay(peak, rising, Math.max(1, steps), peak / 50);
    }

    AveragingDecay averaging() {
        return AveragingDecay.rising(decay);
    }
}
