package org.slotwise.examples.gnm;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.Resumed;
import org.slotwise.examples.shared.StepRows;
import org.slotwise.examples.shared.StopRequest;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmNoise;
import org.slotwise.gnm.GnmOutput;
import org.slotwise.gnm.GnmSetting;
import org.slotwise.gnm.GnmStart;
import org.slotwise.gnm.GnmTerm;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;
import org.slotwise.training.StatefulOptimizer;
import org.slotwise.training.StepRandom;

/** Trains a small GNM. */
final class GnmTraining implements AutoCloseable {

    private static final List<String> COLUMNS =
            Stream.concat(
                            Stream.of("loss", "gradient_norm", "learning_rate", "temperature"),
                            Stream.concat(
                                    Stream.of("likelihood"),
                                    Stream.concat(
                                            Arrays.stream(GnmTerm.values())
                                                    .map(t -> t.name().toLowerCase(Locale.ROOT)),
                                            Stream.of("error", "count_right", "found"))))
                    .toList();

    private final NDManager manager = NDManager.newBaseManager();
    private final GnmRun run;
    private final LearntScenes pictures;
    private final StepRandom random;
    private final Gnm gnm;
    private final List<Parameter> parameters;
    private final LearningRate rate;
    private final StatefulOptimizer optimizer;
    private final GradientClipping clipping = new GradientClipping(GnmRecipe.NORM);
    private long done;

    /**
     * What is written while the training runs.
     *
     * @param checkpoint the file of the checkpoint; null for none
     * @param checkpointEvery after how many steps it is written
     * @param history the file of the history; null for none
     * @param report after how many steps progress is told
     */
    record Traces(
            @Nullable Path checkpoint, int checkpointEvery, @Nullable Path history, int report) {}

    /** Starts a training: draws the weights. */
    GnmTraining(GnmRun run, LearntScenes pictures) {
        this.run = run;
        this.pictures = pictures;
        random = new StepRandom(run.seed());
        random.seedEngine(Engine.getInstance(), 0);
        gnm = GnmModel.fresh(manager, run.size());
        GnmStart start = run.recipe().start();
        if (start != null) {
            start.applyTo(gnm);
        }
        parameters =
                gnm.getParameters().values().stream().filter(Parameter::requiresGradient).toList();
        rate = run.recipe().learningRate(run.steps());
        optimizer = run.recipe().optimizer(rate);
    }

    /** The model as it is now; it is freed with the training. */
    Gnm gnm() {
        return gnm;
    }

    /** Goes on from a checkpoint. */
    void resume(Path file) throws IOException {
        try (Checkpoint checkpoint = Checkpoint.read(file)) {
            checkpoint.requireRun(run.texts());
            checkpoint.restore(gnm, optimizer);
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
                "%s: %d steps of %d, recipe %s, seed %d, %d parameters%n",
                pictures.name(),
                run.steps(),
                run.recipe().batch(),
                run.recipe(),
                run.seed(),
                parameters.stream().mapToLong(p -> p.getArray().size()).sum());
        if (done > 0) {
            out.println(Resumed.after(done, run.steps()));
        }
        out.flush();
        StepRows history = new StepRows(traces.history(), COLUMNS, done);
        DivergenceCheck divergence = DivergenceCheck.builder().optFirstStep(done + 1).build();
        long start = System.nanoTime();
        long before = done;
        try (StopRequest stop = new StopRequest()) {
            while (done < run.steps()) {
                long step = done + 1;
                random.seedEngine(Engine.getInstance(), step);
                double[] taken = step(step);
                divergence.check(step, taken[0], taken[1]);
                done = step;
                GnmProgress.Counts counts = new GnmProgress.Counts(Double.NaN, Double.NaN, 0);
                if (done % traces.report() == 0 || done == run.steps()) {
                    counts = GnmProgress.counts(gnm, pictures.validation(), pictures.masked());
                    double seconds = (System.nanoTime() - start) / 1e9;
                    tell(out, taken, counts, seconds, seconds / (done - before));
                    double[] row = Arrays.copyOf(taken, COLUMNS.size());
                    row[COLUMNS.size() - 3] = counts.error();
                    row[COLUMNS.size() - 2] = counts.right();
                    row[COLUMNS.size() - 1] = counts.found();
                    history.add(step, row);
                } else {
                    double[] row = Arrays.copyOf(taken, COLUMNS.size());
                    Arrays.fill(row, COLUMNS.size() - 3, row.length, Double.NaN);
                    history.add(step, row);
                }
                save(traces, stop, out);
            }
        }
    }

    private void tell(
            PrintWriter out,
            double[] taken,
            GnmProgress.Counts counts,
            double seconds,
            double each) {
        out.printf(
                Locale.ROOT,
                "step %5d  loss %.1f  likelihood %.1f  scene %.2f nats  error %.5f%s  found %.2f"
                        + "  %4.0f s, %.0f s left%n",
                done,
                taken[0],
                taken[4],
                taken[5 + GnmTerm.SCENE.column()],
                counts.error(),
                Double.isNaN(counts.right())
                        ? ""
                        : String.format(Locale.ROOT, "  count right %.3f", counts.right()),
                counts.found(),
                seconds,
                each * (run.steps() - done));
        out.flush();
    }

    /** Loss, norm, rate, temperature, likelihood and terms. */
    private double[] step(long step) {
        int[] chosen = random.at(step).ints(run.recipe().batch(), 0, pictures.size()).toArray();
        // The original counts from 0.
        GnmSetting setting = run.recipe().schedules().at(step - 1);
        double[] taken = new double[5 + GnmTerm.values().length];
        try (NDManager batch = manager.newSubManager()) {
            NDArray images = pictures.images(batch, chosen);
            ParameterStore store = new ParameterStore(batch, false);
            GnmOutput out;
            try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
                out = gnm.step(store, images, setting, GnmNoise.drawn(), true);
                collector.backward(out.loss());
            }
            taken[0] = out.loss().getFloat();
            taken[1] = clipping.clip(parameters, batch).getFloat();
            taken[2] = rate.at((int) step);
            taken[3] = setting.temperature();
            taken[4] = out.likelihood().mean().getFloat();
            float[] terms = out.terms().mean(new int[] {0}).toFloatArray();
            for (int i = 0; i < terms.length; i++) {
                taken[5 + i] = terms[i];
            }
        }
        for (Parameter parameter : parameters) {
            NDArray weight = parameter.getArray();
            try (NDArray gradient = weight.getGradient()) {
                optimizer.update(parameter.getId(), weight, gradient);
            }
        }
        return taken;
    }

    private void save(Traces traces, StopRequest stop, PrintWriter out) throws IOException {
        Path file = traces.checkpoint();
        boolean last = done == run.steps();
        if (file != null && (done % traces.checkpointEvery() == 0 || last || stop.isMade())) {
            Checkpoint.write(file, gnm, optimizer, done, run.texts());
        }
        if (stop.isMade()) {
            throw StopRequest.end(out, done, file);
        }
    }

    @Override
    public void close() {
        optimizer.close();
        manager.close();
    }
}
