package org.slotwise.examples.discover;

import org.slotwise.training.LearningRate;

/**
 * How a {@link DiscoveryModel} is trained.
 *
 * @param steps how many, if not said otherwise
 * @param learningRate the highest one, if not said otherwise
 * @param fewIterations iterations of attention in the first fifth of the steps
 * @param moreIterations iterations in the later part
 * @param testIterations iterations where the model is used, if not said otherwise
 * @param largestNorm the bound of the gradients' global norm
 * @param decodeStride every how many rows and columns are made again
 * @param jitter by how much the slots' starts are moved at most
 */
public record DiscoveryRecipe(
        int steps,
        double learningRate,
        int fewIterations,
        int moreIterations,
        int testIterations,
        double largestNorm,
        int decodeStride,
        float jitter) {

    private static final int WARM_UP = 200;
    private static final double FLOOR = 0.01;

    /** Linear warm-up, constant for the first 30 % of all steps, then half a cosine. */
    static LearningRate learningRate(double peak, int steps) {
        int decayFrom = 3 * steps / 10;
        LearningRate decay =
                LearningRate.cosineDecay(peak, 0, Math.max(1, steps - decayFrom), FLOOR * peak);
        return step ->
                Math.min(1, (double) step / WARM_UP)
                        * (step <= decayFrom ? peak : decay.at(step - decayFrom));
    }

    /** Few iterations at first, while slots are still alike; more for the later four fifths. */
    int iterations(long step, int steps) {
        return step <= steps / 5 ? fewIterations : moreIterations;
    }
}
