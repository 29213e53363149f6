package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.autoencoder.VqAutoencoder;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/** Networks as folders of diffusers, and back. */
@ExtendWith(OnDevice.class)
class DiffusersExportTest {

    @TempDir Path folder;

    private static UNetConfiguration.Builder small() {
        return UNetConfiguration.builder()
                .setChannels(2, 3)
                .setWidths(4, 8)
                .setTransformer(TransformerOptions.of(5, Heads.count(2)))
                .optGroups(2);
    }

    static Stream<Arguments> sizes() {
        TransformerOptions all = new TransformerOptions(7, Heads.size(4), 2, true, 8);
        return Stream.of(
                Arguments.of("as it comes", small().build()),
                Arguments.of(
                        "heads of a size that one level has not",
                        small().setWidths(6, 8, 16)
                                .setTransformer(TransformerOptions.of(5, Heads.size(8)))
                                .optAttention(false, true, false)
                                .build()),
                Arguments.of(
                        "all options",
                        small().setWidths(4, 8, 8)
                                .setTransformer(all)
                                .optAttention(true, false, true)
                                .optBlocks(2)
                                .optResidual(new ResnetBlock.Options(2, 2.5e-6, 0.125, true))
                                .optTime(TimeEmbedding.Order.SINE_FIRST, 1)
                                .build()));
    }

    private static void assertEqual(Block expected, Block got) {
        Map<String, NDArray> theirs = ReferenceCase.parameters(got);
        Map<String, NDArray> ours = ReferenceCase.parameters(expected);
        assertEquals(ours.keySet(), theirs.keySet());
        ours.forEach((name, array) -> assertSame(name, array, theirs.get(name)));
    }

