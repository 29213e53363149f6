package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.ReferenceCase;

/** A part of the original, whose values and gradients are known: equations beside them. */
final class GnmPart {

    /** Of a single layer in float32, by the scale of each array. */
    static final double LAYER = 1e-6;

    /** Of sums over a batch of places, whose order is the engine's; float64 is held to 1e-10. */
    private static final double WEIGHT_GRADIENT = 3e-6;

    private GnmPart() {}

    /** Checks what equations make of inputs, both by their names, to the precision of a layer. */
    static void check(
            NDManager manager,
            ReferenceCase reference,
            Function<Declarer, BiFunction<Pass, NDList, NDList>> equations,
            String[] inputs,
            String[] outputs) {
        check(
                manager,
                reference,
                equations,
                inputs,
                (in, out) -> named(out, outputs),
                LAYER,
                WEIGHT_GRADIENT);
    }

    /**
     * Checks them with outputs whose names or shapes follow from what they are.
     *
     * @param outputs names what the equations give
     * @param values how near they must be, and gradients theirs
     */
    static void check(
            NDManager manager,
            ReferenceCase reference,
            Function<Declarer, BiFunction<Pass, NDList, NDList>> equations,
            String[] inputs,
            BiFunction<Map<String, NDArray>, NDList, Map<String, NDArray>> outputs,
            double values,
            double gradients) {
        EquationBlock block = new EquationBlock(equations);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    NDList list = new NDList();
                    for (String input : inputs) {
                        list.add(in.get(input));
                    }
                    return outputs.apply(in, block.forward(store, list, true));
                },
                values,
                gradients);
    }

    private static Map<String, NDArray> named(NDList list, String... outputs) {
        Map<String, NDArray> named = new LinkedHashMap<>();
        for (int i = 0; i < outputs.length; i++) {
            named.put(outputs[i], list.get(i));
        }
        return named;
    }

    static String[] names(String... names) {
        return names;
    }
}
