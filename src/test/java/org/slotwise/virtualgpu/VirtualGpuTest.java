package org.slotwise.virtualgpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.extension.ExtendWith;
import org.opentest4j.AssertionFailedError;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;

/** That the GPU that is not there finds what it is for. */
@EnabledIfSystemProperty(named = VirtualGpu.PROPERTY, matches = "true")
@ExtendWith(OnDevice.class)
class VirtualGpuTest {

    private final NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch");

    @AfterEach
    void close() {
        host.close();
    }

    @Test
    void isWhereTheEngineComputes(NDManager manager) {
        Engine engine = manager.getEngine();
        assertEquals(Device.gpu(0), engine.defaultDevice());
        assertEquals(1, engine.getGpuCount());
        NDArray x = manager.create(new float[] {1, 2});
        assertEquals(Device.gpu(0), x.getDevice());
        assertEquals(Device.gpu(0), x.add(x).split(2).get(1).getDevice());
        assertEquals(Device.cpu(), host.create(new float[] {1, 2}).neg().getDevice());
    }

    @Test
    void arraysOfTwoDevicesDoNotMix(NDManager manager) {
        NDArray x = manager.create(new float[][] {{1, 2}, {3, 4}});
        NDArray y = host.create(new float[][] {{1, 2}, {3, 4}});
        assertThrows(EngineException.class, () -> x.add(y));
        assertThrows(EngineException.class, () -> y.matMul(x));
        assertThrows(EngineException.class, () -> x.concat(y));
        assertThrows(EngineException.class, () -> y.get(new NDIndex("{}", x.gt(2))));
        assertEquals(3, x.add(host.create(2f)).getFloat(0, 0), "a number is no array");
    }

    @Test
    void copiesShareNoMemory(NDManager manager) {
        NDArray x = manager.create(new float[] {1, 2});
        NDArray y = x.toDevice(Device.cpu(), false);
        NDArray z = y.toDevice(Device.gpu(0), false);
        x.addi(1);
        y.subi(1);
        assertArrayEquals(new float[] {0, 1}, y.toFloatArray());
        assertArrayEquals(new float[] {1, 2}, z.toFloatArray());
    }

    @Test
    void findsABlockThatMixesDevices(NDManager manager) {
        NDArray y = host.create(new float[] {1, 2});
        assertThrows(EngineException.class, () -> forward(manager, x -> x.add(y)));
    }

    @Test
    void findsABlockThatReads(NDManager manager) {
        forward(manager, x -> x.sum().getFloat() > 0 ? x.neg() : x.abs());
        findsFault("TO_HOST at internal.ConfiguredBlock.");
    }

    @Test
    void findsABlockThatCopiesFromTheHost(NDManager manager) {
        forward(manager, x -> x.add(x.getManager().create(new float[] {1, 2})));
        findsFault("FROM_HOST at internal.ConfiguredBlock.");
    }

    /** Also where the copy is of something that lies on the host with good reason. */
    @Test
    void findsABlockThatMovesAnArray(NDManager manager) {
        NDArray y = host.create(new float[] {1, 2});
        forward(manager, x -> x.add(y.toDevice(x.getDevice(), false)));
        findsFault("FROM_HOST at internal.ConfiguredBlock.");
    }

    /** As the extension does it after each test. */
    private static void findsFault(String fault) {
        AssertionFailedError failure =
                assertThrows(
                        AssertionFailedError.class,
                        () -> new VirtualGpuExtension().afterEach(null));
        List<?> faults = (List<?>) failure.getActual().getValue();
        assertEquals(1, faults.size(), faults.toString());
        assertTrue(faults.get(0).toString().startsWith(fault), faults.toString());
    }

    @Test
    void testsMayLookAtResults(NDManager manager) {
        NDArray y = forward(manager, NDArray::neg);
        assertArrayEquals(new float[] {-1, -2}, y.toFloatArray());
        assertEquals(List.of(), Crossings.takeFaults());
    }

    private static NDArray forward(NDManager manager, UnaryOperator<NDArray> equations) {
        NDArray x = manager.create(new float[] {1, 2});
        EquationBlock block =
                new EquationBlock(declarer -> (pass, in) -> new NDList(equations.apply(in.head())));
        return block.forward(new ParameterStore(manager, false), new NDList(x), false).head();
    }
}
