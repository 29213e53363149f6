package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, for {@link SlotAttention} and its parts in several configurations. */
@ExtendWith(OnDevice.class)
class SlotAttentionContractTest {

    static SlotAttention.Builder small() {
        return SlotAttention.builder().setDim(6).setFeatureDim(5);
    }

    static Stream<Arguments> configurations() {
        // float16 cannot hold the default eps, by which a masked slot lives.
        Supplier<Block> oneHead = () -> small().optEps(1e-4).build();
        Supplier<Block> everything =
                () ->
                        small().optKvqDim(8)
                                .optHeads(2)
                                .optProjectionBias(true)
                                .optEps(1e-3)
                                .optFeedForward(new FeedForward(6, 7))
                                .build();
        Supplier<Block> noEps = () -> small().optEps(0).optIterations(1).build();
        return Stream.of(
                Arguments.of("one head", oneHead),
                Arguments.of("everything", everything),
                Arguments.of("no eps", noEps));
    }

    static NDList inputs(NDManager manager, DataType type) {
        NDArray mask = manager.create(new boolean[] {false, true, false, false, false, true});
        return new NDList(
                Tensors.normal(manager, 1, type, 2, 9, 5),
                Tensors.normal(manager, 2, type, 2, 3, 6),
                mask.reshape(new Shape(2, 3)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void keepsTheContract(String name, Supplier<Block> block, NDManager manager) {
        new BlockContract(block, SlotAttentionContractTest::inputs).check(manager);
    }

    /** Implicit differentiation is no true gradient: finite differences do not apply. */
    @Test
    void implicitDifferentiation(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> small().optImplicitDifferentiation(true).build(),
                        SlotAttentionContractTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
    }

    @Test
    void feedForward(NDManager manager) {
        new BlockContract(
                        () -> new FeedForward(5, 8),
                        (m, type) -> new NDList(Tensors.normal(m, 3, type, 2, 4, 5)))
                .check(manager);
    }

    @Test
    void grouping(NDManager manager) {
        new BlockContract(
                        () ->
                                SlotAttentionGrouping.builder()
                                        .setSlotAttention(small().optEps(1e-4).build())
                                        .optEmptySlotForMasked(true)
                                        .build(),
                        SlotAttentionContractTest::inputs)
                .check(manager);
    }
}
