package org.slotwise.examples;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Random;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Tetrominoes;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;

/** Trains a {@link DiscoveryModel} on scenes of which it sees nothing but the pixels. */
final class DiscoveryTraining {

    private static final int BATCH = 32;
    private static final int STRIDE = 2;
    private static final int FEW_ITERATIONS = 3;
    private static final int MORE_ITERATIONS = 5;
    private static final int WARM_UP = 200;
    private static final double FLOOR = 0.01;
    private static final float JITTER = 0.1f;
    private static final double LARGEST_NORM = 0.05;
    private static final int VALIDATION_SCENES = 320;
    private static final long VALIDATION_SEED = 987_654_321;

    /** Between the seeds of training scenes and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 40;

    private final int steps;
    private final int reportEvery;
    private final double peak;
    private final int seed;

    /**
     * Describes a training.
     *
     * @param steps how many
     * @param reportEvery after how many steps progress is told
     * @param peak the highest learning rate
     * @param seed what weights, scenes and all other random choices start from
     */
    DiscoveryTraining(int steps, int reportEvery, double peak, int seed) {
        this.steps = steps;
        this.reportEvery = reportEvery;
        this.peak = peak;
        this.seed = seed;
    }

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
    static int iterations(int step, int steps) {
        return step <= steps / 5 ? FEW_ITERATIONS : MORE_ITERATIONS;
    }

    /**
     * Trains.
     *
     * @param manager the owner of the model
     * @param out where progress is told
     * @return the trained model
     * @throws IOException if the loss is not a number any more
     * @throws TranslateException never, as scenes are generated
     */
    DiscoveryModel run(NDManager manager, PrintWriter out) throws IOException, TranslateException {
        Engine.getInstance().setRandomSeed(seed);
        DiscoveryModel model = DiscoveryModel.fresh(manager);
        out.printf(
                Locale.ROOT,
                "%d steps of %d scenes, learning rate %s, seed %d, %d parameters%n",
                steps,
                BATCH,
                peak,
                seed,
                model.getParameters().values().stream().mapToLong(p -> p.getArray().size()).sum());
        SceneDataset scenes =
                SceneDataset.builder()
                        .setScenes(
                                Tetrominoes.builder()
                                        .setSize((long) steps * BATCH)
                                        .optSeed(FIRST_DATA_SEED + seed)
                                        .build())
                        .setSampling(BATCH, false, true)
                        .build();
        DiscoveryScores validation = new DiscoveryScores(VALIDATION_SEED, VALIDATION_SCENES);
        Random random = new Random(seed);
        long start = System.nanoTime();
        double losses = 0;
        int step = 0;
        try (Adam adam = Adam.builder().optLearningRate(learningRate(peak, steps)).build()) {
            for (Batch batch : scenes.getData(manager)) {
                try (batch) {
                    step++;
                    losses += step(model, adam, batch, step, random);
                }
                if (step % reportEvery == 0 || step == steps) {
                    int since = step % reportEvery == 0 ? reportEvery : step % reportEvery;
                    double loss = losses / since;
                    requireNumber(loss, step);
                    losses = 0;
                    double seconds = (System.nanoTime() - start) / 1e9;
                    out.printf(
                            Locale.ROOT,
                            "step %5d  loss %.5f  %s  %4.0f s, %.0f s left%n",
                            step,
                            loss,
                            validation.ofModel(model, MORE_ITERATIONS),
                            seconds,
                            seconds / step * (steps - step));
                    out.flush();
                }
            }
        }
        return model;
    }

    private double step(DiscoveryModel model, Adam adam, Batch batch, int step, Random random) {
        NDManager manager = batch.getManager();
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = batch.getData().head();
        PixelLattice lattice =
                new PixelLattice(STRIDE, random.nextInt(STRIDE), random.nextInt(STRIDE));
        NDArray positions = DiscoveryModel.startPositions(manager, BATCH, JITTER, random);
        NDArray loss;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray made =
                    model.discover(store, images, positions, iterations(step, steps), lattice, true)
                            .decoding()
                            .reconstruction();
            loss =
                    new ReconstructionLoss()
                            .evaluate(new NDList(lattice.of(images)), new NDList(made));
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

    void requireNumber(double loss, int step) throws IOException {
        if (!Double.isFinite(loss)) {
            throw new IOException(
                    String.format(
                            Locale.ROOT,
                            "the loss is no number any more at step %d: try a lower"
                                    + " --learning-rate than %s, or another --seed than %d",
                            step,
                            peak,
                            seed));
        }
    }
}
