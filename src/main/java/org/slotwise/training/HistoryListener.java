package org.slotwise.training;

import ai.djl.metric.Metric;
import ai.djl.metric.Metrics;
import ai.djl.training.Trainer;
import ai.djl.training.evaluator.Evaluator;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.listener.TrainingListenerAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * Writes the losses and scores of a training with DJL's trainer to a {@link ScalarLog}: at the end
 * of each epoch or, if asked for, every so many steps.
 *
 * <p>It takes the numbers from the trainer's {@link Metrics}, where {@link
 * EvaluatorTrainingListener} puts them, which has to be among the listeners, before this one. A
 * number is named after its evaluator, as "train/ReconstructionLoss" and "validate/FG-ARI".
 *
 * <pre>{@code
 * trainer.setMetrics(new Metrics());
 *
 * at the end of an epoch   epoch, train/X: of all its images, validate/X: if there was a validation
 * every n steps            train/X: the mean over the steps since the last time; then epochs write
 *                          epoch and validate/X alone
 * }</pre>
 *
 * <p>A log that cannot be written ends the training with an {@link UncheckedIOException}. The log
 * stays open: close it after the training.
 */
public final class HistoryListener extends TrainingListenerAdapter {

    private static final String WHO = "HistoryListener";

    private final ScalarLog log;
    private final int everySteps;
    private final List<String> metrics;
    private final Map<String, Sum> sums = new HashMap<>();
    private @Nullable Metrics last;
    private long step;
    private int epoch;
    private boolean validated;

    private HistoryListener(Builder builder) {
        log = builder.log;
        everySteps = builder.everySteps;
        metrics = builder.metrics;
        step = builder.stepsBefore;
        epoch = builder.epochsBefore;
    }

    private static Metrics metrics(Trainer trainer) {
        Metrics metrics = trainer.getMetrics();
        if (metrics == null) {
            throw new IllegalStateException(
                    WHO
                            + ": the trainer has no metrics; trainer.setMetrics(new Metrics()) gives it");
        }
        return metrics;
    }

    /** {@inheritDoc} */
    @Override
    public void onTrainingBatch(Trainer trainer, BatchData batchData) {
        step++;
        if (everySteps == 0) {
            return;
        }
        Metrics measured = metrics(trainer);
        if (measured != last) {
            // A trainer's metrics grow with every step: long trainings give it new ones.
            sums.values().forEach(sum -> sum.seen = 0);
            last = measured;
        }
        boolean now = step % everySteps == 0;
        Map<String, Number> values = new LinkedHashMap<>();
        for (Evaluator evaluator : trainer.getEvaluators()) {
            String name = name(evaluator, EvaluatorTrainingListener.TRAIN_ALL);
            Sum sum = sums.computeIfAbsent(name, any -> new Sum());
            sum.addNew(measured, name);
            if (now) {
                values.put("train/" + evaluator.getName(), sum.takeMean());
            }
        }
        if (now) {
            write(trainer, values);
        }
    }

    /** What came of one number since the last time that it was written. */
    private static final class Sum {
        private int seen;
        private double total;
        private int count;

        void addNew(Metrics measured, String name) {
            List<Metric> all = measured.hasMetric(name) ? measured.getMetric(name) : List.of();
            if (all.size() <= seen) {
                throw new IllegalStateException(
                        WHO
                                + (": " + name)
                                + " is missing; EvaluatorTrainingListener must come before");
            }
            for (int i = seen; i < all.size(); i++) {
                total += all.get(i).getValue().doubleValue();
                count++;
            }
            seen = all.size();
        }

        double takeMean() {
            double mean = total / count;
            total = 0;
            count = 0;
            return mean;
        }
    }

    /** {@inheritDoc} */
    @Override
    public void onValidationBatch(Trainer trainer, BatchData batchData) {
        validated = true;
    }

    /** {@inheritDoc} */
    @Override
    public void onEpoch(Trainer trainer) {
        epoch++;
        Map<String, Number> values = new LinkedHashMap<>();
        values.put("epoch", epoch);
        for (Evaluator evaluator : trainer.getEvaluators()) {
            String train = name(evaluator, EvaluatorTrainingListener.TRAIN_EPOCH);
            String validate = name(evaluator, EvaluatorTrainingListener.VALIDATE_EPOCH);
            if (everySteps == 0) {
                values.put("train/" + evaluator.getName(), latest(trainer, train));
            }
            if (validated) {
                values.put("validate/" + evaluator.getName(), latest(trainer, validate));
            }
        }
        validated = false;
        write(trainer, values);
    }

    private static Number latest(Trainer trainer, String name) {
        Metrics measured = metrics(trainer);
        if (!measured.hasMetric(name)) {
            throw new IllegalStateException(
                    WHO + ": " + name + " is missing; EvaluatorTrainingListener must come before");
        }
        return measured.latestMetric(name).getValue();
    }

    private static String name(Evaluator evaluator, String stage) {
        return EvaluatorTrainingListener.metricName(evaluator, stage);
    }

    private void write(Trainer trainer, Map<String, Number> values) {
        for (String name : metrics) {
            if (metrics(trainer).hasMetric(name)) {
                values.put(name, latest(trainer, name));
            }
        }
        try {
            log.write(step, values);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /**
     * Starts the description of a listener.
     *
     * @param log where the numbers go
     * @return a builder
     */
    public static Builder builder(ScalarLog log) {
        return new Builder(log);
    }

    /** Describes a {@link HistoryListener}. */
    public static final class Builder {
        private final ScalarLog log;
        private int everySteps;
        private long stepsBefore;
        private int epochsBefore;
        private List<String> metrics = List.of();

        private Builder(ScalarLog log) {
            this.log = log;
        }

        /**
         * Sets after how many steps numbers are written.
         *
         * @param everySteps at least 1; at the end of epochs alone if not set
         * @return this
         */
        public Builder optEverySteps(int everySteps) {
            Check.atLeast(WHO, "everySteps", everySteps, 1);
            this.everySteps = everySteps;
            return this;
        }

        /**
         * Sets what a run that is taken up again did before.
         *
         * @param steps how many steps, at least 0; 0 if not set
         * @param epochs how many epochs, at least 0; 0 if not set
         * @return this
         */
        public Builder optBefore(long steps, int epochs) {
            Check.atLeast(WHO, "steps", steps, 0);
            Check.atLeast(WHO, "epochs", epochs, 0);
            stepsBefore = steps;
            epochsBefore = epochs;
            return this;
        }

        /**
         * Sets which of the trainer's other metrics are written too, with their latest value.
         *
         * @param names "gradient_norm" for instance; none if not set
         * @return this
         */
        public Builder optMetrics(String... names) {
            metrics = List.of(names);
            return this;
        }

        /**
         * Builds the listener.
         *
         * @return the listener
         */
        public HistoryListener build() {
            return new HistoryListener(this);
        }
    }
}
