package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.slotwise.internal.Ops;
import org.slotwise.weights.StateDict;
import org.slotwise.weights.StateDictFormat;

/**
 * What every block of the library promises, as tests. A subject is a way to build the block and a
 * way to make its inputs, always the same ones.
 *
 * @param block builds the block
 * @param inputs makes its inputs in a type; randomness that the block could draw is among them
 */
public record BlockContract(Supplier<Block> block, Inputs inputs) {

    /** Makes the same inputs at each call. */
    @FunctionalInterface
    public interface Inputs {
        NDList make(NDManager manager, DataType type);
    }

    /** All promises. */
    public void check(NDManager manager) {
        gradientsAgreeWithFiniteDifferences(manager);
        gradientsSurviveGarbageCollection(manager);
        leavesNothingButOutputs(manager);
        recordsNoGraphInInference(manager);
        isTheSameAfterSaveAndLoad(manager);
        isTheSameThroughAStateDict(manager);
        worksInFloat16(manager);
    }

    private Block initialised(NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(7);
        Block b = block.get();
        b.initialize(manager, type, inputs.make(manager, type).getShapes());
        return b;
    }

    /** The sum over floating outputs of output times a fixed draw. */
    private static NDArray loss(NDManager manager, NDList outputs) {
        NDArray loss = null;
        for (int i = 0; i < outputs.size(); i++) {
            NDArray out = outputs.get(i);
            if (out.getDataType().isFloating()) {
                NDArray cotangent =
                        Tensors.normal(
                                manager, 100 + i, out.getDataType(), out.getShape().getShape());
                NDArray term = out.mul(cotangent).sum();
                loss = loss == null ? term : loss.add(term);
            }
        }
        return loss;
    }

    /** All that gradients are asked for: floating inputs and trainable parameters, by name. */
    private static Map<String, NDArray> leaves(Block block, NDList in) {
        Map<String, NDArray> leaves = new LinkedHashMap<>();
        for (int i = 0; i < in.size(); i++) {
            if (in.get(i).getDataType().isFloating()) {
                in.get(i).setRequiresGradient(true);
                leaves.put("input " + i, in.get(i));
            }
        }
        block.getParameters()
                .forEach(
                        p -> {
                            if (p.getValue().requiresGradient()) {
                                leaves.put(p.getKey(), p.getValue().getArray());
                            }
                        });
        return leaves;
    }

