package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.diffusion.Ddpm;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Prediction;
import org.slotwise.diffusion.Sampling;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.testing.OnDevice;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class LatentSlotDiffusionTest {

    @TempDir Path folder;

    static LatentSlotDiffusionConfiguration patches() {
        return SmallModels.diffusion(new LatentsConfiguration.Patches(2), 12, Prediction.DATA);
    }

    static LatentSlotDiffusionConfiguration learntPatches() {
        return SmallModels.diffusion(
                new LatentsConfiguration.LearntPatches(4, 2, 8, 1), 2, Prediction.VELOCITY);
    }

    /** Slots with positions: 4 numbers of their own, and 2 coordinates with 3 each. */
    private static LatentSlotDiffusionConfiguration positioned() {
        LatentSlotDiffusionConfiguration c = learntPatches();
        return new LatentSlotDiffusionConfiguration(
                SmallModels.all().get("colours"),
                1,
                c.latents(),
                c.diffusion(),
                new DenoiserConfiguration.UNet(
                        UNetConfiguration.builder()
                                .setChannels(2, 2)
                                .setWidths(4)
                                .setTransformer(
                                        TransformerOptions.of(10, Heads.count(2)).withPositions(2))
                                .optGroups(2)
                                .build()));
    }

    static LatentSlotDiffusion fresh(NDManager manager, LatentSlotDiffusionConfiguration c) {
        LatentSlotDiffusion model = new LatentSlotDiffusion(c);
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 8, 8));
        return model;
    }

    private static LatentSlotDiffusionConfiguration named(String name) {
        AutoencoderSizes sizes = new AutoencoderSizes(3, 2, List.of(4, 4), 1, 2, 0.5);
        return switch (name) {
            case "patches" -> patches();
            case "kl" ->
                    SmallModels.diffusion(new LatentsConfiguration.Kl(sizes), 2, Prediction.NOISE);
            case "vq" ->
                    SmallModels.diffusion(
                            new LatentsConfiguration.Vq(sizes, 5), 2, Prediction.NOISE);
            default -> learntPatches();
        };
    }

    private static DiffusionDraws draws(
            LatentSlotDiffusion model, NDManager manager, long seed, long batch) {
        return DiffusionDraws.of(
                new Random(seed),
                model.decoder().learning().noising().schedule(),
                manager,
                new Shape(batch).addAll(model.decoder().latentShape()),
                DataType.FLOAT32,
                0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"patches", "convolutional", "kl", "vq"})
    void makesPicturesOfSlots(String kind, NDManager manager) {
        LatentSlotDiffusion model = fresh(manager, named(kind));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 3, 3, 8, 8);
        PerceptualGroupingOutput found = model.slots(store, images, false);
        assertEquals(new Shape(3, 4, 4), found.objects().getShape());
        assertEquals(new Shape(3, 4, 16), found.attributions().getShape());
        int before = manager.getManagedArrays().size();
        NDArray made = model.generate(store, found.objects(), 5);
        assertEquals(before + 1, manager.getManagedArrays().size(), "arrays left behind");
        assertEquals(images.getShape(), made.getShape());
        assertTrue(made.min().getFloat() >= 0 && made.max().getFloat() <= 1);
        assertClose("again", made, model.reconstruct(store, images, 5), 0);
        assertNotEquals(made, model.generate(store, found.objects(), 6));
        // Slots of any number, and in any order.
        NDArray few = found.objects().get(":, 1:3");
        NDArray turned = few.flip(1);
        assertClose(
                "permuted", model.generate(store, few, 5), model.generate(store, turned, 5), 1e-4);
        // A picture does not depend on the others of its batch.
        assertClose(
                "alone", made.get("1:2"), model.generate(store, found.objects(), 5).get("1:2"), 0);
        assertClose(
                "first of two",
                made.get("0:1"),
                model.generate(store, found.objects().get("0:1"), 5),
                1e-4);
    }

    /** Positions are in slots, behind what the grouping itself gives. */
    @Test
    void positionsAreJoined(NDManager manager) {
        LatentSlotDiffusion model = fresh(manager, positioned());
        assertEquals(10, model.madeFrom().slotDim());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        NDArray slots = model.slots(store, images, false).objects();
        ObjectDiscoveryOutput out = model.discovery().discover(store, images, false);
        assertClose("own", out.slots().objects(), slots.get(":, :, :4"), 1e-6);
        NDArray positions = out.slotPositions();
        assertClose("coordinates", positions, slots.get(":, :, 4:6"), 1e-6);
        NDArray angle = positions.mul(Math.PI / 2);
        assertClose("sines", angle.sin(), slots.get(":, :, 6:8"), 1e-5);
        assertEquals(
                Arrays.asList(model.getOutputShapes(new Shape[] {images.getShape()})),
                model.forward(store, new NDList(images), false).stream()
                        .map(NDArray::getShape)
                        .toList());
        NDArray moved = slots.duplicate();
        moved.set(new NDIndex(":, :, 4:"), a -> a.neg());
        assertNotEquals(model.generate(store, slots, 1), model.generate(store, moved, 1));
        assertRefused(
                "LatentSlotDiffusionConfiguration: positionFrequencies must be 0 where slots have no"
                        + " positions, got 1",
                () ->
                        new LatentSlotDiffusionConfiguration(
                                SmallModels.settled(),
                                1,
                                patches().latents(),
                                patches().diffusion(),
                                patches().denoiser()));
    }

    @Test
    void anySamplerMakesThem(NDManager manager) {
        LatentSlotDiffusion model = fresh(manager, learntPatches());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = normal(manager, 3, 2, 4, 4);
        NoiseSchedule schedule = model.decoder().learning().noising().schedule();
        int[] told = {0};
        Sampling ddpm =
                model.decoder()
                        .sampling()
                        .setSampler(Ddpm.builder().setSchedule(schedule).build())
                        .optProgress((done, of) -> told[0] = done)
                        .build();
        NDArray made = model.generate(store, slots, ddpm, 1);
        assertEquals(new Shape(2, 3, 8, 8), made.getShape());
        assertEquals(20, told[0]);
        Sampling ofNoise = model.decoder().sampling().setPrediction(Prediction.NOISE).build();
        assertRefused(
                "LatentDiffusionDecoder: the sampling must be for a network that predicts"
                        + " VELOCITY, got NOISE",
                () -> model.generate(store, slots, ofNoise, 1));
        Sampling longer =
                model.decoder()
                        .sampling()
                        .setSampler(Ddpm.builder().setSchedule(NoiseSchedule.cosine(30)).build())
                        .build();
        assertRefused(
                "LatentDiffusionDecoder: the sampling must be for a schedule of 20 steps, got 30",
                () -> model.generate(store, slots, longer, 1));
        Sampling foreign =
                model.decoder()
                        .sampling()
                        .setSampler(Ddpm.builder().setSchedule(NoiseSchedule.cosine(20)).build())
                        .build();
        assertTrue(
                assertThrows(
                                IllegalArgumentException.class,
                                () -> model.generate(store, slots, foreign, 1))
                        .getMessage()
                        .contains("must be for the schedule that the network learnt with"));
    }

    /** What is frozen gets no gradient; what learns does. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradientsComeWhereTheyShould(boolean slotsLearn, NDManager manager) {
        LatentSlotDiffusion model = fresh(manager, learntPatches());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 3, 3, 8, 8);
        DiffusionDraws draws = draws(model, manager, 2, 3);
        int before = manager.getManagedArrays().size();
        float loss;
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray value = model.loss(store, images, draws, slotsLearn, true);
            assertEquals(before + 1, manager.getManagedArrays().size(), "arrays left behind");
            collector.backward(value);
            loss = value.getFloat();
        }
        assertTrue(loss > 0.1 && loss < 100, "loss " + loss);
        Map<String, NDArray> gradients = new TreeMap<>();
        StateDict.parameters(model)
                .forEach(
                        (name, p) -> {
                            if (p.requiresGradient()) {
                                gradients.put(name, p.getArray().getGradient());
                            }
                        });
        gradients.forEach(
                (name, g) -> {
                    boolean some = largest(g) > 0;
                    boolean keys = name.endsWith("to_k.weight") || name.endsWith("to_q.weight");
                    if (name.startsWith("decoder.") && !keys) {
                        assertTrue(some, name);
                    } else if (name.startsWith("autoencoder.")
                            || name.startsWith("discovery.decoder.")
                            || (name.startsWith("discovery.") && !slotsLearn)) {
                        assertFalse(some, name);
                    }
                });
        String learnt = "discovery.grouping.to_v.weight";
        assertTrue(gradients.containsKey(learnt), gradients.keySet().toString());
        assertEquals(slotsLearn, largest(gradients.get(learnt)) > 0);
    }

    /** The latents are those of the autoencoder, times their scale; and images come back. */
    @Test
    void latentsAreScaled(NDManager manager) {
        LatentSlotDiffusion model = fresh(manager, patches());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        NDArray z = model.latents(store, images);
        assertEquals(new Shape(2, 12, 4, 4), z.getShape());
        assertEquals(2 * images.getFloat(1, 2, 0, 1) - 1, z.getFloat(1, 9, 0, 0), 1e-6);
        assertClose("back", images, model.images(store, z), 1e-6);
        model.setLatentScale(3);
        assertClose("scaled", z.mul(3), model.latents(store, images), 1e-6);
        assertClose("back", images, model.images(store, model.latents(store, images)), 1e-6);
        assertThrows(IllegalArgumentException.class, () -> model.setLatentScale(0));
        assertThrows(
                IllegalStateException.class,
                () -> new LatentSlotDiffusion(patches()).setLatentScale(1));
    }

    /** The loss of a picture is not touched by another's time. */
    @Test
    void timesAreOfTheirOwnPicture(NDManager manager) {
        LatentSlotDiffusion model = fresh(manager, learntPatches());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray z = normal(manager, 3, 2, 2, 2, 2);
        NDArray slots = normal(manager, 4, 2, 4, 4);
        var denoiser = model.decoder().denoiser();
        NDArray one = denoiser.predict(store, z, manager.create(new long[] {3, 3}), slots, false);
        NDArray other =
                denoiser.predict(store, z, manager.create(new long[] {3, 19}), slots, false);
        assertClose("first", one.get(0), other.get(0), 1e-6);
        assertNotEquals(one.get(1), other.get(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip", "model.safetensors"})
    void isTheSameWhenItIsLoaded(String name, NDManager manager) throws IOException {
        Path path = folder.resolve(name);
        LatentSlotDiffusion model = fresh(manager, learntPatches());
        model.setLatentScale(2.5);
        model.save(path);
        model.save(path); // in place of itself
        LatentSlotDiffusion loaded = LatentSlotDiffusion.load(path, manager);
        assertEquals(model.madeFrom(), loaded.madeFrom());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        assertSame("latents", model.latents(store, images), loaded.latents(store, images));
        assertSame(
                "pictures",
                model.reconstruct(store, images, 1),
                loaded.reconstruct(store, images, 1));
    }

    @Test
    void weightsMustSayWhatTheyAreOf(NDManager manager) throws IOException {
        Path path = folder.resolve("model.safetensors");
        StateDict weights = StateDict.of(fresh(manager, learntPatches()));
        for (String said : new String[] {"", "{}", patches().toJson()}) {
            StateDict told =
                    weights.withMetadata(said.isEmpty() ? Map.of() : Map.of("configuration", said));
            assertThrows(
                    IllegalArgumentException.class, () -> LatentSlotDiffusion.of(told, manager));
            told.write(path);
            String message =
                    assertThrows(IOException.class, () -> LatentSlotDiffusion.load(path, manager))
                            .getMessage();
            assertTrue(
                    message.startsWith("LatentSlotDiffusion: cannot load " + path + ": "), message);
        }
    }

    /** What a file lacks is said, and nothing is left in the manager. */
    @Test
    void filesThatAreNotWholeAreRefused(NDManager manager) throws IOException {
        Path path = folder.resolve("model.safetensors");
        LatentSlotDiffusion model = fresh(manager, learntPatches());
        Path nowhere = folder.resolve("none").resolve("model.safetensors");
        assertThrows(IOException.class, () -> model.save(nowhere));
        assertRefusedFile(path, manager, "there is no file of this name");
        model.save(path);
        byte[] whole = Files.readAllBytes(path);
        for (int length : new int[] {0, 7, 1000, whole.length - 1}) {
            Files.write(path, Arrays.copyOf(whole, length));
            String said = length == 0 ? "is empty" : length == 7 ? "neither" : "cut off in ";
            assertRefusedFile(path, manager, said);
        }
        Files.write(path, Arrays.copyOf(whole, whole.length + 1));
        assertRefusedFile(path, manager, "bytes after the last tensor");
        byte[] spoilt = whole.clone();
        Arrays.fill(spoilt, spoilt.length - 4, spoilt.length, (byte) 0xff); // NaN
        Files.write(path, spoilt);
        assertRefusedFile(path, manager, "must be finite");
        Path upper = folder.resolve("MODEL.SafeTensors");
        model.save(upper);
        assertEquals(model.madeFrom(), LatentSlotDiffusion.load(upper, manager).madeFrom());
    }

    private static void assertRefusedFile(Path path, NDManager manager, String why) {
        int before = manager.getManagedArrays().size();
        String message =
                assertThrows(IOException.class, () -> LatentSlotDiffusion.load(path, manager))
                        .getMessage();
        assertTrue(message.startsWith("LatentSlotDiffusion: cannot load " + path + ": "), message);
        assertTrue(message.contains(why), message);
        assertEquals(before, manager.getManagedArrays().size(), message);
    }

    @Test
    void othersFilesAreLeftAlone(NDManager manager) throws IOException {
        Path path = folder.resolve("model");
        Files.createDirectory(path);
        Files.writeString(path.resolve("letter.txt"), "mine");
        LatentSlotDiffusion model = fresh(manager, patches());
        assertThrows(IOException.class, () -> model.save(path));
        assertEquals("mine", Files.readString(path.resolve("letter.txt")));
        for (String name : new String[] {"model.npz", "model.BIN", "model.pt", "model.json"}) {
            Path file = folder.resolve(name);
            IOException refused = assertThrows(IOException.class, () -> model.save(file));
            assertTrue(refused.getMessage().contains("a model is a folder"), refused::getMessage);
            assertFalse(Files.exists(file));
        }
        String message =
                assertThrows(IOException.class, () -> LatentSlotDiffusion.load(path, manager))
                        .getMessage();
        assertEquals(
                "LatentSlotDiffusion: cannot load " + path + ": it has no model.json", message);
        Path other = folder.resolve("other");
        model.save(other);
        byte[] weights = Files.readAllBytes(other.resolve("weights.safetensors"));
        Files.write(
                other.resolve("weights.safetensors"), Arrays.copyOf(weights, weights.length / 2));
        assertThrows(IOException.class, () -> LatentSlotDiffusion.load(other, manager));
        byte[] spoilt = weights.clone();
        Arrays.fill(spoilt, spoilt.length - 4, spoilt.length, (byte) 0xff); // NaN
        Files.write(other.resolve("weights.safetensors"), spoilt);
        message =
                assertThrows(IOException.class, () -> LatentSlotDiffusion.load(other, manager))
                        .getMessage();
        assertTrue(message.contains("must be finite"), message);
        Files.write(other.resolve("weights.safetensors"), weights);
        Files.writeString(
                other.resolve("model.json"),
                learntPatches().toJson().replace("\"latentChannels\": 2", "\"latentChannels\": 3"));
        assertThrows(IOException.class, () -> LatentSlotDiffusion.load(other, manager));
        Files.writeString(other.resolve("model.json"), SmallModels.settled().toJson());
        message =
                assertThrows(IOException.class, () -> LatentSlotDiffusion.load(other, manager))
                        .getMessage();
        assertTrue(
                message.contains(
                        "format must be \"slotwise-latent-slot-diffusion\", got"
                                + " \"slotwise-object-discovery\""),
                message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"patches", "convolutional", "kl", "vq"})
    void configurationsComeBackFromJson(String kind) {
        LatentSlotDiffusionConfiguration c = named(kind);
        assertEquals(c, LatentSlotDiffusionConfiguration.fromJson(c.toJson()));
        String message =
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        LatentSlotDiffusionConfiguration.fromJson(
                                                c.toJson()
                                                        .replace("\"groups\": 2", "\"groups\": 3")))
                        .getMessage();
        assertTrue(message.startsWith("LatentSlotDiffusionConfiguration: "), message);
        assertTrue(message.contains("must be multiples of 3 groups"), message);
    }

    @Test
    void partsMustFit() {
        LatentSlotDiffusionConfiguration c = patches();
        assertThrows(
                IllegalArgumentException.class,
                () ->
                        new LatentSlotDiffusion(
                                new LatentSlotDiffusionConfiguration(
                                        c.discovery(),
                                        0,
                                        new LatentsConfiguration.Patches(4),
                                        c.diffusion(),
                                        c.denoiser())));
        assertRefused(
                "LatentSlotDiffusion: height and width of images must be multiples of 3 for these"
                        + " latents, got 8 by 8",
                () ->
                        new LatentSlotDiffusion(
                                new LatentSlotDiffusionConfiguration(
                                        c.discovery(),
                                        0,
                                        new LatentsConfiguration.Patches(3),
                                        c.diffusion(),
                                        c.denoiser())));
        assertRefused(
                "DiffusionConfiguration: prediction must not be NOISE with a zero terminal SNR",
                () ->
                        new DiffusionConfiguration(
                                DiffusionConfiguration.Schedule.COSINE,
                                10,
                                0.1,
                                0.2,
                                true,
                                Prediction.NOISE,
                                null));
    }
}
