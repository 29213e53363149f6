package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;

/** What the encoders promise beside their values. */
@ExtendWith(OnDevice.class)
class EncoderTest {

    private static final ResNetArchitecture SMALL =
            new ResNetArchitecture(false, 4, List.of(1, 1, 1));

    private static <T extends FeatureExtractor> T initialised(NDManager manager, T encoder) {
        encoder.initialize(manager, DataType.FLOAT32, new Shape(-1, 3, -1, -1));
        return encoder;
    }

    private static FeatureExtractorOutput infer(
            NDManager manager, FeatureExtractor encoder, NDArray images) {
        return encoder.extract(new ParameterStore(manager, false), images, false);
    }

    static Stream<FeatureExtractor> encoders() {
        return Stream.of(
                ConvolutionalEncoder.builder().optChannels(4, 5).optStrides(1, 2).build(),
                SlotAttentionEncoder.tetrominoes(),
                ResNetEncoder.builder().setArchitecture(SMALL).optStages(2).build());
    }

    @ParameterizedTest
    @MethodSource("encoders")
    void anImageAloneGivesWhatItGivesInABatch(FeatureExtractor encoder, NDManager manager) {
        initialised(manager, encoder);
        NDArray images = normal(manager, 1, 3, 3, 12, 15);
        NDArray together = infer(manager, encoder, images).features();
        for (int b = 0; b < 3; b++) {
            NDArray alone = infer(manager, encoder, images.get(b + ":" + (b + 1))).features();
            assertClose("image " + b, together.get(b + ":" + (b + 1)), alone, 1e-5);
        }
    }

    /** Large batches are computed a few images at a time. */
    @Test
    void aLargeBatchIsTheSumOfItsImages(NDManager manager) {
        FeatureExtractor encoder =
                initialised(
                        manager,
                        ConvolutionalEncoder.builder()
                                .optChannels(64, 4)
                                .optStrides(1, 4)
                                .optKernelSize(3)
                                .build());
        NDArray images = normal(manager, 1, 7, 3, 128, 120); // 4 MB of channels each
        NDArray together = infer(manager, encoder, images).features();
        NDArray ofBatch = gradient(manager, encoder, images);
        NDArray ofImages = ofBatch.zerosLike();
        for (int b = 0; b < 7; b++) {
            String row = b + ":" + (b + 1);
            NDArray image = images.get(row);
            NDArray alone = infer(manager, encoder, image).features();
            assertClose(row, together.get(row), alone, 1e-5);
            ofImages = ofImages.add(gradient(manager, encoder, image));
        }
        assertClose("gradient", ofImages, ofBatch, 1e-4);
    }

