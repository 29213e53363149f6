package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.core.Linear;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.extension.ExtendWith;

/** The contract's tests can fail: each is given a block that breaks its promise. */
@ExtendWith(OnDevice.class)
class BlockContractTest {

    private static NDList inputs(NDManager manager, DataType type) {
        return new NDList(Tensors.normal(manager, 1, type, 2, 3));
    }

    private static BlockContract of(Function<NDList, NDList> forward) {
        return new BlockContract(() -> new LambdaBlock(forward, "test"), BlockContractTest::inputs);
    }

    /** DJL's arithmetic with numbers, on a CPU. */
    @Test
    @EnabledIf("onCpu")
    void findsGradientsThatAreLostToGarbageCollection(NDManager manager) {
        BlockContract broken = of(l -> new NDList(l.head().mul(2f)));
        assertThrows(AssertionError.class, () -> broken.gradientsSurviveGarbageCollection(manager));
        of(l -> new NDList(l.head().tanh())).gradientsSurviveGarbageCollection(manager);
    }

    static boolean onCpu() {
        return !OnDevice.device().isGpu();
    }

    @Test
    void findsLeftovers(NDManager manager) {
        BlockContract broken = of(l -> new NDList(l.head().tanh().exp()));
        assertThrows(AssertionError.class, () -> broken.leavesNothingButOutputs(manager));
    }

    @Test
    void findsWrongGradients(NDManager manager) {
        BlockContract broken = of(l -> new NDList(l.head().add(l.head().stopGradient().square())));
        assertThrows(
                AssertionError.class, () -> broken.gradientsAgreeWithFiniteDifferences(manager));
    }

    @Test
    void findsGraphsInInference(NDManager manager) {
        BlockContract broken =
                new BlockContract(
                        () -> Linear.builder().setUnits(4).build(), BlockContractTest::inputs);
        assertThrows(RuntimeException.class, () -> broken.recordsNoGraphInInference(manager));
    }
}
