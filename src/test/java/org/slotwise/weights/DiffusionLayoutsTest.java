package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.autoencoder.VqAutoencoder;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/** Names of networks of latent diffusion, and folders of diffusers. */
@ExtendWith(OnDevice.class)
class DiffusionLayoutsTest {

    /** Names and shapes of a network whose weights are not here. */
    private static Map<String, Shape> published(String which) throws IOException {
        Map<String, Shape> shapes = new TreeMap<>();
        try (InputStream in =
                DiffusionLayoutsTest.class.getResourceAsStream(
                        "/autoencoder/autoencoder_names.json")) {
            JsonObject all =
                    JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                            .getAsJsonObject();
            all.getAsJsonObject(which)
                    .getAsJsonObject("parameters")
                    .asMap()
                    .forEach(
                            (name, sizes) ->
                                    shapes.put(
                                            name,
                                            new Shape(
                                                    sizes.getAsJsonArray().asList().stream()
                                                            .mapToLong(JsonElement::getAsLong)
                                                            .toArray())));
        }
        return shapes;
    }

    @Test
    void stableDiffusionsNamesAreOurs() throws IOException {
        Map<String, Shape> ours = new TreeMap<>();
        StateDict.parameters(new AutoencoderKl(AutoencoderSizes.stableDiffusion()))
                .forEach((name, p) -> ours.put(name, p.getShape()));
        assertEquals(published("stable_diffusion_kl_f8"), ours);
        assertEquals(83_653_863, ours.values().stream().mapToLong(Shape::size).sum());
    }

