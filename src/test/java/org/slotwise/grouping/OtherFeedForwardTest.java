package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.SavedParameters.refusal;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;

/** Parameters with a feed-forward are not taken for those of a block without one, or in reverse. */
@ExtendWith(OnDevice.class)
class OtherFeedForwardTest {

    /** A grouping, with a feed-forward or without. */
    private interface Kind extends Function<Boolean, Block> {}

    private static <T extends IterativeGrouping.Builder<T>> T sized(
            T builder, int updated, boolean fed) {
        T sized = builder.setDim(6).setFeatureDim(5);
        return fed ? sized.optFeedForward(new FeedForward(updated, 4)) : sized;
    }

    static Stream<Kind> kinds() {
        return Stream.of(
                fed -> sized(SlotAttention.builder(), 6, fed).build(),
                fed -> sized(InvariantSlotAttention.builder(), 6, fed).build(),
                fed -> sized(PlacedSlotAttention.builder(), 6, fed).build(),
                fed -> sized(SlotMixtureGrouping.builder(), 3, fed).build());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void isRefused(Kind kind, NDManager manager) {
        for (boolean fed : new boolean[] {false, true}) {
            Block saved = kind.apply(fed);
            saved.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 5), new Shape(1, 1, 6));
            byte[] parameters = BlockContract.save(saved);
            String message = refusal(parameters, kind.apply(!fed), manager);
            assertTrue(
                    message.contains("feedForward=" + !fed + "), the parameters are of")
                            && message.endsWith("feedForward=" + fed + ")"),
                    message);
        }
    }
}
