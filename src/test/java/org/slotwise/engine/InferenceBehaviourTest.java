package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.slotwise.internal.NoGraph;

/** When graphs are recorded although nobody asked for gradients. */
@EngineBehaviour
class InferenceBehaviourTest {

    private static <T> T inAnotherThread(Supplier<T> work) {
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            return CompletableFuture.supplyAsync(work, other).join();
        } finally {
            other.shutdown();
        }
    }

    /** The tests' own thread loaded the engine. */
    @Test
    void threadsOtherThanTheFirstRecordGraphs(NDManager manager) {
        NDArray x = Graphs.leaf(manager);
        assertFalse(Graphs.recorded(x.exp()));
        assertTrue(inAnotherThread(() -> Graphs.recorded(x.exp())));
        assertFalse(inAnotherThread(() -> Graphs.recorded(NoGraph.during(x::exp))));
    }

    @Test
    void hasGradientDoesNotTell(NDManager manager) {
        NDArray x = Graphs.leaf(manager);
        assertTrue(x.hasGradient());
        NDArray y = inAnotherThread(x::exp);
        assertFalse(y.hasGradient());
        assertTrue(Graphs.recorded(y));
    }

    @Test
    void blocksRecordInsideACollectorThoughNotInTraining(NDManager manager) {
        Linear linear = Linear.builder().setUnits(3).build();
        linear.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        ParameterStore store = new ParameterStore(manager, false);
        NDList in = new NDList(manager.ones(new Shape(1, 2)));
        assertFalse(Graphs.recorded(linear.forward(store, in, false).head()));
        assertTrue(Graphs.recordedInCollector(() -> linear.forward(store, in, false).head()));
    }
}
