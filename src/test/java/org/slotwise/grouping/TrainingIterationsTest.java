package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class TrainingIterationsTest {

    private static GroupingBlock made(
            IterativeGrouping.Builder<?> builder, boolean implicit, NDManager manager) {
        builder.setDim(6).setFeatureDim(5).optImplicitDifferentiation(implicit);
        GroupingBlock block =
                builder instanceof SlotAttention.Builder attention
                        ? attention.build()
                        : ((SlotMixtureGrouping.Builder) builder).build();
        manager.getEngine().setRandomSeed(3);
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 7, 5), new Shape(2, 3, 6));
        return block;
    }

    private static NDArray slots(GroupingBlock block, NDManager manager, boolean training) {
        return block.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(Tensors.normal(manager, 1, 2, 7, 5)),
                        Tensors.normal(manager, 2, 2, 3, 6),
                        training)
                .objects();
    }

    private static IterativeGrouping.Builder<?> builder(boolean mixture) {
        return mixture ? SlotMixtureGrouping.builder() : SlotAttention.builder();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void areThoseOfTrainingAlone(boolean implicit, NDManager manager) {
        for (boolean mixture : new boolean[] {false, true}) {
            GroupingBlock both =
                    made(
                            builder(mixture).optIterations(4).optTrainingIterations(2),
                            implicit,
                            manager);
            GroupingBlock two = made(builder(mixture).optIterations(2), implicit, manager);
            GroupingBlock four = made(builder(mixture).optIterations(4), implicit, manager);
            NDArray trained = slots(both, manager, true);
            NDArray used = slots(both, manager, false);
            assertEquals(slots(two, manager, true), trained);
            assertEquals(slots(four, manager, false), used);
            assertNotEquals(trained, used);
        }
    }

    @Test
    void areAtLeastOne() {
        assertRefused(
                "SlotAttention: trainingIterations must be at least 1, got 0",
                () ->
                        SlotAttention.builder()
                                .setDim(6)
                                .setFeatureDim(5)
                                .optTrainingIterations(0)
                                .build());
    }
}
