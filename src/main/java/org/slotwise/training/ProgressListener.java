package org.slotwise.training;

import ai.djl.metric.Metrics;
import ai.djl.training.Trainer;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.listener.TrainingListenerAdapter;
import java.io.Console;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slotwise.internal.Check;
import org.slotwise.internal.OptionalArtifact;

/**
 * Shows how far a training is, with the loss, metrics of the trainer and the remaining time: as a
 * bar on standard error if somebody sits at a terminal, otherwise as a line in the log (SLF4J,
 * level info) every so often and at the last step.
 *
 * <p>The loss is the one that DJL's {@link EvaluatorTrainingListener} measured, which has to be
 * among the listeners, before this one. Metrics are the latest values of the trainer's {@link
 * Metrics} under the names that are asked for; of names such as {@code validate_epoch_FG-ARI} the
 * part after the last underscore is shown.
 *
 * <p>The bar needs {@code me.tongfei:progressbar} among the dependencies, which this library does
 * not force on anybody; without it there are lines in the log.
 */
public final class ProgressListener extends TrainingListenerAdapter implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ProgressListener.class);

    private final long steps;
    private final List<String> metrics;
    private final ProgressDisplay display;
    private long done;

    /**
     * Creates the listener. It begins to measure the time.
     *
     * @param steps how many steps the training has, at least 1
     * @param done how many of them were taken before, by a run that is taken up again
     * @param logEvery how often a line is logged
     * @param metrics the names of the trainer's metrics to be shown
     * @throws IllegalArgumentException if a number is out of range
     */
    public ProgressListener(long steps, long done, Duration logEvery, String... metrics) {
        this(steps, done, display(steps, done, logEvery), metrics);
    }

    ProgressListener(long steps, long done, ProgressDisplay display, String... metrics) {
        Check.option(steps > 0, "ProgressListener: steps must be at least 1, got " + steps);
        Check.option(
                done >= 0 && done <= steps,
                "ProgressListener: done must be from 0 to " + steps + ", got " + done);
        this.steps = steps;
        this.done = done;
        this.display = display;
        this.metrics = List.of(metrics);
    }

    private static ProgressDisplay display(long steps, long done, Duration logEvery) {
        if (isTerminal(System.console())) {
            if (OptionalArtifact.PROGRESSBAR.isThere()) {
                return new ProgressOnConsole(steps, done);
            }
            LOG.info("For a bar add {}", OptionalArtifact.PROGRESSBAR.coordinates());
        }
        return new ProgressInLog(steps, done, logEvery, System::nanoTime, LOG::info);
    }

    /** Since Java 22 there is a console where there is no terminal, and a method that says so. */
    static boolean isTerminal(@Nullable Console console) {
        if (console == null) {
            return false;
        }
        try {
            return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void onTrainingBatch(Trainer trainer, BatchData batchData) {
        done = Math.min(done + 1, steps);
        StringBuilder text = new StringBuilder();
        double loss = trainer.getLoss().getAccumulator(EvaluatorTrainingListener.TRAIN_ALL);
        text.append(String.format(Locale.ROOT, "loss %.4g", loss));
        Metrics measured = trainer.getMetrics();
        if (measured != null) {
            for (String name : metrics) {
                if (measured.hasMetric(name)) {
                    text.append(
                            String.format(
                                    Locale.ROOT,
                                    "  %s %.4g",
                                    name.substring(name.lastIndexOf('_') + 1),
                                    measured.latestMetric(name).getValue().doubleValue()));
                }
            }
        }
        display.show(done, text.toString());
    }

    /**
     * Prints something without getting into the bar's way.
     *
     * @param printing what prints
     */
    public void aside(Runnable printing) {
        display.aside(printing);
    }

    /** Takes the bar away. */
    @Override
    public void onTrainingEnd(Trainer trainer) {
        close();
    }

    /** Takes the bar away. */
    @Override
    public void close() {
        display.close();
    }
}
