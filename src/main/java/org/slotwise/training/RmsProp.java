package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.training.tracker.ParameterTracker;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;

/**
 * The RMSprop optimizer, with a state that can be saved.
 *
 * <p>Source: Tieleman and Hinton, "Lecture 6.5: rmsprop" (2012). It takes the steps of PyTorch's
 * {@code torch.optim.RMSprop}, neither centred nor with momentum.
 *
 * <pre>{@code
 * g = g + weightDecay w
 * v = alpha v + (1 - alpha) g^2
 * w = w - rate g / (sqrt(v) + eps)
 * }</pre>
 *
 * <p>The mean is not corrected for its start at 0: the first step moves each weight by 10 rates in
 * the sign of its gradient, however small that is. rate is that of the step, which is the largest
 * number of updates of all parameters.
 *
 * <p>How this differs from DJL's {@link ai.djl.training.optimizer.RmsProp}: that throws on the
 * PyTorch engine; its rho is 0.9 and its eps is added below the root.
 */
public final class RmsProp extends StatefulOptimizer {

    private static final String WHO = "RmsProp";

    private final double alpha;
    private final double eps;
    private final double weightDecay;

    private RmsProp(Builder builder) {
        super(builder.learningRate, "square_avg");
        alpha = builder.alpha;
        eps = builder.eps;
        weightDecay = builder.weightDecay;
    }

    /**
     * Creates a builder.
     *
     * @return a builder with the defaults of PyTorch's RMSprop
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    void change(NDArray w, NDArray grad, Moments own, int t, double rate) {
        NDArray g = weightDecay == 0 ? grad : grad.add(w.mul(Scalars.like(w, weightDecay)));
        NDArray v = own.of(0);
        v.muli(Scalars.like(w, alpha)).addi(g.mul(Scalars.like(w, 1 - alpha)).mul(g));
        NDArray root = v.sqrt().addi(Scalars.like(w, eps));
        w.subi(g.mul(Scalars.like(w, rate)).div(root));
    }

    /** Configures an {@link RmsProp}. */
    public static final class Builder {

        private ParameterTracker learningRate = LearningRate.constant(1e-2);
        private double alpha = 0.99;
        private double eps = 1e-8;
        private double weightDecay;

        private Builder() {}

        /**
         * Sets the learning rate.
         *
         * @param learningRate a {@link LearningRate}, {@link LearningRates} for groups of
         *     parameters, or one of DJL's trackers; 1e-2 by default
         * @return this builder
         */
        public Builder optLearningRate(ParameterTracker learningRate) {
            this.learningRate = learningRate;
            return this;
        }

        /**
         * Sets how slowly the mean of squared gradients changes.
         *
         * @param alpha from 0 to below 1, 0.99 by default
         * @return this builder
         */
        public Builder optAlpha(double alpha) {
            this.alpha = alpha;
            return this;
        }

        /**
         * Sets what keeps the update finite where gradients vanish.
         *
         * @param eps at least the smallest float32, 1e-8 by default
         * @return this builder
         */
        public Builder optEps(double eps) {
            this.eps = eps;
            return this;
        }

        /**
         * Sets the weight decay.
         *
         * @param weightDecay at least 0, 0 by default
         * @return this builder
         */
        public Builder optWeightDecay(double weightDecay) {
            this.weightDecay = weightDecay;
            return this;
        }

        /**
         * Creates the optimizer.
         *
         * @return an optimizer without a state
         * @throws IllegalArgumentException if an option is out of its range
         */
        public RmsProp build() {
            Check.option(
                    alpha >= 0 && alpha < 1,
                    WHO + ": alpha must be from 0 to below 1, got " + alpha);
            Check.option(
                    eps >= Float.MIN_VALUE && Double.isFinite(eps),
                    WHO + ": eps must be at least " + Float.MIN_VALUE + ", got " + eps);
            Check.option(
                    weightDecay >= 0 && Double.isFinite(weightDecay),
                    WHO + ": weightDecay must be at least 0, got " + weightDecay);
            return new RmsProp(this);
        }
    }
}
