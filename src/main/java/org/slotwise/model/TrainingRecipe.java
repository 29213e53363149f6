package org.slotwise.model;

import org.slotwise.internal.Check;

/**
 * How an {@link ObjectDiscovery} is trained.
 *
 * @param steps how many steps
 * @param batchSize how many images a step sees
 * @param learningRate over the steps
 * @param largestNorm the bound of the gradients' global norm
 * @param augmentation what is done to images
 * @param seed what all random choices start from: the order of images, augmentation, draws of the
 *     model
 */
public record TrainingRecipe(
        int steps,
        int batchSize,
        LearningRateSchedule learningRate,
        double largestNorm,
        Augmentation augmentation,
        long seed) {

    private static final String WHO = "TrainingRecipe";

    /**
     * Creates the recipe.
     *
     * @param steps at least 1
     * @param batchSize at least 1
     * @param learningRate over the steps
     * @param largestNorm above 0
     * @param augmentation what is done to images
     * @param seed any number
     * @throws IllegalArgumentException if a number is out of its range
     */
    public TrainingRecipe {
        Check.atLeast(WHO, "steps", steps, 1);
        Check.atLeast(WHO, "batchSize", batchSize, 1);
        Check.positive(WHO, "largestNorm", largestNorm);
    }

    /**
     * The same over another number of steps, with a learning rate that is stretched or shortened to
     * it.
     *
     * @param steps at least 1
     * @return a recipe
     */
    public TrainingRecipe withSteps(int steps) {
        Check.atLeast(WHO, "steps", steps, 1);
        return new TrainingRecipe(
                steps,
                batchSize,
                learningRate.stretched((double) steps / this.steps),
                largestNorm,
                augmentation,
                seed);
    }

    /**
     * The same with another number of images a step.
     *
     * @param batchSize at least 1
     * @return a recipe
     */
    public TrainingRecipe withBatchSize(int batchSize) {
        return new TrainingRecipe(steps, batchSize, learningRate, largestNorm, augmentation, seed);
    }

    /**
     * The same with another highest learning rate.
     *
     * @param peak above 0
     * @return a recipe
     */
    public TrainingRecipe withLearningRate(double peak) {
        return new TrainingRecipe(
                steps, batchSize, learningRate.withPeak(peak), largestNorm, augmentation, seed);
    }

    /**
     * The same with another augmentation.
     *
     * @param augmentation what is done to images
     * @return a recipe
     */
    public TrainingRecipe withAugmentation(Augmentation augmentation) {
        return new TrainingRecipe(steps, batchSize, learningRate, largestNorm, augmentation, seed);
    }

    /**
     * The same with other random choices.
     *
     * @param seed any number
     * @return a recipe
     */
    public TrainingRecipe withSeed(long seed) {
        return new TrainingRecipe(steps, batchSize, learningRate, largestNorm, augmentation, seed);
    }
}
