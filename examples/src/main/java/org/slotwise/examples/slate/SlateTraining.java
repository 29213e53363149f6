package org.slotwise.examples.slate;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Resumed;
import org.slotwise.examples.shared.StepRows;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.examples.shared.TrainingStep;
import org.slotwise.slate.Slate;
import org.slotwise.training.Adam;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.PlateauDecay;
import org.slotwise.training.StepRandom;
import org.slotwise.weights.StateDict;

/**
 * Trains a model in two halves: the auto-encoder, then slots and transformer on its tokens, which
 * no longer change. The two losses share no gradient, so nothing is lost by that. Steps count
 * through both.
 */
final class SlateTraining implements AutoCloseable {

    private static final double HALF = 0.5;
    private static final List<String> COLUMNS =
            List.of(
                    "loss",
                    "gradient_norm",
                    "learning_rate",
                    "temperature",
                    "mse",
                    "cross_entropy",
                    "foreign_cross_entropy",
                    "fg_ari",
                    "ari");

    private final NDManager manager = NDManager.newBaseManager();
    private final SlateRun run;
    private final TrainingPictures pictures;
    private final SlateRecipe recipe = SlateRecipe.USUAL;
    private final StepRandom random;
    private final PlateauDecay plateau;
    private final Slate slate;
    private final Adam dvaeAdam;
    private final LearningRate dvaeRate;
    private final Adam adam;
    private final LearningRate rate;
    private long done;

    /**
     * What is written while the training runs.
     *
     * @param tokens the file of the tokens; null for none
     * @param checkpoint the file of the checkpoint; null for none
     * @param checkpointEvery after how many steps it is written
     * @param history the file of the history; null for none
     */
    record Traces(
            @Nullable Path tokens,
            @Nullable Path checkpoint,
            int checkpointEvery,
            @Nullable Path history) {}

    /**
     * Starts a training: draws the weights.
     *
     * @param run which one
     * @param pictures what is learnt from
     * @param dvae the weights of an auto-encoder that is not to be trained; null if it is
     */
    SlateTraining(SlateRun run, TrainingPictures pictures, @Nullable StateDict dvae) {
        this.run = run;
        this.pictures = pictures;
        random = new StepRandom(run.seed());
        random.seedEngine(Engine.getInstance(), 0);
        slate = SlateModel.fresh(manager, run.sizes());
        if (dvae != null) {
            dvae.loadInto(slate.dvae());
        }
        plateau = new PlateauDecay(Math.max(1, run.halveAfter()), HALF);
        dvaeRate = recipe.rate(recipe.dvaeRate(), Math.max(1, run.dvaeSteps()));
        dvaeAdam = Adam.builder().optLearningRate(dvaeRate).build();
        rate = plateau.of(recipe.rate(run.rate(), run.steps()));
        adam = Adam.builder().optLearningRate(rate).build();
    }

