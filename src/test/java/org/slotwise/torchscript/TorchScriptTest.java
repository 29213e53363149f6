package org.slotwise.torchscript;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import ai.djl.nn.LambdaBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.grouping.SlotAttentionVariant;
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.SoftmaxOver;
import org.slotwise.layer.FeedForward;
import org.slotwise.position.PositionGrid;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/**
 * Groupings as TorchScript, loaded again as any TorchScript module is, through DJL's own reader:
 * the same numbers, names and gradients, at other sizes than before.
 */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class TorchScriptTest {

    private static final int DIM = 8;
    private static final int FEATURES = 6;

    /** A block under a name, and whether it takes positions. */
    record Case(String name, boolean positions, Supplier<Block> block) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static SlotAttention.Builder attention() {
        return SlotAttention.builder().setDim(DIM).setFeatureDim(FEATURES);
    }

    private static Case variant(String name, SlotAttentionVariant variant) {
        return new Case(
                name,
                false,
                () ->
                        SlotAttention.builder()
                                .setDim(FEATURES)
                                .setFeatureDim(FEATURES)
                                .optVariant(variant)
                                .build());
    }

    static Stream<Case> cases() {
        SlotAttentionVariant paper = SlotAttentionVariant.PAPER;
        return Stream.of(
                new Case("plain", false, () -> attention().build()),
                new Case(
                        "all options",
                        false,
                        () ->
                                attention()
                                        .optHeads(3)
                                        .optKvqDim(12)
                                        .optProjectionBias(true)
                                        .optIterations(4)
                                        .optEps(1e-2)
                                        .optNormEps(1e-3)
                                        .optFeedForward(new FeedForward(DIM, 10))
                                        .optImplicitDifferentiation(true)
                                        .build()),
                new Case("eps 0", false, () -> attention().optEps(0).build()),
                variant("soft k-means", SlotAttentionVariant.SOFT_K_MEANS),
                variant("over features", paper.withSoftmaxOver(SoftmaxOver.FEATURES)),
                variant("sum", paper.withAggregation(Aggregation.WEIGHTED_SUM)),
                variant("normalized sum", paper.withAggregation(Aggregation.NORMALIZED_SUM)),
                variant("no GRU", paper.without(SlotAttentionVariant.Part.GRU)),
                new Case(
                        "grouping",
                        false,
                        () ->
                                SlotAttentionGrouping.builder()
                                        .setSlotAttention(attention().build())
                                        .build()),
                new Case(
                        "grouping with all",
                        true,
                        () ->
                                SlotAttentionGrouping.builder()
                                        .setSlotAttention(attention().build())
                                        .optPositionalEmbedding(
                                                SoftPositionEmbed.builder()
                                                        .setSpatialDims(2)
                                                        .setFeatureDim(FEATURES)
                                                        .optSaviStyle(true)
                                                        .build())
                                        .optEmptySlotForMasked(true)
                                        .build()));
    }

    /** Features of B images, positions where they are wanted, and what the slots start from. */
    private static NDList inputs(
            NDManager manager, Block block, boolean positions, DataType type, int batch, int k) {
        NDList list = new NDList(Tensors.normal(manager, batch, type, batch, 12, FEATURES));
        list.get(0).setName("features");
        if (positions) {
            list.add(PositionGrid.of(manager, type, 3, 4));
            list.get(1).setName("positions");
        }
        int dim =
                block instanceof SlotAttention attention
                        ? attention.dim()
                        : ((SlotAttentionGrouping) block).objectDim();
        NDArray start = Tensors.normal(manager, k, type, batch, k, dim);
        start.setName("conditioning");
        list.add(start);
        return list;
    }

    private static void initialize(NDManager manager, Block block, DataType type) {
        block.initialize(
                manager, type, new Shape(-1, -1, FEATURES), new Shape(-1, -1), new Shape(-1, -1));
        for (Parameter parameter : block.getParameters().values()) {
            try (NDArray other =
                    Tensors.normal(
                            manager,
                            parameter.getName().hashCode(),
                            type,
                            parameter.getArray().getShape().getShape())) {
                // Norms start at 1 and 0, which would hide a mistake.
                parameter.getArray().addi(other.mul(0.1));
            }
        }
    }

    private static NDList unnamed(NDList list) {
        NDList bare = new NDList();
        list.forEach(array -> bare.add(array.duplicate())); // without a name: by its place
        return bare;
    }

    static Model load(Path file, boolean trained) throws Exception {
        Model model = Model.newInstance("module", OnDevice.device(), "PyTorch");
        model.load(
                file.getParent(),
                file.getFileName().toString(),
                trained ? Map.of("trainParam", "true") : Map.of());
        return model;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void computesTheSame(Case it, NDManager manager, @TempDir Path folder) throws Exception {
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT64}) {
            Block block = it.block().get();
            initialize(manager, block, type);
            Path file = folder.resolve(type + ".pt");
            TorchScript.of(block).write(file);
            try (Model model = load(file, false)) {
                for (int size = 1; size < 4; size++) {
                    NDList in = inputs(manager, block, it.positions(), type, size, 6 - size);
                    compare(manager, block, model.getBlock(), in, type);
                    in.add(mask(manager, size, 6 - size));
                    compare(manager, block, model.getBlock(), in, type);
                }
            }
        }
    }

    /** The last image has no slot that is not masked, others one that is. */
    private static NDArray mask(NDManager manager, int batch, int k) {
        boolean[] masked = new boolean[batch * k];
        for (int i = 0; i < masked.length; i++) {
            masked[i] = i % k == 1 || i / k == batch - 1;
        }
        NDArray mask = manager.create(masked, new Shape(batch, k));
        mask.setName("slot_mask");
        return mask;
    }

    private static void compare(
            NDManager manager, Block block, Block loaded, NDList in, DataType type) {
        ParameterStore store = new ParameterStore(manager, false);
        NDList expected = block.forward(store, in, false);
        NDList actual = loaded.forward(store, unnamed(in), false);
        assertEquals(expected.size(), actual.size());
        for (NDArray array : expected) {
            NDArray other = actual.get(array.getName());
            assertEquals(array.getDataType(), other.getDataType());
            double tolerance = type == DataType.FLOAT32 ? 2e-6 : 1e-12;
            if (type.equals(array.getDataType())) {
                Tensors.assertClose(array.getName(), array, other, tolerance);
            } else {
                assertArrayEquals(array.toBooleanArray(), other.toBooleanArray());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void namesAreThoseOfTheStateDict(Case it, NDManager manager, @TempDir Path folder)
            throws Exception {
        Block block = it.block().get();
        initialize(manager, block, DataType.FLOAT32);
        Path file = folder.resolve("block.pt");
        TorchScript.of(block).write(file);
        try (Model model = load(file, true);
                StateDict own = StateDict.of(block)) {
            Set<String> names = new TreeSet<>(model.getBlock().getDirectParameters().keys());
            assertEquals(new TreeSet<>(own.names()), names);
            own.arrays()
                    .forEach(
                            (name, array) ->
                                    Tensors.assertSame(
                                            name,
                                            array,
                                            model.getBlock()
                                                    .getDirectParameters()
                                                    .get(name)
                                                    .getArray()));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gradientsFlow(Case it, NDManager manager, @TempDir Path folder) throws Exception {
        Block block = it.block().get();
        initialize(manager, block, DataType.FLOAT64);
        Path file = folder.resolve("block.pt");
        TorchScript.of(block).write(file);
        try (Model model = load(file, true)) {
            NDList in = inputs(manager, block, it.positions(), DataType.FLOAT64, 2, 3);
            NDList expected = gradients(manager, block, in);
            NDList actual = gradients(manager, model.getBlock(), unnamed(in));
            for (NDArray gradient : actual) {
                NDArray own = expected.get(gradient.getName());
                Tensors.assertClose(gradient.getName(), own, gradient, 1e-10, 1e-3);
            }
            assertEquals(expected.size(), actual.size());
        }
    }

    /** Of the features, the conditioning and all parameters, by their names. */
    private static NDList gradients(NDManager manager, Block block, NDList in) {
        Map<String, Parameter> parameters = StateDict.parameters(block);
        NDArray features = in.get(0);
        NDArray start = in.get(in.size() - 1);
        features.setRequiresGradient(true);
        start.setRequiresGradient(true);
        parameters.values().forEach(p -> p.getArray().setRequiresGradient(true));
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDList out = block.forward(new ParameterStore(manager, false), in, true);
            NDArray slots = out.get("objects");
            NDArray weights = Tensors.normal(manager, 9, DataType.FLOAT64, 2, 3, 8);
            NDArray w = weights.get("..., 0:{}", slots.getShape().get(2));
            collector.backward(
                    slots.mul(w).sum().add(out.get("feature_attributions").square().sum()));
        }
        NDList gradients = new NDList();
        add(gradients, "features", features);
        add(gradients, "conditioning", start);
        parameters.forEach((name, p) -> add(gradients, name, p.getArray()));
        return gradients;
    }

    private static void add(NDList list, String name, NDArray array) {
        NDArray gradient = array.getGradient().duplicate();
        gradient.setName(name);
        list.add(gradient);
    }

    @Test
    void theSameBlockMakesTheSameBytes(NDManager manager, @TempDir Path folder) throws IOException {
        Block block = attention().build();
        initialize(manager, block, DataType.FLOAT32);
        TorchScript script = TorchScript.of(block);
        script.write(folder.resolve("a.pt"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        TorchScript.of(block).write(bytes);
        assertArrayEquals(Files.readAllBytes(folder.resolve("a.pt")), bytes.toByteArray());
        assertEquals("TorchScript[SlotAttention]", script.toString());
        assertTrue(script.source().contains("class SlotAttention(Module):"));
    }

    @Test
    void refusesByName(NDManager manager, @TempDir Path folder) throws IOException {
        assertRefused(
                "TorchScript: KMeansGrouping cannot be written in TorchScript; it is not"
                        + " Scriptable",
                () -> TorchScript.of(KMeansGrouping.builder().setSlots(2).build()));
        SlotAttention with = attention().optFeedForward(new LambdaBlock(in -> in)).build();
        assertRefused(
                "SlotAttention: LambdaBlock cannot be written in TorchScript; it is not Scriptable",
                () -> TorchScript.of(with));
        TorchScript script = TorchScript.of(attention().build());
        assertEquals(
                "TorchScript: initialize the block first; to_q.weight has no value yet",
                assertThrows(
                                IllegalStateException.class,
                                () -> script.write(folder.resolve("none.pt")))
                        .getMessage());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
        Block block = attention().build();
        initialize(manager, block, DataType.FLOAT32);
        assertThrows(
                IOException.class,
                () -> TorchScript.of(block).write(folder.resolve("no").resolve("x.pt")));
    }

    @Test
    void refusesWrongModules() {
        assertThrows(IllegalArgumentException.class, () -> ScriptModule.builder("no name"));
        assertThrows(
                IllegalArgumentException.class,
                () -> ScriptModule.builder("A").module("a.b", PositionGrid.script()));
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        ScriptModule.builder("A")
                                .module("a", PositionGrid.script())
                                .module("a", PositionGrid.script()));
        assertRefused("ScriptModule: code is missing", () -> ScriptModule.builder("A").build());
    }
}
