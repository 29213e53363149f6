package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;

/** Every error that the encoders promise, to the letter. */
@ExtendWith(OnDevice.class)
class EncoderErrorsTest {

    private static final ResNetArchitecture SMALL = new ResNetArchitecture(false, 4, List.of(1, 1));

    private static ConvolutionalEncoder.Builder convolutional() {
        return ConvolutionalEncoder.builder().optChannels(4, 5);
    }

    private static ResNetEncoder.Builder resNet() {
        return ResNetEncoder.builder().setArchitecture(SMALL);
    }

    static List<FeatureExtractor> encoders() {
        return List.of(
                convolutional().build(),
                SlotAttentionEncoder.builder().setBackbone(convolutional().build()).build(),
                resNet().build());
    }

    @ParameterizedTest
    @MethodSource("encoders")
    void imagesAreChecked(FeatureExtractor encoder, NDManager manager) {
        encoder.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 8));
        String who = encoder.getClass().getSimpleName() + ": images must be ";
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = normal(manager, 1, 2, 3, 8, 8);

        refused(who + "(B, 3, H, W), got (2, 4, 8, 8)", encoder, store, 2, 4, 8, 8);
        refused(who + "(B, 3, H, W), got (3, 8, 8)", encoder, store, 3, 8, 8);
        refused(
                who + "(B, 3, H, W), each size at least 1, got (0, 3, 8, 8)",
                encoder,
                store,
                0,
                3,
                8,
                8);
        refused(
                who + "(B, 3, H, W), each size at least 1, got (2, 3, 8, 0)",
                encoder,
                store,
                2,
                3,
                8,
                0);
        assertRefused(
                who + "float32 as the block's parameters, got float64",
                () -> encoder.extract(store, images.toType(DataType.FLOAT64, false), false));
        assertRefused(
                who + "float32, float64 or float16, got int32",
                () -> encoder.extract(store, images.toType(DataType.INT32, false), false));
        assertRefused(
                who + "float32, float64 or float16, got bfloat16",
                () -> encoder.extract(store, FakeArray.ofType(DataType.BFLOAT16, images), false));
        Device other = Device.of("gpu", 7);
        assertRefused(
                who
                        + "on a device of the parameter store ("
                        + manager.getDevice()
                        + "), got "
                        + other,
                () -> encoder.extract(store, FakeArray.on(other, images), false));
        assertRefused(
                who + "(B, 3, H, W), got (2, 1, 8, 8)",
                () -> encoder.getOutputShapes(new Shape[] {new Shape(2, 1, 8, 8)}));
    }

    private static void refused(
            String message, FeatureExtractor encoder, ParameterStore store, long... shape) {
        NDArray images = store.getManager().zeros(new Shape(shape));
        assertRefused(message, () -> encoder.extract(store, images, false));
    }

    @ParameterizedTest
    @MethodSource("encoders")
    void itMustBeInitialised(FeatureExtractor encoder, NDManager manager) {
        NDArray images = normal(manager, 1, 2, 3, 8, 8);
        ParameterStore store = new ParameterStore(manager, false);
        assertEquals(
                encoder.getClass().getSimpleName()
                        + ": initialize the block, or load its parameters, before it is used",
                assertThrows(
                                IllegalStateException.class,
                                () -> encoder.extract(store, images, false))
                        .getMessage());
    }

    @Test
    void optionsAreChecked() {
        String who = "ConvolutionalEncoder: ";
        assertRefused(
                who + "channels must be at least 1, got [4, 0]",
                () -> convolutional().optChannels(4, 0).build());
        assertRefused(
                who + "channels must be at least 1, got []",
                () -> convolutional().optChannels().build());
        assertRefused(
                who + "strides must be 2 numbers of at least 1, got [1]",
                () -> convolutional().optStrides(1).build());
        assertRefused(
                who + "strides must be 2 numbers of at least 1, got [1, 0]",
                () -> convolutional().optStrides(1, 0).build());
        assertRefused(
                who + "kernelSize must be odd and at least 1, got 4",
                () -> convolutional().optKernelSize(4).build());
        assertRefused(
                who + "kernelSize must be odd and at least 1, got -1",
                () -> convolutional().optKernelSize(-1).build());

        String slot = "SlotAttentionEncoder: ";
        SlotAttentionEncoder.Builder builder = SlotAttentionEncoder.builder();
        assertRefused(slot + "backbone is missing", builder::build);
        builder.setBackbone(convolutional().build());
        assertRefused(
                slot + "hidden must be at least 1, got 0", () -> builder.optHidden(0).build());
        builder.optHidden(1);
        assertRefused(
                slot + "featureDim must be at least 1, got -3",
                () -> builder.optFeatureDim(-3).build());

        String res = "ResNetEncoder: ";
        assertRefused(res + "architecture is missing", () -> ResNetEncoder.builder().build());
        assertRefused(
                res + "stages must be from 1 to 2, got 0", () -> resNet().optStages(0).build());
        assertRefused(
                res + "stages must be from 1 to 2, got 3", () -> resNet().optStages(3).build());
        String architecture = "ResNetArchitecture: ";
        assertRefused(
                architecture + "width must be at least 1, got 0",
                () -> new ResNetArchitecture(false, 0, List.of(1)));
        assertRefused(
                architecture + "blocks must be at least 1, got []",
                () -> new ResNetArchitecture(false, 1, List.of()));
        assertRefused(
                architecture + "blocks must be at least 1, got [1, 0]",
                () -> new ResNetArchitecture(false, 1, List.of(1, 0)));
    }

    @Test
    void oneValueOfAChannelHasNoStatistics(NDManager manager) {
        ParameterStore store = new ParameterStore(manager, false);
        NDArray image = normal(manager, 1, 1, 3, 8, 8); // a map of 1 by 1 after two stages
        ResNetEncoder encoder = resNet().build();
        encoder.initialize(manager, DataType.FLOAT32, image.getShape());
        encoder.extract(store, image, false);
        assertRefused(
                "ResNetEncoder: the batch's statistics need more than one value of each channel:"
                        + " use larger images or batches, fewer stages or fixed statistics; got"
                        + " features (1, 1, 8)",
                () -> encoder.extract(store, image, true));
        ResNetEncoder fixed = resNet().optFixedStatistics(true).build();
        fixed.initialize(manager, DataType.FLOAT32, image.getShape());
        fixed.extract(store, image, true);
    }

    @Test
    void aBackboneMustKeepItsPromise(NDManager manager) {
        SlotAttentionEncoder encoder =
                SlotAttentionEncoder.builder().setBackbone(new Liar()).build();
        encoder.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 8));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = normal(manager, 1, 2, 3, 8, 8);
        int before = manager.getManagedArrays().size();
        assertRefused(
                "SlotAttentionEncoder: the backbone's features must be (2, N, 6), got (2, 4, 5)",
                () -> encoder.extract(store, images, false));
        assertEquals(before, manager.getManagedArrays().size());
    }

    /** Announces features of size 6 and gives features of size 5. */
    private static final class Liar extends AbstractBlock implements FeatureExtractor {
        @Override
        public FeatureExtractorOutput extract(
                ParameterStore store, NDArray images, boolean training) {
            return new FeatureExtractorOutput(images.getManager().zeros(new Shape(2, 4, 5)));
        }

        @Override
        public int featureDim() {
            return 6;
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            return extract(store, inputs.head(), training).toNDList();
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return new Shape[] {new Shape(2, 4, 6)};
        }
    }

    @Test
    void parametersOfOtherOptionsAreRefused(NDManager manager) {
        ConvolutionalEncoder saved = convolutional().build();
        saved.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 8));
        byte[] bytes = BlockContract.save(saved);
        ConvolutionalEncoder other = convolutional().optStrides(2, 1).build();
        assertEquals(
                "ConvolutionalEncoder: the block is ConvolutionalEncoder(channels=[4, 5],"
                        + " strides=[2, 1], kernelSize=5), the parameters are of"
                        + " ConvolutionalEncoder(channels=[4, 5], strides=[1, 1], kernelSize=5)",
                refusal(bytes, other, manager));

        ResNetEncoder resNet = resNet().build();
        resNet.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 8));
        byte[] ofTwoStages = BlockContract.save(resNet);
        assertEquals(
                "ResNetEncoder: the block is ResNetEncoder(architecture=ResNetArchitecture["
                        + "bottleneck=false, width=4, blocks=[1, 1]], stages=1), the parameters are"
                        + " of ResNetEncoder(architecture=ResNetArchitecture[bottleneck=false,"
                        + " width=4, blocks=[1, 1]], stages=2)",
                refusal(ofTwoStages, resNet().optStages(1).build(), manager));
    }
}