    /** The model as it is now; it is freed with the training. */
    Slate slate() {
        return slate;
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
            try {
                plateau.restore(checkpoint.state());
            } catch (IllegalArgumentException e) {
                throw new IOException(file + " is of another program: " + e.getMessage(), e);
            }
            checkpoint.restore(slate, checkpoint.step() <= run.dvaeSteps() ? dvaeAdam : adam);
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
                "%s: %d steps of %d for the auto-encoder, %d of %d after that, learning rate %s,"
                        + " seed %d, %d parameters%n",
                pictures.name(),
                run.dvaeSteps(),
                recipe.dvaeBatch(),
                run.steps(),
                recipe.batch(),
                run.rate(),
                run.seed(),
                slate.getParameters().values().stream().mapToLong(p -> p.getArray().size()).sum());
        if (done > 0) {
            out.println(Resumed.after(done, run.allSteps()));
        }
        StepRows history = new StepRows(traces.history(), COLUMNS, done);
        try (StopRequest stop = new StopRequest()) {
            SlateReport report = new SlateReport(out, run, slate, pictures, done);
            dvaeHalf(report, traces, history, stop, out);
            slotHalf(report, traces, history, stop, out);
        }
    }

    private void dvaeHalf(
            SlateReport report, Traces traces, StepRows history, StopRequest stop, PrintWriter out)
            throws IOException {
        DvaeHalf half = new DvaeHalf(slate.dvae(), pictures.scenes(), recipe, run.dvaeSteps());
        GradientClipping clipping = clipping();
        DivergenceCheck divergence = divergence();
        while (done < run.dvaeSteps()) {
            long step = done + 1;
            random.seedEngine(Engine.getInstance(), step);
            TrainingStep taken;
            try (NDManager batch = manager.newSubManager()) {
                taken = half.step(batch, dvaeAdam, clipping, step, random.at(step));
            }
            divergence.check(step, taken.loss(), taken.norm());
            done = step;
            SlateReport.Told told = report.after(step, taken.loss());
            history.add(
                    step,
                    taken.loss(),
                    taken.norm(),
                    dvaeRate.at(step),
                    half.temperature(step),
                    told.error(),
                    Double.NaN,
                    Double.NaN,
                    Double.NaN,
                    Double.NaN);
            save(traces, dvaeAdam, stop, out);
        }
    }

    private void slotHalf(
            SlateReport report, Traces traces, StepRows history, StopRequest stop, PrintWriter out)
            throws IOException {
        long start = System.nanoTime();
        PictureTokens tokens = PictureTokens.of(slate.dvae(), pictures, traces.tokens());
        out.printf(
                Locale.ROOT,
                "tokens of %d pictures, %d different ones, in %.1f s%n",
                tokens.size(),
                tokens.used(),
                (System.nanoTime() - start) / 1e9);
        out.flush();
        SlotHalf half = new SlotHalf(slate, SlotHalf.parameters(slate), tokens, recipe);
        GradientClipping clipping = clipping();
        DivergenceCheck divergence = divergence();
        while (done < run.allSteps()) {
            long step = done + 1;
            random.seedEngine(Engine.getInstance(), step);
            double used = rate.at(step - run.dvaeSteps());
            TrainingStep taken;
            try (NDManager batch = manager.newSubManager()) {
                taken = half.step(batch, adam, clipping, random.at(step));
            }
            divergence.check(step, taken.loss(), taken.norm());
            done = step;
            SlateReport.Told told = report.after(step, taken.loss());
            if (run.halveAfter() > 0 && !Double.isNaN(told.own()) && plateau.observe(told.own())) {
                out.printf(Locale.ROOT, "learning rate times %s from now on%n", plateau.scale());
            }
            history.add(
                    step,
                    taken.loss(),
                    taken.norm(),
                    used,
                    Double.NaN,
                    Double.NaN,
                    told.own(),
                    told.foreign(),
                    told.foreground(),
                    told.all());
            save(traces, adam, stop, out);
        }
    }

    private GradientClipping clipping() {
        return new GradientClipping(recipe.largest(), GradientClipping.Norm.LARGEST);
    }

    private DivergenceCheck divergence() {
        return DivergenceCheck.builder().optFirstStep(done + 1).build();
    }

    private void save(Traces traces, Adam optimizer, StopRequest stop, PrintWriter out)
            throws IOException {
        Path file = traces.checkpoint();
        boolean last = done == run.dvaeSteps() || done == run.allSteps();
        if (file != null && (done % traces.checkpointEvery() == 0 || last || stop.isMade())) {
            Map<String, String> state = plateau.state();
            Checkpoint.write(file, slate, optimizer, done, run.texts(), state);
        }
        if (stop.isMade()) {
            throw StopRequest.end(out, done, file);
        }
    }

    @Override
    public void close() {
        adam.close();
        dvaeAdam.close();
        manager.close();
    }
}
