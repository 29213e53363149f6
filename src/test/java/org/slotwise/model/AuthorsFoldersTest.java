package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.diffusion.DiffusersScheduler;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.Noising;
import org.slotwise.diffusion.Prediction;
import org.slotwise.diffusion.Sampling;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SteveSlotAttention;
import org.slotwise.internal.AtomicFolder;
import org.slotwise.internal.Scalars;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.weights.StateDict;

/** A checkpoint of Latent Slot Diffusion's code as one model, against what that code computes. */
@ExtendWith(OnDevice.class)
class AuthorsFoldersTest {

    private static final Map<String, String> CONFIGS =
            Map.of(
                    "backbone",
                    """
                    {"_class_name": "UNetEncoder", "add_attention": true, "attention_head_dim": 8,
                     "block_out_channels": [8, 8], "in_channels": 8, "out_channels": 10,
                     "down_block_types": ["DownBlock2D", "DownBlock2D"], "input_channels": 3,
                     "up_block_types": ["UpBlock2D", "UpBlock2D"], "input_resolution": 8,
                     "layers_per_block": 1, "norm_num_groups": 4, "sample_size": 4}
                    """,
                    "slot_attn",
                    """
                    {"_class_name": "MultiHeadSTEVESA", "bi_level": false, "epsilon": 1e-06,
                     "input_resolution": 4, "input_size": 10, "learnable_slot_init": false,
                     "mlp_hidden_size": 12, "num_heads": 1, "num_iterations": 3, "num_slots": 3,
                     "slot_size": 10, "out_size": 10}
                    """,
                    "unet",
                    """
                    {"_class_name": "UNet2DConditionModelWithPos", "attention_head_dim": 2,
                     "block_out_channels": [8, 12], "cross_attention_dim": 10, "in_channels": 4,
                     "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
                     "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "out_channels": 4,
                     "layers_per_block": 1, "norm_num_groups": 4, "pos_type": "cartesian",
                     "sample_size": 4}
                    """,
                    "vae",
                    """
                    {"_class_name": "AutoencoderKL", "block_out_channels": [8, 12],
                     "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
                     "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
                     "latent_channels": 4, "layers_per_block": 1, "norm_num_groups": 4,
                     "sample_size": 8, "scaling_factor": 0.18215}
                    """);

    private static final String SCHEDULER =
            """
            {"_class_name": "DDPMScheduler", "beta_end": 0.012, "beta_schedule": "linear",
             "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000,
             "prediction_type": "%s", "steps_offset": 1, "timestep_spacing": "leading",
             "variance_type": "fixed_small"}
            """;

    @TempDir Path folder;

    static Stream<ReferenceCase> steps() {
        return ReferenceCase.of("diffusion", "LSD training loss");
    }

    private static String prediction(ReferenceCase reference) {
        return reference.option("scheduler").getAsJsonObject().get("prediction_type").getAsString();
    }

    /** The folders as the authors' code would write them, from the parameters of a case. */
    private void write(ReferenceCase reference, Map<String, NDArray> arrays) throws IOException {
        for (Map.Entry<String, String> config : CONFIGS.entrySet()) {
            Path part = Files.createDirectories(folder.resolve(config.getKey()));
            Files.writeString(part.resolve("config.json"), config.getValue());
            StateDict.of(ReferenceCase.under("param/" + config.getKey() + ".", arrays))
                    .write(part.resolve("diffusion_pytorch_model.safetensors"));
        }
        Path scheduler = Files.createDirectories(folder.resolve("scheduler"));
        Files.writeString(
                scheduler.resolve("scheduler_config.json"),
                SCHEDULER.formatted(prediction(reference)));
    }

