package org.slotwise.encoder;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, for the encoders in several configurations. */
@ExtendWith(OnDevice.class)
class EncoderContractTest {

    private static ConvolutionalEncoder.Builder small() {
        return ConvolutionalEncoder.builder().optChannels(4, 5).optKernelSize(3);
    }

    private static ResNetEncoder.Builder resNet(boolean bottleneck) {
        return ResNetEncoder.builder()
                .setArchitecture(new ResNetArchitecture(bottleneck, 4, List.of(1, 1)));
    }

    private static Block onTop(FeatureExtractor backbone) {
        return SlotAttentionEncoder.builder()
                .setBackbone(backbone)
                .optHidden(7)
                .optFeatureDim(6)
                .build();
    }

    static Stream<Arguments> configurations() {
        Supplier<Block> plain = () -> small().build();
        Supplier<Block> strided = () -> small().optStrides(2, 1).build();
        Supplier<Block> paper = () -> onTop(small().build());
        Supplier<Block> transformer =
                () ->
                        VisionTransformer.builder()
                                .setArchitecture(
                                        new VisionTransformerArchitecture(
                                                9, 11, 1, 8, 2, 2, 12, 1, false, true))
                                .build();
        Supplier<Block> basic = () -> resNet(false).optFixedStatistics(true).build();
        Supplier<Block> onResNet =
                () -> onTop(resNet(true).optFixedStatistics(true).optStages(1).build());
        return Stream.of(
                Arguments.of("plain", plain),
                Arguments.of("strided", strided),
                Arguments.of("slot attention", paper),
                Arguments.of("vision transformer", transformer),
                Arguments.of("ResNet", basic),
                Arguments.of("slot attention on ResNet", onResNet));
    }

    private static NDList images(NDManager manager, DataType type) {
        return new NDList(Tensors.normal(manager, 1, type, 2, 3, 9, 11));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void keepsTheContract(String name, Supplier<Block> block, NDManager manager) {
        new BlockContract(block, EncoderContractTest::images).check(manager);
    }

    /** Inference normalises by other statistics: finite differences of it do not apply. */
    @Test
    void resNetWithTheBatchsStatistics(NDManager manager) {
        BlockContract contract =
                new BlockContract(() -> resNet(true).build(), EncoderContractTest::images);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
    }
}
