package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.internal.Gradients;
import org.slotwise.weights.StateDict;

/** A module with inputs and parameters, computed by the library or plainly. */
final class Subject {

    /** Who computes. */
    enum By {
        LIBRARY("library"),
        /** The plain computation under TorchScript's graph executor as it comes. */
        PLAIN("plain"),
        /** The same without the graph executor's optimisations. */
        PLAIN_AS_WRITTEN("plain-noopt");

        final String shown;

        By(String shown) {
            this.shown = shown;
        }
    }

    private static final List<String> OUTPUTS = List.of("objects", "attributions");

    private final NDManager manager;
    // One for each setting: a module that was once optimised stays so.
    private final Plain plain;
    private final Plain plainAsWritten;
    private final Block block;
    private final String plainMethod;
    private final NDList inputs;
    private final NDList trainedInputs = new NDList();
    private final NDArray count; // iterations or slots, for the plain computation
    private final NDList lossWeights = new NDList(); // of objects and attributions
    private final Map<String, NDArray> leaves = new LinkedHashMap<>(); // what gets gradients

    private Subject(NDManager manager, Size size, Block block, String method, NDList inputs) {
        this.manager = manager;
        this.block = block;
        this.plainMethod = method;
        this.inputs = inputs;
        boolean iterates = block instanceof SlotAttention;
        count = manager.create((long) (iterates ? size.t() : size.k()));
        plain = new Plain(manager);
        plainAsWritten = new Plain(manager);
        block.initialize(manager, DataType.FLOAT32, inputs.getShapes());
        lossWeights.add(manager.randomNormal(new Shape(size.b(), size.k(), size.d())));
        lossWeights.add(manager.randomNormal(new Shape(size.b(), size.k(), size.n())));
        // Array names mean something to the engine's script calls.
        block.getParameters().forEach(p -> p.getValue().getArray().setName(null));
        StateDict.of(block).arrays().entrySet().stream()
                .filter(entry -> entry.getValue().hasGradient())
                .forEach(entry -> leaves.put(entry.getKey(), entry.getValue()));
        trainedInputs.add(inputs.get(0));
        leaves.put("features", inputs.get(0));
        if (iterates) {
            trainedInputs.add(inputs.get(1));
            leaves.put("conditioning", inputs.get(1));
        }
    }

    static Subject of(NDManager manager, Module module, Size size) {
        return switch (module) {
            case SLOT_ATTENTION -> slotAttention(manager, size, false);
            case STICK_BREAKING -> stickBreaking(manager, size);
            case K_MEANS -> throw new IllegalArgumentException("k-means has no gradients");
        };
    }

    static Subject slotAttention(NDManager manager, Size size, boolean implicit) {
        SlotAttention block =
                SlotAttention.builder()
                        .setDim(size.d())
                        .setFeatureDim(size.f())
                        .optKvqDim(size.c())
                        .optIterations(size.t())
                        .optImplicitDifferentiation(implicit)
                        .build();
        manager.getEngine().setRandomSeed(0);
        NDList inputs =
                new NDList(
                        manager.randomNormal(new Shape(size.b(), size.n(), size.f())),
                        manager.randomNormal(new Shape(size.b(), size.k(), size.d())));
        return new Subject(manager, size, block, "slot_attention", inputs);
    }

    static Subject stickBreaking(NDManager manager, Size size) {
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setObjectDim(size.d())
                        .setFeatureDim(size.f())
                        .setSlots(size.k())
                        .build();
        manager.getEngine().setRandomSeed(0);
        NDList inputs =
                new NDList(
                        manager.randomNormal(new Shape(size.b(), size.n(), size.f())),
                        manager.randomUniform(0, 1, new Shape(size.b(), size.n())));
        return new Subject(manager, size, block, "stick_breaking", inputs);
    }

    /** Inputs, parameters and the weights of the loss, as the Python side reads them. */
    Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = Peer.parameters(StateDict.of(block).arrays());
        numbers.put("features", inputs.get(0));
        numbers.put("conditioning", inputs.get(1));
        for (int i = 0; i < OUTPUTS.size(); i++) {
            numbers.put("loss." + OUTPUTS.get(i), lossWeights.get(i));
        }
        return numbers;
    }

    List<Contender> contenders() {
        return Stream.of(By.values()).map(this::contender).toList();
    }

    private Contender contender(By by) {
        return new Contender() {
            @Override
            public String name() {
                return by.shown;
            }

            @Override
            public double run(boolean training) {
                return Contender.milliseconds(manager, () -> Subject.this.run(by, training));
            }

            @Override
            public Map<String, float[]> results() {
                return Subject.this.results(by);
            }
        };
    }

    /** Objects and attributions. */
    private NDList forward(By by, NDManager owner, boolean training) {
        if (by == By.LIBRARY) {
            return block.forward(new ParameterStore(owner, false), inputs, training);
        }
        List<NDArray> arguments = new ArrayList<>(inputs);
        arguments.add(count);
        block.getDirectParameters().values().forEach(p -> arguments.add(p.getArray()));
        JniUtils.setGraphExecutorOptimize(by == By.PLAIN);
        return (by == By.PLAIN ? plain : plainAsWritten)
                .call(plainMethod, arguments.toArray(new NDArray[0]));
    }

    /** Runs once; the outputs are freed. Gradients add up, as they do in training. */
    void run(By by, boolean training) {
        run(by, training, outputs -> {});
    }

    private void run(By by, boolean training, Consumer<NDList> reader) {
        try (NDManager scratch = manager.newSubManager()) {
            if (!training) {
                NDList out = forward(by, scratch, false);
                reader.accept(out);
                out.forEach(NDArray::close);
                return;
            }
            requireGradients(true);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                    NDScope scope = new NDScope()) {
                scope.suppressNotUsedWarning();
                NDList out = forward(by, scratch, true);
                NDArray objects = out.get(0).mul(lossWeights.get(0)).sum();
                collector.backward(objects.add(out.get(1).mul(lossWeights.get(1)).sum()));
                reader.accept(out);
            }
            requireGradients(false);
        }
    }

    private void requireGradients(boolean required) {
        inputs.stream().filter(leaves::containsValue).forEach(x -> x.setRequiresGradient(required));
    }

    private Map<String, float[]> results(By by) {
        Map<String, float[]> results = new LinkedHashMap<>();
        leaves.values().forEach(Gradients::zero);
        for (boolean training : new boolean[] {false, true}) {
            String prefix = training ? "" : "inference ";
            run(
                    by,
                    training,
                    out -> {
                        for (int i = 0; i < OUTPUTS.size(); i++) {
                            results.put(prefix + OUTPUTS.get(i), out.get(i).toFloatArray());
                        }
                    });
        }
        leaves.forEach(
                (name, leaf) -> {
                    try (NDArray gradient = Gradients.of(leaf)) {
                        results.put("gradient of " + name, gradient.toFloatArray());
                    }
                });
        return results;
    }
}
