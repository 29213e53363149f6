package org.slotwise.grouping;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, for {@link StickBreakingGrouping} in several configurations. */
@ExtendWith(OnDevice.class)
class StickBreakingContractTest {

    private static StickBreakingGrouping.Builder small() {
        return StickBreakingGrouping.builder()
                .setObjectDim(6)
                .setFeatureDim(5)
                .setSlots(4)
                .optKernelVar(0.5);
    }

    static Stream<Arguments> configurations() {
        StoppingRule rule =
                StoppingRule.builder()
                        .optMaxUnexplained(0.1)
                        .optMinSlotMask(0.12)
                        .optMinMaxMaskValue(0.2)
                        .optEarlyTermination(true)
                        .optAddUnexplained(true)
                        .build();
        return Stream.of(
                Arguments.of("plain", small()),
                Arguments.of("one slot", small().setSlots(1)),
                Arguments.of("layer norm", small().optInputLayerNorm(true)),
                Arguments.of("learnt kernel", small().optLearnKernelVar(true)),
                Arguments.of("rule", small().optLearnKernelVar(true).optStoppingRule(rule)),
                Arguments.of("rest alone", small().setSlots(1).optStoppingRule(rule)));
    }

    static NDList inputs(NDManager manager, DataType type) {
        return new NDList(
                Tensors.normal(manager, 1, type, 2, 9, 5), Tensors.uniform(manager, 2, type, 2, 9));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void keepsTheContract(String name, StickBreakingGrouping.Builder builder, NDManager manager) {
        new BlockContract(builder::build, StickBreakingContractTest::inputs).check(manager);
    }

    /** Detached features have no gradient: finite differences do not apply. */
    @Test
    void detachedFeatures(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> small().optDetachFeatures(true).build(),
                        StickBreakingContractTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
    }
}