    private Map<String, NDArray> gradients(
            NDManager manager, Block b, NDList in, Runnable beforeBackward) {
        Map<String, NDArray> leaves = leaves(b, in);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDList out = b.forward(new ParameterStore(manager, false), in, true);
            NDArray loss = loss(manager, out);
            beforeBackward.run();
            collector.backward(loss);
        }
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        leaves.forEach((name, leaf) -> gradients.put(name, leaf.getGradient().duplicate()));
        return gradients;
    }

    /** In float64, along one random direction for each input and parameter. */
    public void gradientsAgreeWithFiniteDifferences(NDManager parent) {
        try (NDManager manager = parent.newSubManager()) {
            Block b = initialised(manager, DataType.FLOAT64);
            NDList in = inputs.make(manager, DataType.FLOAT64);
            Map<String, NDArray> gradients = gradients(manager, b, in, () -> {});
            double h = 1e-6;
            long seed = 500;
            for (Map.Entry<String, NDArray> leaf : leaves(b, in).entrySet()) {
                NDArray x = leaf.getValue();
                x.setRequiresGradient(false);
                NDArray direction =
                        Tensors.normal(manager, seed++, DataType.FLOAT64, x.getShape().getShape());
                double expected =
                        (lossAt(manager, b, in, x, direction.mul(h))
                                        - lossAt(manager, b, in, x, direction.mul(-h)))
                                / (2 * h);
                double got = gradients.get(leaf.getKey()).mul(direction).sum().getDouble();
                assertTrue(
                        Math.abs(expected - got) <= 1e-6 * Math.max(1, Math.abs(expected)),
                        leaf.getKey() + ": gradient " + got + ", finite difference " + expected);
            }
        }
    }

    private static double lossAt(NDManager manager, Block b, NDList in, NDArray x, NDArray step) {
        x.addi(step);
        double loss =
                loss(manager, b.forward(new ParameterStore(manager, false), in, false)).getDouble();
        x.subi(step);
        return loss;
    }

    /** Collections between forward and backward, with pressure on direct buffers. */
    public void gradientsSurviveGarbageCollection(NDManager parent) {
        try (NDManager manager = parent.newSubManager()) {
            Block b = initialised(manager, DataType.FLOAT32);
            Map<String, NDArray> quiet =
                    gradients(manager, b, inputs.make(manager, DataType.FLOAT32), () -> {});
            b.getParameters()
                    .forEach(
                            p -> {
                                if (p.getValue().requiresGradient()) {
                                    NDArray g = p.getValue().getArray().getGradient();
                                    g.subi(g.duplicate());
                                }
                            });
            Map<String, NDArray> stressed =
                    gradients(manager, b, inputs.make(manager, DataType.FLOAT32), Garbage::collect);
            quiet.forEach((name, g) -> assertSame("gradient of " + name, g, stressed.get(name)));
        }
    }

    /**
     * The caller's managers hold the outputs and nothing else; an enclosing {@link NDScope} frees
     * them; parameter copies of a store outlive the forward.
     */
    public void leavesNothingButOutputs(NDManager parent) {
        for (boolean training : new boolean[] {false, true}) {
            try (NDManager forParameters = parent.newSubManager();
                    NDManager forInputs = parent.newSubManager();
                    NDManager forCopies = parent.newSubManager()) {
                Block b = initialised(forParameters, DataType.FLOAT32);
                NDList in = inputs.make(forInputs, DataType.FLOAT32);
                int before = forInputs.getManagedArrays().size();
                int parameters = forParameters.getManagedArrays().size();
                NDList out = b.forward(new ParameterStore(forCopies, false), in, training);
                long made = out.stream().filter(a -> in.stream().noneMatch(i -> i == a)).count();
                assertEquals(before + made, forInputs.getManagedArrays().size(), "inputs' manager");
                assertEquals(
                        parameters,
                        forParameters.getManagedArrays().size(),
                        "the parameters' manager");
                assertEquals(0, forCopies.getManagedArrays().size(), "the store's manager");

                ParameterStore copying = new ParameterStore(forCopies, true);
                NDList first;
                NDScope scope = new NDScope();
                try {
                    first = b.forward(copying, in, training);
                } finally {
                    scope.close();
                }
                for (NDArray array : first) {
                    boolean isInput = in.stream().anyMatch(i -> i == array);
                    assertEquals(!isInput, array.isReleased(), "freed by the enclosing scope");
                }
                boolean anyParameter = !b.getParameters().isEmpty();
                if (!anyParameter) {
                    b.forward(copying, in, training);
                }
            }
        }
        try (NDManager manager = parent.newSubManager()) {
            Block b = initialised(manager, DataType.FLOAT32);
            NDList in = inputs.make(manager, DataType.FLOAT32);
            ParameterStore copying = new ParameterStore(manager, true);
            NDList once = b.forward(copying, in, false);
            NDList twice = b.forward(copying, in, false);
            for (int i = 0; i < once.size(); i++) {
                assertSame("with copied parameters, output " + i, once.get(i), twice.get(i));
            }
        }
    }

    /** Not in this thread, not in another, not inside an open collector. */
    public void recordsNoGraphInInference(NDManager parent) {
        try (NDManager manager = parent.newSubManager()) {
            Block b = initialised(manager, DataType.FLOAT32);
            NDList in = inputs.make(manager, DataType.FLOAT32);
            Supplier<NDList> infer = () -> b.forward(new ParameterStore(manager, false), in, false);
            ExecutorService other = Executors.newSingleThreadExecutor();
            try {
                CompletableFuture.runAsync(
                                () -> {
                                    boolean before = JniUtils.isGradMode();
                                    assertNoGraph(in, infer.get());
                                    assertEquals(before, JniUtils.isGradMode());
                                },
                                other)
                        .join();
            } finally {
                other.shutdown();
            }
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                assertNoGraph(in, infer.get());
                assertTrue(JniUtils.isGradMode(), "the collector records again");
                collector.backward(manager.zeros(new Shape()).add(leaf(manager)));
            }
        }
    }

    private static NDArray leaf(NDManager manager) {
        NDArray leaf = manager.zeros(new Shape());
        leaf.setRequiresGradient(true);
        return leaf;
    }

    /** The engine's own flag tells of leaves only: whether there is a graph shows in backward. */
    private static void assertNoGraph(NDList in, NDList out) {
        for (NDArray array : out) {
            if (array.getDataType().isFloating() && in.stream().noneMatch(i -> i == array)) {
                PtNDArray ones = (PtNDArray) array.onesLike();
                assertThrows(
                        EngineException.class,
                        () -> JniUtils.backward((PtNDArray) array, ones, true, false),
                        "a graph was recorded");
            }
        }
    }

    /** Written by one block and read by a new one, it gives the same outputs. */
    public void isTheSameAfterSaveAndLoad(NDManager parent) {
        try (NDManager manager = parent.newSubManager()) {
            Block b = initialised(manager, DataType.FLOAT32);
            NDList in = inputs.make(manager, DataType.FLOAT32);
            byte[] saved = save(b);
            Block loaded = block.get();
            loaded.loadParameters(manager, new DataInputStream(new ByteArrayInputStream(saved)));
            NDList expected = b.forward(new ParameterStore(manager, false), in, false);
            NDList got = loaded.forward(new ParameterStore(manager, false), in, false);
            for (int i = 0; i < expected.size(); i++) {
                assertSame("output " + i, expected.get(i), got.get(i));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (MalformedModelException e) {
            throw new AssertionError(e);
        }
    }

    /** Written as a state dict, in each format, and loaded into a block that started otherwise. */
    public void isTheSameThroughAStateDict(NDManager parent) {
        for (StateDictFormat format : StateDictFormat.values()) {
            try (NDManager manager = parent.newSubManager()) {
                Block b = initialised(manager, DataType.FLOAT32);
                NDList in = inputs.make(manager, DataType.FLOAT32);
                ByteArrayOutputStream file = new ByteArrayOutputStream();
                StateDict.of(b).write(file, format);
                manager.getEngine().setRandomSeed(99);
                Block other = block.get();
                other.initialize(manager, DataType.FLOAT32, in.getShapes());
                try (StateDict read =
                        StateDict.read(new ByteArrayInputStream(file.toByteArray()))) {
                    read.loadInto(other);
                }
                NDList expected = b.forward(new ParameterStore(manager, false), in, false);
                NDList got = other.forward(new ParameterStore(manager, false), in, false);
                for (int i = 0; i < expected.size(); i++) {
                    assertSame(format + " output " + i, expected.get(i), got.get(i));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** What {@code saveParameters} writes. */
    public static byte[] save(Block block) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            block.saveParameters(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** The shapes are as announced, and values are near those of float32. */
    public void worksInFloat16(NDManager parent) {
        try (NDManager manager = parent.newSubManager()) {
            Block full = initialised(manager, DataType.FLOAT32);
            NDList in = inputs.make(manager, DataType.FLOAT32);
            NDList expected = full.forward(new ParameterStore(manager, false), in, false);
            Shape[] announced = full.getOutputShapes(in.getShapes());
            assertEquals(announced.length, expected.size(), "number of outputs announced");
            Block half = initialised(manager, DataType.FLOAT16);
            var from = full.getParameters();
            for (int i = 0; i < from.size(); i++) {
                NDArray value = from.valueAt(i).getArray();
                NDArray half16 = value.toType(DataType.FLOAT16, true);
                Ops.overwrite(half.getParameters().valueAt(i).getArray(), half16);
            }
            NDList got =
                    half.forward(
                            new ParameterStore(manager, false),
                            inputs.make(manager, DataType.FLOAT16),
                            false);
            for (int i = 0; i < got.size(); i++) {
                assertEquals(announced[i], got.get(i).getShape(), "shape announced of " + i);
                if (got.get(i).getDataType().isFloating()) {
                    assertEquals(DataType.FLOAT16, got.get(i).getDataType());
                    Tensors.assertClose(
                            "float16 output " + i,
                            expected.get(i),
                            got.get(i).toType(DataType.FLOAT32, true),
                            0.05);
                }
            }
        }
    }
}
