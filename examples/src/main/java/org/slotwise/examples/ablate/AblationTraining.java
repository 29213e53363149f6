package org.slotwise.examples.ablate;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.ImageScores;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;

/** A short training of an {@link AblationModel}, the same for all of them, and its scores. */
public final class AblationTraining {

    private static final long VALIDATION_SEED = 987_654_321;

    private static final int BATCH = 16;
    private static final double PEAK = 2e-3;
    private static final int WARM_UP = 200;
    private static final double FLOOR = 0.01;
    private static final double LARGEST_NORM = 0.05;

    /** Between the seeds of training scenes and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 40;

    private AblationTraining() {}

    /** Linear warm-up over 200 steps, a fourth of all at most, then half a cosine. */
    static LearningRate learningRate(int steps) {
        return LearningRate.cosineDecay(PEAK, Math.min(WARM_UP, steps / 4), steps, FLOOR * PEAK);
    }

    /**
     * Trains and scores.
     *
     * @param ablation what is changed in the model
     * @param key seed, steps and scenes
     * @return the scores
     * @throws IOException never, as scenes are generated
     * @throws TranslateException never, as scenes are generated
     */
    public static AblationRun run(Ablation ablation, AblationRun.Key key)
            throws IOException, TranslateException {
        return run(ablation, key, () -> {});
    }

    /**
     * Trains and scores.
     *
     * @param ablation what is changed in the model
     * @param key seed, steps and scenes
     * @param afterStep what is told of each step
     * @return the scores
     * @throws IOException never, as scenes are generated
     * @throws TranslateException never, as scenes are generated
     */
    public static AblationRun run(Ablation ablation, AblationRun.Key key, Runnable afterStep)
            throws IOException, TranslateException {
        Engine.getInstance().setRandomSeed(key.seed());
        try (NDManager manager = NDManager.newBaseManager()) {
            AblationModel model = ablation.model();
            int side = AblationModel.SIDE;
            model.initialize(manager, DataType.FLOAT32, new Shape(1, 3, side, side));
            long start = System.nanoTime();
            boolean finite = train(model, manager, key, afterStep);
            double seconds = (System.nanoTime() - start) / 1e9;
            return finite
                    ? score(model, manager, key, seconds)
                    : new AblationRun(key, Double.NaN, Double.NaN, Double.NaN, seconds);
        }
    }

    /** Whether the loss stayed a number. */
    private static boolean train(
            AblationModel model, NDManager manager, AblationRun.Key key, Runnable afterStep)
            throws IOException, TranslateException {
        SceneDataset scenes =
                batches(scenes((long) key.steps() * BATCH, FIRST_DATA_SEED + key.seed()));
        try (Adam adam = Adam.builder().optLearningRate(learningRate(key.steps())).build()) {
            for (Batch batch : scenes.getData(manager)) {
                try (batch) {
                    if (!Float.isFinite(step(model, adam, batch))) {
                        return false;
                    }
                    afterStep.run();
                }
            }
        }
        return true;
    }

    private static float step(AblationModel model, Adam adam, Batch batch) {
        NDManager manager = batch.getManager();
        NDArray images = batch.getData().head();
        NDArray loss;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray made =
                    model.describe(new ParameterStore(manager, false), images, true)
                            .reconstruction();
            loss = new ReconstructionLoss().evaluate(new NDList(images), new NDList(made));
            collector.backward(loss);
        }
        new GradientClipping(LARGEST_NORM).clip(model, manager);
        for (Parameter parameter : model.getParameters().values()) {
            NDArray weight = parameter.getArray();
            try (NDArray gradient = weight.getGradient()) {
                adam.update(parameter.getId(), weight, gradient);
            }
        }
        return loss.getFloat();
    }

    private static AblationRun score(
            AblationModel model, NDManager manager, AblationRun.Key key, double seconds)
            throws IOException, TranslateException {
        AdjustedRandIndex foreground = new AdjustedRandIndex(Background.LEFT_OUT);
        AdjustedRandIndex all = new AdjustedRandIndex(Background.COUNTED);
        double[] sums = new double[3];
        for (Batch batch : batches(heldOut(key.scenes())).getData(manager)) {
            try (batch) {
                NDArray images = batch.getData().head();
                NDArray truth = batch.getLabels().get(1);
                SlotDecoding made =
                        model.describe(
                                new ParameterStore(batch.getManager(), false), images, false);
                NDArray masks = made.masks().flatten(2, 3);
                int size = batch.getSize();
                sums[0] += size * mean(foreground.score(truth, masks));
                sums[1] += size * mean(all.score(truth, masks));
                sums[2] += size * made.reconstruction().sub(images).square().mean().getFloat();
            }
        }
        int count = key.scenes();
        return new AblationRun(key, sums[0] / count, sums[1] / count, sums[2] / count, seconds);
    }

    /** The scenes by which trainings are scored. */
    static Scenes heldOut(int count) {
        return scenes(count, VALIDATION_SEED);
    }

    private static Scenes scenes(long count, long seed) {
        return Tetrominoes.builder().setSize(count).optSeed(seed).build();
    }

    private static SceneDataset batches(Scenes scenes) {
        return SceneDataset.builder().setScenes(scenes).setSampling(BATCH, false).build();
    }

    private static double mean(ImageScores scores) {
        try (scores;
                NDArray mean = scores.mean()) {
            return mean.getDouble();
        }
    }
}