    private static UNet unet(NDManager manager, UNetConfiguration sizes) {
        UNet unet = new UNet(sizes);
        unet.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 8, 8));
        return unet;
    }

    private JsonObject config(Path written) throws IOException {
        return JsonParser.parseString(Files.readString(written.resolve("config.json")))
                .getAsJsonObject();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("sizes")
    void aUNet(String name, UNetConfiguration sizes, NDManager manager) throws IOException {
        Path path = folder.resolve("unet");
        UNet one = unet(manager, sizes);
        one.write(path);
        one.write(path); // in place of itself
        UNet read = UNet.read(path, manager);
        assertEquals(sizes, read.sizes());
        assertEqual(one, read);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 1, 2, 2, 8, 8);
        NDArray t = manager.create(new long[] {3, 900});
        NDArray s = normal(manager, 2, 2, 3, one.sizes().transformer().slotDim());
        assertClose(
                "prediction",
                one.predict(store, z, t, s, false),
                read.predict(store, z, t, s, false),
                1e-5);
    }

    /** The names and values that diffusers knows. */
    @Test
    void theFile(NDManager manager) throws IOException {
        UNet one =
                unet(
                        manager,
                        small().setWidths(6, 8, 16)
                                .setTransformer(TransformerOptions.of(5, Heads.size(8)))
                                .optAttention(false, true, false)
                                .build());
        Path path = folder.resolve("unet");
        one.write(path);
        JsonObject config = config(path);
        assertEquals("UNet2DConditionModel", config.get("_class_name").getAsString());
        assertEquals("[6,8,16]", config.get("block_out_channels").toString());
        assertEquals(
                "[\"DownBlock2D\",\"CrossAttnDownBlock2D\",\"DownBlock2D\"]",
                config.get("down_block_types").toString());
        assertEquals(
                "[\"UpBlock2D\",\"CrossAttnUpBlock2D\",\"UpBlock2D\"]",
                config.get("up_block_types").toString());
        assertEquals("[1,1,2]", config.get("attention_head_dim").toString());
        assertEquals(1e-5, config.get("norm_eps").getAsDouble());
        assertEquals("default", config.get("resnet_time_scale_shift").getAsString());
        assertTrue(config.get("flip_sin_to_cos").getAsBoolean());
        assertFalse(config.has("pos_type"));
        try (Stream<Path> files = Files.list(path)) {
            assertEquals(
                    List.of("config.json", "diffusion_pytorch_model.safetensors"),
                    files.map(f -> f.getFileName().toString()).sorted().toList());
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(path), files.toList());
        }
        unet(
                        manager,
                        small().setTransformer(
                                        TransformerOptions.of(5, Heads.count(2)).withPositions(8))
                                .build())
                .write(path);
        config = config(path);
        assertEquals("UNet2DConditionModelWithPos", config.get("_class_name").getAsString());
        assertEquals("cartesian", config.get("pos_type").getAsString());
        assertEquals(8, config.get("sample_size").getAsInt());
    }

    @Test
    void autoencoders(NDManager manager) throws IOException {
        AutoencoderSizes sizes = new AutoencoderSizes(3, 2, List.of(4, 8), 1, 2, 0.625);
        Path path = folder.resolve("vae");
        AutoencoderKl kl = new AutoencoderKl(sizes);
        kl.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        kl.write(path);
        AutoencoderKl read = AutoencoderKl.read(path, manager);
        assertEquals(sizes, read.sizes());
        assertEqual(kl, read);
        JsonObject config = config(path);
        assertEquals("AutoencoderKL", config.get("_class_name").getAsString());
        assertEquals(0.625, config.get("scaling_factor").getAsDouble());
        assertTrue(config.get("use_quant_conv").getAsBoolean());
        VqAutoencoder vq = new VqAutoencoder(sizes, 7);
        vq.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 4, 4));
        vq.write(path); // one network in place of another
        assertEqual(vq, VqAutoencoder.read(path, manager));
        assertEquals(7, config(path).get("num_vq_embeddings").getAsInt());
        assertThrows(IOException.class, () -> AutoencoderKl.read(path, manager));
        assertThrows(IllegalStateException.class, () -> new AutoencoderKl(sizes).write(path));
        assertEqual(vq, VqAutoencoder.read(path, manager));
    }

    /** How a network started is no affair of diffusers; what it lacks is refused. */
    @Test
    void whatDiffusersLacks(NDManager manager) throws IOException {
        Path path = folder.resolve("unet");
        UNet zero = unet(manager, small().optZeroStart(true).build());
        zero.write(path);
        UNet read = UNet.read(path, manager);
        assertEquals(small().build(), read.sizes());
        assertEqual(zero, read);
        UNet interleaved =
                unet(manager, small().optTime(TimeEmbedding.Order.INTERLEAVED, 0).build());
        assertRefused(
                "UNet: diffusers has no embedding of times with sines and cosines in turn",
                () -> interleaved.write(path));
        assertEqual(zero, UNet.read(path, manager));
    }

    /** As diffusers saves large networks: an index, and the files that it names. */
    @Test
    void weightsInSeveralFilesAreReplaced(NDManager manager) throws IOException {
        UNet former = unet(manager, small().build());
        manager.getEngine().setRandomSeed(9);
        UNet other = unet(manager, small().build());
        Path path = folder.resolve("unet");
        String stem = "diffusion_pytorch_model";
        for (String[] names :
                new String[][] {
                    {".safetensors.index.json", "-0000%d-of-00002.safetensors"},
                    {".safetensors.index.fp16.json", ".fp16-0000%d-of-00002.safetensors"},
                    {".safetensors.index.fp16.json", "-0000%d-of-00002.fp16.safetensors"}
                }) {
            former.write(path);
            Path whole = path.resolve(stem + ".safetensors");
            JsonObject map = new JsonObject();
            List<Map<String, NDArray>> parts =
                    List.of(new LinkedHashMap<>(), new LinkedHashMap<>());
            StateDict.of(former)
                    .arrays()
                    .forEach(
                            (name, array) -> {
                                int part = map.size() < 9 ? 0 : 1;
                                parts.get(part).put(name, array);
                                map.addProperty(name, part(stem + names[1], part));
                            });
            for (int i = 0; i < 2; i++) {
                StateDict.of(parts.get(i)).write(path.resolve(part(stem + names[1], i)));
            }
            JsonObject index = new JsonObject();
            index.add("weight_map", map);
            Files.writeString(path.resolve(stem + names[0]), index.toString());
            Files.delete(whole);
            assertEqual(former, UNet.read(path, manager));
            other.write(path);
            assertEqual(other, UNet.read(path, manager));
            try (Stream<Path> files = Files.list(path)) {
                assertEquals(
                        List.of("config.json", stem + ".safetensors"),
                        files.map(f -> f.getFileName().toString()).sorted().toList());
            }
        }
        Path mine = Files.writeString(path.resolve(stem + "-1-of-2.safetensors"), "mine");
        assertThrows(IOException.class, () -> other.write(path));
        assertEquals("mine", Files.readString(mine));
    }

    private static String part(String name, int part) {
        return String.format(Locale.ROOT, name, part + 1);
    }

    @Test
    void whatIsThereIsLeftAlone(NDManager manager) throws IOException {
        UNet one = unet(manager, small().build());
        Path path = Files.createDirectory(folder.resolve("unet"));
        one.write(path); // an empty one
        Files.writeString(path.resolve("letter.txt"), "mine");
        String message = assertThrows(IOException.class, () -> one.write(path)).getMessage();
        assertTrue(
                message.startsWith("DiffusersExport: cannot write " + path + ": ")
                        && message.contains("letter.txt, and is not overwritten"),
                message);
        assertTrue(message.endsWith("or write to another folder"), message);
        assertEquals("mine", Files.readString(path.resolve("letter.txt")));
        Files.delete(path.resolve("letter.txt"));
        assertEqual(one, UNet.read(path, manager));
        Path file = Files.writeString(folder.resolve("file"), "mine");
        assertThrows(IOException.class, () -> one.write(file));
        assertEquals("mine", Files.readString(file));
        assertThrows(IOException.class, () -> one.write(folder.resolve("none/unet")));
        Path weights = path.resolve("diffusion_pytorch_model.safetensors");
        byte[] all = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(all, all.length / 2));
        assertThrows(IOException.class, () -> UNet.read(path, manager));
        one.write(path);
        assertEqual(one, UNet.read(path, manager));
    }
}
