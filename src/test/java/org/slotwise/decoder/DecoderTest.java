package org.slotwise.decoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.internal.Convolutions;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** What the decoders promise beside their values. */
@ExtendWith(OnDevice.class)
class DecoderTest {

    private static SlotDecoder broadcast(BroadcastArchitecture architecture) {
        return SpatialBroadcastDecoder.builder()
                .setSlotDim(6)
                .setArchitecture(architecture)
                .build();
    }

    private static ImagePatchDecoder.Builder patches() {
        return ImagePatchDecoder.builder().setSlotDim(6).setImageSize(6, 9).setPatchSize(3);
    }

    static Stream<SlotDecoder> decoders() {
        return Stream.of(
                broadcast(BroadcastArchitecture.clevr(16)),
                broadcast(BroadcastArchitecture.tetrominoes(7)),
                patches().build());
    }

    private static SlotDecoding infer(NDManager manager, SlotDecoder decoder, NDArray slots) {
        decoder.initialize(manager, DataType.FLOAT32, new Shape(-1, -1, 6));
        return decoder.decode(new ParameterStore(manager, false), slots, false);
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void masksAreSharesAndTheReconstructionTheirMixture(SlotDecoder decoder, NDManager manager) {
        SlotDecoding out = infer(manager, decoder, normal(manager, 1, 2, 5, 6));
        NDArray total = out.masks().sum(new int[] {1});
        assertClose("sum over slots", total.onesLike(), total, 1e-6);
        assertTrue(Arrays.stream(doubles(out.masks())).allMatch(m -> m >= 0 && m <= 1));
        double[] masks = doubles(out.masks());
        double[] images = doubles(out.slotImages());
        double[] mixture = doubles(out.reconstruction());
        int pixels = masks.length / 10;
        for (int n = 0; n < mixture.length; n++) {
            int pixel = n % pixels;
            int channel = n / pixels % 3;
            int image = n / (3 * pixels);
            double expected = 0;
            for (int k = 5 * image; k < 5 * image + 5; k++) {
                expected += masks[k * pixels + pixel] * images[(3 * k + channel) * pixels + pixel];
            }
            assertEquals(expected, mixture[n], 1e-5);
        }
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void theOrderOfSlotsMeansNothing(SlotDecoder decoder, NDManager manager) {
        NDArray slots = normal(manager, 1, 2, 3, 6);
        SlotDecoding out = infer(manager, decoder, slots);
        SlotDecoding flipped = infer(manager, decoder, slots.flip(1));
        assertClose("reconstruction", out.reconstruction(), flipped.reconstruction(), 1e-5);
        assertClose("slot images", out.slotImages(), flipped.slotImages().flip(1), 1e-5);
        assertClose("masks", out.masks(), flipped.masks().flip(1), 1e-5);
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void slotsAloneGiveWhatTheyGiveInABatch(SlotDecoder decoder, NDManager manager) {
        NDArray slots = normal(manager, 1, 3, 2, 6);
        SlotDecoding together = infer(manager, decoder, slots);
        for (int b = 0; b < 3; b++) {
            String row = b + ":" + (b + 1);
            SlotDecoding alone = infer(manager, decoder, slots.get(row));
            assertClose(row, together.masks().get(row), alone.masks(), 1e-5);
            assertClose(row, together.slotImages().get(row), alone.slotImages(), 1e-5);
        }
    }

    /** Large batches are decoded a few images at a time. */
    @Test
    void aLargeBatchIsTheSumOfItsImages(NDManager manager) {
        // 5 MB of channels each
        Layer first = Layer.convolution(64, 1);
        SlotDecoder decoder =
                broadcast(
                        new BroadcastArchitecture(64, 64, List.of(first, Layer.convolution(4, 3))));
        NDArray slots = normal(manager, 1, 8, 5, 6);
        SlotDecoding together = infer(manager, decoder, slots);
        NDArray ofBatch = gradient(manager, decoder, slots);
        NDArray ofImages = ofBatch.zerosLike();
        for (int b = 0; b < 8; b++) {
            String row = b + ":" + (b + 1);
            NDArray slot = slots.get(row);
            SlotDecoding alone = infer(manager, decoder, slot);
            assertClose(row, together.masks().get(row), alone.masks(), 1e-5);
            assertClose(row, together.slotImages().get(row), alone.slotImages(), 1e-5);
            assertClose(row, together.reconstruction().get(row), alone.reconstruction(), 1e-5);
            ofImages = ofImages.add(gradient(manager, decoder, slot));
        }
        assertClose("gradient", ofImages, ofBatch, 1e-4);
    }

    private static NDArray gradient(NDManager manager, SlotDecoder decoder, NDArray slots) {
        NDArray weight = ReferenceCase.parameters(decoder).get("decoder.2.weight");
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            SlotDecoding out = decoder.decode(new ParameterStore(manager, false), slots, true);
            collector.backward(out.reconstruction().square().sum());
        }
        NDArray gradient = weight.getGradient();
        NDArray copy = gradient.duplicate();
        gradient.subi(copy); // gradients add up over passes
        return copy;
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void nanStaysInItsImage(SlotDecoder decoder, NDManager manager) {
        NDArray slots = normal(manager, 1, 2, 3, 6);
        NDArray expected = infer(manager, decoder, slots).reconstruction().get("1");
        slots.set(new NDIndex("0, 1, 2"), Float.NaN);
        NDArray out = infer(manager, decoder, slots).reconstruction();
        assertTrue(Arrays.stream(doubles(out.get("0"))).allMatch(Double::isNaN));
        assertSame("the other image", expected, out.get("1"));
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void theNumberOfSlotsMayChange(SlotDecoder decoder, NDManager manager) {
        for (int k : new int[] {1, 4, 11}) {
            NDArray slots = normal(manager, k, 1, k, 6);
            SlotDecoding out = infer(manager, decoder, slots);
            Shape[] announced = decoder.getOutputShapes(new Shape[] {slots.getShape()});
            assertArrayEquals(announced, out.toNDList().getShapes());
            if (k == 1) {
                NDArray only = out.slotImages().squeeze(1);
                assertClose("one slot shows everywhere", only, out.reconstruction(), 1e-6);
            }
        }
        Shape[] unknown = decoder.getOutputShapes(new Shape[] {new Shape(-1, -1, 6)});
        assertEquals(-1, unknown[0].get(0));
        assertEquals(-1, unknown[2].get(1));
    }

    @Test
    void presetsAreThePapers() {
        assertImages(BroadcastArchitecture.clevr(), 128);
        assertImages(BroadcastArchitecture.clevr(64), 64);
        assertImages(BroadcastArchitecture.tetrominoes(35), 35);
        assertImages(BroadcastArchitecture.multiDSprites(64), 64);
        // four coordinates, 5x5 kernels, 3x3 in the last layer; slots of size 6
        assertEquals(
                5 * 6 + (6 * 25 + 1) * 64 + 4 * (64 * 25 + 1) * 64 + (64 * 9 * 4 + 4),
                parameters(broadcast(BroadcastArchitecture.clevr())));
        assertEquals(
                5 * 6 + (6 * 25 + 1) * 32 + 2 * (32 * 25 + 1) * 32 + (32 * 9 * 4 + 4),
                parameters(broadcast(BroadcastArchitecture.tetrominoes(35))));
        assertEquals(8, BroadcastArchitecture.clevr().height());
    }

    private static void assertImages(BroadcastArchitecture architecture, int size) {
        assertArrayEquals(
                new Shape[] {
                    new Shape(2, 3, size, size),
                    new Shape(2, 4, 3, size, size),
                    new Shape(2, 4, size, size)
                },
                broadcast(architecture).getOutputShapes(new Shape[] {new Shape(2, 4, 6)}));
    }

    private static long parameters(SlotDecoder decoder) {
        return decoder.getParameters().values().stream().mapToLong(p -> p.getShape().size()).sum();
    }

    /** Slots at the edge and in the middle of the grid, against the convolution of a whole grid. */
    @ParameterizedTest
    @CsvSource({"5, 5, 5", "9, 6, 5", "3, 4, 3", "8, 7, 1", "7, 10, 7"})
    void broadcastConvolutionIsTheConvolutionOfTheGrid(
            int height, int width, int kernel, NDManager manager) {
        NDArray vectors = normal(manager, 1, DataType.FLOAT64, 3, 4);
        NDArray weight = normal(manager, 2, DataType.FLOAT64, 5, 4, kernel, kernel);
        NDArray grid = vectors.reshape(3, 4, 1, 1).broadcast(new Shape(3, 4, height, width));
        NDArray expected = Convolutions.conv2d(grid, weight, null, 1, kernel / 2);
        NDArray got = BroadcastConvolution.apply(vectors, weight, height, width);
        assertClose("convolution", expected, got, 1e-12);
    }

    @Test
    void aPatchLiesWhereItsPlaceSays(NDManager manager) {
        ImagePatchDecoder decoder = patches().optFrequencies(0).optHiddenLayers(0).build();
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 6));
        // No slot and no weights, but biases that number the pixels of a patch.
        decoder.getParameters()
                .forEach(p -> fill(p.getValue().getArray(), p.getKey().endsWith("mlp.0.bias")));
        SlotDecoding out = infer(manager, decoder, normal(manager, 1, 1, 1, 6));
        double[] image = doubles(out.reconstruction());
        for (int n = 0; n < image.length; n++) {
            int column = n % 9;
            int row = n / 9 % 6;
            int channel = n / 54;
            assertEquals(9 * channel + row % 3 * 3 + column % 3, image[n], 1e-6);
        }
    }

    private static void fill(NDArray array, boolean numbers) {
        float[] values = new float[Math.toIntExact(array.size())];
        for (int i = 0; numbers && i < values.length; i++) {
            values[i] = i;
        }
        try (NDArray source = array.getManager().create(values, array.getShape())) {
            Ops.overwrite(array, source);
        }
    }

    @Test
    void startingValuesArePyTorchs(NDManager manager) {
        SlotDecoder decoder =
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(64)
                        .setArchitecture(BroadcastArchitecture.clevr(16))
                        .build();
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 64));
        assertBound(decoder, "decoder.0.weight", 1 / Math.sqrt(64 * 25));
        // of a transposed convolution PyTorch counts the channels that come out
        assertBound(decoder, "decoder.10.weight", 1 / Math.sqrt(4 * 9));
        SlotDecoder plain =
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(64)
                        .setArchitecture(BroadcastArchitecture.tetrominoes(5))
                        .build();
        plain.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 64));
        assertBound(plain, "decoder.6.weight", 1 / Math.sqrt(32 * 9));
    }

    private static void assertBound(SlotDecoder decoder, String name, double bound) {
        double largest = Tensors.largest(ReferenceCase.parameters(decoder).get(name));
        assertTrue(largest <= bound * (1 + 1e-6) && largest > 0.9 * bound, name + ": " + largest);
    }

    /** Images to slots to images, all blocks in DJL's own sequence. */
    @ParameterizedTest
    @MethodSource("decoders")
    void worksInASequence(SlotDecoder decoder, NDManager manager) {
        Shape image = decoder.getOutputShapes(new Shape[] {new Shape(2, 3, 6)})[0];
        NDArray conditioning = normal(manager, 1, 2, 3, 6);
        conditioning.setName("conditioning");
        SequentialBlock model =
                new SequentialBlock()
                        .add(SlotAttentionEncoder.tetrominoes())
                        // positions, second, are in the features already
                        .add(list -> new NDList(list.head(), conditioning))
                        .add(SlotAttention.builder().setDim(6).setFeatureDim(32).build())
                        .add(decoder);
        model.initialize(manager, DataType.FLOAT32, image);
        NDArray images = normal(manager, 2, image.getShape());
        ParameterStore store = new ParameterStore(manager, false);
        SlotDecoding out = SlotDecoding.from(model.forward(store, new NDList(images), false));
        assertEquals(image, out.reconstruction().getShape());
        assertEquals("masks", out.masks().getName());

        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            SlotDecoding trained =
                    SlotDecoding.from(model.forward(store, new NDList(images), true));
            collector.backward(trained.reconstruction().sub(images).square().sum());
        }
        model.getParameters()
                .forEach(
                        p ->
                                assertNotEquals(
                                        0,
                                        Tensors.largest(p.getValue().getArray().getGradient()),
                                        p.getKey()));
    }

    @Test
    void groupingsOtherOutputsAreLeftAside(NDManager manager) {
        SlotDecoder decoder = patches().build();
        NDArray slots = normal(manager, 1, 1, 2, 6);
        SlotDecoding expected = infer(manager, decoder, slots);
        slots.setName("objects");
        NDArray attributions = normal(manager, 1, 1, 2, 9);
        attributions.setName("feature_attributions");
        NDList out =
                decoder.forward(
                        new ParameterStore(manager, false), new NDList(attributions, slots), false);
        assertSame("reconstruction", expected.reconstruction(), out.get(0));
    }

    @Test
    void mixedLayersChangeTheSizeAsAnnounced(NDManager manager) {
        BroadcastArchitecture architecture =
                new BroadcastArchitecture(
                        2,
                        3,
                        List.of(
                                Layer.convolution(5, 3),
                                Layer.transposed(4, 1, 3),
                                Layer.transposed(4, 7, 2)));
        SlotDecoding out = infer(manager, broadcast(architecture), normal(manager, 1, 1, 2, 6));
        assertEquals(new Shape(1, 2, 12, 18), out.masks().getShape());
    }
}
