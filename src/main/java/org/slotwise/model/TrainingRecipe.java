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
 * @param maskSmoothness how much the masks' {@link org.slotwise.loss.TotalVariationLoss} counts
 *     beside the squared error; 0 not at all
 * @param placeEntropy how much the masks' {@link org.slotwise.loss.PlaceEntropyLoss} counts beside
 *     the squared error; 0 not at all
 * @param smoothing over how many pixels, in height and width, the error is averaged, twice, before
 *     it is squared, so that textures are no error; odd, 1 for none
 * @param termSteps over how many steps the masks' two terms grow to what they count; 0 for none
 * @param seed what all random choices start from: the order of images, augmentation, draws of the
 *     model
 */
public record TrainingRecipe(
        int steps,
        int batchSize,
        LearningRateSchedule learningRate,
        double largestNorm,
        Augmentation augmentation,
        double maskSmoothness,
        double placeEntropy,
        int smoothing,
        int termSteps,
        long seed) {

    private static final String WHO = "TrainingRecipe";

    /**
     * Creates a recipe whose error is squared pixel by pixel, and that does not look at places.
     *
     * @param steps at least 1
     * @param batchSize at least 1
     * @param learningRate over the steps
     * @param largestNorm above 0
     * @param augmentation what is done to images
     * @param maskSmoothness at least 0
     * @param seed any number
     * @throws IllegalArgumentException if a number is out of its range
     */
    public TrainingRecipe(
            int steps,
            int batchSize,
            LearningRateSchedule learningRate,
            double largestNorm,
            Augmentation augmentation,
            double maskSmoothness,
            long seed) {
        this(
                steps,
                batchSize,
                learningRate,
                largestNorm,
                augmentation,
                maskSmoothness,
                0,
                1,
                0,
                seed);
    }

    /**
     * Creates the recipe.
     *
     * @param steps at least 1
     * @param batchSize at least 1
     * @param learningRate over the steps
     * @param largestNorm above 0
     * @param augmentation what is done to images
     * @param maskSmoothness at least 0
     * @param placeEntropy at least 0
     * @param smoothing odd, at least 1
     * @param termSteps at least 0
     * @param seed any number
     * @throws IllegalArgumentException if a number is out of its range
     */
    public TrainingRecipe {
        Check.atLeast(WHO, "steps", steps, 1);
        Check.atLeast(WHO, "batchSize", batchSize, 1);
        Check.positive(WHO, "largestNorm", largestNorm);
        Check.notNegative(WHO, "maskSmoothness", maskSmoothness);
        Check.notNegative(WHO, "placeEntropy", placeEntropy);
        Check.option(
                smoothing > 0 && smoothing % 2 == 1,
                WHO + ": smoothing must be odd, and at least 1, got " + smoothing);
        Check.atLeast(WHO, "termSteps", termSteps, 0);
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
                maskSmoothness,
                placeEntropy,
                smoothing,
                (int) Math.round((double) termSteps * steps / this.steps),
                seed);
    }

    /**
     * The same with another number of images a step.
     *
     * @param batchSize at least 1
     * @return a recipe
     */
    public TrainingRecipe withBatchSize(int batchSize) {
        return with(batchSize, learningRate, augmentation, seed);
    }

    /**
     * The same with another highest learning rate.
     *
     * @param peak above 0
     * @return a recipe
     */
    public TrainingRecipe withLearningRate(double peak) {
        return with(batchSize, learningRate.withPeak(peak), augmentation, seed);
    }

    /**
     * The same with another augmentation.
     *
     * @param augmentation what is done to images
     * @return a recipe
     */
    public TrainingRecipe withAugmentation(Augmentation augmentation) {
        return with(batchSize, learningRate, augmentation, seed);
    }

    /**
     * The same with other random choices.
     *
     * @param seed any number
     * @return a recipe
     */
    public TrainingRecipe withSeed(long seed) {
        return with(batchSize, learningRate, augmentation, seed);
    }

    private TrainingRecipe with(
            int batchSize,
            LearningRateSchedule learningRate,
            Augmentation augmentation,
            long seed) {
        return new TrainingRecipe(
                steps,
                batchSize,
                learningRate,
                largestNorm,
                augmentation,
                maskSmoothness,
                placeEntropy,
                smoothing,
                termSteps,
                seed);
    }

    /** As a text; of recipes that there were before there were smoothing and places, as it was. */
    String identity() {
        return toString().replace(", placeEntropy=0.0, smoothing=1, termSteps=0", "");
    }
}
