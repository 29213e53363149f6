package org.slotwise.torchscript;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.normal;

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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Declarer;
import org.slotwise.layer.Downsample;
import org.slotwise.layer.ImageAttention;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerBlock;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.ResnetBlock.Resize;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.layer.TimeEmbedding.Order;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.BranchNormUNet;
import org.slotwise.unet.Heads;
import org.slotwise.unet.ToldDenoiser;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.StateDict;

/** U-Nets and their parts as TorchScript: the same numbers, names and gradients as in Java. */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class UNetScriptTest {

    private static final DataType TYPE = DataType.FLOAT64;
    private static final TransformerOptions SLOTS = TransformerOptions.of(5, Heads.size(2));

    private static UNetConfiguration.Builder small() {
        return UNetConfiguration.builder()
                .setChannels(2, 3)
                .setWidths(4, 8)
                .setTransformer(SLOTS)
                .optAttention(false, true)
                .optGroups(2);
    }

    private static UNetConfiguration.Builder all() {
        return small().optResidual(new ResnetBlock.Options(2, 1e-4, 0, true))
                .setTransformer(new TransformerOptions(5, Heads.count(2), 2, true, 8))
                .optAttention(true, true)
                .optBlocks(2)
                .optTime(Order.SINE_FIRST, 1);
    }

    static Stream<Arguments> networks() {
        return Stream.of(
                Arguments.of("plain", small().build()),
                Arguments.of("all options", all().build()),
                Arguments.of("one level", small().setWidths(6).optAttention(false).build()),
                Arguments.of(
                        "three levels",
                        small().setWidths(4, 4, 8)
                                .optAttention(true, false, false)
                                .optTime(Order.INTERLEAVED, 0)
                                .build()),
                Arguments.of(
                        "odd",
                        small().setWidths(5)
                                .optAttention(true)
                                .setTransformer(TransformerOptions.of(5, Heads.count(1)))
                                .optGroups(5)
                                .build()));
    }

    private static <T extends Block> T initialized(NDManager manager, T block, DataType type) {
        block.initialize(manager, type, new Shape(1, 2, 8, 8));
        int seed = 0;
        for (Parameter parameter : StateDict.parameters(block).values()) {
            NDArray array = parameter.getArray();
            // What starts at 0 or 1 would hide a mistake.
            array.addi(normal(manager, ++seed, type, array.getShape().getShape()).mul(0.1));
        }
        return block;
    }

    private static Model load(Block block, Path folder) throws Exception {
        TorchScript.of(block).write(folder.resolve("block.pt"));
        return TorchScriptTest.load(folder.resolve("block.pt"), true);
    }

    private static Map<String, NDArray> gradients(Block block, Supplier<NDArray> call) {
        Map<String, Parameter> parameters = new TreeMap<>(StateDict.parameters(block));
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(call.get().sin().square().mean());
        }
        Map<String, NDArray> gradients = new TreeMap<>();
        parameters.forEach(
                (name, p) -> {
                    if (p.requiresGradient()) {
                        gradients.put(name, p.getArray().getGradient().duplicate());
                    }
                });
        return gradients;
    }

    private static void compare(Map<String, NDArray> expected, Map<String, NDArray> actual) {
        assertEquals(expected.keySet(), actual.keySet());
        expected.forEach(
                (name, array) -> Tensors.assertClose(name, array, actual.get(name), 1e-10, 1e-3));
    }

    private static NDList inputs(NDManager m, DataType type, int batch, int slots) {
        long[] t = new long[batch];
        for (int i = 0; i < batch; i++) {
            t[i] = 3 + 400L * i;
        }
        return new NDList(
                normal(m, 1, type, batch, 2, 8, 8),
                m.create(t),
                normal(m, 2, type, batch, slots, 5));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void predictsTheSame(
            String name, UNetConfiguration sizes, NDManager manager, @TempDir Path folder)
            throws Exception {
        for (DataType type : new DataType[] {DataType.FLOAT32, TYPE}) {
            UNet unet = initialized(manager, new UNet(sizes), type);
            ParameterStore store = new ParameterStore(manager, false);
            try (Model model = load(unet, folder);
                    StateDict own = StateDict.of(unet)) {
                Block loaded = model.getBlock();
                Set<String> names = new HashSet<>(own.names()); // coordinates become buffers
                names.removeIf(each -> each.endsWith(".pe"));
                assertEquals(names, StateDict.parameters(loaded).keySet(), name);
                for (int batch = 1; batch < 4; batch++) {
                    NDList in = inputs(manager, type, batch, 4 - batch);
                    NDArray expected = unet.predict(store, in.get(0), in.get(1), in.get(2), false);
                    NDArray actual = loaded.forward(store, in, false).singletonOrThrow();
                    double tolerance = type == TYPE ? 1e-12 : 2e-6;
                    Tensors.assertClose("prediction", expected, actual, tolerance);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void gradientsFlow(
            String name, UNetConfiguration sizes, NDManager manager, @TempDir Path folder)
            throws Exception {
        UNet unet = initialized(manager, new UNet(sizes), TYPE);
        ParameterStore store = new ParameterStore(manager, false);
        try (Model model = load(unet, folder)) {
            NDList in = inputs(manager, TYPE, 2, 3);
            NDList other = inputs(manager, TYPE, 2, 3);
            for (NDList list : new NDList[] {in, other}) {
                list.get(0).setRequiresGradient(true);
                list.get(2).setRequiresGradient(true);
            }
            compare(
                    gradients(
                            unet, () -> unet.predict(store, in.get(0), in.get(1), in.get(2), true)),
                    gradients(
                            model.getBlock(),
                            () -> model.getBlock().forward(store, other, true).head()));
            for (int i = 0; i < 3; i += 2) {
                NDArray expected = in.get(i).getGradient();
                Tensors.assertClose("input " + i, expected, other.get(i).getGradient(), 1e-10);
            }
        }
    }

    /** Large enough for oneDNN's maps, which files do not have. */
    @Test
    void largeMapsComputeTheSame(NDManager manager, @TempDir Path folder) throws Exception {
        UNetConfiguration sizes =
                small().setWidths(64)
                        .optAttention(true)
                        .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                        .build();
        UNet unet = initialized(manager, new UNet(sizes), DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, DataType.FLOAT32, 8, 2, 16, 16);
        NDArray t = manager.create(new long[] {1, 2, 3, 4, 5, 6, 7, 999});
        NDArray s = normal(manager, 2, DataType.FLOAT32, 8, 3, 5);
        try (Model model = load(unet, folder)) {
            Block loaded = model.getBlock();
            NDArray expected = loaded.forward(store, new NDList(z, t, s), false).head();
            double tolerance = 1e-5 * Tensors.largest(expected);
            NDArray actual = unet.predict(store, z, t, s, false);
            Tensors.assertClose("prediction", expected, actual, tolerance);
            try (ToldDenoiser told = unet.told(store, s)) {
                Tensors.assertClose("told", expected, told.predict(z, t), tolerance);
            }
            Map<String, NDArray> theirs =
                    gradients(
                            loaded, () -> loaded.forward(store, new NDList(z, t, s), true).head());
            Map<String, NDArray> ours = gradients(unet, () -> unet.predict(store, z, t, s, true));
            theirs.forEach((name, g) -> Tensors.assertClose(name, g, ours.get(name), 1e-4, 1e-3));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("networks")
    void predictsTheSameWhenTold(String name, UNetConfiguration sizes, NDManager manager) {
        for (DataType type : new DataType[] {DataType.FLOAT32, TYPE}) {
            UNet unet = initialized(manager, new UNet(sizes), type);
            ParameterStore store = new ParameterStore(manager, false);
            NDList in = inputs(manager, type, 2, 3);
            try (ToldDenoiser told = unet.told(store, in.get(2))) {
                for (int i = 0; i < 2; i++) {
                    NDArray z = in.get(0).add(i);
                    NDArray expected = unet.predict(store, z, in.get(1), in.get(2), false);
                    double tolerance = type == TYPE ? 1e-12 : 5e-6;
                    Tensors.assertClose("told", expected, told.predict(z, in.get(1)), tolerance);
                }
                assertRefused(
                        "UNet: slots must be (1, K, 5), got (2, 3, 5)",
                        () -> told.predict(in.get(0).get("0:1"), in.get(1).get("0:1")));
            }
            assertRefused(
                    "UNet: slots must be (B, K, 5), got (2, 3, 4)",
                    () -> unet.told(store, in.get(2).get(":, :, :4")));
        }
    }

    /** As diffusers takes them. */
    @Test
    void takesOneTimeForAll(NDManager manager, @TempDir Path folder) throws Exception {
        UNet unet = initialized(manager, new UNet(small().build()), TYPE);
        ParameterStore store = new ParameterStore(manager, false);
        NDList in = inputs(manager, TYPE, 2, 3);
        NDArray expected =
                unet.predict(store, in.get(0), manager.create(new long[] {7, 7}), in.get(2), false);
        try (Model model = load(unet, folder)) {
            for (NDArray t :
                    new NDArray[] {
                        manager.create(7L),
                        manager.create(new int[] {7}),
                        manager.create(new float[] {7, 7})
                    }) {
                NDList one = new NDList(in.get(0), t, in.get(2));
                Tensors.assertClose(
                        "time " + t.getShape(),
                        expected,
                        model.getBlock().forward(store, one, false).head(),
                        1e-12);
            }
        }
    }

    @Test
    void dropsInTrainingAlone(NDManager manager, @TempDir Path folder) throws Exception {
        ResnetBlock.Options half = new ResnetBlock.Options(2, 1e-5, 0.5, false);
        UNet unet = initialized(manager, new UNet(small().optResidual(half).build()), TYPE);
        ParameterStore store = new ParameterStore(manager, false);
        NDList in = inputs(manager, TYPE, 2, 3);
        try (Model model = load(unet, folder)) {
            Block loaded = model.getBlock();
            NDArray expected = unet.predict(store, in.get(0), in.get(1), in.get(2), false);
            Tensors.assertClose(
                    "eval", expected, loaded.forward(store, in, false).singletonOrThrow(), 1e-12);
            NDArray dropped = loaded.forward(store, in, true).head();
            assertNotEquals(0, dropped.sub(expected).abs().max().getDouble());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "half, 6, 8",
        "twice, 3, 4",
        "same, 4, 4",
        "narrower, 4, 4",
        "attention, 3, 5",
        "end, 4, 6"
    })
    void partsComputeTheSame(
            String part, int height, int width, NDManager manager, @TempDir Path folder)
            throws Exception {
        AtomicReference<Layer> layer = new AtomicReference<>();
        LayerBlock block =
                initialized(
                        manager,
                        new LayerBlock(
                                p -> {
                                    layer.set(part(part).apply(p));
                                    return layer.get();
                                },
                                shape -> shape),
                        TYPE);
        NDArray x = normal(manager, 7, TYPE, 2, 4, height, width);
        ParameterStore store = new ParameterStore(manager, false);
        Path file = folder.resolve("part.pt");
        TorchScript.of(ScriptModule.of("Test", layer.get())).write(file);
        try (Model model = TorchScriptTest.load(file, true)) {
            Supplier<NDArray> own = () -> block.forward(store, new NDList(x), true).head();
            Supplier<NDArray> loaded =
                    () -> model.getBlock().forward(store, new NDList(x), true).head();
            Tensors.assertClose(part, own.get(), loaded.get(), 1e-12);
            compare(gradients(block, own), gradients(model.getBlock(), loaded));
        }
    }

    private static Function<Declarer, Layer> part(String name) {
        ResnetBlock.Options options = ResnetBlock.Options.of(2, 1e-3);
        return switch (name) {
            case "half" -> p -> new ResnetBlock(p, 4, 4, 0, options, Resize.HALF, null);
            case "twice" -> p -> new ResnetBlock(p, 4, 6, 0, options, Resize.TWICE, null);
            case "same" -> p -> new ResnetBlock(p, 4, 4, 0, options, Resize.SAME, null);
            case "narrower" -> p -> new ResnetBlock(p, 4, 2, 0, options, Resize.SAME, null);
            case "attention" -> p -> ImageAttention.of(p, 4, 2, 1e-4, 2);
            default -> p -> Downsample.of(p, 4, true);
        };
    }

    @ParameterizedTest
    @CsvSource({
        "8, COSINE_FIRST, 0",
        "9, COSINE_FIRST, 1",
        "8, SINE_FIRST, 1",
        "7, SINE_FIRST, 0",
        "6, INTERLEAVED, 0",
        "5, INTERLEAVED, 1"
    })
    void embedsTimes(int size, Order order, int shift, NDManager manager, @TempDir Path folder)
            throws Exception {
        TimeEmbedding embedding = new TimeEmbedding(size, order, shift);
        TorchScript.of(embedding.script()).write(folder.resolve("time.pt"));
        NDArray t = manager.create(new double[] {0, 3, 999});
        try (Model model = TorchScriptTest.load(folder.resolve("time.pt"), false)) {
            NDArray e =
                    model.getBlock()
                            .forward(new ParameterStore(manager, false), new NDList(t), false)
                            .head();
            Tensors.assertClose("embedding", embedding.of(t), e, 1e-12);
        }
    }

    @Test
    void refusesByName() {
        assertRefused(
                "TorchScript: BranchNormUNet cannot be written in TorchScript; it is not"
                        + " Scriptable",
                () ->
                        TorchScript.of(
                                new BranchNormUNet(
                                        new BranchNormConfiguration(2, 4, 8, 5, 4, 1, 0))));
        assertRefused(
                "ScriptModule: number must be at least 0, got -1",
                () -> ScriptModule.self("resnets", -1));
        ScriptModule list = ScriptModule.list(List.of());
        assertRefused(
                "ScriptModule: there is a a already", () -> list.with("a", list).with("a", list));
    }
}