    private static <T> T part(Class<T> type, String name, LatentSlotDiffusion model) {
        return type.cast(model.discovery().parts().get(name));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void computesWhatTheAuthorsCodeComputes(ReferenceCase reference, NDManager manager)
            throws IOException {
        Map<String, NDArray> arrays = reference.arrays(manager);
        write(reference, arrays);
        LatentSlotDiffusion model = LatentSlotDiffusion.readFolders(folder, manager);
        assertEquals(
                prediction(reference).equals("epsilon") ? Prediction.NOISE : Prediction.VELOCITY,
                model.decoder().learning().prediction());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray image = arrays.get("in/image"); // from -1 to 1
        SteveSlotAttention grouping = part(SteveSlotAttention.class, "grouping", model);
        PerceptualGroupingOutput found =
                grouping.group(
                        store,
                        part(UNetEncoder.class, "encoder", model).extract(store, image, false),
                        grouping.starts(store, arrays.get("in/slot_noise"), false),
                        false);
        assertClose("slots", arrays.get("out/slots"), found.objects(), 1e-5);
        assertClose(
                "attention",
                arrays.get("out/attn").reshape(2, 16, 3),
                found.attributions().swapAxes(1, 2),
                1e-5);
        // The model diffuses means; the loss of the authors draws.
        NDArray unit = image.add(Scalars.like(image, 1)).div(Scalars.like(image, 2));
        NDArray scale = Scalars.like(image, 0.18215);
        NDArray mean = model.autoencoder().encode(store, image, false).mean();
        assertClose("means", mean.mul(scale), model.latents(store, unit), 1e-5);
        NDArray z =
                model.autoencoder()
                        .encode(store, image, false)
                        .sample(arrays.get("in/posterior_noise"))
                        .mul(scale);
        assertClose("latents", arrays.get("out/latent"), z, 1e-5);
        int[] t =
                Arrays.stream(arrays.get("in/t").toLongArray())
                        .mapToInt(Math::toIntExact)
                        .toArray();
        Noising noising = model.decoder().learning().noising();
        NDArray noisy = noising.noised(z, arrays.get("in/noise"), t);
        assertClose("noisy", arrays.get("out/noisy"), noisy, 1e-5);
        NDArray predicted =
                model.decoder()
                        .denoiser()
                        .predict(store, noisy, arrays.get("in/t"), found.objects(), false);
        assertClose("prediction", arrays.get("out/pred"), predicted, 1e-5);
        DiffusionDraws draws = new DiffusionDraws(arrays.get("in/noise"), t);
        assertClose(
                "loss",
                arrays.get("out/loss"),
                model.decoder().loss(store, z, found.objects(), draws, false),
                1e-5);
    }

    private LatentSlotDiffusion model(NDManager manager) throws IOException {
        ReferenceCase reference = steps().findFirst().orElseThrow();
        write(reference, reference.arrays(manager));
        return LatentSlotDiffusion.readFolders(folder, manager);
    }

    /** It draws, learns, and is saved and loaded as any other. */
    @Test
    void isAWholeModel(NDManager manager) throws IOException {
        LatentSlotDiffusion model = model(manager);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        NDArray slots = model.slots(store, images, false).objects();
        assertTrue(largest(slots.sub(model.slots(store, images, false).objects())) > 1e-4);
        Sampling sampling =
                DiffusersScheduler.read(folder.resolve("scheduler"))
                        .as(DiffusersScheduler.Kind.DPM_SOLVER)
                        .sampling(5)
                        .build();
        NDArray made = model.generate(store, slots, sampling, 3);
        assertEquals(images.getShape(), made.getShape());
        assertTrue(made.min().getFloat() >= 0 && made.max().getFloat() <= 1);
        assertNotEquals(made, model.generate(store, slots, 3));
        DiffusionDraws draws =
                new DiffusionDraws(uniform(manager, 2, DataType.FLOAT32, 2, 4, 4, 4), 3, 700);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(model.loss(store, images, draws, true, true));
        }
        Map<String, Parameter> all = StateDict.parameters(model);
        for (String name :
                new String[] {
                    "discovery.encoder.downscale_cnn.weight",
                    "discovery.grouping.conditioning.slots_logsigma",
                    "discovery.grouping.slots.out_linear.weight",
                    "decoder.denoiser.conv_out.weight"
                }) {
            assertTrue(largest(all.get(name).getArray().getGradient()) > 0, name);
        }
        Path saved = folder.resolve("saved.zip");
        model.save(saved);
        LatentSlotDiffusion loaded = LatentSlotDiffusion.load(saved, manager);
        assertEquals(model.madeFrom(), loaded.madeFrom());
        assertClose("pictures", made, loaded.generate(store, slots, sampling, 3), 1e-5);
    }

