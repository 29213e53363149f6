package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.slotwise.testing.Garbage;

/** Who owns arrays, and who frees them. */
@EngineBehaviour
class MemoryBehaviourTest {

    private static int held(NDManager manager) {
        return manager.getManagedArrays().size();
    }

    /** How many arrays an operation leaves in the manager of its operand besides its result. */
    private static int leftBy(NDManager manager, Runnable operation) {
        int before = held(manager);
        operation.run();
        return held(manager) - before;
    }

    @Test
    void resultsStayInTheManagerOfTheFirstOperand(NDManager manager) {
        try (NDManager one = manager.newSubManager();
                NDManager two = manager.newSubManager()) {
            NDArray x = one.ones(new Shape(2));
            NDArray y = two.ones(new Shape(2));
            assertSame(one, x.add(y).getManager());
            assertSame(two, y.add(x).getManager());
            int before = held(one);
            for (int i = 0; i < 10; i++) {
                x.add(y);
            }
            Garbage.collect();
            assertEquals(before + 10, held(one));
        }
    }

    @Test
    void scopesFreeWhatAParameterStoreCopied(NDManager manager) {
        Linear linear = Linear.builder().setUnits(2).build();
        linear.initialize(manager, DataType.FLOAT32, new Shape(1, 2));
        ParameterStore copying = new ParameterStore(manager, true);
        NDList in = new NDList(manager.ones(new Shape(1, 2)));
        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            linear.forward(copying, in, false);
        }
        assertThrows(IllegalStateException.class, () -> linear.forward(copying, in, false));
    }

    @Test
    void whatLeavesAnInnerScopeIsUnknownToTheOuterOne(NDManager manager) {
        NDArray left;
        NDArray never;
        try (NDScope outer = new NDScope()) {
            outer.suppressNotUsedWarning();
            never = manager.ones(new Shape(2));
            try (NDScope inner = new NDScope()) {
                inner.suppressNotUsedWarning();
                left = manager.ones(new Shape(2));
                NDScope.unregister(left);
            }
        }
        assertTrue(never.isReleased());
        assertFalse(left.isReleased());
    }

    @Test
    void everyCallOfGetGradientMakesAHandle(NDManager manager) {
        NDArray x = Graphs.leaf(manager);
        assertEquals(5, leftBy(manager, () -> repeat(x::getGradient)));
        assertNotSame(x.getGradient(), x.getGradient());
    }

    private static void repeat(Runnable operation) {
        for (int i = 0; i < 5; i++) {
            operation.run();
        }
    }

    @Test
    void clipLeavesItsBounds(NDManager manager) {
        NDArray x = manager.ones(new Shape(2));
        assertEquals(10, leftBy(manager, () -> repeat(() -> x.clip(0, 1).close())));
    }

    @Test
    void gatherLeavesAnInt64Index(NDManager manager) {
        NDArray x = manager.ones(new Shape(2));
        NDArray int32 = manager.zeros(new Shape(2), DataType.INT32);
        NDArray int64 = manager.zeros(new Shape(2), DataType.INT64);
        assertEquals(5, leftBy(manager, () -> repeat(() -> x.gather(int32, 0).close())));
        assertEquals(0, leftBy(manager, () -> repeat(() -> x.gather(int64, 0).close())));
    }
}
