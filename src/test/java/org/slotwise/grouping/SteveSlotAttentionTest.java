package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.DiffusionLayouts;
import org.slotwise.weights.StateDict;

/** Slot attention of Latent Slot Diffusion as one block, and its folder "slot_attn". */
@ExtendWith(OnDevice.class)
class SteveSlotAttentionTest {

    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    /** As the authors' is, at the sizes of the cases. */
    private static final String CONFIG =
            """
            {"_class_name": "MultiHeadSTEVESA", "_diffusers_version": "0.21.4", "bi_level": false,
             "epsilon": 1e-06, "input_resolution": 4, "input_size": 10,
             "learnable_slot_init": %s, "mlp_hidden_size": 12, "num_heads": %s,
             "num_iterations": 3, "num_slots": 3, "slot_size": 10, "out_size": 10}
            """;

    @TempDir Path folder;

    private static ReferenceCase named(String name) {
        return ReferenceCase.of("unet", "MultiHeadSTEVESA")
                .filter(c -> c.toString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static SteveOptions options(int heads, boolean learnt) {
        return new SteveOptions(4, 10, 3, 10, 10, 12, 3, heads, 1e-6, learnt);
    }

    private void write(String config, Map<String, NDArray> arrays) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        StateDict.of(ReferenceCase.under("param/", arrays)).write(folder.resolve(WEIGHTS));
    }

    /** The options of the authors' file for MOVi-E are the sizes that we have for it. */
    @Test
    void theAuthorsSizes() throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                CONFIG.formatted(false, 1)
                        .replace("\"num_slots\": 3", "\"num_slots\": 24")
                        .replace("_resolution\": 4", "_resolution\": 64")
                        .replace("_size\": 10", "_size\": 192")
                        .replace("_size\": 12", "_size\": 192"));
        assertEquals(
                SteveOptions.latentSlotDiffusion(), SteveFolder.read(DiffusersFolder.open(folder)));
    }

    /** (B, 1, F, h, w) to (B, N, F). */
    private static FeatureExtractorOutput features(NDArray x) {
        return new FeatureExtractorOutput(x.reshape(2, 10, 16).swapAxes(1, 2));
    }

    /** Values and gradients. */
    @Test
    void agreesWithTheAuthorsCode(NDManager manager) {
        SteveSlotAttention block = new SteveSlotAttention(options(1, false));
        AgainstReference.check(
                manager,
                named("lsd_slot_attention")
                        .converted(DiffusionLayouts.latentSlotDiffusionSlots(1, false)),
                block,
                (store, in) -> {
                    NDArray start = block.starts(store, in.get("noise"), true);
                    PerceptualGroupingOutput out =
                            block.group(store, features(in.get("x")), start, true);
                    return Map.of(
                            "slots", out.objects().reshape(2, 1, 3, 10),
                            "attn", out.attributions().swapAxes(1, 2).reshape(2, 1, 1, 16, 3));
                });
    }

    @Test
    void theAuthorsFolder(NDManager manager) throws IOException {
        Map<String, NDArray> arrays = named("lsd_slot_attention").arrays(manager);
        write(CONFIG.formatted(false, 1), arrays);
        SteveSlotAttention block = SteveSlotAttention.read(folder, manager);
        assertEquals(options(1, false), block.options());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray start = block.starts(store, arrays.get("in/noise"), false);
        PerceptualGroupingOutput out =
                block.group(store, features(arrays.get("in/x")), start, false);
        assertClose("slots", arrays.get("out/slots").reshape(2, 3, 10), out.objects(), 1e-5);
        assertSameArrays(block, arrays);
    }

    /** Slots start from learnt values without being told; the attention of heads is a mean. */
    @Test
    void theAuthorsFolderWithHeads(NDManager manager) throws IOException {
        Map<String, NDArray> arrays = named("lsd_slot_attention_heads_learnt").arrays(manager);
        write(CONFIG.formatted(true, 2), arrays);
        SteveSlotAttention block = SteveSlotAttention.read(folder, manager);
        assertEquals(options(2, true), block.options());
        PerceptualGroupingOutput out =
                block.group(
                        new ParameterStore(manager, false),
                        features(arrays.get("in/x")),
                        null,
                        false);
        assertClose("slots", arrays.get("out/slots").reshape(2, 3, 10), out.objects(), 1e-5);
        assertClose(
                "attention",
                arrays.get("out/attn").mean(new int[] {2}).reshape(2, 16, 3),
                out.attributions().swapAxes(1, 2),
                1e-5);
        assertSameArrays(block, arrays);
    }

    /** Written again it has the arrays of theirs, the coordinates of places too. */
    private void assertSameArrays(SteveSlotAttention block, Map<String, NDArray> arrays)
            throws IOException {
        Path again = folder.resolve("again");
        block.write(again);
        try (StateDict theirs = StateDict.read(again.resolve(WEIGHTS))) {
            Map<String, NDArray> expected = ReferenceCase.under("param/", arrays);
            assertEquals(expected.size(), theirs.names().size());
            expected.forEach((name, array) -> assertClose(name, array, theirs.get(name), 1e-6));
        }
        assertEquals(
                block.options(),
                SteveSlotAttention.read(again, arrays.get("in/x").getManager()).options());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrittenComesBack(boolean learnt, NDManager manager) throws IOException {
        SteveOptions options = new SteveOptions(3, 5, 4, 6, 7, 8, 2, 3, 1e-4, learnt);
        SteveSlotAttention one = new SteveSlotAttention(options);
        one.initialize(manager, DataType.FLOAT32, new Shape(1, 9, 5));
        Path path = folder.resolve("slot_attn");
        one.write(path);
        one.write(path); // in place of itself
        SteveSlotAttention read = SteveSlotAttention.read(path, manager);
        assertEquals(options, read.options());
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput x = new FeatureExtractorOutput(normal(manager, 1, 2, 9, 5));
        NDArray noise = normal(manager, 2, 2, 4, 6);
        PerceptualGroupingOutput expected =
                one.group(store, x, one.starts(store, noise, false), false);
        PerceptualGroupingOutput got =
                read.group(store, x, read.starts(store, noise, false), false);
        assertClose("slots", expected.objects(), got.objects(), 1e-5);
        assertEquals(new Shape(2, 4, 7), got.objects().getShape());
        assertClose("attention", expected.attributions(), got.attributions(), 1e-5);
    }

    @Test
    void keepsTheContract(NDManager manager) {
        SteveOptions options = new SteveOptions(3, 5, 3, 6, 7, 8, 2, 2, 1e-3, true);
        new BlockContract(
                        () -> new SteveSlotAttention(options),
                        (m, type) -> new NDList(normal(m, 1, type, 2, 9, 5)))
                .check(manager);
        // With other starts than its own, to which no gradient comes then.
        BlockContract given =
                new BlockContract(
                        () -> new SteveSlotAttention(options),
                        (m, type) ->
                                new NDList(
                                        normal(m, 1, type, 2, 9, 5), normal(m, 2, type, 2, 4, 6)));
        given.leavesNothingButOutputs(manager);
        given.recordsNoGraphInInference(manager);
        given.isTheSameAfterSaveAndLoad(manager);
        given.worksInFloat16(manager);
    }

    @Test
    void startsAreDrawnAnewAndLearn(NDManager manager) {
        SteveSlotAttention block = new SteveSlotAttention(options(1, false));
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 16, 10));
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput x = new FeatureExtractorOutput(normal(manager, 1, 2, 16, 10));
        NDArray first = block.group(store, x, null, false).objects();
        NDArray second = block.group(store, x, null, false).objects();
        assertTrue(largest(first.sub(second)) > 1e-4);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(block.group(store, x, null, true).objects().square().sum());
        }
        Map<String, Parameter> learnt = new LinkedHashMap<>(StateDict.parameters(block));
        learnt.remove("grouping.norm_slots.bias"); // it moves all slots alike, of which none knows
        learnt.forEach((name, p) -> assertTrue(largest(p.getArray().getGradient()) > 0, name));
    }

    @Test
    void errors(NDManager manager) {
        SteveSlotAttention block = new SteveSlotAttention(options(1, true));
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 16, 10));
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput x = new FeatureExtractorOutput(normal(manager, 1, 2, 16, 10));
        assertRefused(
                "SteveSlotAttention: features must be (B, 16, 10), got (2, 9, 10)",
                () ->
                        block.group(
                                store,
                                new FeatureExtractorOutput(normal(manager, 1, 2, 9, 10)),
                                null,
                                false));
        assertRefused(
                "SteveSlotAttention: conditioning must be (2, K, 10), got (2, 3, 9)",
                () -> block.group(store, x, normal(manager, 1, 2, 3, 9), false));
        assertRefused(
                "SteveSlotAttention: noise must be (B, 3, 10), got (2, 4, 10)",
                () -> block.starts(store, normal(manager, 1, 2, 4, 10), false));
        assertRefused(
                "SteveOptions: dim must be a multiple of heads, got 10 and 3",
                () -> options(3, true));
        assertRefused(
                "SteveSlotAttention: conditioning must be float32 as features, got float64",
                () -> block.group(store, x, normal(manager, 1, DataType.FLOAT64, 2, 3, 10), false));
        assertRefused(
                "SteveSlotAttention: features must be float32, float64 or float16, got int32",
                () ->
                        block.group(
                                store,
                                new FeatureExtractorOutput(
                                        manager.zeros(new Shape(2, 16, 10), DataType.INT32)),
                                null,
                                false));
        assertRefused(
                "SteveSlotAttention: noise must be float32, float64 or float16, got int32",
                () ->
                        block.starts(
                                store, manager.zeros(new Shape(2, 3, 10), DataType.INT32), false));
        assertRefused(
                "SteveSlotAttention: features must be (B, 16, 10), got (2, 9, 10)",
                () -> block.getOutputShapes(new Shape[] {new Shape(2, 9, 10)}));
    }

    @Test
    void optionsOutOfRange() {
        int[] good = {4, 10, 3, 10, 10, 12, 3, 1};
        String[] names = {
            "side", "featureDim", "slots", "dim", "outDim", "hidden", "iterations", "heads"
        };
        for (int i = 0; i < good.length; i++) {
            int[] o = good.clone();
            o[i] = 0;
            assertRefused(
                    "SteveOptions: " + names[i] + " must be at least 1, got 0",
                    () -> options(o, 1e-6));
        }
        for (double bad : new double[] {-1, Double.NaN}) {
            assertRefused(
                    "SteveOptions: eps must be at least 0 and finite, got " + bad,
                    () -> options(good, bad));
        }
        int[] large = {4, 10, 1 << 16, 1 << 13, 10, 12, 3, 1};
        assertRefused(
                "SteveOptions: the slots of an image must have sizes of at least 1 and at most "
                        + "268435456 numbers, got [65536, 8192]",
                () -> options(large, 1e-6));
    }

    private static SteveOptions options(int[] o, double eps) {
        return new SteveOptions(o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7], eps, false);
    }

    /** As many slots as noise, or as a conditioning has, whatever stands beside it. */
    @Test
    void theNumberOfSlotsIsFree(NDManager manager) {
        SteveSlotAttention block = new SteveSlotAttention(options(1, false));
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 16, 10));
        NDArray noise = normal(manager, 1, 2, 5, 10);
        NDArray start = block.starts(new ParameterStore(manager, false), noise, false);
        assertEquals(noise.getShape(), start.getShape());
        Shape x = new Shape(2, 16, 10);
        Shape places = new Shape(16, 2);
        for (int k : new int[] {3, 5}) {
            Shape[] in =
                    k == 3 ? new Shape[] {x, places} : new Shape[] {x, places, start.getShape()};
            assertEquals(new Shape(2, k, 10), block.getOutputShapes(in)[0]);
        }
    }

    /** As PyTorch's xavier_uniform_ gives it for (1, slots, size). */
    @Test
    void learntStartsBeginWithinTheirBound(NDManager manager) {
        SteveSlotAttention block = new SteveSlotAttention(options(1, true));
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 16, 10));
        double bound = Math.sqrt(6.0 / (3 * 10 + 10));
        double most = largest(StateDict.parameters(block).get("conditioning.slots").getArray());
        assertTrue(most <= bound * (1 + 1e-6) && most > 0.6 * bound, most + " of " + bound);
    }

    private String refusal(NDManager manager) {
        String message =
                assertThrows(IOException.class, () -> SteveSlotAttention.read(folder, manager))
                        .getMessage();
        assertTrue(message.startsWith(folder.toString()), message);
        return message.substring(folder.toString().length());
    }

    @Test
    void foldersThatAreWrong(NDManager manager) throws IOException {
        assertEquals(
                " has no config.json: expected a folder of diffusers' save_pretrained",
                refusal(manager));
        Map<String, NDArray> arrays = named("lsd_slot_attention").arrays(manager);
        String config = CONFIG.formatted(false, 1);
        Map<String, String> changes = new LinkedHashMap<>();
        changes.put(
                "MultiHeadSTEVESA -> UNetEncoder",
                "_class_name must be MultiHeadSTEVESA, got UNetEncoder");
        changes.put(
                "\"bi_level\": false -> \"bi_level\": true",
                "bi_level must be false, got true: other values are not supported");
        changes.put("\"num_slots\": 3, -> ", "num_slots must be there and at least 1, got 0");
        changes.put(
                "\"bi_level\": false -> \"temporal\": 2",
                "options that are not supported: [temporal]");
        changes.put(
                "\"num_heads\": 1 -> \"num_heads\": 4",
                "SteveOptions: dim must be a multiple of heads, got 10 and 4");
        for (Map.Entry<String, String> change : changes.entrySet()) {
            String[] fromTo = change.getKey().split(" -> ", -1);
            write(config.replace(fromTo[0], fromTo[1]), arrays);
            assertEquals("/config.json: " + change.getValue(), refusal(manager));
        }
        // Weights of other starts, and of another size.
        write(CONFIG.formatted(true, 1), arrays);
        String message = refusal(manager);
        assertTrue(
                message.startsWith("/" + WEIGHTS) && message.contains("conditioning.slots"),
                message);
        write(config.replace("\"mlp_hidden_size\": 12", "\"mlp_hidden_size\": 13"), arrays);
        message = refusal(manager);
        assertTrue(
                message.startsWith("/" + WEIGHTS)
                        && message.contains("grouping.ff_mlp.module.1.weight"),
                message);
    }
}
