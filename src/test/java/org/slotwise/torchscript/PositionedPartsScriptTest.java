package org.slotwise.torchscript;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.encoder.ContentAndPlaceEncoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.Kernel;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.grouping.StoppingRule;
import org.slotwise.layer.FeedForward;
import org.slotwise.position.PositionGrid;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/** Parts of models whose slots have places: each option in TorchScript as in Java. */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class PositionedPartsScriptTest {

    private static final DataType TYPE = DataType.FLOAT64;
    private static final int DIM = 8;
    private static final int FEATURES = 6;
    private static final int SLOTS = 3;

    private static Block initialized(NDManager manager, Block block, Shape... shapes) {
        block.initialize(manager, TYPE, shapes);
        int seed = 0;
        for (Parameter parameter : StateDict.parameters(block).values()) {
            NDArray array = parameter.getArray();
            // What starts at 0 or 1 would hide a mistake.
            array.addi(Tensors.normal(manager, ++seed, TYPE, array.getShape().getShape()).mul(0.1));
        }
        return block;
    }

    private static Model load(Block block, Path folder) throws Exception {
        TorchScript.of(block).write(folder.resolve("block.pt"));
        Model model = Model.newInstance("module", OnDevice.device(), "PyTorch");
        model.load(folder, "block.pt", Map.of("trainParam", "true"));
        return model;
    }

    private static NDList bare(NDArray... arrays) {
        NDList list = new NDList();
        for (NDArray array : arrays) {
            NDArray copy = array.duplicate();
            copy.setRequiresGradient(array.hasGradient());
            list.add(copy);
        }
        return list;
    }

    /** The gradients of all parameters of a sum of outputs, weighed so that none cancels. */
    private static Map<String, NDArray> gradients(Block block, Supplier<NDList> call) {
        Map<String, Parameter> parameters = new TreeMap<>(StateDict.parameters(block));
        parameters.values().forEach(p -> p.getArray().setRequiresGradient(true));
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray loss = null;
            for (NDArray array : call.get()) {
                NDArray one = array.sin().square().mean();
                loss = loss == null ? one : loss.add(one);
            }
            collector.backward(loss);
        }
        Map<String, NDArray> gradients = new TreeMap<>();
        parameters.forEach(
                (name, p) -> gradients.put(name, p.getArray().getGradient().duplicate()));
        return gradients;
    }

    private static void compare(Map<String, NDArray> expected, Map<String, NDArray> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach(
                (name, array) -> Tensors.assertClose(name, array, actual.get(name), 1e-10, 1e-3));
    }

    private static InvariantSlotAttention attention(String options) {
        InvariantSlotAttention.Builder builder =
                InvariantSlotAttention.builder().setDim(DIM).setFeatureDim(FEATURES);
        return (switch (options) {
                    case "plain" -> builder;
                    case "fed" -> builder.optFeedForward(new FeedForward(DIM, 5));
                    case "implicit" -> builder.optImplicitDifferentiation(true).optIterations(4);
                    case "once" -> builder.optImplicitDifferentiation(true).optIterations(1);
                    case "no eps" -> builder.optEps(0);
                    default -> builder.optRelativeDim(5).optFrequencies(0).optEps(0.1);
                })
                .build();
    }

    private static int iterations(String options) {
        return options.equals("implicit") ? 4 : options.equals("once") ? 1 : 3;
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "fed", "implicit", "once", "no eps", "sizes"})
    void groupsFromPlaces(String options, NDManager manager, @TempDir Path folder)
            throws Exception {
        InvariantSlotAttention block = attention(options);
        NDArray x = Tensors.normal(manager, 1, TYPE, 2, 12, FEATURES);
        NDArray p = PositionGrid.of(manager, TYPE, 3, 4);
        NDArray s = Tensors.normal(manager, 2, TYPE, 2, SLOTS, DIM);
        NDArray at = Tensors.uniform(manager, 3, TYPE, 2, SLOTS, 2);
        initialized(manager, block, x.getShape(), p.getShape(), s.getShape());
        ParameterStore store = new ParameterStore(manager, false);
        try (Model model = load(block, folder)) {
            Supplier<NDList> own =
                    () ->
                            block.group(
                                            store,
                                            new FeatureExtractorOutput(x, p),
                                            s,
                                            at,
                                            iterations(options),
                                            true)
                                    .toNDList();
            Supplier<NDList> loaded =
                    () -> model.getBlock().forward(store, bare(x, p, s, at), true);
            for (NDArray array : own.get()) {
                NDArray other = loaded.get().get(array.getName());
                Tensors.assertClose(array.getName(), array, other, 1e-12);
            }
            compare(gradients(block, own), gradients(model.getBlock(), loaded));
            // Without places they are drawn: each call has others, all of the same form.
            NDList drawn = model.getBlock().forward(store, bare(x, p, s), false);
            NDList again = model.getBlock().forward(store, bare(x, p, s), false);
            assertEquals(at.getShape(), drawn.get("slot_positions").getShape());
            assertNotEquals(
                    drawn.get("objects").sum().getDouble(), again.get("objects").sum().getDouble());
        }
    }

    /** In the last image no slot is left, in others all but one. */
    @ParameterizedTest
    @CsvSource({"fed, true", "implicit, true", "once, false", "no eps, true", "plain, false"})
    void refinesAGuess(String options, boolean empty, NDManager manager, @TempDir Path folder)
            throws Exception {
        InvariantSlotAttention block = attention(options);
        NDArray x = Tensors.normal(manager, 1, TYPE, 3, 12, FEATURES);
        NDArray p = PositionGrid.of(manager, TYPE, 3, 4);
        NDArray s = Tensors.normal(manager, 2, TYPE, 3, SLOTS, DIM);
        NDArray guess = Tensors.uniform(manager, 3, TYPE, 3, SLOTS, 12);
        NDArray none =
                manager.create(
                        new boolean[] {false, true, false, false, false, true, true, true, true},
                        new Shape(3, SLOTS));
        initialized(manager, block, x.getShape(), p.getShape(), s.getShape());
        ParameterStore store = new ParameterStore(manager, false);
        PerceptualGroupingOutput given =
                new PerceptualGroupingOutput(s, guess, empty ? none : null);
        PositionedSlots expected =
                block.refine(
                        store,
                        new FeatureExtractorOutput(x, p),
                        s,
                        given,
                        iterations(options),
                        false);
        StringBuilder wrapped =
                new StringBuilder(
                        "def forward(self, x: Tensor, p: Tensor, s: Tensor, g: Tensor, e: Tensor) -> Dict[str, Tensor]:\n");
        wrapped.append("  return self.grouping.forward(x, p, s, None, g, ")
                .append(empty ? "e)\n" : "None)\n");
        TorchScript.of(
                        ScriptModule.builder("Refined")
                                .module("grouping", block.script())
                                .setCode(wrapped.toString())
                                .build())
                .write(folder.resolve("refined.pt"));
        try (Model model = Model.newInstance("refined", OnDevice.device(), "PyTorch")) {
            model.load(folder, "refined.pt");
            NDList actual = model.getBlock().forward(store, bare(x, p, s, guess, none), false);
            Tensors.assertClose("objects", expected.objects(), actual.get("objects"), 1e-12);
            Tensors.assertClose(
                    "positions", expected.positions(), actual.get("slot_positions"), 1e-12);
            Tensors.assertClose(
                    "attributions",
                    expected.attributions(),
                    actual.get("feature_attributions"),
                    1e-12);
            assertEquals(empty, actual.get("is_empty") != null);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 6, 7", "3, 10, 8", "4, 9, 9"})
    void seesContentAndPlace(
            int stride, int height, int width, NDManager manager, @TempDir Path folder)
            throws Exception {
        ContentAndPlaceEncoder block =
                ContentAndPlaceEncoder.builder().setStride(stride).setChannels(5).build();
        NDArray images = Tensors.uniform(manager, 1, TYPE, 2, 3, height, width);
        initialized(manager, block, images.getShape());
        ParameterStore store = new ParameterStore(manager, false);
        try (Model model = load(block, folder)) {
            Supplier<NDList> own = () -> new NDList(block.extract(store, images, true).features());
            Supplier<NDList> loaded =
                    () ->
                            new NDList(
                                    model.getBlock()
                                            .forward(store, bare(images), true)
                                            .get("features"));
            Tensors.assertClose("features", own.get().head(), loaded.get().head(), 1e-12);
            NDArray positions =
                    model.getBlock().forward(store, bare(images), false).get("positions");
            Tensors.assertSame(
                    "positions", block.extract(store, images, false).positions(), positions);
            compare(gradients(block, own), gradients(model.getBlock(), loaded));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 4})
    void decodesShapesAndColours(int frequencies, NDManager manager, @TempDir Path folder)
            throws Exception {
        ShapeAndColourDecoder block =
                ShapeAndColourDecoder.builder()
                        .setSlotDim(DIM)
                        .setImageSize(5, 7)
                        .optHidden(6)
                        .optFrequencies(frequencies)
                        .build();
        NDArray s = Tensors.normal(manager, 1, TYPE, 2, SLOTS, DIM);
        NDArray at = Tensors.uniform(manager, 2, TYPE, 2, SLOTS, 2);
        NDArray none =
                manager.create(
                        new boolean[] {true, false, false, true, true, true}, new Shape(2, SLOTS));
        initialized(manager, block, s.getShape());
        ParameterStore store = new ParameterStore(manager, false);
        try (Model model = load(block, folder)) {
            Supplier<NDList> own =
                    () -> block.decode(store, s, at, PixelLattice.ALL, true).toNDList();
            Supplier<NDList> loaded = () -> model.getBlock().forward(store, bare(s, at), true);
            for (NDArray array : own.get()) {
                Tensors.assertClose(
                        array.getName(), array, loaded.get().get(array.getName()), 1e-12);
            }
            compare(gradients(block, own), gradients(model.getBlock(), loaded));
            NDArray attributions = manager.zeros(new Shape(2, SLOTS, 4), TYPE);
            PositionedSlots slots = new PositionedSlots(s, at, attributions, none);
            NDList actual = model.getBlock().forward(store, bare(s, at, none), false);
            for (NDArray array : block.decode(store, slots, PixelLattice.ALL, false).toNDList()) {
                Tensors.assertClose(array.getName(), array, actual.get(array.getName()), 1e-12);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GAUSSIAN, 0, 0, 0.5",
        "LAPLACIAN, 0.2, 0, 0",
        "EPANECHNIKOV, 0, 0.9, 0",
        "GAUSSIAN, 0, 0, 0"
    })
    void guesses(
            Kernel kernel,
            double small,
            double little,
            double faint,
            NDManager manager,
            @TempDir Path folder)
            throws Exception {
        StickBreakingGrouping block =
                StickBreakingGrouping.builder()
                        .setFeatureDim(FEATURES)
                        .setObjectDim(FEATURES)
                        .setSlots(SLOTS)
                        .optKernel(kernel)
                        .optKernelVar(0.7)
                        .optStoppingRule(
                                StoppingRule.builder()
                                        .optMinSlotMask(small)
                                        .optMaxUnexplained(little)
                                        .optMinMaxMaskValue(faint)
                                        .build())
                        .build();
        block.setInitializer(
                (m, shape, type) -> m.eye(FEATURES, FEATURES, 0, type), "in_proj.weight");
        for (DataType type : new DataType[] {DataType.FLOAT32, TYPE}) {
            NDArray x = Tensors.normal(manager, 1, type, 4, 12, FEATURES);
            NDArray u = Tensors.uniform(manager, 2, type, 4, 12);
            block.clear();
            block.initialize(manager, type, x.getShape());
            PerceptualGroupingOutput expected =
                    block.group(
                            new ParameterStore(manager, false),
                            new FeatureExtractorOutput(x),
                            u,
                            false);
            TorchScript.of(block.guess()).write(folder.resolve("guess.pt"));
            try (Model model = Model.newInstance("guess", OnDevice.device(), "PyTorch")) {
                model.load(folder, "guess.pt");
                NDList actual =
                        model.getBlock()
                                .forward(new ParameterStore(manager, false), bare(x, u), false);
                Tensors.assertClose("guess", expected.attributions(), actual.get("guess"), 1e-6);
                assertArrayEquals(
                        expected.isEmpty().toBooleanArray(),
                        actual.get("is_empty").toBooleanArray());
                assertTrue(Tensors.largest(actual.get("guess")) > 0.5);
            }
        }
    }

    @Test
    void refusesWhatHasNoGuess() {
        StickBreakingGrouping.Builder builder =
                StickBreakingGrouping.builder()
                        .setFeatureDim(FEATURES)
                        .setObjectDim(FEATURES)
                        .setSlots(SLOTS);
        assertRefused(
                "StoppingRule: earlyTermination cannot be written in TorchScript",
                () ->
                        builder.optStoppingRule(
                                        StoppingRule.builder().optEarlyTermination(true).build())
                                .build()
                                .guess());
        assertRefused(
                "StickBreakingGrouping: a guess compares features by their direction alone",
                () -> builder.optInputLayerNorm(true).build().guess());
    }

    @Test
    void refusesWhatPartsDoNotGive() {
        LearntConditioning start = LearntConditioning.builder().setDim(DIM).setSlots(SLOTS).build();
        ScriptModule wrong =
                ScriptModule.builder("Wrong")
                        .optInputs("images")
                        .optOutputs("conditioning", "colour")
                        .setCode(
                                "def forward(self, images: Tensor) -> Dict[str, Tensor]:\n  return {}\n")
                        .build();
        assertRefused(
                "DiscoveryScript: a conditioning's outputs must be of [conditioning, guess,"
                        + " is_empty, slot_positions], got colour",
                () ->
                        DiscoveryScript.of(
                                ContentAndPlaceEncoder.builder()
                                        .setStride(1)
                                        .setChannels(1)
                                        .build(),
                                new ScriptedBlock(wrong),
                                attention("plain"),
                                null));
        ScriptModule silent =
                ScriptModule.builder("Silent")
                        .optOutputs("conditioning")
                        .setCode(
                                "def forward(self, images: Tensor) -> Dict[str, Tensor]:\n  return {}\n")
                        .build();
        assertRefused(
                "DiscoveryScript: a conditioning that gives several things must say what it takes",
                () ->
                        DiscoveryScript.of(
                                ContentAndPlaceEncoder.builder()
                                        .setStride(1)
                                        .setChannels(1)
                                        .build(),
                                new ScriptedBlock(silent),
                                attention("plain"),
                                null));
        // Slots that start from values alone begin at places that are drawn.
        ScriptModule whole =
                DiscoveryScript.of(
                        ContentAndPlaceEncoder.builder().setStride(1).setChannels(1).build(),
                        start,
                        attention("plain"),
                        null);
        assertTrue(whole.code().contains("c, None, None, None)"), whole.code());
    }

    /** A block that is nothing but its script. */
    private static final class ScriptedBlock extends ai.djl.nn.AbstractBlock implements Scriptable {
        private final ScriptModule module;

        ScriptedBlock(ScriptModule module) {
            this.module = module;
        }

        @Override
        public ScriptModule script() {
            return module;
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                ai.djl.util.PairList<String, Object> params) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return inputShapes;
        }
    }
}
