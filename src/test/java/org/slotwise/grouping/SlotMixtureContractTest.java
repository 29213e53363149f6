package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
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

/** What every block promises, for {@link SlotMixtureGrouping} in several configurations. */
@ExtendWith(OnDevice.class)
class SlotMixtureContractTest {

    /** With a least variance and an eps that float16 can hold. */
    private static SlotMixtureGrouping.Builder small() {
        return SlotMixtureGrouping.builder()
                .setDim(8)
                .setFeatureDim(5)
                .optLeastVariance(0.05)
                .optEps(1e-3);
    }

    static Stream<Arguments> configurations() {
        Supplier<Block> plain = () -> small().build();
        Supplier<Block> fed = () -> small().optFeedForward(new FeedForward(4, 7)).build();
        Supplier<Block> distance =
                () ->
                        small().optLikelihood(SlotMixtureGrouping.Likelihood.DISTANCE_ONLY)
                                .optIterations(2)
                                .build();
        return Stream.of(
                Arguments.of("plain", plain),
                Arguments.of("feed-forward", fed),
                Arguments.of("distance only", distance));
    }

    static NDList inputs(NDManager manager, DataType type) {
        NDArray mask = manager.create(new boolean[] {false, true, false, false, false, true});
        return new NDList(
                Tensors.normal(manager, 1, type, 2, 9, 5),
                Tensors.normal(manager, 2, type, 2, 3, 8),
                mask.reshape(new Shape(2, 3)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void keepsTheContract(String name, Supplier<Block> block, NDManager manager) {
        new BlockContract(block, SlotMixtureContractTest::inputs).check(manager);
    }

    /** Implicit differentiation is no true gradient: finite differences do not apply. */
    @Test
    void implicitDifferentiation(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> small().optImplicitDifferentiation(true).build(),
                        SlotMixtureContractTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
    }

    private static NDArray inFloat16(
            SlotMixtureGrouping.Builder builder, NDManager manager, NDArray start) {
        manager.getEngine().setRandomSeed(3);
        SlotMixtureGrouping block = builder.setDim(8).setFeatureDim(5).build();
        NDList in = inputs(manager, DataType.FLOAT16);
        block.initialize(manager, DataType.FLOAT16, in.getShapes());
        return block.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(in.get(0)),
                        start,
                        in.get(2),
                        false)
                .objects();
    }

    /** Deviations of 1e-5 would divide by what float16 does not hold. */
    @Test
    void inFloat16TheLeastVarianceIsAHundredth(NDManager manager) {
        NDArray start = inputs(manager, DataType.FLOAT16).get(1);
        start.set(new NDIndex(":, :, 4:"), -5);
        NDArray least = inFloat16(SlotMixtureGrouping.builder(), manager, start);
        assertTrue(Double.isFinite(Tensors.largest(least)));
        SlotMixtureGrouping.Builder same = SlotMixtureGrouping.builder().optLeastVariance(0.01);
        assertSame("objects", inFloat16(same, manager, start), least);
        SlotMixtureGrouping.Builder more = SlotMixtureGrouping.builder().optLeastVariance(0.1);
        NDArray other = inFloat16(more, manager, start);
        assertTrue(Tensors.largest(other.sub(least)) > 1e-2, "larger ones count");
    }

    /** A masked slot has nothing, to be divided by something that float16 holds. */
    @Test
    void inFloat16ASlotThatHasNothingIsNotNaN(NDManager manager) {
        NDArray start = inputs(manager, DataType.FLOAT16).get(1);
        NDArray objects = inFloat16(SlotMixtureGrouping.builder().optEps(0), manager, start);
        assertTrue(Double.isFinite(Tensors.largest(objects)));
    }
}
