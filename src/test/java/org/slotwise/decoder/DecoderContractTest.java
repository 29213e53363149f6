package org.slotwise.decoder;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, for the decoders in several configurations. */
@ExtendWith(OnDevice.class)
class DecoderContractTest {

    private static Block broadcast(int height, int width, Layer... layers) {
        return SpatialBroadcastDecoder.builder()
                .setSlotDim(6)
                .setArchitecture(new BroadcastArchitecture(height, width, List.of(layers)))
                .build();
    }

    static Stream<Arguments> configurations() {
        Supplier<Block> transposed =
                () -> broadcast(2, 3, Layer.transposed(5, 5, 2), Layer.transposed(4, 3, 1));
        Supplier<Block> fullResolution =
                () -> broadcast(6, 7, Layer.convolution(5, 5), Layer.convolution(4, 3));
        Supplier<Block> patches =
                () ->
                        ImagePatchDecoder.builder()
                                .setSlotDim(6)
                                .setImageSize(4, 6)
                                .setPatchSize(2)
                                .optHidden(7)
                                .build();
        return Stream.of(
                Arguments.of("transposed", transposed),
                Arguments.of("full resolution", fullResolution),
                Arguments.of("patches", patches));
    }

    private static NDList slots(NDManager manager, DataType type) {
        return new NDList(Tensors.normal(manager, 1, type, 2, 3, 6));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void keepsTheContract(String name, Supplier<Block> block, NDManager manager) {
        new BlockContract(block, DecoderContractTest::slots).check(manager);
    }
}
