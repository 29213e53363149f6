package org.slotwise.api;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.lang.reflect.Method;
import java.util.List;
import org.slotwise.api.BlockSamples.Sample;

/** Bad calls of what blocks inherit from DJL: too early, twice, after the end, and out of order. */
final class InheritedCalls {

    private InheritedCalls() {}

    static void all(BadCalls bad, Sample sample, BadCalls.Subject ready) {
        badArguments(bad, ready);
        String name = sample.type().getSimpleName();
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            NDList in = sample.inputs().apply(manager, DataType.FLOAT32);
            Shape[] shapes = in.getShapes();
            ParameterStore store = new ParameterStore(manager, false);
            for (boolean training : new boolean[] {false, true}) {
                bad.judged(
                        name + ".forward before initialize, training " + training,
                        () -> sample.block().forward(store, in, training));
            }
            bad.judged(name + ".saveParameters before initialize", () -> save(sample.block()));
            bad.judged(
                    name + ".initialize twice",
                    () -> {
                        Block block = sample.block();
                        block.initialize(manager, DataType.FLOAT32, shapes);
                        block.initialize(manager, DataType.FLOAT32, shapes);
                        block.forward(store, in, false);
                    });
            bad.judged(
                    name + ".forward after clear",
                    () -> {
                        Block block = (Block) ready.make(manager);
                        block.clear();
                        block.forward(store, in, false);
                    });
            bad.judged(
                    name + ".forward with closed parameters",
                    () -> {
                        Block closed;
                        try (NDManager own = manager.newSubManager()) {
                            closed = (Block) ready.make(own);
                        }
                        closed.forward(store, in, false);
                    });
            bad.judged(
                    name + ".forward with an empty store",
                    () -> ((Block) ready.make(manager)).forward(new ParameterStore(), in, false));
            for (byte[] bytes : List.of(new byte[0], new byte[1], new byte[100])) {
                bad.judged(
                        name + ".loadParameters of " + bytes.length + " zeros",
                        () -> load(sample.block(), manager, bytes));
            }
            bad.judged(
                    name + ".initialize without shapes",
                    () -> sample.block().initialize(manager, DataType.FLOAT32));
        }
    }

    private static void badArguments(BadCalls bad, BadCalls.Subject ready) {
        for (Method method : Block.class.getMethods()) {
            List<Class<?>> types = List.of(method.getParameterTypes());
            boolean forward =
                    types.equals(List.of(ParameterStore.class, NDList.class, boolean.class));
            boolean shapes = method.getName().equals("getOutputShapes") && types.size() == 1;
            if (forward || shapes || method.getName().equals("initialize")) {
                bad.all(method, ready);
            }
        }
    }

    private static void save(Block block) throws java.io.IOException {
        try (DataOutputStream out = new DataOutputStream(new ByteArrayOutputStream())) {
            block.saveParameters(out);
        }
    }

    private static void load(Block block, NDManager manager, byte[] bytes)
            throws java.io.IOException, ai.djl.MalformedModelException {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            block.loadParameters(manager, in);
        }
    }
}
