package org.slotwise.examples.photos;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.slotwise.data.file.FeatureCache;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;

/** Trains a {@link PhotoModel} on the features of a cache, of which no image is seen again. */
final class PhotoTraining {

    private static final int BATCH = 8;
    private static final int REPORTS = 10;
    private static final double LARGEST_NORM = 1;

    /** From so many views the features' means and their common deviation are taken. */
    private static final int MEASURED = 64;

    private final FeatureCache cache;
    private final NDArray mean;
    private final NDArray deviation;
    private final PhotoRecipe recipe;
    private final int slots;
    private final PhotoModel model;

    /**
     * Prepares a training.
     *
     * @param recipe which model is trained, and how
     * @param cache the features
     * @param slots K
     * @param seed what random choices start from
     * @param manager the owner of the model
     * @throws IOException if the features cannot be read
     */
    PhotoTraining(PhotoRecipe recipe, FeatureCache cache, int slots, int seed, NDManager manager)
            throws IOException {
        this.recipe = recipe;
        this.cache = cache;
        this.slots = slots;
        int count = Math.min(MEASURED, cache.size());
        int[] measured = IntStream.range(0, count).map(i -> i * cache.size() / count).toArray();
        try (NDManager sub = manager.newSubManager()) {
            NDArray rows = cache.read(sub, measured).reshape(-1, cache.featureDim());
            mean = rows.mean(new int[] {0});
            deviation = rows.sub(mean).square().mean().sqrt().maximum(1e-6f);
            mean.attach(manager);
            deviation.attach(manager);
        }
        Engine.getInstance().setRandomSeed(seed);
        model = new PhotoModel(recipe, cache.featureDim(), cache.patches(), slots);
        model.initialize(
                manager, DataType.FLOAT32, new Shape(BATCH, cache.patches(), cache.featureDim()));
    }

    private NDArray features(NDManager manager, int... images) throws IOException {
        try (NDManager sub = manager.newSubManager()) {
            NDArray x = normalised(cache.read(sub, images));
            x.attach(manager);
            return x;
        }
    }

    private NDArray normalised(NDArray features) {
        return features.sub(mean).div(deviation);
    }

    /**
     * Trains.
     *
     * @param steps how many
     * @param seed in which order images come
     * @param out where progress is told
     * @throws IOException if the features cannot be read
     */
    void run(int steps, int seed, NDManager manager, PrintWriter out) throws IOException {
        Random random = new Random(seed);
        int warmUp = Math.max(1, steps / 10);
        double peak = recipe.rate();
        LearningRate decay = LearningRate.cosineDecay(peak, 0, Math.max(1, steps), peak / 100);
        double losses = 0;
        int since = 0;
        int reportEvery = Math.max(1, steps / REPORTS);
        LearningRate rate = step -> Math.min(1, (double) step / warmUp) * decay.at(step);
        try (Adam adam = Adam.builder().optLearningRate(rate).build()) {
            for (int step = 1; step <= steps; step++) {
                try (NDManager batch = manager.newSubManager()) {
                    losses += step(adam, batch, random);
                }
                since++;
                if (step % reportEvery == 0 || step == steps) {
                    out.printf(Locale.ROOT, "step %5d  loss %.4f%n", step, losses / since);
                    out.flush();
                    losses = 0;
                    since = 0;
                }
            }
        }
    }

    private double step(Adam adam, NDManager manager, Random random) throws IOException {
        int[] images = random.ints(BATCH, 0, cache.size()).toArray();
        NDArray features = features(manager, images);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray loss;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray made = model.discover(store, features, true).reconstruction();
            loss = new ReconstructionLoss().evaluate(new NDList(features), new NDList(made));
            collector.backward(loss);
        }
        new GradientClipping(LARGEST_NORM).clip(model, manager);
        for (Parameter parameter : model.getParameters().values()) {
            if (parameter.requiresGradient()) {
                NDArray weight = parameter.getArray();
                try (NDArray gradient = weight.getGradient()) {
                    adam.update(parameter.getId(), weight, gradient);
                }
            }
        }
        return loss.getFloat();
    }

    /**
     * The masks of features.
     *
     * @param features (B, N, F), as the cache has them
     * @return (B, K, N)
     */
    NDArray masks(NDArray features) {
        ParameterStore store = new ParameterStore(features.getManager(), false);
        return model.discover(store, normalised(features), false).masks();
    }

    /**
     * What k-means makes of the same features.
     *
     * @param features (B, N, F), as the cache has them
     * @return (B, K, N)
     */
    NDArray clusters(NDArray features) {
        return PhotoClusters.of(normalised(features), slots, false);
    }
}
