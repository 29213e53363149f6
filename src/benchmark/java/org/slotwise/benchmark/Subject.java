package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.StickBreakingGrouping;

/** A module with inputs and parameters, computed by the library or plainly. */
final class Subject {

    /** Who computes. */
    enum By {
        LIBRARY,
        PLAIN
    }

    private final NDManager manager;
    private final Plain plain;
    private final Block block;
    private final String plainMethod;
    private final NDList inputs;
    private final NDArray count; // iterations or slots, for the plain computation

    private Subject(NDManager manager, Block block, String plainMethod, NDList inputs, int count) {
        this.manager = manager;
        this.block = block;
        this.plainMethod = plainMethod;
        this.inputs = inputs;
        this.count = manager.create((long) count);
        plain = new Plain(manager);
        manager.getEngine().setRandomSeed(0);
        block.initialize(manager, DataType.FLOAT32, inputs.getShapes());
        // Array names mean something to the engine's script calls.
        block.getParameters().forEach(p -> p.getValue().getArray().setName(null));
    }

    static Subject slotAttention(NDManager manager, Size size) {
        return slotAttention(manager, size, false);
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
        NDList inputs =
                new NDList(
                        manager.randomNormal(new Shape(size.b(), size.n(), size.f())),
                        manager.randomNormal(new Shape(size.b(), size.k(), size.d())));
        return new Subject(manager, block, "slot_attention", inputs, size.t());
    }

    static Subject stickBreaking(NDManager manager, Size size) {
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setObjectDim(size.d())
                        .setFeatureDim(size.f())
                        .setSlots(size.k())
                        .build();
        NDList inputs =
                new NDList(
                        manager.randomNormal(new Shape(size.b(), size.n(), size.f())),
                        manager.randomUniform(0, 1, new Shape(size.b(), size.n())));
        return new Subject(manager, block, "stick_breaking", inputs, size.k());
    }

    /** Objects and attributions. */
    NDList forward(By by, NDManager owner, boolean training) {
        if (by == By.LIBRARY) {
            return block.forward(new ParameterStore(owner, false), inputs, training);
        }
        List<NDArray> arguments = new ArrayList<>(inputs);
        arguments.add(count);
        block.getDirectParameters().values().forEach(p -> arguments.add(p.getArray()));
        return plain.call(plainMethod, arguments.toArray(new NDArray[0]));
    }

    /** Runs once; the outputs are freed. */
    void run(By by, boolean training) {
        try (NDManager scratch = manager.newSubManager()) {
            if (!training) {
                NDList out = forward(by, scratch, false);
                out.forEach(NDArray::close);
                return;
            }
            requireGradients(true);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                try (NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    NDList out = forward(by, scratch, true);
                    collector.backward(out.get(0).sum().add(out.get(1).square().sum()));
                }
            }
            requireGradients(false);
        }
    }

    private void requireGradients(boolean required) {
        inputs.forEach(x -> x.setRequiresGradient(required));
    }

    /** The largest difference of the outputs, relative to the largest magnitude. */
    double difference() {
        NDList a = forward(By.LIBRARY, manager, false);
        NDList b = forward(By.PLAIN, manager, false);
        double worst = 0;
        for (int i = 0; i < 2; i++) {
            double scale = b.get(i).abs().max().getFloat();
            worst = Math.max(worst, a.get(i).sub(b.get(i)).abs().max().getFloat() / scale);
        }
        return worst;
    }
}
