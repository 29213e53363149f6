package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.training.GradientCollector;
import ai.djl.training.loss.Loss;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.testing.Garbage;

/** Arrays in memory of Java's, which a garbage collection frees while graphs still need it. */
@EngineBehaviour
@EnabledIf("org.slotwise.engine.Graphs#onCpu")
class GarbageBehaviourTest {

    private static final int TIMES = 40;

    /** What a freed place holds next is chance: so often is it tried until it is another number. */
    private static final int TRIES = 25;

    /** Of so many equal gradients, how many a garbage collection before backward changes. */
    private static Map<String, Integer> changed(
            NDManager manager, Map<String, UnaryOperator<NDArray>> operations) {
        Map<String, List<float[]>> quiet = gradients(manager, operations, () -> {});
        Map<String, List<float[]>> stressed = gradients(manager, operations, Garbage::collect);
        Map<String, Integer> changed = new LinkedHashMap<>();
        quiet.forEach(
                (name, expected) -> {
                    int count = 0;
                    for (int i = 0; i < TIMES; i++) {
                        if (expected.get(i)[0] != stressed.get(name).get(i)[0]) {
                            count++;
                        }
                    }
                    changed.put(name, count);
                });
        return changed;
    }

    private static Map<String, List<float[]>> gradients(
            NDManager manager,
            Map<String, UnaryOperator<NDArray>> operations,
            Runnable beforeBackward) {
        Map<String, List<NDArray>> leaves = new LinkedHashMap<>();
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray loss = manager.zeros(new Shape());
            for (Map.Entry<String, UnaryOperator<NDArray>> operation : operations.entrySet()) {
                List<NDArray> own = new ArrayList<>();
                for (int i = 0; i < TIMES; i++) {
                    NDArray leaf = Graphs.leaf(manager);
                    own.add(leaf);
                    loss = loss.add(operation.getValue().apply(leaf).sum());
                }
                leaves.put(operation.getKey(), own);
            }
            beforeBackward.run();
            collector.backward(loss);
        }
        Map<String, List<float[]>> gradients = new LinkedHashMap<>();
        leaves.forEach(
                (name, own) ->
                        gradients.put(
                                name,
                                own.stream().map(a -> a.getGradient().toFloatArray()).toList()));
        return gradients;
    }

    /** One gradient of each operation is lost, in one of many tries. */
    private static void assertRuined(
            NDManager manager, Map<String, UnaryOperator<NDArray>> operations) {
        Map<String, UnaryOperator<NDArray>> whole = new LinkedHashMap<>(operations);
        for (int i = 0; i < TRIES && !whole.isEmpty(); i++) {
            changed(manager, whole)
                    .forEach(
                            (name, count) -> {
                                if (count > 0) {
                                    whole.remove(name);
                                }
                            });
        }
        assertTrue(whole.isEmpty(), whole.keySet() + ": no gradient was lost, the guard can go");
    }

    private static void assertSafe(
            NDManager manager, Map<String, UnaryOperator<NDArray>> operations) {
        changed(manager, operations).forEach((name, count) -> assertEquals(0, count, name));
    }

    @Test
    void arithmeticWithNumbersLosesGradients(NDManager manager) {
        Map<String, UnaryOperator<NDArray>> operations = new LinkedHashMap<>();
        operations.put("mul", x -> x.mul(0.5f));
        operations.put("muli", x -> x.add(x).muli(0.5f));
        operations.put("div", x -> x.div(2f));
        operations.put("divi", x -> x.add(x).divi(2f));
        operations.put("pow", x -> x.pow(3f));
        operations.put("maximum", x -> x.maximum(0.5f));
        operations.put("minimum", x -> x.minimum(0.5f));
        operations.put("toRadians", NDArray::toRadians);
        operations.put("scaleGradient", x -> x.scaleGradient(0.5));
        operations.put("swish", x -> Activation.swish(x, 0.5f));
        operations.put(
                "l2Loss", x -> Loss.l2Loss().evaluate(new NDList(x.zerosLike()), new NDList(x)));
        assertRuined(manager, operations);
    }

    @Test
    void constantsOfTheEnginesOwnDoNot(NDManager manager) {
        Map<String, UnaryOperator<NDArray>> operations = new LinkedHashMap<>();
        operations.put("mul", x -> x.mul(Scalars.like(x, 0.5)));
        operations.put("div", x -> x.div(Scalars.like(x, 2)));
        operations.put("pow", x -> x.pow(Scalars.like(x, 3)));
        operations.put("maximum", x -> x.maximum(Scalars.like(x, 0.5)));
        operations.put("minimum", x -> x.minimum(Scalars.like(x, 0.5)));
        operations.put("add", x -> x.add(0.5f).square());
        operations.put("sub", x -> x.sub(0.5f).square());
        assertSafe(manager, operations);
    }

    @Test
    void arraysOfJavaValuesAreSafeUntilTheyAreClosed(NDManager manager) {
        UnaryOperator<NDArray> closed =
                x -> {
                    try (NDArray c = manager.create(new float[] {3, 3})) {
                        return x.mul(c);
                    }
                };
        assertRuined(manager, Map.of("closed", closed));
        assertSafe(manager, Map.of("open", x -> x.mul(manager.create(new float[] {3, 3}))));
        UnaryOperator<NDArray> copied =
                x -> {
                    try (NDArray c = manager.create(new float[] {3, 3})) {
                        return x.mul(Scalars.ownMemory(c));
                    }
                };
        assertSafe(manager, Map.of("copied", copied));
    }

    /**
     * What is left of 3 s and a graph over them, when the array that they were written to closes.
     */
    private static void checkWriting(
            NDManager manager, String name, Consumer<NDArray> write, boolean inPlace) {
        try (NDArray weight = manager.zeros(new Shape(2))) {
            NDArray view = weight.reshape(1, 2);
            write.accept(weight);
            float seen = inPlace ? 3 : 0;
            assertArrayEquals(new float[] {3, 3}, weight.toFloatArray(), name);
            assertArrayEquals(new float[] {seen, seen}, view.toFloatArray(), name + ", a view");
        }
        UnaryOperator<NDArray> operation =
                x -> {
                    try (NDArray weight = manager.zeros(new Shape(2))) {
                        write.accept(weight);
                        return x.mul(weight);
                    }
                };
        Map<String, UnaryOperator<NDArray>> operations = Map.of(name, operation);
        if (inPlace) {
            assertSafe(manager, operations);
        } else {
            assertRuined(manager, operations);
        }
    }

    @Test
    void writingReplacesAnArraysMemory(NDManager manager) {
        NDArray threes = manager.full(new Shape(2), 3f);
        checkWriting(manager, "set", w -> w.set(new float[] {3, 3}), false);
        checkWriting(manager, "copyTo", threes::copyTo, false);
        checkWriting(manager, "overwrite", w -> Ops.overwrite(w, threes), true);
    }

    @Test
    void copyToTakesBitsNotNumbers(NDManager manager) {
        NDArray weight = manager.zeros(new Shape(2));
        manager.full(new Shape(2), 3, DataType.INT32).copyTo(weight);
        assertEquals(3, Float.floatToRawIntBits(weight.getFloat(0)));
    }
}
