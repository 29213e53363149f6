package org.slotwise.torchscript;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.conditioning.Conditioning;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.conditioning.SlotwiseLearntConditioning;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.SlotDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.encoder.ResNetArchitecture;
import org.slotwise.encoder.ResNetEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.grouping.PerceptualGrouping;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryTranslator;
import org.slotwise.layer.FeedForward;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.Presets;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Python;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/** Whole models as TorchScript: loaded through DJL, and by PyTorch where Python has it. */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class DiscoveryScriptTest {

    private static final int DIM = 12;
    private static final int SLOTS = 4;

    /** The parts of a model. */
    private record Parts(
            FeatureExtractor encoder,
            Conditioning conditioning,
            PerceptualGrouping grouping,
            SlotDecoder decoder) {

        Map<String, Block> byName() {
            Map<String, Block> parts = new LinkedHashMap<>();
            parts.put("encoder", encoder);
            parts.put("conditioning", conditioning);
            parts.put("grouping", grouping);
            parts.put("decoder", decoder);
            return parts;
        }

        void initialize(NDManager manager, DataType type) {
            encoder.initialize(manager, type, new Shape(-1, 3, 16, 16));
            conditioning.initialize(manager, type, new Shape(-1, -1, DIM));
            Shape features = new Shape(-1, -1, DIM);
            grouping.initialize(manager, type, features, new Shape(-1, SLOTS, DIM));
            decoder.initialize(manager, type, new Shape(-1, -1, DIM));
        }

        TorchScript script() {
            return TorchScript.of(DiscoveryScript.of(encoder, conditioning, grouping, decoder));
        }

        /** What the model's equations give. */
        NDList discover(NDManager manager, NDArray images, NDArray noise) {
            ParameterStore store = new ParameterStore(manager, false);
            FeatureExtractorOutput features = encoder.extract(store, images, false);
            NDArray start = conditioning.sample(store, noise, false);
            PerceptualGroupingOutput found = grouping.group(store, features, start, false);
            SlotDecoding decoding = decoder.decode(store, found.objects(), false);
            return decoding.toNDList().addAll(found.toNDList());
        }
    }

    private static ConvolutionalEncoder backbone() {
        return ConvolutionalEncoder.builder().optChannels(8, 10).optStrides(1, 2).build();
    }

    private static SlotAttention.Builder attention() {
        return SlotAttention.builder().setDim(DIM).setFeatureDim(DIM);
    }

    /** The paper's model, smaller. */
    private static Parts paper() {
        return new Parts(
                SlotAttentionEncoder.builder()
                        .setBackbone(backbone())
                        .optHidden(9)
                        .optFeatureDim(DIM)
                        .build(),
                RandomConditioning.builder().setDim(DIM).setSlots(SLOTS).build(),
                attention().optFeedForward(new FeedForward(DIM, 16)).build(),
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(DIM)
                        .setArchitecture(
                                new BroadcastArchitecture(
                                        4,
                                        4,
                                        List.of(
                                                BroadcastArchitecture.Layer.transposed(6, 5, 2),
                                                BroadcastArchitecture.Layer.transposed(6, 5, 2),
                                                BroadcastArchitecture.Layer.transposed(4, 3, 1))))
                        .build());
    }

    /** Other parts: plain features, slots of their own, plain convolutions. */
    private static Parts other() {
        return new Parts(
                ConvolutionalEncoder.builder().optChannels(8, DIM).optLastActivation(false).build(),
                SlotwiseLearntConditioning.builder().setDim(DIM).setSlots(SLOTS).build(),
                SlotAttentionGrouping.builder().setSlotAttention(attention().build()).build(),
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(DIM)
                        .setArchitecture(BroadcastArchitecture.tetrominoes(16))
                        .build());
    }

    private static NDArray images(NDManager manager, DataType type, int batch) {
        return Tensors.uniform(manager, 3, type, batch, 3, 16, 16);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "FLOAT64"})
    void computesTheSame(DataType type, NDManager manager, @TempDir Path folder) throws Exception {
        for (Parts parts : List.of(paper(), other())) {
            parts.initialize(manager, type);
            Path file = folder.resolve("model.pt");
            parts.script().write(file);
            double tolerance = type == DataType.FLOAT32 ? 1e-5 : 1e-12;
            try (Model model = TorchScriptTest.load(file, false)) {
                for (int size = 1; size < SLOTS; size++) {
                    NDArray images = images(manager, type, size);
                    NDArray noise =
                            Tensors.normal(manager, size, type, size, SLOTS - size + 1, DIM);
                    NDList expected = parts.discover(manager, images, noise);
                    NDList actual = forward(manager, model, images, noise);
                    assertEquals(5, actual.size());
                    for (NDArray array : expected) {
                        String name = array.getName();
                        Tensors.assertClose(name, array, actual.get(name), tolerance);
                    }
                    // Without noise: as many slots as the conditioning was built with.
                    NDArray drawn = forward(manager, model, images).get("masks");
                    assertEquals(new Shape(size, SLOTS, 16, 16), drawn.getShape());
                    assertEquals(type, drawn.getDataType());
                }
            }
        }
    }

    private static NDList forward(NDManager manager, Model model, NDArray... in) {
        return model.getBlock().forward(new ParameterStore(manager, false), new NDList(in), false);
    }

    @Test
    void namesAreThoseOfTheStateDict(NDManager manager, @TempDir Path folder) throws Exception {
        Parts parts = paper();
        parts.initialize(manager, DataType.FLOAT32);
        parts.script().write(folder.resolve("model.pt"));
        try (Model model = TorchScriptTest.load(folder.resolve("model.pt"), true);
                StateDict own = StateDict.ofParts(parts.byName())) {
            List<String> names = model.getBlock().getDirectParameters().keys();
            assertEquals(own.names().stream().sorted().toList(), names.stream().sorted().toList());
        }
    }

    /** Plain and bottleneck blocks, with running statistics and fixed ones. */
    @Test
    void residualNetworks(NDManager manager, @TempDir Path folder) throws Exception {
        for (boolean bottleneck : new boolean[] {false, true}) {
            ResNetEncoder encoder =
                    ResNetEncoder.builder()
                            .setArchitecture(new ResNetArchitecture(bottleneck, 8, List.of(2, 1)))
                            .optFixedStatistics(bottleneck)
                            .build();
            encoder.initialize(manager, DataType.FLOAT64, new Shape(-1, 3, 24, 32));
            encoder.getParameters()
                    .values()
                    .forEach(
                            p -> {
                                NDArray a = p.getArray();
                                long[] shape = a.getShape().getShape();
                                int seed = p.getName().hashCode();
                                a.addi(
                                        Tensors.uniform(manager, seed, DataType.FLOAT64, shape)
                                                .mul(0.1));
                            });
            TorchScript.of(encoder).write(folder.resolve("encoder.pt"));
            NDArray images = Tensors.uniform(manager, 3, DataType.FLOAT64, 2, 3, 24, 32);
            ParameterStore store = new ParameterStore(manager, false);
            try (Model model = TorchScriptTest.load(folder.resolve("encoder.pt"), true);
                    StateDict own = StateDict.of(encoder)) {
                NDList actual = model.getBlock().forward(store, new NDList(images), false);
                NDList expected = encoder.forward(store, new NDList(images), false);
                for (NDArray array : expected) {
                    String name = array.getName();
                    Tensors.assertClose(name, array, actual.get(name), 1e-12);
                }
                List<String> learnt =
                        own.names().stream().filter(n -> !n.contains("running")).sorted().toList();
                List<String> names = model.getBlock().getDirectParameters().keys();
                assertTrue(names.containsAll(learnt), names.toString());
            }
        }
    }

    @Test
    void slotsOfTheirOwnAreNoMoreThanThereAre(NDManager manager, @TempDir Path folder)
            throws Exception {
        Parts parts = other();
        LearntConditioning learnt =
                LearntConditioning.builder().setDim(DIM).setSlots(SLOTS).build();
        learnt.initialize(manager, DataType.FLOAT32, new Shape(-1, -1, DIM));
        parts.initialize(manager, DataType.FLOAT32);
        NDArray images = images(manager, DataType.FLOAT32, 2);
        for (Conditioning conditioning : List.of(parts.conditioning(), learnt)) {
            Parts all = new Parts(parts.encoder(), conditioning, parts.grouping(), parts.decoder());
            all.script().write(folder.resolve("model.pt"));
            try (Model model = TorchScriptTest.load(folder.resolve("model.pt"), false)) {
                NDArray few = manager.zeros(new Shape(2, SLOTS - 1, DIM));
                NDArray many = manager.zeros(new Shape(2, SLOTS + 1, DIM));
                Tensors.assertClose(
                        "objects",
                        all.discover(manager, images, few).get("objects"),
                        forward(manager, model, images, few).get("objects"),
                        1e-5);
                String message =
                        assertThrows(
                                        RuntimeException.class,
                                        () -> forward(manager, model, images, many))
                                .getMessage();
                assertTrue(message.contains("slots must be 1 to 4"), message);
            }
        }
    }

    /** The outputs have the names that DJL's Predictor finds them by. */
    @Test
    void servesPictures(NDManager manager, @TempDir Path folder) throws Exception {
        Parts parts = paper();
        parts.initialize(manager, DataType.FLOAT32);
        parts.script().write(folder.resolve("model.pt"));
        ObjectDiscoveryTranslator translator =
                ObjectDiscoveryTranslator.builder().setImageSize(16, 16).build();
        Image image =
                ImageFactory.getInstance()
                        .fromImage(new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB));
        try (Model model = TorchScriptTest.load(folder.resolve("model.pt"), false);
                Predictor<Image, DiscoveredObjects> predictor = model.newPredictor(translator)) {
            DiscoveredObjects found = predictor.batchPredict(List.of(image, image)).get(1);
            assertEquals(SLOTS, found.slots().length);
            assertEquals(20, found.segmentation().getMask().length);
            assertTrue(found.objects(0).count() > 0);
        }
    }

    @Test
    void refusesByName() {
        Parts parts = paper();
        assertRefused(
                "DiscoveryScript: KMeansGrouping cannot be written in TorchScript; it is not"
                        + " Scriptable",
                () ->
                        DiscoveryScript.of(
                                parts.encoder(),
                                parts.conditioning(),
                                KMeansGrouping.builder().setSlots(2).build(),
                                null));
        RandomConditioning sobol =
                RandomConditioning.builder()
                        .setDim(DIM)
                        .setSlots(SLOTS)
                        .optQuasiRandom(true)
                        .build();
        assertRefused(
                "RandomConditioning: quasi-random draws cannot be written in TorchScript",
                () -> DiscoveryScript.of(parts.encoder(), sobol, parts.grouping(), null));
    }

    /** PyTorch itself: names, numbers, gradients, other sizes, the other float type. */
    @Test
    void pyTorchTakesIt(NDManager manager, @TempDir Path folder) throws Exception {
        Python.assumeModules(folder, "torch, numpy");
        Parts parts = paper();
        parts.initialize(manager, DataType.FLOAT32);
        parts.script().write(folder.resolve("model.pt"));
        NDArray images = images(manager, DataType.FLOAT32, 2);
        NDArray noise = Tensors.normal(manager, 1, DataType.FLOAT32, 2, 3, DIM);
        Map<String, NDArray> io = new LinkedHashMap<>();
        parts.discover(manager, images, noise).forEach(array -> io.put(array.getName(), array));
        io.put("images", images);
        io.put("noise", noise);
        StateDict.of(io).write(folder.resolve("io.npz"));
        StateDict.ofParts(parts.byName()).write(folder.resolve("weights.npz"));
        Python.run(
                folder,
                """
                import numpy as np, torch
                io = {k: torch.from_numpy(v) for k, v in np.load("io.npz").items()}
                weights = np.load("weights.npz")
                module = torch.jit.load("model.pt")
                assert set(module.state_dict()) == set(weights), sorted(module.state_dict())
                for name, value in module.named_parameters():
                    assert value.requires_grad and (value.detach().numpy() == weights[name]).all(), name
                images, noise = io.pop("images"), io.pop("noise")
                out = module(images, noise)
                assert set(out) == set(io), out.keys()
                for name, value in io.items():
                    worst = (out[name] - value).abs().max().item()
                    print(name, worst)
                    assert worst < 1e-5 * max(1, value.abs().max().item()), (name, worst)
                (out["reconstruction"] - images).square().mean().backward()
                for name, value in module.named_parameters():
                    assert value.grad is not None and value.grad.isfinite().all(), name
                assert module(images[:1], slots=7)["masks"].shape == (1, 7, 16, 16)
                double = module.double()
                again = double(images.double(), noise.double())
                assert (again["masks"] - io["masks"]).abs().max() < 1e-5
                torch.jit.save(module, "again.pt")
                torch.optim.Adam(module.parameters()).step()
                """);
    }

    /** Arabic, Persian and Hindi have digits of their own, which PyTorch does not read. */
    @ParameterizedTest
    @ValueSource(
            strings = {"tetrominoes", "multi-dsprites", "pictures-128", "resnet-clevr", "clevr"})
    @ResourceLock(Resources.LOCALE)
    void codeIsTheSameInAllLocales(String preset) {
        Locale former = Locale.getDefault();
        try (ObjectDiscoveryModel model =
                ObjectDiscoveryModel.create(Presets.named(preset).configuration(), 0)) {
            String code = TorchScript.of(model.block()).source();
            for (String locale : List.of("ar-EG", "fa-IR", "hi-IN-u-nu-deva", "tr-TR", "de-DE")) {
                Locale.setDefault(Locale.forLanguageTag(locale));
                assertEquals(code, TorchScript.of(model.block()).source(), locale);
            }
        } finally {
            Locale.setDefault(former);
        }
    }
}
