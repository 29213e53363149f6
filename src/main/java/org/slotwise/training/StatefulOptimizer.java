package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.ParameterTracker;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Gradients;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scope;

/**
 * An optimizer whose state can be saved and restored, of which {@link Checkpoint} makes trainings
 * that go on: {@link Adam} and {@link RmsProp}.
 *
 * <p>Each parameter has running moments of its gradient, and counts its own updates. Parameters are
 * float32 or float64, on one device. After the update the parameter's gradient is set to zero, as
 * DJL's optimizers do: gradients add up otherwise. A parameter that got no gradient is updated with
 * a gradient of zero. The moments are freed with the parameters.
 */
public abstract class StatefulOptimizer extends Optimizer implements AutoCloseable {

    private final ParameterTracker learningRate;
    private final List<String> names;

    /** By the ids of the parameters. */
    private final Map<String, Moments> moments = new LinkedHashMap<>();

    private int step;

    /**
     * Creates an optimizer.
     *
     * @param learningRate the learning rate
     * @param names what PyTorch calls the moments, in their order
     */
    StatefulOptimizer(ParameterTracker learningRate, String... names) {
        super(new NoOptions());
        this.learningRate = learningRate;
        this.names = List.of(names);
    }

    private String who() {
        return getClass().getSimpleName();
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
    @SuppressWarnings("try") // the scope works by being open
    public void update(String parameterId, NDArray weight, NDArray grad) {
        Check.present(who(), "weight", weight);
        Check.present(who(), "grad", grad);
        requireTrainable(parameterId, weight.getDataType());
        requireShape("the gradient", grad, weight);
        Check.sameDevice(who(), "the gradient", grad, "the weight", weight);
        Moments known = moments.get(parameterId);
        if (known != null) {
            requireShape("the weight", weight, known.of(0));
            Check.type(who(), "the weight", weight, known.of(0).getDataType(), " as before");
        }
        int global = Math.max(step, known == null ? 1 : known.steps() + 1);
        double rate = rate(parameterId, global);
        Moments own =
                known == null
                        ? Moments.zeros(weight, names.size())
                        : known.on(who(), parameterId, weight);
        moments.put(parameterId, own);
        step = global;
        int t = own.next();
        NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        // DJL gives float32 zeros where there is no gradient, whatever w is.
                        NDArray g = grad.toType(weight.getDataType(), false);
                        change(weight, g, own, t, rate);
                        return own;
                    }
                });
        Gradients.zero(weight);
    }

    /** Changes a weight and its moments in place; what it makes is freed afterwards. */
    abstract void change(NDArray w, NDArray g, Moments own, int t, double rate);

    private double rate(String parameterId, int step) {
        double rate =
                learningRate instanceof LearningRate exact
                        ? exact.at(step)
                        : learningRate instanceof LearningRates several
                                ? several.at(parameterId, step)
                                : learningRate.getNewValue(parameterId, step);
        Check.option(
                Double.isFinite(rate),
                who() + ": the learning rate of step " + step + " must be finite, got " + rate);
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
     * @return for each parameter that was ever updated copies of its moments, {@code
     *     <name>.<moment>} as PyTorch calls them, and {@code <name>.step}, the number of its
     *     updates as int64 of shape (1)
     */
    public Map<String, NDArray> state(NDManager manager, Map<String, Parameter> parameters) {
        Map<String, NDArray> state = new LinkedHashMap<>();
        parameters.forEach(
                (name, parameter) -> {
                    Moments own = moments.get(parameter.getId());
                    if (own != null) {
                        saved(name).write(own, manager, state);
                    }
                });
        return state;
    }

    private MomentNames saved(String parameter) {
        return new MomentNames(who(), parameter, names);
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
                    known.put(parameter, saved(name).read(weight, state));
                    unknown.removeAll(saved(name).all());
                });
        Check.option(
                unknown.isEmpty(), who() + ": there are no parameters for the state of " + unknown);
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

    private void requireTrainable(String name, DataType type) {
        Check.option(
                type == DataType.FLOAT32 || type == DataType.FLOAT64,
                who()
                        + ": parameter "
                        + name
                        + " must be float32 or float64, got "
                        + Check.name(type));
    }

    private void requireShape(String what, NDArray array, NDArray weight) {
        Check.option(
                array.getShape().equals(weight.getShape()),
                who()
                        + ": "
                        + what
                        + " must be "
                        + weight.getShape()
                        + ", got "
                        + array.getShape());
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
}