    @Test
    void slotDiffusionsNames(NDManager manager) throws IOException {
        VqAutoencoder block = new VqAutoencoder(AutoencoderSizes.slotDiffusion(), 4096);
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 128, 128));
        NameMap map = DiffusionLayouts.compVisAutoencoder(3);
        Map<String, Shape> theirs = new TreeMap<>();
        try (StateDict reverted = map.revert(StateDict.of(block))) {
            reverted.arrays().forEach((name, array) -> theirs.put(name, array.getShape()));
            assertEquals(published("slotdiffusion_vqvae_f4"), theirs);
            assertEquals(13_857_886, theirs.values().stream().mapToLong(Shape::size).sum());
            try (StateDict again = map.apply(reverted)) {
                StateDict ours = StateDict.of(block);
                assertEquals(ours.names(), again.names());
            }
        }
    }

    private static UNet unet(NDManager manager, int seed) {
        manager.getEngine().setRandomSeed(seed);
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4, 8, 8)
                                .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                                .optAttention(true, false, true)
                                .optBlocks(2)
                                .optGroups(2)
                                .build());
        unet.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 4, 4));
        return unet;
    }

    private static void assertEqual(Block expected, Block got) {
        Map<String, NDArray> theirs = ReferenceCase.parameters(got);
        ReferenceCase.parameters(expected)
                .forEach((name, array) -> Tensors.assertSame(name, array, theirs.get(name)));
    }

    @Test
    void compVisThereAndBack(NDManager manager) {
        UNet one = unet(manager, 1);
        UNet other = unet(manager, 2);
        NameMap map = DiffusionLayouts.compVisUNet(2, true, false, true);
        try (StateDict theirs = map.revert(StateDict.of(one));
                StateDict ours = map.apply(theirs)) {
            // Two levels of three on the way up have an upsampling: after attention, and without.
            assertTrue(theirs.names().contains("output_blocks.2.2.conv.weight"));
            assertTrue(theirs.names().contains("output_blocks.5.1.conv.weight"));
            // Two blocks a level on the way down, and what halves it.
            assertTrue(theirs.names().contains("input_blocks.3.0.op.weight"));
            assertTrue(theirs.names().contains("input_blocks.6.0.op.weight"));
            assertTrue(theirs.names().contains("input_blocks.8.0.in_layers.0.weight"));
            ours.loadInto(other);
        }
        assertEqual(one, other);
    }

    @Test
    void sizesOutOfRange() {
        String who = "DiffusionLayouts: ";
        assertRefused(
                who + "levels must be at least 1, got 0", () -> DiffusionLayouts.compVisUNet(1));
        assertRefused(
                who + "blocks must be at least 1, got 0",
                () -> DiffusionLayouts.compVisUNet(0, true));
        assertRefused(
                who + "levels must be at least 1, got 0",
                () -> DiffusionLayouts.compVisAutoencoder(0));
        assertRefused(
                who + "heads must be at least 1, got 0",
                () -> DiffusionLayouts.latentSlotDiffusionSlots(0, false));
    }

    @Test
    void attentionOfOlderFiles(NDManager manager) {
        AutoencoderSizes sizes = new AutoencoderSizes(3, 2, List.of(4, 8), 1, 2, 1);
        AutoencoderKl one = new AutoencoderKl(sizes);
        one.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        Map<String, NDArray> old = new LinkedHashMap<>();
        StateDict.of(one)
                .arrays()
                .forEach(
                        (name, array) ->
                                old.put(
                                        name.replace("to_q", "query")
                                                .replace("to_k", "key")
                                                .replace("to_v", "value")
                                                .replace("to_out.0", "proj_attn"),
                                        array));
        assertTrue(old.containsKey("encoder.mid_block.attentions.0.proj_attn.bias"));
        AutoencoderKl other = new AutoencoderKl(sizes);
        other.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        try (StateDict ours = DiffusionLayouts.diffusers().apply(StateDict.of(old))) {
            ours.loadInto(other);
        }
        assertEqual(one, other);
    }

    private static final String CONFIG =
            """
            {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.40.0",
             "in_channels": 2, "out_channels": 2, "sample_size": 4, "act_fn": "silu",
             "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"],
             "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"],
             "block_out_channels": [4, 8, 8], "layers_per_block": 2, "norm_num_groups": 2,
             "attention_head_dim": 2, "cross_attention_dim": 5, "class_embed_type": null%s}
            """;

    private static void write(Path folder, String more) throws IOException {
        Files.writeString(folder.resolve("config.json"), CONFIG.formatted(more));
    }

    @Test
    void aFolderBecomesANetwork(NDManager manager, @TempDir Path folder) throws IOException {
        UNet one = unet(manager, 1);
        write(folder, "");
        StateDict.of(one).write(folder.resolve("diffusion_pytorch_model.safetensors"));
        manager.getEngine().setRandomSeed(3);
        UNet read = UNet.read(folder, manager);
        assertEquals(one.sizes(), read.sizes());
        assertEqual(one, read);
    }

    /** Large networks come in several files. */
    @Test
    void weightsMayLieInSeveralFiles(NDManager manager, @TempDir Path folder) throws IOException {
        UNet one = unet(manager, 1);
        write(folder, "");
        Map<String, NDArray> first = new LinkedHashMap<>();
        Map<String, NDArray> second = new LinkedHashMap<>();
        JsonObject map = new JsonObject();
        StateDict.of(one)
                .arrays()
                .forEach(
                        (name, array) -> {
                            boolean early = first.size() < 20;
                            (early ? first : second).put(name, array);
                            map.addProperty(name, early ? "a-1-of-2.safetensors" : "b.safetensors");
                        });
        assertTrue(!second.isEmpty());
        StateDict.of(first).write(folder.resolve("a-1-of-2.safetensors"));
        StateDict.of(second).write(folder.resolve("b.safetensors"));
        Path index = folder.resolve("diffusion_pytorch_model.safetensors.index.json");
        JsonObject all = new JsonObject();
        all.add("weight_map", map);
        Files.writeString(index, all.toString());
        manager.getEngine().setRandomSeed(3);
        assertEqual(one, UNet.read(folder, manager));

        Files.delete(folder.resolve("b.safetensors"));
        assertBroken(index + " names b.safetensors, which is not there", folder, manager);
        String missing = second.keySet().stream().sorted().findFirst().orElseThrow();
        second.remove(missing);
        StateDict.of(second).write(folder.resolve("b.safetensors"));
        assertBroken(
                folder.resolve("b.safetensors") + " has no " + missing + ", as its index says",
                folder,
                manager);
        map.addProperty(missing, "../b.safetensors");
        Files.writeString(index, all.toString());
        assertBroken(
                index + ": " + missing + " must be in a file beside it, got \"../b.safetensors\"",
                folder,
                manager);
        map.add(missing, JsonNull.INSTANCE);
        Files.writeString(index, all.toString());
        assertBroken(
                index + ": " + missing + " must be in a file beside it, got null", folder, manager);
        for (String no : new String[] {"null", "[1]", "{}"}) {
            Files.writeString(index, "{\"weight_map\": " + no + "}");
            assertBroken(
                    index + ": weight_map must say the file of each array, got " + no,
                    folder,
                    manager);
        }
        Files.writeString(index, "{\"weight_map\": {\"a\": \"b\"}} {}");
        assertBroken(index + ": not valid JSON: there is more behind the object", folder, manager);
        Files.writeString(index, "[1]");
        assertBroken(index + ": expected a JSON object", folder, manager);
        Files.write(index, new byte[] {'{', (byte) 0xff, '}'});
        assertBroken(index + ": not valid JSON: it is no text in UTF-8", folder, manager);
    }

    private static void assertBroken(String message, Path folder, NDManager manager) {
        assertEquals(
                message,
                assertThrows(IOException.class, () -> UNet.read(folder, manager)).getMessage());
    }

    private static void refused(String message, Path folder, NDManager manager) {
        String got = assertThrows(IOException.class, () -> UNet.read(folder, manager)).getMessage();
        assertEquals(message.replace("FILE", folder.resolve("config.json").toString()), got);
    }

    @Test
    void optionsThatAreNotSupported(NDManager manager, @TempDir Path folder) throws IOException {
        assertEquals(
                folder + " has no config.json: expected a folder of diffusers' save_pretrained",
                assertThrows(IOException.class, () -> UNet.read(folder, manager)).getMessage());
        write(folder, ", \"only_cross_attention\": false, \"new\": null");
        assertTrue(
                assertThrows(IOException.class, () -> UNet.read(folder, manager))
                        .getMessage()
                        .contains("has no weights"));
        write(folder, ", \"only_cross_attention\": true, \"new_fashion\": 3");
        refused(
                "FILE: options that are not supported: [new_fashion, only_cross_attention]",
                folder,
                manager);
        write(folder, ", \"conv_in_kernel\": 1");
        refused(
                "FILE: conv_in_kernel must be 3, got 1: other values are not supported",
                folder,
                manager);
        write(folder, ", \"pos_type\": \"sin\"");
        refused("FILE: pos_type must be none or cartesian, got sin", folder, manager);
        write(folder, ", \"dropout\": \"much\"");
        refused("FILE: dropout must be a number, got \"much\"", folder, manager);
        write(folder, ", \"dropout\": 2");
        refused(
                "FILE: ResnetBlock: dropout must be at least 0 and below 1, got 2.0",
                folder,
                manager);
        write(folder, ", \"num_attention_heads\": [1, 2, 3]");
        refused(
                "FILE: attention_head_dim must be one number of heads, or for each level one such"
                        + " that all heads are of one size, got [1, 2, 3]",
                folder,
                manager);
        Files.writeString(folder.resolve("config.json"), "[1]");
        refused("FILE: expected a JSON object", folder, manager);
        Files.writeString(folder.resolve("config.json"), "{\"_class_name\": \"UNet2DModel\"}");
        refused(
                "FILE: _class_name must be UNet2DConditionModel or UNet2DConditionModelWithPos,"
                        + " got UNet2DModel",
                folder,
                manager);
        Files.writeString(folder.resolve("config.json"), "{\"_class_name\": ");
        assertTrue(
                assertThrows(IOException.class, () -> UNet.read(folder, manager))
                        .getMessage()
                        .contains("not valid JSON"));
    }

    @Test
    void headsOfEachLevel(NDManager manager, @TempDir Path folder) throws IOException {
        write(folder, ", \"num_attention_heads\": [2, 4, 4]");
        StateDict.of(unet(manager, 1)).write(folder.resolve("diffusion_pytorch_model.safetensors"));
        TransformerOptions options = UNet.read(folder, manager).sizes().transformer();
        assertEquals(Heads.size(2), options == null ? null : options.heads());
    }

    @Test
    void autoencodersInFolders(NDManager manager, @TempDir Path folder) throws IOException {
        AutoencoderSizes sizes = new AutoencoderSizes(3, 2, List.of(4, 8), 1, 2, 0.5);
        String config =
                """
                {"_class_name": "%s", "act_fn": "silu", "block_out_channels": [4, 8],
                 "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
                 "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
                 "latent_channels": 2, "norm_num_groups": 2, "scaling_factor": 0.5,
                 "sample_size": 8%s}
                """;
        AutoencoderKl kl = new AutoencoderKl(sizes);
        kl.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        Path weights = folder.resolve("diffusion_pytorch_model.safetensors");
        StateDict.of(kl).write(weights);
        Path options = folder.resolve("config.json");
        Files.writeString(options, config.formatted("AutoencoderKL", ", \"force_upcast\": true"));
        AutoencoderKl read = AutoencoderKl.read(folder, manager);
        assertEquals(sizes, read.sizes());
        assertEquals(0.5, read.scale());
        assertEqual(kl, read);
        Files.writeString(options, config.formatted("AutoencoderKL", ", \"shift_factor\": 0.1"));
        assertEquals(
                options + ": options that are not supported: [shift_factor]",
                assertThrows(IOException.class, () -> AutoencoderKl.read(folder, manager))
                        .getMessage());

        VqAutoencoder vq = new VqAutoencoder(sizes, 7);
        vq.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        StateDict.of(vq).write(weights);
        Files.writeString(options, config.formatted("VQModel", ", \"num_vq_embeddings\": 7"));
        assertEqual(vq, VqAutoencoder.read(folder, manager));
        assertTrue(
                assertThrows(IOException.class, () -> AutoencoderKl.read(folder, manager))
                        .getMessage()
                        .endsWith("_class_name must be AutoencoderKL, got VQModel"));
    }
}
