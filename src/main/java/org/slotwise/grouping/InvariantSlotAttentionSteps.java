package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Script;
import org.slotwise.torchscript.LoadedByType;
import org.slotwise.torchscript.ScriptModule;

/**
 * Iterations of {@link InvariantSlotAttention} without a graph, as one call of the engine and in
 * the order of {@link InvariantSlotAttentionInference}: in inference all of them, in training with
 * implicit differentiation those before the last.
 */
final class InvariantSlotAttentionSteps {

    private static final ConcurrentMap<Integer, NDArray> TIMES = new ConcurrentHashMap<>();

    private final LoadedByType equations;

    InvariantSlotAttentionSteps(Supplier<ScriptModule> equations) {
        this.equations = LoadedByType.of(equations);
    }

    /** Whether a call can be taken so. */
    boolean fit(Pass pass, NDArray features) {
        // Not all of the operations that join others are there for float16 on a CPU.
        return features.getDataType() != DataType.FLOAT16
                && equations.of(features).fits(pass, features);
    }

    /**
     * What {@link InvariantSlotAttentionLoops} read.
     *
     * @param features (B, N, F)
     * @return keys (B, D, N), normalised features (B, N, F) and Wr x + br (B, N, R)
     */
    NDList lay(NDArray features) {
        return equations.of(features).call("lay", features);
    }

    /**
     * Iterates.
     *
     * @param x normalised features (B, N, F)
     * @param relative Wr x + br (B, N, R)
     * @param positions (N, 2)
     * @param start slots (B, K, D), and their positions (B, K, 2) or the first attention (B, K, N)
     * @param guessed whether the start has the first attention
     * @param slotMask empty slots (B, K); null for none
     * @param times how many iterations; a guess alone is none of them
     * @return slots, positions, the attention (B, K, N) that led to them
     */
    NDList take(
            NDArray x,
            NDArray relative,
            NDArray positions,
            NDList start,
            boolean guessed,
            @Nullable NDArray slotMask,
            int times) {
        String method = guessed ? "guess_steps" : "place_steps";
        NDArray count = TIMES.computeIfAbsent(times, Script::constant);
        NDArray slots = start.get(0);
        NDArray from = start.get(1);
        return slotMask == null
                ? equations.of(x).call(method, x, relative, positions, count, slots, from)
                : equations
                        .of(x)
                        .call(method, x, relative, positions, count, slots, from, slotMask);
    }
}
