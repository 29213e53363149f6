package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.TreeMap;
import org.slotwise.internal.Ops;

/**
 * Runs a block on the inputs of a {@link ReferenceCase} with its parameters, and compares outputs
 * and gradients with what the reference computed.
 */
public final class AgainstReference {

    /** A forward pass on named inputs, giving named outputs. */
    @FunctionalInterface
    public interface Forward {
        Map<String, NDArray> run(ParameterStore store, Map<String, NDArray> inputs);
    }

    private AgainstReference() {}

    /**
     * Compares. Outputs must agree within 1e-5 and gradients within 1e-4 of the tensor's scale in
     * float32; both within 1e-10 in float64.
     */
    public static void check(
            NDManager manager, ReferenceCase reference, Block block, Forward forward) {
        check(manager, reference, block, forward, 1e-5, 1e-4);
    }

    /** The same with other bounds for outputs and gradients in float32. */
    public static void check(
            NDManager manager,
            ReferenceCase reference,
            Block block,
            Forward forward,
            double outputs32,
            double gradients32) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        Map<String, NDArray> inputs = ReferenceCase.under("in/", arrays);
        Map<String, NDArray> gradients = ReferenceCase.under("grad/", arrays);
        DataType type = type(arrays);
        load(manager, block, type, arrays);
        double outputTolerance = type == DataType.FLOAT64 ? 1e-10 : outputs32;
        double gradientTolerance = type == DataType.FLOAT64 ? 1e-10 : gradients32;

        gradients.forEach(
                (name, g) -> {
                    if (name.startsWith("in/")) {
                        inputs.get(name.substring(3)).setRequiresGradient(true);
                    }
                });
        ParameterStore store = new ParameterStore(manager, false);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            Map<String, NDArray> outputs = forward.run(store, inputs);
            Map<String, NDArray> expected = ReferenceCase.under("out/", arrays);
            assertEquals(new TreeMap<>(expected).keySet(), new TreeMap<>(outputs).keySet());
            expected.forEach((name, e) -> assertClose(name, e, outputs.get(name), outputTolerance));
            NDArray loss = manager.zeros(new Shape(), type);
            for (Map.Entry<String, NDArray> cotangent :
                    ReferenceCase.under("cot/", arrays).entrySet()) {
                loss = loss.add(outputs.get(cotangent.getKey()).mul(cotangent.getValue()).sum());
            }
            collector.backward(loss);
        }
        // Some gradients vanish in exact arithmetic; what is left of them is rounding, of the size
        // that the other gradients' scale gives.
        double leastScale =
                0.01 * gradients.values().stream().mapToDouble(Tensors::largest).max().orElse(0);
        Map<String, NDArray> parameters = ReferenceCase.parameters(block);
        gradients.forEach(
                (name, expected) -> {
                    NDArray array =
                            name.startsWith("in/")
                                    ? inputs.get(name.substring(3))
                                    : parameters.get(name.substring("param/".length()));
                    assertClose(
                            "gradient " + name,
                            expected,
                            array.getGradient(),
                            gradientTolerance,
                            leastScale);
                });
    }

    /** The parameters' type; where there are none, the outputs'. */
    private static DataType type(Map<String, NDArray> arrays) {
        Map<String, NDArray> typical = ReferenceCase.under("param/", arrays);
        typical = typical.isEmpty() ? ReferenceCase.under("out/", arrays) : typical;
        return typical.values().iterator().next().getDataType();
    }

    /** Initialises a block and gives it the parameters of a case: exactly those, by name. */
    public static void load(
            NDManager manager, Block block, DataType type, Map<String, NDArray> arrays) {
        block.initialize(manager, type, new Shape(-1));
        Map<String, NDArray> given = ReferenceCase.under("param/", arrays);
        Map<String, NDArray> own = ReferenceCase.parameters(block);
        assertEquals(new TreeMap<>(given).keySet(), new TreeMap<>(own).keySet(), "parameter names");
        given.forEach(
                (name, value) -> {
                    assertEquals(value.getShape(), own.get(name).getShape(), name);
                    Ops.overwrite(own.get(name), value);
                });
    }
}
