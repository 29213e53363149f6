package org.slotwise.examples.slate;

import org.slotwise.quantization.CosineTemperature;
import org.slotwise.training.LearningRate;

/**
 * How a {@link SlateModel} is trained, apart from how long.
 *
 * @param dvaeBatch how many pictures a step of the auto-encoder sees
 * @param dvaeRate its learning rate
 * @param warm the temperature of its samples at first
 * @param cold the temperature of its samples at last
 * @param unused how much tokens that are not used count beside the squared error of a picture
 * @param batch how many pictures a step of slots and transformer sees
 * @param warmUp steps of rising learning rate, in both halves
 * @param largest the bound of the largest gradient
 */
record SlateRecipe(
        int dvaeBatch,
        double dvaeRate,
        double warm,
        double cold,
        double unused,
        int batch,
        int warmUp,
        double largest) {

    /** What the shipped model was trained with. */
    static final SlateRecipe USUAL = new SlateRecipe(8, 1e-3, 3, 0.1, 20, 32, 300, 1);

    /** The temperature of the auto-encoder's samples falls over all its steps. */
    CosineTemperature temperature(int steps) {
        return new CosineTemperature(warm, cold, steps);
    }

    /** Warm-up, then half a cosine down to a tenth. */
    LearningRate rate(double peak, int steps) {
        int rising = Math.min(warmUp, steps / 2);
        return LearningRate.cosineDecay(peak, rising, steps, peak / 10);
    }
}
