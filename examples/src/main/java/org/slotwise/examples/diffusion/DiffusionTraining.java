package org.slotwise.examples.diffusion;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.diffusion.DiffusionRun.Stage;
import org.slotwise.examples.shared.Counted;
import org.slotwise.examples.shared.Resumed;
import org.slotwise.examples.shared.StepRows;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.training.Adam;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.StepRandom;
import org.slotwise.training.WeightAverage;

/**
 * Trains a model in three stages: slots, autoencoder, denoiser. Each leaves alone what the stages
 * before it have learnt. Steps count through all of them.
 */
final class DiffusionTraining implements AutoCloseable {

    private static final List<String> COLUMNS =
            List.of(
                    "loss",
                    "gradient_norm",
                    "learning_rate",
                    "error",
                    "fg_ari",
                    "ari",
                    "held_out_loss",
                    "other_slots_loss",
                    "drawn_error",
                    "drawn_error_to_another");

    private final NDManager manager = NDManager.newBaseManager();
    private final DiffusionRun run;
    private final DiffusionPictures pictures;
    private final DiffusionRecipe recipe = DiffusionRecipe.USUAL;
    private final int groups;
    private final @Nullable Path cache;
    private final StepRandom random;
    private final LatentSlotDiffusion model;
    private final Map<Stage, LearningRate> rates = new EnumMap<>(Stage.class);
    private final Map<Stage, Adam> optimizers = new EnumMap<>(Stage.class);
    private final WeightAverage average;
    private long done;

    /**
     * What is written while the training runs.
     *
     * @param checkpoint the file of the checkpoint; null for none
     * @param checkpointEvery after how many steps it is written
     * @param history the file of the history; null for none
     * @param reportEvery after how many steps progress is told
     */
    record Traces(
            @Nullable Path checkpoint,
            int checkpointEvery,
            @Nullable Path history,
            int reportEvery) {}

    /** Takes a step of a stage. */
    @FunctionalInterface
    private interface Step {
        TrainingStep take(NDManager manager, Adam adam, GradientClipping clipping, Random draws)
                throws IOException;
    }

    /**
     * Starts a training: draws the weights.
     *
     * @param run which one
     * @param pictures what is learnt from
     * @param groups in how many parts a step's pictures go back through the denoiser
     * @param cache where slots and latents of pictures are kept; null for a folder that is taken
     *     away again
     */
    DiffusionTraining(
            DiffusionRun run, DiffusionPictures pictures, int groups, @Nullable Path cache) {
        this.run = run;
        this.pictures = pictures;
        this.groups = groups;
        this.cache = cache;
        random = new StepRandom(run.seed());
        random.seedEngine(Engine.getInstance(), 0);
        model = DiffusionModel.fresh(manager, run.model());
        average = new WeightAverage(model.decoder(), recipe.averaging());
        for (Stage stage : Stage.values()) {
            double peak =
                    switch (stage) {
                        case SLOTS -> recipe.slotRate();
                        case CODES -> recipe.codeRate();
                        case DENOISER -> recipe.rate();
                    };
            LearningRate rate = recipe.rate(peak, run.steps(stage));
            rates.put(stage, rate);
            optimizers.put(stage, Adam.builder().optLearningRate(rate).build());
        }
    }

    private Adam optimizer(Stage stage) {
        return Objects.requireNonNull(optimizers.get(stage));
    }

