package org.slotwise.torchscript;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.layer.Perceptron;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;

/** Equations in one call are the block's own, on the parameters that it has at the time. */
@ExtendWith(OnDevice.class)
class LoadedScriptTest {

    private static final int IN = 3;

    /** A perceptron that computes by one call, where that fits and it is asked to. */
    private static final class OneCall extends ConfiguredBlock implements Scriptable {

        private final Perceptron perceptron = Perceptron.of(declarer(), IN, 5, 2, 2);
        private LoadedScript script = LoadedScript.of(this::script);
        private boolean asked = true;
        private boolean taken;

        @Override
        public ScriptModule script() {
            return perceptron.script();
        }

        @Override
        protected NDList outputs(ParameterStore store, NDList inputs, boolean training) {
            NDArray x = inputs.head();
            return compute(
                    store,
                    x,
                    training,
                    pass -> {
                        taken = asked && script.fits(pass, x);
                        return taken
                                ? script.call("forward", x)
                                : new NDList(perceptron.apply(pass, x));
                    });
        }

        @Override
        protected Shape[] outputShapes(Shape[] inputShapes) {
            return new Shape[] {new Shape(inputShapes[0].get(0), 2)};
        }

        @Override
        protected Options configuration() {
            return Options.none();
        }
    }

    private OneCall block;
    private NDArray x;
    private ParameterStore store;

    @BeforeEach
    void makeBlock(NDManager manager) {
        block = new OneCall();
        block.initialize(manager, DataType.FLOAT32, new Shape(1, IN));
        x = manager.randomUniform(-1, 1, new Shape(4, IN));
        store = new ParameterStore(manager, false);
    }

    private float[] forward(boolean asked) {
        block.asked = asked;
        float[] y = block.forward(store, new NDList(x), false).head().toFloatArray();
        assertEquals(asked && !x.getDevice().isGpu(), block.taken);
        return y;
    }

    private void assertSame() {
        assertArrayEquals(forward(false), forward(true), 1e-6f);
    }

    private List<Parameter> parameters() {
        return List.copyOf(block.getParameters().values());
    }

    @Test
    void oneCallGivesWhatTheBlockGives() {
        assertSame();
        assertArrayEquals(forward(true), forward(true));
    }

    @Test
    void whatChangesInPlaceIsSeen() {
        float[] before = forward(true);
        for (Parameter parameter : parameters()) {
            Ops.overwrite(parameter.getArray(), parameter.getArray().add(0.1f));
        }
        assertNotEquals(before[0], forward(true)[0]);
        assertSame();
        parameters().forEach(p -> p.getArray().muli(2));
        assertSame();
        parameters().forEach(p -> p.getArray().set(new float[(int) p.getArray().size()]));
        assertArrayEquals(new float[8], forward(true));
    }

    @Test
    void anotherArrayOfAParameterIsTaken(NDManager manager) throws Exception {
        OneCall other = new OneCall();
        other.initialize(manager, DataType.FLOAT32, new Shape(1, IN));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        other.saveParameters(new DataOutputStream(bytes));
        float[] before = forward(true);
        NDArray old = parameters().get(0).getArray();
        block.loadParameters(
                manager, new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
        assertNotSame(old, parameters().get(0).getArray());
        store = new ParameterStore(manager, false); // the former one knows the former arrays
        Garbage.collect();
        assertNotEquals(before[0], forward(true)[0]);
        assertSame();
    }

    @Test
    void gradientsAreTheBlocks(NDManager manager) {
        float[][][] gradients = new float[2][][];
        for (int way = 0; way < 2; way++) {
            block.asked = way == 1;
            parameters().forEach(p -> p.getArray().setRequiresGradient(true));
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                NDArray y = block.forward(store, new NDList(x), true).head();
                Garbage.collect();
                collector.backward(y.square().sum());
            }
            gradients[way] =
                    parameters().stream()
                            .map(p -> p.getArray().getGradient().toFloatArray())
                            .toArray(float[][]::new);
            parameters().forEach(p -> p.getArray().getGradient().muli(0));
        }
        for (int i = 0; i < gradients[0].length; i++) {
            assertArrayEquals(gradients[0][i], gradients[1][i], 1e-5f);
        }
        assertTrue(IntStream.range(0, 5).anyMatch(i -> gradients[1][0][i] != 0));
    }

    @Test
    void noGraphIsLeftInInference() {
        parameters().forEach(p -> p.getArray().setRequiresGradient(true));
        NDArray y = block.forward(store, new NDList(x), false).head();
        assertFalse(y.hasGradient());
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray leaf = y.duplicate();
            leaf.setRequiresGradient(true);
            collector.backward(leaf.mul(y).sum()); // y is an array like any other
            assertArrayEquals(y.toFloatArray(), leaf.getGradient().toFloatArray());
        }
    }

    @Test
    void closedParametersAreRefused() {
        forward(true);
        parameters().forEach(Parameter::close);
        assertThrows(IllegalStateException.class, () -> forward(true));
    }

    @Test
    void threadsMayCallAtOnce() throws Exception {
        float[] expected = forward(true);
        try (AutoClosingPool pool = new AutoClosingPool()) {
            List<Future<float[]>> all =
                    IntStream.range(0, 64)
                            .mapToObj(
                                    i ->
                                            pool.threads.submit(
                                                    () ->
                                                            block.forward(
                                                                            store,
                                                                            new NDList(x),
                                                                            false)
                                                                    .head()
                                                                    .toFloatArray()))
                            .toList();
            for (Future<float[]> one : all) {
                assertArrayEquals(expected, one.get());
            }
        }
    }

    private static final class AutoClosingPool implements AutoCloseable {
        private final ExecutorService threads = Executors.newFixedThreadPool(4);

        @Override
        public void close() {
            threads.shutdownNow();
        }
    }

    @Test
    void copiesOfAStoreAreNotForIt(NDManager manager) {
        ParameterStore copies = new ParameterStore(manager, true);
        float[] y = block.forward(copies, new NDList(x), false).head().toFloatArray();
        assertFalse(block.taken);
        assertArrayEquals(forward(true), y, 1e-6f);
    }

    @Test
    void whatCannotBeWrittenFitsNoCall() {
        block.script = LoadedScript.of(() -> ScriptModule.of("Nothing", "text"));
        for (int i = 0; i < 2; i++) {
            block.forward(store, new NDList(x), false);
            assertFalse(block.taken);
        }
    }
}