    private static NDArray gradient(NDManager manager, FeatureExtractor encoder, NDArray images) {
        NDArray weight = encoder.getDirectParameters().get("layers.0.weight").getArray();
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray out =
                    encoder.extract(new ParameterStore(manager, false), images, true).features();
            collector.backward(out.square().sum());
        }
        NDArray gradient = weight.getGradient();
        NDArray copy = gradient.duplicate();
        gradient.subi(copy); // gradients add up over passes
        return copy;
    }

    @ParameterizedTest
    @MethodSource("encoders")
    void anImageOfNaNHarmsNoOther(FeatureExtractor encoder, NDManager manager) {
        initialised(manager, encoder);
        NDArray images = normal(manager, 1, 2, 3, 12, 15);
        NDArray expected = infer(manager, encoder, images).features().get("1");
        images.set(new NDIndex("0, 1, 3, 4"), Float.NaN);
        NDArray features = infer(manager, encoder, images).features();
        assertTrue(Arrays.stream(doubles(features.get("0"))).anyMatch(Double::isNaN));
        assertSame("the other image", expected, features.get("1"));
    }

    @ParameterizedTest
    @MethodSource("encoders")
    void theSizeOfImagesMayChange(FeatureExtractor encoder, NDManager manager) {
        initialised(manager, encoder);
        for (int size : new int[] {1, 2, 7, 16}) {
            NDArray images = normal(manager, size, 1, 3, size, size + 1);
            Shape[] announced = encoder.getOutputShapes(new Shape[] {images.getShape()});
            FeatureExtractorOutput out = infer(manager, encoder, images);
            assertEquals(announced[0], out.features().getShape());
            assertEquals(announced[1], out.positions().getShape());
            assertEquals(encoder.featureDim(), announced[0].get(2));
        }
        Shape[] unknown = encoder.getOutputShapes(new Shape[] {new Shape(-1, 3, -1, 8)});
        assertEquals(new Shape(-1, -1, encoder.featureDim()), unknown[0]);
        assertEquals(new Shape(-1, 2), unknown[1]);
    }

    @Test
    void featuresGoRowByRowAndPositionsWithThem(NDManager manager) {
        ConvolutionalEncoder encoder =
                initialised(
                        manager,
                        ConvolutionalEncoder.builder().optChannels(1).optKernelSize(1).build());
        NDArray weight = encoder.getDirectParameters().get("layers.0.weight").getArray();
        Ops.overwrite(weight, weight.onesLike());
        // red tells the column, green ten times the row
        NDArray images = manager.zeros(new Shape(1, 3, 3, 4));
        for (int row = 0; row < 3; row++) {
            for (int column = 0; column < 4; column++) {
                images.set(index(0, row, column), column);
                images.set(index(1, row, column), 10 * row);
            }
        }
        float bias =
                encoder.getDirectParameters().get("layers.0.bias").getArray().toFloatArray()[0];
        FeatureExtractorOutput out = infer(manager, encoder, images);
        double[] features = doubles(out.features());
        double[] positions = doubles(out.positions());
        for (int n = 0; n < 12; n++) {
            int row = n / 4;
            int column = n % 4;
            assertEquals(Math.max(0, 10 * row + column + bias), features[n], 1e-5);
            assertEquals(row / 2.0, positions[2 * n], 1e-7);
            assertEquals(column / 3.0, positions[2 * n + 1], 1e-7);
        }
    }

    private static NDIndex index(int channel, int row, int column) {
        return new NDIndex("0, {}, {}, {}", channel, row, column);
    }

    @Test
    void onListsItGivesNamedFeaturesAndPositions(NDManager manager) {
        FeatureExtractor encoder = initialised(manager, SlotAttentionEncoder.tetrominoes());
        NDList out =
                encoder.forward(
                        new ParameterStore(manager, false),
                        new NDList(normal(manager, 1, 1, 3, 4, 4)),
                        false);
        assertEquals("features", out.get(0).getName());
        assertEquals("positions", out.get(1).getName());
        assertEquals(2, out.size());
    }

    @Test
    void presetsAreThePapers() {
        assertShapes(SlotAttentionEncoder.clevr(), 128, 128 * 128, 64);
        assertShapes(SlotAttentionEncoder.clevrStrided(), 128, 32 * 32, 64);
        assertShapes(SlotAttentionEncoder.tetrominoes(), 35, 35 * 35, 32);
        assertShapes(SlotAttentionEncoder.multiDSprites(), 64, 64 * 64, 32);
        // 5x5 kernels, LayerNorm, two linear layers, four coordinates
        assertEquals(
                (3 * 25 + 1) * 64 + 3 * (64 * 25 + 1) * 64 + 2 * 64 + 2 * 65 * 64 + 5 * 64,
                parameters(SlotAttentionEncoder.clevr()));
        assertEquals(
                (3 * 25 + 1) * 32 + 3 * (32 * 25 + 1) * 32 + 2 * 32 + 2 * 33 * 32 + 5 * 32,
                parameters(SlotAttentionEncoder.tetrominoes()));
    }

    private static void assertShapes(FeatureExtractor encoder, int size, long n, long dim) {
        Shape[] shapes = encoder.getOutputShapes(new Shape[] {new Shape(2, 3, size, size)});
        assertArrayEquals(new Shape[] {new Shape(2, n, dim), new Shape(n, 2)}, shapes);
    }

    private static long parameters(FeatureExtractor encoder) {
        return encoder.getParameters().values().stream()
                .filter(Parameter::requiresGradient)
                .mapToLong(parameter -> parameter.getShape().size())
                .sum();
    }

    @ParameterizedTest
    @CsvSource({"1, 56, 64, 256", "2, 28, 128, 512", "3, 14, 256, 1024", "4, 7, 512, 2048"})
    void fewerStagesLeaveMoreFeatures(int stages, long side, int dim18, int dim50) {
        assertShapes(
                ResNetEncoder.builder()
                        .setArchitecture(ResNetArchitecture.resNet18())
                        .optStages(stages)
                        .build(),
                224,
                side * side,
                dim18);
        assertShapes(
                ResNetEncoder.builder()
                        .setArchitecture(ResNetArchitecture.resNet50())
                        .optStages(stages)
                        .build(),
                224,
                side * side,
                dim50);
    }

    /** The numbers are those of torchvision's models without their classifiers. */
    @Test
    void resNetsHaveTorchvisionsParameters() {
        assertResNet(ResNetArchitecture.resNet18(), 100, 11_176_512);
        assertResNet(ResNetArchitecture.resNet34(), 180, 21_284_672);
        assertResNet(ResNetArchitecture.resNet50(), 265, 23_508_032);

        ResNetEncoder encoder =
                ResNetEncoder.builder().setArchitecture(ResNetArchitecture.resNet50()).build();
        Map<String, Shape> shapes =
                encoder.getParameters().values().stream()
                        .collect(Collectors.toMap(Parameter::getName, Parameter::getShape));
        assertEquals(new Shape(64, 3, 7, 7), shapes.get("conv1.weight"));
        assertEquals(new Shape(64), shapes.get("bn1.running_var"));
        assertEquals(new Shape(256, 64, 1, 1), shapes.get("layer1.0.downsample.0.weight"));
        assertEquals(new Shape(256), shapes.get("layer1.0.downsample.1.running_mean"));
        assertFalse(shapes.containsKey("layer1.1.downsample.0.weight"));
        assertEquals(new Shape(128, 128, 3, 3), shapes.get("layer2.0.conv2.weight"));
        assertEquals(new Shape(2048, 512, 1, 1), shapes.get("layer4.2.conv3.weight"));
        assertEquals(new Shape(2048), shapes.get("layer4.2.bn3.bias"));
    }

    private static void assertResNet(ResNetArchitecture architecture, int count, long trainable) {
        ResNetEncoder encoder = ResNetEncoder.builder().setArchitecture(architecture).build();
        assertEquals(count, encoder.getParameters().size());
        assertEquals(trainable, parameters(encoder));
    }

    @Test
    void inferenceLeavesTheRunningStatisticsAlone(NDManager manager) {
        ResNetEncoder encoder =
                initialised(
                        manager,
                        ResNetEncoder.builder().setArchitecture(SMALL).optStages(1).build());
        NDArray mean = encoder.getDirectParameters().get("bn1.running_mean").getArray();
        NDArray images = normal(manager, 1, 2, 3, 12, 12);
        infer(manager, encoder, images);
        assertSame("after inference", mean.zerosLike(), mean);
        encoder.extract(new ParameterStore(manager, false), images, true);
        assertTrue(Arrays.stream(doubles(mean)).anyMatch(v -> v != 0), "after training");
    }

    @Test
    void startingValuesAreTheirSources(NDManager manager) {
        ConvolutionalEncoder encoder =
                initialised(manager, ConvolutionalEncoder.builder().optChannels(32, 32).build());
        // uniform in +-1 / sqrt(32 * 25)
        assertUniform(encoder, "layers.2.weight", 1 / Math.sqrt(32 * 25));
        assertUniform(encoder, "layers.2.bias", 1 / Math.sqrt(32 * 25));
        assertUniform(encoder, "layers.0.weight", 1 / Math.sqrt(3 * 25));

        ResNetEncoder resNet =
                initialised(
                        manager,
                        ResNetEncoder.builder()
                                .setArchitecture(ResNetArchitecture.resNet18())
                                .optStages(1)
                                .build());
        double[] weight =
                doubles(resNet.getDirectParameters().get("layer1.0.conv1.weight").getArray());
        double square = Arrays.stream(weight).map(v -> v * v).average().orElseThrow();
        assertEquals(2.0 / (64 * 9), square, 0.05 * square);
        NDArray gain = resNet.getDirectParameters().get("bn1.weight").getArray();
        assertSame("gain", gain.onesLike(), gain);
    }

    private static void assertUniform(FeatureExtractor encoder, String name, double bound) {
        double largest =
                Arrays.stream(doubles(encoder.getDirectParameters().get(name).getArray()))
                        .map(Math::abs)
                        .max()
                        .orElseThrow();
        assertTrue(largest <= bound * (1 + 1e-6) && largest > 0.8 * bound, name + ": " + largest);
    }
}
