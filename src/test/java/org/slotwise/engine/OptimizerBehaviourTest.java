package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slotwise.training.Adam;

/** What DJL's optimizers do otherwise than PyTorch's. */
@EngineBehaviour
class OptimizerBehaviourTest {

    private static final Tracker TENTH = Tracker.fixed(0.1f);

    @Test
    void someThrowAtTheirFirstStep(NDManager manager) {
        Map<String, Optimizer> missing =
                Map.of(
                        "RmsProp", Optimizer.rmsprop().optLearningRateTracker(TENTH).build(),
                        "Adagrad", Optimizer.adagrad().optLearningRateTracker(TENTH).build(),
                        "Adadelta", Optimizer.adadelta().build(),
                        "Nag",
                                Optimizer.nag()
                                        .setLearningRateTracker(TENTH)
                                        .setMomentum(0.9f)
                                        .build());
        missing.forEach(
                (name, optimizer) ->
                        assertThrows(
                                UnsupportedOperationException.class,
                                () -> step(optimizer, "w", manager, 1),
                                name));
        Optimizer adamW = Optimizer.adamW().optLearningRateTracker(TENTH).build();
        assertEquals(0.1, step(adamW, "w", manager, 1)[0], 1e-5);
    }

    /** How far one step moves weights with these gradients. */
    private static float[] step(Optimizer optimizer, String id, NDManager manager, float... by) {
        NDArray weight = manager.zeros(new Shape(by.length));
        weight.setRequiresGradient(true);
        optimizer.update(id, weight, manager.create(by));
        return weight.neg().toFloatArray();
    }

    @Test
    void clipGradClampsThePositiveSideOnly(NDManager manager) {
        Optimizer sgd = Optimizer.sgd().setLearningRateTracker(TENTH).optClipGrad(1).build();
        assertArrayEquals(
                new float[] {0.1f, -0.5f, 0.05f}, step(sgd, "w", manager, 5, -5, 0.5f), 1e-7f);
    }

    /**
     * The first step for a gradient g: g / (|g| + eps) times the rate in PyTorch; DJL has sqrt(1 -
     * beta2) |g| + eps below, and makes up for the root alone.
     */
    @Test
    void adamAddsEpsToTheUncorrectedRoot(NDManager manager) {
        Optimizer adam = Optimizer.adam().optLearningRateTracker(TENTH).build();
        double root = Math.sqrt(1 - 0.999);
        double tiny = 1e-7;
        float[] got = step(adam, "w", manager, 1, (float) tiny);
        assertEquals(0.1, got[0], 1e-5);
        assertEquals(0.1 * root * tiny / (root * tiny + 1e-8), got[1], 1e-5);
        assertEquals(0.0240, got[1], 1e-4);
        Optimizer torch = Adam.builder().optLearningRate(TENTH).build();
        assertEquals(0.0909, step(torch, "w", manager, 1, (float) tiny)[1], 1e-4);
    }

    /** The first step for a constant gradient is the rate, in PyTorch at whatever time. */
    @Test
    void adamCountsTheUpdatesOfAllParametersTogether(NDManager manager) {
        Optimizer adam = Optimizer.adam().optLearningRateTracker(TENTH).build();
        assertEquals(0.1, step(adam, "first", manager, 1)[0], 1e-5);
        assertEquals(0.1, step(adam, "first", manager, 1)[0], 1e-5);
        double late = 0.1 * Math.sqrt(1 - 0.999 * 0.999) / (1 - 0.9 * 0.9) * 0.1 / Math.sqrt(0.001);
        assertEquals(late, step(adam, "later", manager, 1)[0], 1e-5);
        assertEquals(0.0744, late, 1e-4);
    }
}
