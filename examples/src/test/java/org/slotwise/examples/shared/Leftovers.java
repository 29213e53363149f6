package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.function.Consumer;
import org.slotwise.training.Adam;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.LearningRate;

/** What calls leave behind in managers that outlive them. */
public final class Leftovers {

    private static final int CALLS = 100;

    private Leftovers() {}

    /** Makes the inputs of a block. */
    @FunctionalInterface
    public interface Inputs {
        NDList make(NDManager manager);
    }

    /** Requires that calls leave nothing outside of the manager that they are given. */
    public static void none(String what, NDManager weights, Consumer<NDManager> call) {
        try (NDManager inputs = NDManager.newBaseManager()) {
            for (int i = 0; i < 2; i++) {
                one(inputs, call); // gradients and moments are made once
            }
            NDManager system = inputs.getParentManager();
            int[] before = counts(weights, inputs, system);
            for (int i = 0; i < CALLS; i++) {
                one(inputs, call);
            }
            int[] after = counts(weights, inputs, system);
            assertEquals(before[0], after[0], what + ": arrays in the weights' manager");
            assertEquals(before[1], after[1], what + ": arrays in the inputs' manager");
            assertEquals(before[2], after[2], what + ": arrays in the system's manager");
        }
    }

    private static void one(NDManager inputs, Consumer<NDManager> call) {
        try (NDManager own = inputs.newSubManager()) {
            call.accept(own);
        }
    }

    private static int[] counts(NDManager... managers) {
        int[] counts = new int[managers.length];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = managers[i].getManagedArrays().size();
        }
        return counts;
    }

    /** Requires that a block leaves nothing, in inference and in steps of a training. */
    public static void none(NDManager weights, Block block, Inputs inference, Inputs training) {
        String name = block.getClass().getSimpleName();
        none(
                name + ", inference",
                weights,
                own -> block.forward(new ParameterStore(own, false), inference.make(own), false));
        try (Adam adam = Adam.builder().optLearningRate(LearningRate.constant(1e-4)).build()) {
            none(name + ", training", weights, own -> step(block, adam, training.make(own), own));
        }
    }

    private static void step(Block block, Adam adam, NDList inputs, NDManager own) {
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDList out = block.forward(new ParameterStore(own, false), inputs, true);
            collector.backward(out.head().square().mean());
        }
        new GradientClipping(1).clip(block, own);
        for (Parameter parameter : block.getParameters().values()) {
            if (parameter.requiresGradient()) {
                NDArray weight = parameter.getArray();
                try (NDArray gradient = weight.getGradient()) {
                    adam.update(parameter.getId(), weight, gradient);
                }
            }
        }
    }
}
