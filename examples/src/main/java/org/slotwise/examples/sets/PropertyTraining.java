package org.slotwise.examples.sets;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.dataset.Batch;
import ai.djl.training.loss.Loss;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import org.slotwise.quantization.AnnealedTemperature;
import org.slotwise.quantization.SlotQuantizer;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;

/**
 * Trains a {@link PropertyModel} on scenes of which it is told the objects.
 *
 * @param steps how many
 * @param reportEvery after how many steps progress is told
 * @param peak the highest learning rate
 * @param slots how the model comes to its slots
 * @param loss what it learns by
 * @param positionWeight how much positions count in it
 * @param maxObjects how many objects a scene has at most
 * @param seed what weights, scenes and all other random choices start from
 */
record PropertyTraining(
        int steps,
        int reportEvery,
        double peak,
        PropertySlots slots,
        PropertyLoss loss,
        double positionWeight,
        int maxObjects,
        int seed) {

    /** Of those that learn by the last one. */
    static final int ITERATIONS = 7;

    /** Of a mixture, which learns by all of them. */
    static final int MIXTURE_ITERATIONS = 3;

    /** Of Slot Attention, of which some seeds learn far later with more. */
    static final double POSITION_WEIGHT = 2;

    /** Of a mixture and of discrete slots. */
    static final double HEAVY_POSITION_WEIGHT = 4;

    private static final int BATCH = 32;
    private static final int WARM_UP = 300;
    private static final double FLOOR = 0.01;
    private static final double LARGEST_NORM = 10;
    private static final double LAST_TEMPERATURE = 0.5;
    private static final int VALIDATION_SCENES = 256;
    private static final long VALIDATION_SEED = 987_654_321;

    /** Between the seeds of training scenes and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 40;

    /** Linear warm-up, and half a cosine over all steps. */
    static LearningRate learningRate(double peak, int steps) {
        return LearningRate.cosineDecay(peak, Math.min(WARM_UP, steps / 2), steps, FLOOR * peak);
    }

    /**
     * Trains.
     *
     * @param manager the owner of the model
     * @param out where progress is told
     * @param output where the model is written each time that progress is told
     * @throws IOException if the loss is not a number any more, or the file cannot be written
     * @throws TranslateException never, as scenes are generated
     */
    void run(NDManager manager, PrintWriter out, Path output)
            throws IOException, TranslateException {
        Engine.getInstance().setRandomSeed(seed);
        PropertyModel model = PropertyModel.fresh(manager, slots);
        out.printf(
                Locale.ROOT,
                "%s, %d iterations, gradients of %s, %s loss%s, %d steps of %d scenes of up to %d objects, %d slots, learning rate %s, seed %d,"
                        + " %d parameters%n",
                slots.grouping(),
                slots.iterations(),
                slots.gradients() == PropertyGradients.LAST ? "the last" : "all",
                loss,
                loss == PropertyLoss.HUBER
                        ? ""
                        : String.format(Locale.ROOT, " (positions %s)", positionWeight),
                steps,
                BATCH,
                maxObjects,
                slots.count(),
                peak,
                seed,
                model.getParameters().values().stream().mapToLong(p -> p.getArray().size()).sum());
        PropertyScenes scenes =
                new PropertyScenes(FIRST_DATA_SEED + seed, (long) steps * BATCH, maxObjects);
        PropertyScores validation =
                new PropertyScores(
                        new PropertyScenes(VALIDATION_SEED, VALIDATION_SCENES, maxObjects),
                        slots.count());
        Loss by = loss.with(positionWeight);
        long start = System.nanoTime();
        double losses = 0;
        int since = 0;
        int step = 0;
        SlotQuantizer quantizer = model.quantizer();
        AnnealedTemperature temperature =
                quantizer == null
                        ? null
                        : new AnnealedTemperature(quantizer.temperature(), LAST_TEMPERATURE, steps);
        try (Adam adam = Adam.builder().optLearningRate(learningRate(peak, steps)).build()) {
            for (Batch batch : scenes.dataset(BATCH, slots.count()).getData(manager)) {
                try (batch) {
                    step++;
                    since++;
                    if (quantizer != null && temperature != null) {
                        quantizer.setTemperature(temperature.at(step));
                    }
                    losses += step(model, by, adam, batch);
                }
                if (step % reportEvery == 0 || step == steps) {
                    requireNumber(losses, step);
                    double seconds = (System.nanoTime() - start) / 1e9;
                    out.printf(
                            Locale.ROOT,
                            "step %5d  loss %.5f  AP %s  %4.0f s, %.0f s left%n",
                            step,
                            losses / since,
                            validation.ofModel(model),
                            seconds,
                            seconds / step * (steps - step));
                    out.flush();
                    model.write(output);
                    losses = 0;
                    since = 0;
                    // Scoring has set the engine's generator.
                    Engine.getInstance().setRandomSeed(seed + step);
                }
            }
        }
    }

    private static double step(PropertyModel model, Loss loss, Adam adam, Batch batch) {
        NDManager manager = batch.getManager();
        NDArray truth = batch.getLabels().get(PropertyScenes.PROPERTIES);
        NDArray value;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            PropertyModel.Prediction told =
                    model.predict(new ParameterStore(manager, false), batch.getData().head(), true);
            value = loss.evaluate(new NDList(truth), new NDList(told.properties()));
            NDArray prior = told.prior();
            if (prior != null) {
                value = value.add(prior);
            }
            collector.backward(value);
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
        return value.getFloat();
    }

    void requireNumber(double sum, int step) throws IOException {
        if (!Double.isFinite(sum)) {
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