    /**
     * Goes on from a checkpoint.
     *
     * @param file the checkpoint
     * @throws IOException if it cannot be read, or is one of another run
     */
    void resume(Path file) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.read(file)) {
            checkpoint.requireRun(run.texts());
            Stage stage = run.stage(Math.max(1, checkpoint.step()));
            checkpoint.restore(model, optimizer(stage), average);
            done = checkpoint.step();
        }
    }

    /**
     * Trains until all steps are done.
     *
     * @param out where progress is told
     * @param traces what is written
     * @throws IOException if something cannot be read or written, or the process is asked to end
     */
    void train(PrintWriter out, Traces traces) throws IOException {
        out.printf(
                Locale.ROOT,
                "%s: %s for the slots, %d for the autoencoder, %d for the denoiser, seed %d,"
                        + " %d parameters%n",
                pictures.name(),
                Counted.of(run.slotSteps(), "step"),
                run.codeSteps(),
                run.steps(),
                run.seed(),
                model.getParameters().values().stream()
                        .map(Parameter::getArray)
                        .mapToLong(array -> array.size())
                        .sum());
        if (done > 0) {
            out.println(Resumed.after(done, run.allSteps()));
        }
        StepRows history = new StepRows(traces.history(), COLUMNS, done);
        DiffusionReport report =
                new DiffusionReport(out, run, model, pictures, traces.reportEvery(), done);
        try (StopRequest stop = new StopRequest()) {
            for (Stage stage : Stage.values()) {
                if (done < run.end(stage)) {
                    stage(stage, report, traces, history, stop, out);
                }
            }
        }
    }

    private void stage(
            Stage stage,
            DiffusionReport report,
            Traces traces,
            StepRows history,
            StopRequest stop,
            PrintWriter out)
            throws IOException {
        if (stage != Stage.DENOISER) {
            Step taking =
                    stage == Stage.SLOTS
                            ? new SlotStage(model.discovery(), pictures.scenes(), recipe)::step
                            : new CodeStage(model.autoencoder(), pictures.scenes(), recipe)::step;
            stage(stage, taking, report, traces, history, stop, out);
            return;
        }
        try (SeenPictures seen = seen(() -> endIfAsked(traces, stop, out), out)) {
            Step taking = new DenoiserStage(model.decoder(), seen, recipe, groups)::step;
            stage(stage, taking, report, traces, history, stop, out);
        }
    }

    private void stage(
            Stage stage,
            Step taking,
            DiffusionReport report,
            Traces traces,
            StepRows history,
            StopRequest stop,
            PrintWriter out)
            throws IOException {
        GradientClipping clipping =
                new GradientClipping(stage == Stage.SLOTS ? recipe.slotNorm() : recipe.norm());
        DivergenceCheck divergence = DivergenceCheck.builder().optFirstStep(done + 1).build();
        LearningRate rate = Objects.requireNonNull(rates.get(stage));
        Adam adam = optimizer(stage);
        report.begin(stage, done);
        while (done < run.end(stage)) {
            long step = done + 1;
            random.seedEngine(Engine.getInstance(), step);
            TrainingStep taken;
            try (NDManager batch = manager.newSubManager()) {
                taken = taking.take(batch, adam, clipping, random.at(step));
            }
            divergence.check(step, taken.loss(), taken.norm());
            if (stage == Stage.DENOISER) {
                average.update();
            }
            done = step;
            DiffusionReport.Told told = report.after(step, taken.loss(), average);
            history.add(
                    step,
                    taken.loss(),
                    taken.norm(),
                    rate.at(step - run.end(stage) + run.steps(stage)),
                    told.error(),
                    told.foreground(),
                    told.all(),
                    told.own(),
                    told.other(),
                    told.drawn(),
                    told.apart());
            save(traces, adam, stop, out);
        }
    }

    /** Slots and latents of all pictures, the latents brought to a deviation of 1. */
    private SeenPictures seen(SeenPictures.Stop stop, PrintWriter out) throws IOException {
        long start = System.nanoTime();
        if (run.codeSteps() > 0) {
            model.setLatentScale(1);
        }
        SeenPictures seen = SeenPictures.of(model, pictures, cache, stop, out);
        if (run.codeSteps() > 0) {
            seen.bringToDeviationOfOne();
            model.setLatentScale(seen.factor());
        }
        out.printf(
                Locale.ROOT,
                "slots and latents of %d pictures, latents times %.3f, in %.1f s%n",
                seen.size(),
                seen.factor(),
                (System.nanoTime() - start) / 1e9);
        out.flush();
        return seen;
    }

    private void save(Traces traces, Adam adam, StopRequest stop, PrintWriter out)
            throws IOException {
        Path file = traces.checkpoint();
        boolean last =
                done == run.end(Stage.SLOTS)
                        || done == run.end(Stage.CODES)
                        || done == run.allSteps();
        if (file != null && (done % traces.checkpointEvery() == 0 || last || stop.isMade())) {
            Checkpoint.write(file, model, adam, average, done, run.texts(), Map.of());
        }
        endIfAsked(traces, stop, out);
    }

    private void endIfAsked(Traces traces, StopRequest stop, PrintWriter out) throws IOException {
        if (stop.isMade()) {
            throw StopRequest.end(out, done, traces.checkpoint());
        }
    }

    /** Writes the model, with the averages of the denoiser's weights. */
    @SuppressWarnings("try") // averages work by being there
    void write(Path file) throws IOException {
        try (WeightAverage.InPlace averages = average.inPlace()) {
            model.save(file);
        }
    }

    @Override
    public void close() {
        optimizers.values().forEach(Adam::close);
        average.close();
        model.close();
        manager.close();
    }
}
