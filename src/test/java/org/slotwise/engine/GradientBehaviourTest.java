package org.slotwise.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIf;

/** What cuts graphs, and what becomes of gradients. */
@EngineBehaviour
class GradientBehaviourTest {

    private static GradientCollector collector() {
        return Engine.getEngine("PyTorch").newGradientCollector();
    }

    private static boolean recorded(NDManager manager, UnaryOperator<NDArray> operation) {
        return Graphs.recordedInCollector(() -> operation.apply(Graphs.leaf(manager)));
    }

    @Test
    void copiesAndCastsCutTheGraph(NDManager manager) {
        assertTrue(recorded(manager, NDArray::exp));
        assertFalse(recorded(manager, NDArray::duplicate));
        assertFalse(recorded(manager, x -> x.toType(DataType.FLOAT64, false)));
        assertFalse(recorded(manager, x -> x.toType(DataType.FLOAT16, true)));
    }

    /** Needs a GPU: on a CPU there is no other device. */
    @Test
    @DisabledIf("org.slotwise.engine.Graphs#onCpu")
    void copiesToAnotherDeviceCutTheGraph(NDManager manager) {
        assertFalse(recorded(manager, x -> x.toDevice(Device.cpu(), false)));
    }

    @Test
    void askingForACopyInTheSameTypeGivesAView(NDManager manager) {
        NDArray x = manager.ones(new Shape(2));
        NDArray copy = x.toType(x.getDataType(), true);
        copy.addi(copy);
        assertArrayEquals(new float[] {2, 2}, x.toFloatArray());
    }

    @Test
    void concatenationOfOneArrayCutsTheGraph(NDManager manager) {
        assertFalse(recorded(manager, x -> NDArrays.concat(new NDList(x))));
        assertTrue(recorded(manager, x -> NDArrays.concat(new NDList(x, x))));
    }

    private static void backward(NDArray x) {
        try (GradientCollector collector = collector()) {
            collector.backward(x.square().sum());
        }
    }

    @Test
    void gradientsAccumulateFromOneCollectorToTheNext(NDManager manager) {
        NDArray x = Graphs.leaf(manager);
        backward(x);
        assertArrayEquals(new float[] {2, 2}, x.getGradient().toFloatArray());
        backward(x);
        assertArrayEquals(new float[] {4, 4}, x.getGradient().toFloatArray());
    }

    @Test
    void zeroGradientsKeepsNaN(NDManager manager) {
        NDArray x = Graphs.leaf(manager);
        NDArray y = Graphs.leaf(manager);
        backward(x);
        try (GradientCollector collector = collector()) {
            collector.backward(y.sub(y).sqrt().mul(y.sub(y)).sum()); // infinity times zero
        }
        assertTrue(Float.isNaN(y.getGradient().getFloat(0)));
        try (GradientCollector collector = collector()) {
            collector.zeroGradients();
        }
        assertArrayEquals(new float[] {0, 0}, x.getGradient().toFloatArray());
        assertTrue(Float.isNaN(y.getGradient().getFloat(0)));
    }

    @Test
    void aSecondCollectorThrows(NDManager manager) {
        try (GradientCollector first = collector()) {
            assertThrows(IllegalStateException.class, GradientBehaviourTest::collector);
            NDArray x = Graphs.leaf(manager);
            first.backward(x.square().sum());
            assertArrayEquals(new float[] {2, 2}, x.getGradient().toFloatArray());
        }
    }

    @Test
    void whereThereIsNoGradientThereAreZerosInFloat32(NDManager manager) {
        NDArray x = Graphs.leaf(manager, DataType.FLOAT64);
        assertEquals(DataType.FLOAT32, x.getGradient().getDataType());
        backward(x);
        assertEquals(DataType.FLOAT64, x.getGradient().getDataType());
    }
}
