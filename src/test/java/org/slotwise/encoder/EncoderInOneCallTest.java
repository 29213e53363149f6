package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/**
 * The encoder of few images as one call of the engine is the encoder part by part. A store that
 * copies parameters leaves only the latter.
 */
@ExtendWith(OnDevice.class)
class EncoderInOneCallTest {

    static Stream<SlotAttentionEncoder> encoders() {
        return Stream.of(
                SlotAttentionEncoder.tetrominoes(),
                SlotAttentionEncoder.clevrStrided(),
                SlotAttentionEncoder.builder()
                        .setBackbone(small().optNegativeSlope(0.1).build())
                        .optJoinedPositions(true)
                        .optNorm(false)
                        .optNegativeSlope(0.2)
                        .optHidden(7)
                        .optFeatureDim(4)
                        .build(),
                SlotAttentionEncoder.builder()
                        .setBackbone(small().optLastActivation(false).build())
                        .optNormEps(1e-3)
                        .build(),
                // not known to be few: part by part either way
                SlotAttentionEncoder.builder()
                        .setBackbone(
                                ResNetEncoder.builder()
                                        .setArchitecture(ResNetArchitecture.resNet18())
                                        .optStages(1)
                                        .build())
                        .build());
    }

    private static ConvolutionalEncoder.Builder small() {
        return ConvolutionalEncoder.builder().optChannels(5, 6).optStrides(1, 2).optKernelSize(3);
    }

    @ParameterizedTest
    @MethodSource("encoders")
    void computesTheSame(SlotAttentionEncoder encoder, NDManager manager) {
        Shape shape = new Shape(2, 3, 33, 40);
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT64}) {
            encoder.clear();
            encoder.initialize(manager, type, shape);
            NDArray images = Tensors.uniform(manager, 2, type, shape.getShape());
            NDList whole = extract(manager, encoder, images, false);
            NDList byParts = extract(manager, encoder, images, true);
            double tolerance = type == DataType.FLOAT64 ? 1e-11 : 2e-5;
            for (int i = 0; i < byParts.size(); i++) {
                String name = byParts.get(i).getName();
                Tensors.assertClose(name, byParts.get(i), whole.get(name), tolerance);
            }
        }
    }

    private static NDList extract(
            NDManager manager, SlotAttentionEncoder encoder, NDArray images, boolean copy) {
        return encoder.extract(new ParameterStore(manager, copy), images, false).toNDList();
    }
}
