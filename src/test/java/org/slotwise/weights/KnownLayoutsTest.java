package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/**
 * Weights of other implementations give here what those compute: make_layouts.py has their
 * equations.
 */
@ExtendWith(OnDevice.class)
class KnownLayoutsTest {

    private static final double KERAS_EPS = 1e-3;

    private static RandomConditioning conditioning() {
        return RandomConditioning.builder().setDim(4).setSlots(3).build();
    }

    private static SlotAttention.Builder attention(int featureDim, double normEps) {
        return SlotAttention.builder()
                .setDim(4)
                .setFeatureDim(featureDim)
                .optNormEps(normEps)
                .optFeedForward(new FeedForward(4, 6, normEps));
    }

    private static Map<String, Block> initialised(NDManager manager, Map<String, Block> parts) {
        parts.values()
                .forEach(
                        block ->
                                block.initialize(
                                        manager,
                                        DataType.FLOAT64,
                                        block instanceof SlotAttentionEncoder
                                                ? new Shape(-1, 3, 6, 7)
                                                : new Shape(-1, -1, 4)));
        return parts;
    }

    /** The part of a fixture behind a prefix, on the device of the tests. */
    private static Map<String, NDArray> part(StateDict file, String prefix, NDManager manager) {
        Map<String, NDArray> part = new LinkedHashMap<>();
        file.under(prefix)
                .arrays()
                .forEach(
                        (name, array) -> {
                            NDArray copy = array.toDevice(manager.getDevice(), true);
                            copy.attach(manager);
                            part.put(name, copy);
                        });
        return part;
    }

    private static NDArray group(
            Map<String, Block> parts, NDManager manager, NDArray features, NDArray noise) {
        ParameterStore store = new ParameterStore(manager, false);
        NDArray start =
                ((RandomConditioning) parts.get("conditioning")).sample(store, noise, false);
        return ((SlotAttention) parts.get("grouping"))
                .group(store, new FeatureExtractorOutput(features), start, false)
                .objects();
    }