    @Test
    void whatIsWrittenComesBack(NDManager manager) throws IOException {
        LatentSlotDiffusion model = model(manager);
        Path path = folder.resolve("written");
        model.writeFolders(path);
        model.writeFolders(path); // in place of itself
        LatentSlotDiffusion read = LatentSlotDiffusion.readFolders(path, manager);
        assertEquals(model.madeFrom(), read.madeFrom());
        Map<String, Parameter> theirs = StateDict.parameters(read);
        StateDict.parameters(model)
                .forEach(
                        (name, p) -> {
                            if (!name.startsWith("discovery.decoder.")) {
                                assertSame(name, p.getArray(), theirs.get(name).getArray());
                            }
                        });
        // The names that checkpoints have; another scale is kept.
        Files.move(path.resolve("backbone"), path.resolve("unetencoder"));
        Files.move(path.resolve("slot_attn"), path.resolve("multiheadstevesa"));
        Files.move(path.resolve("unet"), path.resolve("unet2dconditionmodelwithpos"));
        assertEquals(model.madeFrom(), LatentSlotDiffusion.readFolders(path, manager).madeFrom());
        model.setLatentScale(0.5);
        model.writeFolders(path);
        LatentSlotDiffusion scaled = LatentSlotDiffusion.readFolders(path, manager);
        assertEquals(0.5f, StateDict.parameters(scaled).get("latent_scale").getArray().getFloat());
        // Nobody who knows a part by its other name finds a former model's.
        for (String name : new String[] {"backbone", "slot_attn", "unet"}) {
            assertFalse(Files.exists(path.resolve(name)), name);
        }
        byte[] before = Files.readAllBytes(path.resolve("vae/config.json"));
        Files.createDirectory(path.resolve("unet"));
        model.setLatentScale(0.25);
        String two =
                path
                        + " has unet and unet2dconditionmodelwithpos, two names of one part: take"
                        + " away that of another model";
        assertEquals(
                two, assertThrows(IOException.class, () -> model.writeFolders(path)).getMessage());
        assertEquals(
                two,
                assertThrows(
                                IOException.class,
                                () -> LatentSlotDiffusion.readFolders(path, manager))
                        .getMessage());
        assertArrayEquals(before, Files.readAllBytes(path.resolve("vae/config.json")));
        assertFalse(Files.exists(path.resolve("slotwise-unfinished")));
    }

    /** Folders of two models can fit each other, and be no model. */
    @Test
    void writingThatEndsBetweenFoldersIsTold(NDManager manager) throws IOException {
        LatentSlotDiffusion model = model(manager);
        Path path = Files.createDirectory(folder.resolve("written"));
        Path mark = path.resolve("slotwise-unfinished");
        // Nothing was replaced: what is there is as it was.
        Path letter = Files.createDirectory(path.resolve("backbone")).resolve("letter.txt");
        Files.writeString(letter, "mine");
        assertThrows(IOException.class, () -> model.writeFolders(path));
        assertFalse(Files.exists(mark));
        Files.delete(letter);
        // Three of five were: as of a process that was killed, or on a full disk.
        letter = Files.createDirectory(path.resolve("vae")).resolve("letter.txt");
        Files.writeString(letter, "mine");
        for (int i = 0; i < 2; i++) {
            assertThrows(IOException.class, () -> model.writeFolders(path));
            assertTrue(Files.exists(mark));
            assertEquals(
                    path
                            + " was not written to its end, and may have parts of two models: write"
                            + " it anew, or delete slotwise-unfinished in it if they are of one",
                    assertThrows(
                                    IOException.class,
                                    () -> LatentSlotDiffusion.readFolders(path, manager))
                            .getMessage());
        }
        Files.delete(letter);
        model.writeFolders(path);
        assertFalse(Files.exists(mark));
        LatentSlotDiffusion.readFolders(path, manager);
        // A folder by itself, killed before it was moved to its place.
        for (String part : new String[] {"unet", "scheduler"}) {
            Files.createDirectory(path.resolve("." + part + ".0123.former.tmp"));
            Files.move(path.resolve(part), path.resolve("." + part + ".0123.new.tmp"));
        }
        LatentSlotDiffusion.readFolders(path, manager);
    }

