package org.slotwise.encoder;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.unet.Heads;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.StateDict;

/** The folder "backbone" of Latent Slot Diffusion becomes a network, and back. */
@ExtendWith(OnDevice.class)
class UNetEncoderFolderTest {

    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    /** As the authors' is, at the sizes of the reference case. */
    private static final String CONFIG =
            """
            {"_class_name": "UNetEncoder", "_diffusers_version": "0.21.4", "act_fn": "silu",
             "add_attention": true, "attention_head_dim": 8, "block_out_channels": [8, 8],
             "center_input_sample": false, "class_embed_type": null,
             "down_block_types": ["DownBlock2D", "DownBlock2D"], "downsample_padding": 1,
             "downsample_type": "conv", "dropout": 0.0, "flip_sin_to_cos": true, "freq_shift": 0,
             "in_channels": 8, "input_channels": 3, "input_resolution": 8, "layers_per_block": 1,
             "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 4,
             "num_class_embeds": null, "out_channels": 10, "resnet_time_scale_shift": "default",
             "sample_size": 4, "time_embedding_type": "positional",
             "up_block_types": ["UpBlock2D", "UpBlock2D"], "upsample_type": "conv"}
            """;

    @TempDir Path folder;

    private static Map<String, NDArray> arrays(NDManager manager) {
        return ReferenceCase.of("unet", "UNetEncoder").findFirst().orElseThrow().arrays(manager);
    }

