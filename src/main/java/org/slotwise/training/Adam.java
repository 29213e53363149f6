package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Gradients;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

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
 * all parameters. Parameters are float32 or float64, on one device. After the update the
 * parameter's gradient is set to zero, as DJL's optimizers do: gradients add up otherwise. A
 * parameter that got no gradient is updated with a gradient of zero.
 *
 * <p>How this differs from DJL's {@link ai.djl.training.optimizer.Adam}: eps is added to the root
 * that is corrected for bias, which matters where gradients are as small as eps; each parameter
 * counts its own updates; numbers are kept in double precision; the state can be read and restored;
 * and the moments are freed with the parameters. There is no clipping here: see {@link
 * GradientClipping}.
 */
public final class Adam extends Optimizer implements AutoCloseable {

    private static final String WHO = "Adam";

    private final ParameterTracker learningRate;
    private final double beta1;
    private final double beta2;
    private final double eps;
    private final double weightDecay;
    private final boolean decoupledWeightDecay;

    /** By the ids of the parameters. */
    private final Map<String, Moments> moments = new LinkedHashMap<>();

    private int step;

    private Adam(Builder builder) {
        super(new NoOptions());
        learningRate = builder.learningRate;
        beta1 = builder.beta1;
        beta2 = builder.beta2;
        eps = builder.eps;
        weightDecay = builder.weightDecay;
        decoupledWeightDecay = builder.decoupledWeightDecay;
    }

    /**
     * Creates a builder.
     *
     * @return a builder with the defaults of PyTorch's Adam
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Updates a parameter, and sets its gradient to zero.
     *
     * @param parameterId the id of the parameter
     * @param weight its value, changed in place; float32 or float64
     * @param grad its gradient, which may be the weight's own
     * @throws IllegalArgumentException if weight or gradient do not have the form or device of
     *     former updates, or the learning rate is not a finite number
     */
    @Override
    public void update(String parameterId, NDArray weight, NDArray grad) {
        Check.present("Adam", "weight", weight);
        Check.present("Adam", "grad", grad);
        requireTrainable(parameterId, weight.getDataType());
        requireShape("the gradient", grad, weight);
        Check.sameDevice(WHO, "the gradient", grad, "the weight", weight);
        Moments known = moments.get(parameterId);
        if (known != null) {
            requireShape("the weight", weight, known.first());
            Check.type(WHO, "the weight", weight, known.first().getDataType(), " as before");
        }
        int global = Math.max(step, known == null ? 1 : known.steps() + 1);
        double rate = rate(parameterId, global);
        Moments own = known == null ? Moments.zeros(weight) : known.on(parameterId, weight);
        moments.put(parameterId, own);
        step = global;
        change(weight, grad, own, own.next(), rate);
        Gradients.zero(weight);
    }

    @SuppressWarnings("try") // the scope works by being open
    private void change(NDArray w, NDArray grad, Moments own, int t, double rate) {
        NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        // DJL gives float32 zeros where there is no gradient, whatever w is.
                        NDArray g = grad.toType(w.getDataType(), false);
                        if (weightDecay != 0 && decoupledWeightDecay) {
                            w.muli(Scalars.like(w, 1 - rate * weightDecay));
                        } else if (weightDecay != 0) {
                            g = g.add(w.mul(Scalars.like(w, weightDecay)));
                        }
                        // m = m + (1 - beta1) (g - m)
                        NDArray m = own.first();
                        m.addi(g.sub(m).mul(Scalars.like(w, 1 - beta1)));
                        // v = beta2 v + (1 - beta2) g^2
                        NDArray v = own.second();
                        v.muli(Scalars.like(w, beta2))
                                .addi(g.mul(Scalars.like(w, 1 - beta2)).mul(g));
                        // w = w - rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
                        double correction = Math.sqrt(1 - Math.pow(beta2, t));
                        NDArray root = v.sqrt().div(Scalars.like(w, correction));
                        NDArray size = Scalars.like(w, rate / (1 - Math.pow(beta1, t)));
                        return w.subi(m.mul(size).div(root.add(Scalars.like(w, eps))));
                    }
                });
    }

    private double rate(String parameterId, int step) {
        double rate =
                learningRate instanceof LearningRate exact
                        ? exact.at(step)
                        : learningRate instanceof LearningRates several
                                ? several.at(parameterId, step)
                                : learningRate.getNewValue(parameterId, step);
        Check.option(
                Double.isFinite(rate),
                WHO + ": the learning rate of step " + step + " must be finite, got " + rate);
        return rate;
    }

    /**
     * How many steps were taken.
     *
     * @return the largest number of updates of a parameter; 0 before the first
     */
    public int step() {
        return step;
    }

    /**
     * The state, for saving it.
     *
     * @param manager the owner of the result
     * @param parameters the parameters by the names under which their state is to be known
     * @return for each parameter that was ever updated {@code <name>.exp_avg} and {@code
     *     <name>.exp_avg_sq}, copies of its moments, and {@code <name>.step}, the number of its
     *     updates as int64 of shape (1)
     */
    public Map<String, NDArray> state(NDManager manager, Map<String, Parameter> parameters) {
        Map<String, NDArray> state = new LinkedHashMap<>();
        parameters.forEach(
                (name, parameter) -> {
                    Moments own = moments.get(parameter.getId());
                    if (own != null) {
                        SavedMoments.write(name, own, manager, state);
                    }
                });
        return state;
    }

    /**
     * Restores a state, in place of what these parameters had.
     *
     * @param parameters the parameters by the names under which their state is known, initialised
     * @param state what {@link #state} gave; a parameter of which nothing is known starts anew
     * @throws IllegalArgumentException if the state is of other parameters, incomplete, or of other
     *     shapes or types; nothing is restored then
     */
    public void restore(Map<String, Parameter> parameters, Map<String, NDArray> state) {
        Set<String> unknown = new HashSet<>(state.keySet());
        Map<Parameter, @Nullable SavedMoments> known = new LinkedHashMap<>();
        parameters.forEach(
                (name, parameter) -> {
                    NDArray weight = parameter.getArray();
                    known.put(parameter, SavedMoments.read(name, weight, state));
                    unknown.removeAll(SavedMoments.names(name));
                });
        Check.option(
                unknown.isEmpty(), WHO + ": there are no parameters for the state of " + unknown);
        known.forEach(
                (parameter, saved) -> {
                    Moments former = moments.remove(parameter.getId());
                    if (former != null) {
                        former.close();
                    }
                    if (saved != null) {
                        moments.put(parameter.getId(), Moments.of(saved, parameter.getArray()));
                    }
                });
        step = moments.values().stream().mapToInt(Moments::steps).max().orElse(0);
    }

    private static void requireTrainable(String name, DataType type) {
        Check.option(
                type == DataType.FLOAT32 || type == DataType.FLOAT64,
                WHO
                        + ": parameter "
                        + name
                        + " must be float32 or float64, got "
                        + Check.name(type));
    }

    private static void requireShape(String what, NDArray array, NDArray weight) {
        Check.option(
                array.getShape().equals(weight.getShape()),
                WHO + ": " + what + " must be " + weight.getShape() + ", got " + array.getShape());
    }

    /** Frees the moments. The next update starts anew. */
    @Override
    public void close() {
        moments.values().forEach(Moments::close);
        moments.clear();
        step = 0;
    }

    /** What DJL's optimizers have in common is not used here. */
    private static final class NoOptions extends OptimizerBuilder<NoOptions> {
        @Override
        protected NoOptions self() {
            return this;
        }
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
