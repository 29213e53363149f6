package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.autoencoder.VqAutoencoder;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.grouping.SteveOptions;
import org.slotwise.grouping.SteveSlotAttention;
import org.slotwise.testing.OnDevice;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/** Options and weights of folders that are odd, damaged or hostile. */
@ExtendWith(OnDevice.class)
class DiffusersFolderTest {

    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

    @TempDir Path folder;

    private DiffusersFolder open(String config) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        return DiffusersFolder.open(folder);
    }

    private void assertFault(String message, Executable what) {
        assertEquals(
                folder.resolve("config.json") + ": " + message,
                assertThrows(IOException.class, what).getMessage());
    }

    /** Python's null overrides a default: it must not be taken for it. */
    @Test
    void nullIsNotLeftOut() throws IOException {
        DiffusersFolder f = open("{\"a\": null}");
        assertFault("a must be a whole number, got null", () -> f.integer("a", 4));
        assertFault("a must be a number, got null", () -> f.number("a", 0.5));
        assertFault("a must be a text, got null", () -> f.text("a", "b"));
        assertFault("a must be a text, got null", () -> f.oneOf("a", "b", "c"));
        assertFault("a must be a whole number, got null", () -> f.integers("a", List.of(4)));
        assertFault("a must be a text, got null", () -> f.texts("a", List.of("b")));
        assertFault(
                "a must be true, got null: other values are not supported",
                () -> f.require("a", "true"));
        // These are nothing to Python, too.
        assertFalse(f.flag("a", true));
        assertEquals(List.of(), f.integers("a", List.of()));
        assertEquals(List.of(), f.texts("a", List.of()));
        f.require("a", "false");
        f.refuseOthers();
    }

    @Test
    void filesThatAreNoOptions() throws IOException {
        assertFault("expected a JSON object", () -> open("[1]"));
        assertFault("not valid JSON: there is more behind the object", () -> open("{} {}"));
        assertTrue(
                assertThrows(IOException.class, () -> open("{'a': 1}"))
                        .getMessage()
                        .startsWith(folder.resolve("config.json") + ": not valid JSON: "));
        Files.write(folder.resolve("config.json"), new byte[] {'{', (byte) 0xff, '}'});
        assertFault("not valid JSON: it is no text in UTF-8", () -> DiffusersFolder.open(folder));
        assertFault(
                "expected options, got 1100000 bytes", () -> open(" ".repeat(1_099_998) + "{}"));
    }

    /** Makes a network of a folder. */
    private interface Reader {
        Object read(Path folder, NDManager manager) throws IOException;
    }

    private Map<Path, Reader> all(NDManager manager) throws IOException {
        Map<Path, Reader> all = new LinkedHashMap<>();
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4, 8)
                                .setTransformer(
                                        TransformerOptions.of(5, Heads.count(2)).withPositions(4))
                                .optGroups(2)
                                .build());
        write(unet, manager, new Shape(1, 2, 4, 4));
        unet.write(folder.resolve("unet"));
        all.put(folder.resolve("unet"), UNet::read);
        UNetEncoder backbone =
                new UNetEncoder(
                        UNetConfiguration.builder()
                                .setChannels(4, 5)
                                .setWidths(4, 8)
                                .optGroups(2)
                                .optMiddle(Heads.size(4))
                                .build(),
                        2);
        write(backbone, manager, new Shape(1, 3, 8, 8));
        backbone.write(folder.resolve("backbone"));
        all.put(folder.resolve("backbone"), UNetEncoder::read);
        AutoencoderSizes sizes = new AutoencoderSizes(1, 2, List.of(4, 8), 1, 2, 0.5);
        AutoencoderKl kl = new AutoencoderKl(sizes);
        write(kl, manager, new Shape(1, 1, 4, 4));
        kl.write(folder.resolve("kl"));
        all.put(folder.resolve("kl"), AutoencoderKl::read);
        VqAutoencoder vq = new VqAutoencoder(sizes, 7);
        write(vq, manager, new Shape(1, 1, 4, 4));
        vq.write(folder.resolve("vq"));
        all.put(folder.resolve("vq"), VqAutoencoder::read);
        SteveOptions options = new SteveOptions(4, 6, 3, 4, 5, 7, 2, 1, 1e-6, false);
        SteveSlotAttention slots = new SteveSlotAttention(options);
        write(slots, manager, new Shape(1, 16, 6));
        slots.write(folder.resolve("slots"));
        all.put(folder.resolve("slots"), SteveSlotAttention::read);
        return all;
    }

    private static void write(AbstractBlock block, NDManager manager, Shape input) {
        block.initialize(manager, DataType.FLOAT32, input);
    }

    private static void change(Path part, String from, String to) throws IOException {
        Path config = part.resolve("config.json");
        String text = Files.readString(config);
        String changed = text.replaceAll(from, to);
        assertFalse(text.equals(changed), from);
        Files.writeString(config, changed);
    }

    /** Nothing is left behind of a network that nobody gets; images may have one channel. */
    @Test
    void whatCannotBeReadLeavesNothing(NDManager manager) throws IOException {
        for (Map.Entry<Path, Reader> one : all(manager).entrySet()) {
            Path part = one.getKey();
            try (NDManager own = manager.newSubManager()) {
                one.getValue().read(part, own);
                assertTrue(own.getManagedArrays().size() > 5, part.toString());
            }
            Path weights = part.resolve(WEIGHTS);
            Map<String, NDArray> more;
            try (StateDict all = StateDict.read(weights)) {
                more = new LinkedHashMap<>(all.arrays());
                more.put("one_more", manager.zeros(new Shape(1)));
                StateDict.of(more).write(weights);
            }
            try (NDManager own = manager.newSubManager()) {
                String message =
                        assertThrows(IOException.class, () -> one.getValue().read(part, own))
                                .getMessage();
                assertTrue(
                        message.startsWith(weights + ": ") && message.contains("one_more"),
                        message);
                assertEquals(0, own.getManagedArrays().size(), part + " leaves arrays");
            }
        }
    }

    /** Options may say anything of how large a network is: memory is for weights that are there. */
    @Test
    void optionsOfHugeNetworks(NDManager manager) throws IOException {
        Map<Path, Reader> all = all(manager);
        for (String name : new String[] {"unet", "backbone", "kl", "vq"}) {
            Path part = folder.resolve(name);
            change(part, "(\"layers_per_block\": )1", "$1900");
            change(part, "(\"block_out_channels\": )\\[\\s*4,\\s*8\\s*\\]", "$1[2048, 2048]");
            Reader reader = all.get(part);
            long before = System.nanoTime();
            String message =
                    assertThrows(IOException.class, () -> reader.read(part, manager)).getMessage();
            assertTrue(
                    message.startsWith(
                            part.resolve(WEIGHTS)
                                    + ": not the weights of these options, which have "),
                    message);
            assertTrue(System.nanoTime() - before < 60_000_000_000L, "it takes long");
        }
    }

    /**
     * The class says whether there are positions where the file does not, and the file of what
     * size.
     */
    @Test
    void positionsOfLatentSlotDiffusion(NDManager manager) throws IOException {
        Path unet = folder.resolve("unet");
        all(manager);
        change(unet, "\"pos_type\": \"cartesian\",", "");
        UNetConfiguration sizes = UNet.read(unet, manager).sizes();
        assertEquals(4, sizes.transformer() == null ? 0 : sizes.transformer().positions());
        change(unet, "\"sample_size\": 4,", "");
        assertEquals(
                unet.resolve("config.json")
                        + ": sample_size must be there and at least 1 where there are positions,"
                        + " got 0",
                assertThrows(IOException.class, () -> UNet.read(unet, manager)).getMessage());
        change(unet, "(\"block_out_channels\": )\\[\\s*4,\\s*8\\s*\\]", "$1[]");
        assertEquals(
                unet.resolve("config.json")
                        + ": block_out_channels must be at least one number, got []",
                assertThrows(IOException.class, () -> UNet.read(unet, manager)).getMessage());
    }

    /** What was there was moved aside, and the new one was not moved in yet. */
    @Test
    void writingThatWasKilledInTheMiddleIsFinished(NDManager manager) throws IOException {
        for (Map.Entry<Path, Reader> one : all(manager).entrySet()) {
            Path part = one.getKey();
            String mark = "." + part.getFileName() + ".0123.";
            Files.createDirectory(part.resolveSibling(mark + "former.tmp"));
            Files.move(part, part.resolveSibling(mark + "new.tmp"));
            one.getValue().read(part, manager);
            assertTrue(Files.isDirectory(part));
        }
    }

    /** diffusers has null for as many channels of codes as latents have. */
    @Test
    void codesOfLatents(NDManager manager) throws IOException {
        all(manager);
        Path vq = folder.resolve("vq");
        change(vq, "(\"vq_embed_dim\": )2", "$1null");
        VqAutoencoder.read(vq, manager);
        change(vq, "(\"vq_embed_dim\": )null", "$13");
        assertTrue(
                assertThrows(IOException.class, () -> VqAutoencoder.read(vq, manager))
                        .getMessage()
                        .contains("vq_embed_dim must be 2, got 3"));
    }
}