    @Test
    void pictureOfOneChannel(NDManager manager) throws IOException {
        model(manager).close();
        AutoencoderKl grey =
                new AutoencoderKl(new AutoencoderSizes(1, 4, List.of(8, 12), 1, 4, 0.18215));
        grey.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 8, 8));
        Path vae = folder.resolve("vae");
        AtomicFolder.delete(vae);
        grey.write(vae);
        assertEquals("FOLDER/vae: in_channels must be 3, got 1 and 3", refusal(manager));
    }

    private String refusal(NDManager manager) {
        return assertThrows(
                        IOException.class, () -> LatentSlotDiffusion.readFolders(folder, manager))
                .getMessage()
                .replace(folder.toString(), "FOLDER");
    }

    private void change(String part, String from, String to) throws IOException {
        Path config = folder.resolve(part).resolve("config.json");
        String text = Files.readString(config);
        assertTrue(text.contains(from), from);
        Files.writeString(config, text.replace(from, to));
    }

    @Test
    void foldersThatAreMissing(NDManager manager) throws IOException {
        model(manager).close();
        Map<String, String> messages =
                Map.of(
                        "scheduler",
                        "FOLDER has no folder scheduler: take that of the authors' configs",
                        "vae",
                        "FOLDER has no folder vae: take that of Stable Diffusion, which they"
                                + " learnt with",
                        "unet",
                        "FOLDER has no folder unet or unet2dconditionmodelwithpos",
                        "slot_attn",
                        "FOLDER has no folder slot_attn or multiheadstevesa",
                        "backbone",
                        "FOLDER has no folder backbone or unetencoder");
        for (Map.Entry<String, String> message : messages.entrySet()) {
            Path part = folder.resolve(message.getKey());
            Path away = folder.resolve("away");
            Files.move(part, away);
            assertEquals(message.getValue(), refusal(manager));
            Files.move(away, part);
        }
        Files.delete(folder.resolve("vae/diffusion_pytorch_model.safetensors"));
        assertTrue(refusal(manager).startsWith("FOLDER/vae has no weights"));
    }

    @Test
    void foldersThatDoNotFit(NDManager manager) throws IOException {
        model(manager).close();
        // A grid of other images than those of the U-Net's places.
        change("backbone", "\"input_resolution\": 8", "\"input_resolution\": 16");
        String message = refusal(manager);
        assertTrue(message.startsWith("FOLDER/backbone/"), message); // the patch is the kernel
        change("backbone", "\"input_resolution\": 16", "\"input_resolution\": 8");
        change("slot_attn", "\"input_resolution\": 4", "\"input_resolution\": 8");
        assertEquals(
                "FOLDER/slot_attn/config.json: input_resolution must be that of the places in the"
                        + " weights, pos.pe (1, 4, 4, 4), got 8",
                refusal(manager));
        change("slot_attn", "\"input_resolution\": 8", "\"input_resolution\": 4");
        change("vae", "[8, 12]", "[8]");
        change("vae", ", \"DownEncoderBlock2D\"]", "]");
        change("vae", ", \"UpDecoderBlock2D\"]", "]");
        AutoencoderKl shallow =
                new AutoencoderKl(new AutoencoderSizes(3, 4, List.of(8), 1, 4, 0.18215));
        shallow.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 8));
        Path vae = folder.resolve("vae/diffusion_pytorch_model.safetensors");
        byte[] before = Files.readAllBytes(vae);
        StateDict.of(shallow).write(vae);
        message = refusal(manager); // latents of 8 x 8 for a network of 4 x 4
        assertTrue(message.startsWith("FOLDER: its parts do not fit: "), message);
        Files.write(vae, before);
        change("vae", "[8]", "[8, 12]");
        change(
                "vae",
                "[\"DownEncoderBlock2D\"]",
                "[\"DownEncoderBlock2D\", \"DownEncoderBlock2D\"]");
        change("vae", "[\"UpDecoderBlock2D\"]", "[\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"]");
        StateDict other =
                StateDict.of(
                        Map.of(
                                "out_linear.weight",
                                manager.zeros(new Shape(9, 10)),
                                "out_linear.bias",
                                manager.zeros(new Shape(9))));
        Path weights = folder.resolve("slot_attn/diffusion_pytorch_model.safetensors");
        Map<String, NDArray> all;
        try (StateDict theirs = StateDict.read(weights)) {
            all = new LinkedHashMap<>(theirs.arrays());
            all.putAll(other.arrays());
            StateDict.of(all).write(weights);
        }
        change("slot_attn", "\"out_size\": 10", "\"out_size\": 9");
        assertEquals(
                "FOLDER/slot_attn: out_size must be FOLDER/unet: cross_attention_dim, got 9 and"
                        + " 10",
                refusal(manager));
    }

    @Test
    void otherModelsHaveNoSuchFolders(NDManager manager) {
        LatentSlotDiffusion model =
                LatentSlotDiffusionTest.fresh(manager, LatentSlotDiffusionTest.patches());
        Path path = folder.resolve("written");
        assertRefused(
                "LatentSlotDiffusion: encoder must be UNetEncoder for the authors' folders, got"
                        + " SlotAttentionEncoder",
                () -> model.writeFolders(path));
        assertTrue(!Files.exists(path));
    }

    /** The authors' own sizes, and those of COL775's solution, as configurations. */
    @Test
    void wholeModelsByTheirConfigurations() {
        Map<LatentSlotDiffusionConfiguration, Map<String, Long>> counts =
                Map.of(
                        LatentSlotDiffusionConfiguration.latentSlotDiffusion(),
                        Map.of("autoencoder", 83_653_863L),
                        LatentSlotDiffusionConfiguration.col775(),
                        Map.of(
                                "discovery.encoder",
                                1_755_520L,
                                "discovery.grouping",
                                54_784L - 11 * 64,
                                "autoencoder",
                                13_857_886L,
                                "decoder.denoiser",
                                127_927_299L));
        counts.forEach(
                (c, expected) -> {
                    assertEquals(c, LatentSlotDiffusionConfiguration.fromJson(c.toJson()));
                    try (LatentSlotDiffusion model = new LatentSlotDiffusion(c)) {
                        expected.forEach(
                                (part, count) ->
                                        assertEquals(
                                                count,
                                                StateDict.parameters(model).entrySet().stream()
                                                        .filter(
                                                                p ->
                                                                        p.getKey()
                                                                                .startsWith(
                                                                                        part + "."))
                                                        .mapToLong(
                                                                p -> p.getValue().getShape().size())
                                                        .sum(),
                                                part));
                    }
                });
    }

    /** Models that were saved before there was a choice had a norm before the feed-forward. */
    @Test
    void filesOfBefore() {
        ObjectDiscoveryConfiguration c = SmallModels.settled();
        String json = c.toJson();
        assertTrue(json.contains("\"hiddenNorm\": true"), json);
        String before = json.replaceFirst(",\\s*\"hiddenNorm\": true", "");
        assertTrue(!before.contains("hiddenNorm"), before);
        assertEquals(c, ObjectDiscoveryConfiguration.fromJson(before));
    }
}
