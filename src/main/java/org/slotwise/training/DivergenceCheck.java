package org.slotwise.training;

import ai.djl.TrainingDivergedException;
import ai.djl.training.Trainer;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.listener.TrainingListenerAdapter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * Stops a training that has run away: when the loss or the norm of the gradients is not a finite
 * number any more, or when the norm explodes.
 *
 * <p>The norm, before clipping, explodes if in each of {@code patience} steps in a row it is above
 * {@code factor} times the median of the last {@code window} norms that were not above it. Single
 * large norms, which clipping takes care of, do not count, nor does a norm that is large in the
 * first steps and falls; nothing is said of the first {@code window} steps at all. A norm that
 * grows as slowly as its median does is no explosion. Within 2920 steps of a healthy training of
 * the examples' model no norm was above 4.7 times that median.
 *
 * <p>As a listener it comes after DJL's {@link EvaluatorTrainingListener}, which measures the loss,
 * and after the {@link GradientClipping}; a run then stops before the step would spoil the weights:
 *
 * <pre>{@code
 * GradientClipping clipping = new GradientClipping(0.05);
 * config.addTrainingListeners(
 *         new EvaluatorTrainingListener(), clipping, DivergenceCheck.builder(clipping).build());
 * }</pre>
 *
 * <p>How this differs from DJL's {@link ai.djl.training.listener.DivergenceCheckTrainingListener}:
 * infinity is found as well, and the gradients are looked at; the message says where and how much.
 * The exception is the same.
 */
public final class DivergenceCheck extends TrainingListenerAdapter {

    private static final String WHO = "DivergenceCheck";

    private static final String ADVICE =
            "Try a lower learning rate, clip gradients to a lower norm, warm up for longer, or look"
                    + " at the data of that step";

    private final @Nullable GradientClipping clipping;
    private final double factor;
    private final int patience;
    private final double[] window;

    private long step;
    private long usual;
    private int suspicious;
    private @Nullable Path lastGood;

    private DivergenceCheck(Builder builder) {
        clipping = builder.clipping;
        factor = builder.factor;
        patience = builder.patience;
        window = new double[builder.window];
        step = builder.firstStep - 1;
    }

    /**
     * Starts the description of a check that is used as a listener.
     *
     * @param clipping the listener that measures the norm; with a bound of infinity it changes
     *     nothing
     * @return a builder
     */
    public static Builder builder(GradientClipping clipping) {
        return new Builder(clipping);
    }

    /**
     * Starts the description of a check that is called by hand.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder(null);
    }

    /**
     * Tells which file holds the state to go back to, for the message.
     *
     * @param checkpoint a checkpoint that is complete
     */
    public void lastGood(Path checkpoint) {
        lastGood = checkpoint;
    }

    /** {@inheritDoc} */
    @Override
    public void onTrainingBatch(Trainer trainer, BatchData batchData) {
        if (clipping == null) {
            throw new IllegalStateException(
                    WHO + ": as a listener it needs the clipping: builder(clipping)");
        }
        double loss = trainer.getLoss().getAccumulator(EvaluatorTrainingListener.TRAIN_ALL);
        check(step + 1, loss, clipping.lastNorm());
    }

    /**
     * Looks at a step.
     *
     * @param number the number of the step
     * @param loss its loss
     * @param norm the norm of all gradients together, before clipping
     * @throws TrainingDivergedException if the training has run away; the message says at which
     *     step, what the numbers were, what to try, and which checkpoint to go back to
     */
    public void check(long number, double loss, double norm) {
        step = number;
        String numbers = String.format(Locale.ROOT, "loss %.5g, gradient norm %.5g", loss, norm);
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            String what = Double.isFinite(loss) ? "the gradient is" : "the loss is";
            throw diverged(what + " not finite any more", numbers);
        }
        double median = median();
        if (usual >= window.length && norm > factor * median) {
            suspicious++;
            if (suspicious >= patience) {
                throw diverged(
                        String.format(
                                Locale.ROOT,
                                "for %d steps the gradient norm has been more than %s times its"
                                        + " usual %.5g",
                                suspicious,
                                factor,
                                median),
                        numbers);
            }
            return;
        }
        suspicious = 0;
        window[(int) (usual++ % window.length)] = norm;
    }

    private TrainingDivergedException diverged(String what, String numbers) {
        return new TrainingDivergedException(
                "Training diverged at step "
                        + step
                        + ": "
                        + what
                        + " ("
                        + numbers
                        + "). "
                        + ADVICE
                        + "."
                        + (lastGood == null ? "" : " The last good checkpoint is " + lastGood));
    }

    private double median() {
        double[] sorted = window.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    /** Describes a {@link DivergenceCheck}. */
    public static final class Builder {
        private final @Nullable GradientClipping clipping;
        private double factor = 50;
        private int patience = 20;
        private int window = 100;
        private long firstStep = 1;

        private Builder(@Nullable GradientClipping clipping) {
            this.clipping = clipping;
        }

        /**
         * Sets how many times its median a norm is to be too large.
         *
         * @param factor above 1, 50 if not set
         * @return this
         */
        public Builder optFactor(double factor) {
            this.factor = factor;
            return this;
        }

        /**
         * Sets after how many steps in a row with too large a norm the training stops.
         *
         * @param patience at least 1, 20 if not set
         * @return this
         */
        public Builder optPatience(int patience) {
            this.patience = patience;
            return this;
        }

        /**
         * Sets of how many norms the median is taken, and how many steps pass before the first one
         * is judged.
         *
         * @param window from 1 to 1,000,000, 100 if not set
         * @return this
         */
        public Builder optWindow(int window) {
            this.window = window;
            return this;
        }

        /**
         * Sets the number of the first step, for a training that is taken up again.
         *
         * @param firstStep 1 if not set
         * @return this
         */
        public Builder optFirstStep(long firstStep) {
            this.firstStep = firstStep;
            return this;
        }

        /**
         * Builds the check.
         *
         * @return a check that has seen no step yet
         * @throws IllegalArgumentException if an option is out of range
         */
        public DivergenceCheck build() {
            Check.option(
                    factor > 1 && Double.isFinite(factor),
                    WHO + ": factor must be above 1, got " + factor);
            Check.option(patience > 0, WHO + ": patience must be at least 1, got " + patience);
            Limits.count(WHO, "window", window, 1, 1_000_000);
            return new DivergenceCheck(this);
        }
    }
}
