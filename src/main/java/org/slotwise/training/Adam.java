package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.tracker.ParameterTracker;
import org.slotwise.internal.Check;
import org.slotwise.internal.FusedAdam;
import org.slotwise.internal.Scalars;

/**
 * The Adam optimizer, with weight decay as in Adam or as in AdamW, and a state that can be saved.
 *
 * <p>Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), algorithm 1;
 * Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2. It takes the
 * steps of PyTorch's {@code torch.optim.Adam} and {@code AdamW}.
 *
 * <pre>{@code
 * g = g + weightDecay w                as in Adam, or
 * w = (1 - rate weightDecay) w         as in AdamW, decoupled
 * m = beta1 m + (1 - beta1) g
 * v = beta2 v + (1 - beta2) g^2
 * w = w - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * }</pre>
 *
 * <p>t counts the updates of the parameter, and rate is that of the step, which is the largest t of
 * all parameters.
 *
 * <p>How this differs from DJL's {@link ai.djl.training.optimizer.Adam}: eps is added to the root
 * that is corrected for bias, which matters where gradients are as small as eps; each parameter
 * counts its own updates; numbers are kept in double precision; the state can be read and restored;
 * and the moments are freed with the parameters. There is no clipping here: see {@link
 * GradientClipping}.
 */
public final class Adam extends StatefulOptimizer {

    private static final String WHO = "Adam";

    private final double beta1;
    private final double beta2;
    private final double eps;
    private final double weightDecay;
    private final boolean decoupledWeightDecay;
    private final FusedAdam fused;

    private Adam(Builder builder) {
        super(builder.learningRate, "exp_avg", "exp_avg_sq");
        beta1 = builder.beta1;
        beta2 = builder.beta2;
        eps = builder.eps;
        weightDecay = builder.weightDecay;
        decoupledWeightDecay = builder.decoupledWeightDecay;
        fused = new FusedAdam(beta1, beta2, eps, weightDecay, decoupledWeightDecay);
    }

    /**
     * Creates a builder.
     *
     * @return a builder with the defaults of PyTorch's Adam
     */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    void change(NDArray w, NDArray grad, Moments own, int t, double rate) {
        if (!w.getDevice().isGpu()) {
            NDArray step = Scalars.ofType(w, t, DataType.FLOAT64);
            fused.step(
                    w, grad, own.of(0), own.of(1), step, Scalars.ofType(w, rate, DataType.FLOAT64));
            return;
        }
        NDArray g = grad;
        if (weightDecay != 0 && decoupledWeightDecay) {
            w.muli(Scalars.like(w, 1 - rate * weightDecay));
        } else if (weightDecay != 0) {
            g = g.add(w.mul(Scalars.like(w, weightDecay)));
        }
        // m = m + (1 - beta1) (g - m)
        NDArray m = own.of(0);
        m.addi(g.sub(m).mul(Scalars.like(w, 1 - beta1)));
        // v = beta2 v + (1 - beta2) g^2
        NDArray v = own.of(1);
        v.muli(Scalars.like(w, beta2)).addi(g.mul(Scalars.like(w, 1 - beta2)).mul(g));
        // w = w - rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
        double correction = Math.sqrt(1 - Math.pow(beta2, t));
        NDArray root = v.sqrt().div(Scalars.like(w, correction));
        NDArray size = Scalars.like(w, rate / (1 - Math.pow(beta1, t)));
        w.subi(m.mul(size).div(root.add(Scalars.like(w, eps))));
    }

    /** Configures an {@link Adam}. */
    public static final class Builder {

        private ParameterTracker learningRate = LearningRate.constant(1e-3);
        private double beta1 = 0.9;
        private double beta2 = 0.999;
        private double eps = 1e-8;
        private double weightDecay;
        private boolean decoupledWeightDecay;

        private Builder() {}

        /**
         * Sets the learning rate.
         *
         * @param learningRate a {@link LearningRate}, {@link LearningRates} for groups of
         *     parameters, or one of DJL's trackers; 1e-3 by default
         * @return this builder
         */
        public Builder optLearningRate(ParameterTracker learningRate) {
            this.learningRate = learningRate;
            return this;
        }

        /**
         * Sets how slowly the mean of gradients changes.
         *
         * @param beta1 from 0 to below 1, 0.9 by default
         * @return this builder
         */
        public Builder optBeta1(double beta1) {
            this.beta1 = beta1;
            return this;
        }

        /**
         * Sets how slowly the mean of squared gradients changes.
         *
         * @param beta2 from 0 to below 1, 0.999 by default
         * @return this builder
         */
        public Builder optBeta2(double beta2) {
            this.beta2 = beta2;
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
         * Sets whether weights decay by themselves, as in AdamW, or through the gradient.
         *
         * @param decoupledWeightDecay true for AdamW, false by default
         * @return this builder
         */
        public Builder optDecoupledWeightDecay(boolean decoupledWeightDecay) {
            this.decoupledWeightDecay = decoupledWeightDecay;
            return this;
        }

        /**
         * Creates the optimizer.
         *
         * @return an optimizer without a state
         * @throws IllegalArgumentException if an option is out of its range
         */
        public Adam build() {
            Check.option(
                    beta1 >= 0 && beta1 < 1,
                    WHO + ": beta1 must be from 0 to below 1, got " + beta1);
            Check.option(
                    beta2 >= 0 && beta2 < 1,
                    WHO + ": beta2 must be from 0 to below 1, got " + beta2);
            Check.option(
                    eps >= Float.MIN_VALUE && Double.isFinite(eps),
                    WHO + ": eps must be at least " + Float.MIN_VALUE + ", got " + eps);
            Check.option(
                    weightDecay >= 0 && Double.isFinite(weightDecay),
                    WHO + ": weightDecay must be at least 0, got " + weightDecay);
            return new Adam(this);
        }
    }
}