    static Stream<Arguments> layouts() {
        return Stream.of(
                Arguments.of("keras", KnownLayouts.kerasSlotAttention(), attention(5, KERAS_EPS)),
                Arguments.of(
                        "lucidrains",
                        KnownLayouts.lucidrains(),
                        attention(4, 1e-5).optProjectionBias(true)),
                Arguments.of("lucidrains_old", KnownLayouts.lucidrains(), attention(4, 1e-5)),
                Arguments.of(
                        "object_discovery_pytorch",
                        KnownLayouts.objectDiscoveryPytorch(),
                        attention(5, 1e-5).optImplicitDifferentiation(true)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("layouts")
    void computesWhatTheOriginalComputes(
            String name, NameMap map, SlotAttention.Builder builder, NDManager manager)
            throws IOException {
        Map<String, Block> parts =
                initialised(
                        manager,
                        Map.of("conditioning", conditioning(), "grouping", builder.build()));
        try (StateDict file = StateDictFileTest.fixture("layout_" + name + ".npz")) {
            StateDict theirs = StateDict.of(part(file, "param/", manager));
            try (StateDict ours = map.apply(theirs)) {
                assertTrue(ours.report(parts).fits(), ours.report(parts).faults());
                ours.loadInto(parts);
            }
            Map<String, NDArray> inputs = part(file, "input/", manager);
            NDArray slots = group(parts, manager, inputs.get("features"), inputs.get("noise"));
            NDArray expected = part(file, "output/", manager).get("slots");
            assertClose("slots", expected, slots, 1e-12);
        }
    }

    /** What is written back is what was read, to the last bit. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("layouts")
    void goesBothWays(String name, NameMap map, SlotAttention.Builder builder, NDManager manager)
            throws IOException {
        Map<String, Block> parts =
                initialised(
                        manager,
                        Map.of("conditioning", conditioning(), "grouping", builder.build()));
        try (StateDict file = StateDictFileTest.fixture("layout_" + name + ".npz")) {
            StateDict theirs = file.under("param/");
            map.apply(theirs).loadInto(parts);
            try (StateDict back = map.revert(StateDict.ofParts(parts))) {
                assertSamePerName(
                        name.equals("lucidrains_old") ? withNewNames(theirs) : theirs, back);
            }
        }
    }

    private static void assertSamePerName(StateDict expected, StateDict got) {
        assertEquals(new TreeSet<>(expected.names()), new TreeSet<>(got.names()));
        for (String name : expected.names()) {
            assertClose(
                    name,
                    expected.get(name),
                    got.get(name).toDevice(expected.get(name).getDevice(), false),
                    name.equals("slots_logsigma") ? 1e-15 : 0);
        }
    }

    /** Old versions of lucidrains' are written back as new ones. */
    private static StateDict withNewNames(StateDict old) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        old.arrays()
                .forEach(
                        (name, a) -> {
                            String renamed =
                                    name.replace("_l0", "")
                                            .replace("mlp.fn.norm", "norm_pre_ff")
                                            .replace("mlp.fn.fn", "mlp");
                            boolean sigma = name.equals("slots_sigma");
                            arrays.put(sigma ? "slots_logsigma" : renamed, sigma ? a.log() : a);
                        });
        return StateDict.of(arrays);
    }

    /** The eps of Keras' normalisation is not a detail. */
    @Test
    void torchsEpsGivesOtherSlotsThanKeras(NDManager manager) throws IOException {
        for (int which = 0; which < 2; which++) {
            SlotAttention.Builder builder =
                    which == 0
                            ? attention(5, KERAS_EPS).optNormEps(1e-5)
                            : attention(5, KERAS_EPS).optFeedForward(new FeedForward(4, 6));
            Map<String, Block> parts =
                    initialised(
                            manager,
                            Map.of("conditioning", conditioning(), "grouping", builder.build()));
            try (StateDict file = StateDictFileTest.fixture("layout_keras.npz")) {
                KnownLayouts.kerasSlotAttention().apply(file.under("param/")).loadInto(parts);
                Map<String, NDArray> inputs = part(file, "input/", manager);
                NDArray slots = group(parts, manager, inputs.get("features"), inputs.get("noise"));
                NDArray expected = part(file, "output/", manager).get("slots");
                assertTrue(Tensors.largest(slots.sub(expected)) > 1e-4, "option " + which);
            }
        }
    }

    @Test
    void normEpsMustBeAboveZero() {
        String must = ": normEps must be above 0 and finite, got ";
        for (double eps : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertRefused(
                    "SlotAttention" + must + eps,
                    () ->
                            SlotAttention.builder()
                                    .setDim(1)
                                    .setFeatureDim(1)
                                    .optNormEps(eps)
                                    .build());
            assertRefused("FeedForward" + must + eps, () -> new FeedForward(1, 1, eps));
            assertRefused(
                    "SlotAttentionEncoder" + must + eps,
                    () ->
                            SlotAttentionEncoder.builder()
                                    .setBackbone(ConvolutionalEncoder.builder().build())
                                    .optNormEps(eps)
                                    .build());
        }
    }

    private static Map<String, Block> autoEncoder(double encoderEps) {
        Layer shifted = Layer.transposed(3, 7, 2);
        return Map.of(
                "encoder",
                SlotAttentionEncoder.builder()
                        .setBackbone(
                                ConvolutionalEncoder.builder()
                                        .optChannels(4, 4, 4, 4)
                                        .optKernelSize(3)
                                        .build())
                        .optNormEps(encoderEps)
                        .build(),
                "conditioning",
                conditioning(),
                "grouping",
                SlotAttention.builder()
                        .setDim(4)
                        .setFeatureDim(4)
                        .optNormEps(KERAS_EPS)
                        .optFeedForward(new FeedForward(4, 5, KERAS_EPS))
                        .build(),
                "decoder",
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(4)
                        .setArchitecture(
                                new BroadcastArchitecture(
                                        2,
                                        3,
                                        List.of(
                                                shifted,
                                                shifted,
                                                shifted,
                                                shifted,
                                                Layer.transposed(3, 5, 1),
                                                Layer.transposed(4, 3, 1))))
                        .build());
    }

    /** Images to features to slots to images, with TensorFlow's alignment of strides. */
    @Test
    void theWholeKerasModelComputesTheSame(NDManager manager) throws IOException {
        Map<String, Block> parts = initialised(manager, autoEncoder(KERAS_EPS));
        try (StateDict file = StateDictFileTest.fixture("layout_keras_auto_encoder.npz")) {
            NameMap map = KnownLayouts.kerasAutoEncoder();
            StateDict theirs = file.under("param/");
            map.apply(theirs).loadInto(parts);
            Map<String, NDArray> inputs = part(file, "input/", manager);
            Map<String, NDArray> outputs = part(file, "output/", manager);
            ParameterStore store = new ParameterStore(manager, false);
            NDArray features = encode(parts, store, inputs.get("images"));
            assertClose("features", outputs.get("features"), features, 1e-12);
            NDArray slots = group(parts, manager, features, inputs.get("noise"));
            assertClose("slots", outputs.get("slots"), slots, 1e-11);
            NDArray image =
                    ((SpatialBroadcastDecoder) parts.get("decoder"))
                            .decode(store, slots, false)
                            .reconstruction();
            assertClose("reconstruction", outputs.get("reconstruction"), image, 1e-11);
            try (StateDict back = map.revert(StateDict.ofParts(parts))) {
                assertSamePerName(theirs, back);
            }

            Map<String, Block> other = initialised(manager, autoEncoder(1e-5));
            map.apply(theirs).loadInto(other);
            NDArray off = encode(other, store, inputs.get("images")).sub(features);
            assertTrue(Tensors.largest(off) > 1e-5, "the encoder's eps");
        }
    }

    private static NDArray encode(Map<String, Block> parts, ParameterStore store, NDArray images) {
        return ((SlotAttentionEncoder) parts.get("encoder"))
                .extract(store, images, false)
                .features();
    }

    private static String refusal(NameMap map, Map<String, NDArray> theirs) {
        return assertThrows(IllegalArgumentException.class, () -> map.apply(StateDict.of(theirs)))
                .getMessage();
    }

    @Test
    void refusesWhatCannotBeRepresented(NDManager manager) {
        NDArray one = manager.ones(new Shape(12));
        assertEquals(
                "NameMap: a map: gru/bias is (12), of a GRU with reset_after=False: that is another"
                        + " cell, which cannot be represented; train with reset_after=True",
                refusal(KnownLayouts.kerasSlotAttention(), Map.of("gru/bias", one)));
        assertEquals(
                "NameMap: a map: gru/kernel must have three gates side by side, got (4, 10)",
                refusal(
                        KnownLayouts.kerasSlotAttention(),
                        Map.of("gru/kernel", manager.ones(new Shape(4, 10)))));
        assertEquals(
                "NameMap: a map: combine_heads.bias is of several heads that do not compete: not"
                        + " supported",
                refusal(KnownLayouts.lucidrains(), Map.of("combine_heads.bias", one)));
        assertEquals(
                "NameMap: a map: input_mlp.0.bias is of a perceptron on the inputs, which"
                        + " SlotAttention lacks",
                refusal(KnownLayouts.objectDiscoveryPytorch(), Map.of("input_mlp.0.bias", one)));
    }

    /** A kernel that uses the room of the alignment has no place in TensorFlow. */
    @Test
    void refusesToCutWeightsOff(NDManager manager) {
        Conversion shifted = KerasConversions.shifted(KerasConversions.transposedConvolution());
        NDArray kernel = Tensors.normal(manager, 1, 5, 5, 2, 3);
        NDArray wide = shifted.apply(kernel).get(0);
        assertEquals(new Shape(3, 2, 7, 7), wide.getShape());
        assertSame("and back", kernel, shifted.revert(List.of(wide)));
        assertRefused(
                "has weights in its first two rows or columns, for which there is no place",
                () -> shifted.revert(List.of(Tensors.normal(manager, 2, 3, 2, 7, 7))));
        // A single weight above, or on the left.
        for (String place : List.of("1, 1, 1, 5", "2, 0, 4, 1")) {
            NDArray spoilt = wide.duplicate();
            spoilt.set(new NDIndex(place), 1);
            assertRefused(
                    "has weights in its first two rows or columns, for which there is no place",
                    () -> shifted.revert(List.of(spoilt)));
        }
        for (Shape small : List.of(new Shape(3, 2, 2, 7), new Shape(3, 2, 7, 2))) {
            assertRefused(
                    "must be larger than 2 x 2 in height and width, got " + small,
                    () -> shifted.revert(List.of(manager.zeros(small))));
        }
        assertRefused(
                "must have 4 axes, got (3, 7, 7)",
                () -> shifted.revert(List.of(manager.zeros(new Shape(3, 7, 7)))));
    }

    /** A transposed convolution with stride 1 as a plain one. */
    @Test
    void mirrorsTransposedConvolutions(NDManager manager) {
        NDArray kernel = Tensors.normal(manager, 1, 3, 5, 2, 4);
        Conversion mirrored = KerasConversions.transposedAsPlainConvolution();
        NDArray plain = mirrored.apply(kernel).get(0);
        assertEquals(new Shape(2, 4, 3, 5), plain.getShape());
        assertEquals(
                kernel.getFloat(0, 1, 1, 2), plain.getFloat(1, 2, 2, 3), "the element mirrored");
        assertSame("and back", kernel, mirrored.revert(List.of(plain)));
    }

    private static void refused(String message, Conversion conversion, NDArray array) {
        assertRefused(message, () -> conversion.apply(array));
    }

    @Test
    void kerasArraysOfOtherShapes(NDManager manager) {
        NDArray cube = manager.ones(new Shape(3, 3, 3));
        String two = "must have 2 axes, got (3, 3, 3)";
        refused(two, KerasConversions.gruKernel(), cube);
        assertRefused(two, () -> KerasConversions.gruKernel().revert(List.of(cube)));
        String four = "must have 4 axes, got (3, 3, 3)";
        refused(four, KerasConversions.transposedAsPlainConvolution(), cube);
        assertRefused(
                four, () -> KerasConversions.transposedAsPlainConvolution().revert(List.of(cube)));
        Conversion bias = KerasConversions.gruBias();
        refused("must be (2, 3 D), got (3, 3, 3)", bias, cube);
        refused("must be (2, 3 D), got (3, 6)", bias, manager.ones(new Shape(3, 6)));
        NDArray flat = manager.ones(new Shape(6));
        assertRefused(
                "must have 1 axes, got (2, 6)",
                () -> bias.revert(List.of(flat, manager.ones(new Shape(2, 6)))));
    }

    @Test
    void convolutionsOfOneByOneAreLinear(NDManager manager) {
        Conversion pointwise = Conversion.pointwise();
        NDArray weight = Tensors.normal(manager, 1, 2, 3, 1, 1);
        NDArray linear = pointwise.apply(weight).get(0);
        assertSame("linear", weight.reshape(2, 3), linear);
        assertSame("and back", weight, pointwise.revert(List.of(linear)));
        NDArray bias = Tensors.normal(manager, 2, 2);
        assertSame("a bias", bias, pointwise.apply(bias).get(0));
        assertSame("a bias back", bias, pointwise.revert(List.of(bias)));
        assertSame("what is linear", linear, pointwise.apply(linear).get(0));
        for (Shape shape :
                List.of(new Shape(2, 3, 1), new Shape(2, 3, 1, 4), new Shape(2, 3, 4, 1))) {
            refused("must be (out, in, 1, 1), got " + shape, pointwise, manager.zeros(shape));
        }
    }

    @Test
    void deviationsHaveNoSign(NDManager manager) {
        NDArray sigma = manager.create(new float[] {0.5f, -0.5f, 2});
        NDArray log = Conversion.logarithm().apply(sigma).get(0);
        float half = (float) Math.log(0.5);
        assertClose("log", manager.create(new float[] {half, half, -half}), log, 1e-6);
        assertClose("back", sigma.abs(), Conversion.logarithm().revert(List.of(log)), 1e-6);
    }

    private static Map<String, NDArray> extractor(NDManager manager, int first, int channels) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        for (int layer = 0; layer < 4; layer++) {
            String name = "models.feature_extractor.layers." + (first + 2 * layer);
            int in = layer == 0 ? 3 : channels;
            arrays.put(name + ".weight", manager.zeros(new Shape(channels, in, 5, 5)));
            arrays.put(name + ".bias", manager.zeros(new Shape(channels)));
        }
        return arrays;
    }

    /** OCLF's extractor of SAVi has the names of Slot Attention's, and no ReLU at its end. */
    @Test
    void tellsOclfsExtractorsApart(NDManager manager) {
        StateDict slotAttention = StateDict.of(extractor(manager, 0, 64));
        StateDict savi = StateDict.of(extractor(manager, 0, 32));
        StateDict larger = StateDict.of(extractor(manager, 1, 64));
        for (NameMap map : List.of(KnownLayouts.oclf(), KnownLayouts.oclfModules())) {
            assertEquals(8, map.apply(slotAttention).names().size());
            String message =
                    assertThrows(IllegalArgumentException.class, () -> map.apply(savi))
                            .getMessage();
            assertTrue(message.contains("optLastActivation(false)"), message);
            message =
                    assertThrows(IllegalArgumentException.class, () -> map.apply(larger))
                            .getMessage();
            assertTrue(message.contains("larger_input_arch"), message);
        }
        assertThrows(IllegalArgumentException.class, () -> KnownLayouts.oclfSavi().apply(larger));
        ConvolutionalEncoder encoder =
                ConvolutionalEncoder.builder()
                        .optChannels(32, 32, 32, 32)
                        .optLastActivation(false)
                        .build();
        encoder.initialize(manager, DataType.FLOAT32, new Shape(-1, 3, 8, 8));
        KnownLayouts.oclfSavi().apply(savi).loadInto(Map.of("encoder", encoder));
    }
}