    private void write(String config, Map<String, NDArray> arrays) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        StateDict.of(ReferenceCase.under("param/", arrays)).write(folder.resolve(WEIGHTS));
    }

    private String refusal(NDManager manager) {
        String message =
                assertThrows(IOException.class, () -> UNetEncoder.read(folder, manager))
                        .getMessage();
        assertTrue(message.startsWith(folder.toString()), message);
        return message.substring(folder.toString().length());
    }

    @Test
    void theAuthorsFolder(NDManager manager) throws IOException {
        Map<String, NDArray> arrays = arrays(manager);
        write(CONFIG, arrays);
        UNetEncoder encoder = UNetEncoder.read(folder, manager);
        assertEquals(2, encoder.patch());
        NDArray features =
                encoder.extract(new ParameterStore(manager, false), arrays.get("in/x"), false)
                        .features();
        NDArray map = features.swapAxes(1, 2).reshape(2, 10, 4, 4);
        assertClose("features", arrays.get("out/out"), map, 1e-5);
        // Written again it has the arrays of theirs, all of them and no other.
        Path again = folder.resolve("again");
        encoder.write(again);
        try (StateDict theirs = StateDict.read(again.resolve(WEIGHTS))) {
            Map<String, NDArray> expected = ReferenceCase.under("param/", arrays);
            assertEquals(expected.keySet().size(), theirs.names().size());
            expected.forEach((name, array) -> assertSame(name, array, theirs.get(name)));
        }
    }

    /** The options of the authors' file for MOVi-E are the sizes that we have for it. */
    @Test
    void theAuthorsSizes() throws IOException {
        Files.writeString(
                folder.resolve("config.json"),
                CONFIG.replace("[8, 8]", "[128, 128, 256, 512]")
                        .replace("[\"DownBlock2D\", ", "[" + "\"DownBlock2D\", ".repeat(3))
                        .replace("[\"UpBlock2D\", ", "[" + "\"UpBlock2D\", ".repeat(3))
                        .replace("\"in_channels\": 8", "\"in_channels\": 128")
                        .replace("\"out_channels\": 10", "\"out_channels\": 192")
                        .replace("\"norm_num_groups\": 4", "\"norm_num_groups\": 16")
                        .replace("\"input_resolution\": 8", "\"input_resolution\": 256")
                        .replace("\"sample_size\": 4", "\"sample_size\": 64"));
        UNetEncoder read = UNetEncoderFolder.read(DiffusersFolder.open(folder));
        assertEquals(UNetEncoder.latentSlotDiffusion().sizes(), read.sizes());
        assertEquals(4, read.patch());
    }

    private static UNetConfiguration.Builder small() {
        return UNetConfiguration.builder()
                .setChannels(6, 5)
                .setWidths(4, 8, 8)
                .optGroups(2)
                .optMiddle(Heads.size(4));
    }

    private static void assertComesBack(UNetConfiguration sizes, int patch, Path to, NDManager m)
            throws IOException {
        UNetEncoder one = new UNetEncoder(sizes, patch);
        one.initialize(m, DataType.FLOAT32, new Shape(1, 3, 24, 24));
        one.write(to);
        one.write(to); // in place of itself
        UNetEncoder read = UNetEncoder.read(to, m);
        assertEquals(sizes, read.sizes());
        assertEquals(patch, read.patch());
        ParameterStore store = new ParameterStore(m, false);
        NDArray x = uniform(m, 1, DataType.FLOAT32, 2, 3, 12, 24);
        assertSame(
                "features",
                one.extract(store, x, false).features(),
                read.extract(store, x, false).features());
    }

    @Test
    void whatIsWrittenComesBack(NDManager manager) throws IOException {
        Path path = folder.resolve("backbone");
        assertComesBack(small().build(), 3, path, manager);
        assertComesBack(
                small().optBlocks(2)
                        .optResidual(new ResnetBlock.Options(4, 2.5e-6, 0.125, false))
                        .optTime(TimeEmbedding.Order.SINE_FIRST, 1)
                        .optMiddle(Heads.size(8))
                        .build(),
                1,
                path,
                manager);
        // One head is of the size of its width.
        UNetEncoder one = new UNetEncoder(small().optMiddle(Heads.count(1)).build(), 1);
        one.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        one.write(path);
        assertEquals(Heads.size(8), UNetEncoder.read(path, manager).sizes().middle());
        String config = Files.readString(path.resolve("config.json"));
        Files.writeString(
                path.resolve("config.json"),
                config.replace("\"attention_head_dim\": 8", "\"attention_head_dim\": null"));
        assertEquals(Heads.count(1), UNetEncoder.read(path, manager).sizes().middle());
    }

    /** The eps of all norms is an option: that of the attention in the middle, too. */
    @Test
    void epsCountsInTheMiddle(NDManager manager) throws IOException {
        Map<String, NDArray> arrays = arrays(manager);
        write(CONFIG, arrays);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = arrays.get("in/x");
        NDArray plain = UNetEncoder.read(folder, manager).extract(store, x, false).features();
        write(CONFIG.replace("1e-05", "0.5"), arrays);
        UNetEncoder other = UNetEncoder.read(folder, manager);
        assertEquals(0.5, other.sizes().residual().eps());
        NDArray features = other.extract(store, x, false).features();
        assertTrue(features.sub(plain).abs().max().getFloat() > 1e-3);
    }

    @Test
    void optionsThatAreNotSupported(NDManager manager) throws IOException {
        Map<String, NDArray> arrays = arrays(manager);
        Map<String, String> changes = new LinkedHashMap<>();
        changes.put(
                "\"UNetEncoder\" -> \"UNet2DModel\"",
                "_class_name must be UNetEncoder, got UNet2DModel");
        changes.put(
                "\"center_input_sample\": false -> \"center_input_sample\": true",
                "options that are not supported: [center_input_sample]");
        changes.put(
                "\"class_embed_type\": null -> \"class_embed_type\": \"timestep\"",
                "options that are not supported: [class_embed_type]");
        changes.put(
                "\"add_attention\": true -> \"add_attention\": false",
                "add_attention must be true, got false: other values are not supported");
        changes.put(
                "\"mid_block_scale_factor\": 1 -> \"mid_block_type\": null",
                "mid_block_type must be UNetMidBlock2D, got null: a network without a middle is not"
                        + " supported");
        changes.put(
                "\"default\" -> \"scale_shift\"",
                "resnet_time_scale_shift must be \"default\", got \"scale_shift\": other values are"
                        + " not supported");
        changes.put(
                "\"DownBlock2D\", \"DownBlock2D\" -> \"DownBlock2D\", \"AttnDownBlock2D\"",
                "down_block_types must be [DownBlock2D, DownBlock2D], got [DownBlock2D,"
                        + " AttnDownBlock2D]");
        changes.put(
                "\"sample_size\": 4 -> \"sample_size\": null",
                "sample_size must be a whole number, got null");
        changes.put(
                "\"sample_size\": 4 -> \"sample_size\": 9",
                "sample_size must be at least 1 and at most input_resolution, which it divides, got"
                        + " 9 and 8");
        changes.put(
                "\"attention_head_dim\": 8 -> \"attention_head_dim\": 3",
                "Heads: a width with attention must be a multiple of 3, got 8");
        changes.put(
                "\"norm_num_groups\": 4 -> \"norm_num_groups\": 3",
                "UNetConfiguration: widths must be multiples of 3 groups, got 8");
        for (Map.Entry<String, String> change : changes.entrySet()) {
            String[] fromTo = change.getKey().split(" -> ", -1);
            assertTrue(CONFIG.contains(fromTo[0]), fromTo[0]);
            write(CONFIG.replace(fromTo[0], fromTo[1]), arrays);
            assertEquals("/config.json: " + change.getValue(), refusal(manager));
        }
    }

    @Test
    void filesThatAreMissingOrOfOthers(NDManager manager) throws IOException {
        assertEquals(
                " has no config.json: expected a folder of diffusers' save_pretrained",
                refusal(manager));
        Map<String, NDArray> arrays = arrays(manager);
        write(CONFIG, arrays);
        Files.delete(folder.resolve(WEIGHTS));
        assertTrue(refusal(manager).startsWith(" has no weights: expected one of ["));
        Map<String, NDArray> fewer = new LinkedHashMap<>(arrays);
        fewer.remove("param/conv_out.bias");
        write(CONFIG, fewer);
        String message = refusal(manager);
        assertTrue(message.startsWith("/" + WEIGHTS) && message.contains("conv_out.bias"), message);
        Map<String, NDArray> other = new LinkedHashMap<>(arrays);
        other.put("param/conv_out.bias", manager.zeros(new Shape(11)));
        write(CONFIG, other);
        message = refusal(manager);
        assertTrue(
                message.startsWith("/" + WEIGHTS)
                        && message.contains("conv_out.bias")
                        && message.contains("11"),
                message);
    }

    @Test
    void whatDiffusersLacks(NDManager manager) {
        UNetEncoder interleaved =
                new UNetEncoder(small().optTime(TimeEmbedding.Order.INTERLEAVED, 0).build(), 1);
        assertRefused(
                "UNetEncoder: diffusers has no embedding of times with sines and cosines in turn",
                () -> interleaved.write(folder.resolve("backbone")));
        UNetEncoder scaled =
                new UNetEncoder(
                        small().optResidual(new ResnetBlock.Options(2, 1e-5, 0, true)).build(), 1);
        assertRefused(
                "UNetEncoder: diffusers has no normalised attention beside residual blocks that"
                        + " scale",
                () -> scaled.write(folder.resolve("backbone")));
        assertThrows(
                IllegalStateException.class,
                () -> new UNetEncoder(small().build(), 1).write(folder.resolve("backbone")));
    }
}
