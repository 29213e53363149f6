package org.slotwise.training;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.weights.StateDict;

/**
 * An exponential moving average of the weights of a training: often better than any of them, and
 * what diffusion models are sampled with.
 *
 * <p>Source: Polyak and Juditsky (1992), in the form of diffusers' {@code EMAModel}.
 *
 * <pre>{@code
 * average = average - (1 - d) (average - weights)          d = decay.at(number of the update)
 * }</pre>
 *
 * <pre>{@code
 * try (WeightAverage average = new WeightAverage(block, AveragingDecay.rising(0.999))) {
 *     ...
 *     trainer.step();
 *     average.update();
 *     ...
 *     try (WeightAverage.InPlace there = average.inPlace()) {
 *         // the block has the averages
 *     }
 *     Checkpoint.write(file, block, adam, average, step, run, Map.of());
 * }
 * }</pre>
 *
 * <p>It has all parameters of the block, also those that are not trained, and lives on their
 * devices until it is closed.
 */
public final class WeightAverage implements AutoCloseable {

    private static final String WHO = "WeightAverage";

    private final Map<String, Kept> kept = new LinkedHashMap<>();
    private final AveragingDecay decay;
    private final NDManager manager;
    private long updates;
    private boolean swapped;

    /** A parameter and the average of its values. */
    private record Kept(Parameter parameter, NDArray average) {
        NDArray weight() {
            return parameter.getArray();
        }
    }

    /**
     * Starts an average, at the weights as they are.
     *
     * @param block a block that is initialised
     * @param decay how much stays in an update
     * @throws IllegalArgumentException if the block has no parameters
     * @throws IllegalStateException if it is not initialised
     */
    public WeightAverage(Block block, AveragingDecay decay) {
        this.decay = decay;
        Map<String, Parameter> parameters = StateDict.parameters(block);
        Check.option(!parameters.isEmpty(), WHO + ": the block has no parameters");
        for (Map.Entry<String, Parameter> one : parameters.entrySet()) {
            if (!one.getValue().isInitialized()) {
                throw new IllegalStateException(
                        WHO + ": initialize the block first: " + one.getKey() + " is not");
            }
        }
        manager = parameters.values().iterator().next().getArray().getManager().newSubManager();
        parameters.forEach(
                (name, parameter) ->
                        kept.put(name, new Kept(parameter, copy(parameter.getArray()))));
    }

    private NDArray copy(NDArray array) {
        NDArray copy = Scalars.ownMemory(array);
        NDScope.unregister(copy);
        copy.attach(manager);
        return copy;
    }

    /**
     * Takes in the weights as they are after a step.
     *
     * @throws IllegalStateException if the averages are in the block
     */
    @SuppressWarnings("try") // the scope works by being open
    public void update() {
        requireApart();
        double stays = decay.at(updates + 1);
        Check.option(
                stays >= 0 && stays <= 1, WHO + ": the decay must be from 0 to 1, got " + stays);
        updates++;
        NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        kept.values().forEach(one -> average(one, stays));
                        return updates;
                    }
                });
    }

    private static void average(Kept one, double stays) {
        if (stays == 0) {
            Ops.overwrite(one.average(), one.weight());
        } else {
            NDArray far = one.average().sub(one.weight());
            one.average().subi(far.mul(Scalars.like(far, 1 - stays)));
        }
    }

    private void requireApart() {
        if (swapped) {
            throw new IllegalStateException(
                    WHO + ": the averages are in the block: close what inPlace() gave first");
        }
    }

    /**
     * How many updates there were.
     *
     * @return 0 at first
     */
    public long updates() {
        return updates;
    }

    /** Averages in place of weights, until it is closed. */
    public interface InPlace extends AutoCloseable {

        /** Gives the block its weights back. */
        @Override
        void close();
    }

    /**
     * Gives the block the averages for a while.
     *
     * @return what gives the weights back when it is closed
     * @throws IllegalStateException if the averages are in the block already
     */
    public InPlace inPlace() {
        requireApart();
        exchange();
        swapped = true;
        return () -> {
            if (swapped) {
                exchange();
                swapped = false;
            }
        };
    }

    /** Averages and weights change places. */
    private void exchange() {
        for (Kept one : kept.values()) {
            NDArray former = copy(one.average());
            Ops.overwrite(one.average(), one.weight());
            Ops.overwrite(one.weight(), former);
            former.close();
        }
    }

    /**
     * The averages, to be written; not while they are in the block.
     *
     * @return arrays of this average, by the names of the block's state dict
     * @throws IllegalStateException if the averages are in the block
     */
    public Map<String, NDArray> state() {
        requireApart();
        Map<String, NDArray> state = new LinkedHashMap<>();
        kept.forEach((name, one) -> state.put(name, one.average()));
        return state;
    }

    /**
     * Goes on from averages that were written.
     *
     * @param state what {@link #state} gave
     * @param updates what {@link #updates} gave
     * @throws IllegalArgumentException if names, shapes or types are not those of the block, or the
     *     number is negative; nothing is changed then
     * @throws IllegalStateException if the averages are in the block
     */
    public void restore(Map<String, NDArray> state, long updates) {
        requireApart();
        Check.option(updates >= 0, WHO + ": updates must be at least 0, got " + updates);
        Check.option(
                state.keySet().equals(kept.keySet()),
                WHO + ": the state must have " + kept.keySet() + ", got " + state.keySet());
        kept.forEach((name, one) -> requireForm(name, one.average(), state.get(name)));
        kept.forEach(
                (name, one) ->
                        Ops.overwrite(one.average(), Check.present(WHO, name, state.get(name))));
        this.updates = updates;
    }

    private static void requireForm(String name, NDArray own, @Nullable NDArray given) {
        NDArray array = Check.present(WHO, name, given);
        Check.option(
                own.getShape().equals(array.getShape()),
                WHO + ": " + name + " must be " + own.getShape() + ", got " + array.getShape());
        Check.type(WHO, name, array, own.getDataType(), " as the block's");
    }

    /** Frees the averages; gives the block its weights back first. */
    @Override
    public void close() {
        if (swapped) {
            exchange();
            swapped = false;
        }
        manager.close();
    }
}
