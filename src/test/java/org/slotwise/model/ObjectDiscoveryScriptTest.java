package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.conditioning.Conditioning;
import org.slotwise.decoder.SlotDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGrouping;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Python;
import org.slotwise.testing.Tensors;
import org.slotwise.torchscript.TorchScript;
import org.slotwise.weights.StateDict;

/** Whole models as TorchScript: of the paper, with leaky ReLUs, with a residual encoder. */
@ExtendWith(OnDevice.class)
@ResourceLock("engine")
class ObjectDiscoveryScriptTest {

    private static Model load(Path file, Map<String, String> options) throws Exception {
        Model model = Model.newInstance("module", OnDevice.device(), "PyTorch");
        model.load(file.getParent(), file.getFileName().toString(), options);
        return model;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "paper-tetrominoes",
                "plain-tetrominoes",
                "object-discovery-pytorch",
                "resnet-clevr"
            })
    void computesTheSame(String preset, NDManager manager, @TempDir Path folder) throws Exception {
        ObjectDiscoveryConfiguration c = Presets.named(preset).configuration().withSlots(3);
        int height = c.imageHeight();
        int width = c.imageWidth();
        try (ObjectDiscovery discovery = new ObjectDiscovery(c)) {
            discovery.initialize(manager, DataType.FLOAT32, new Shape(1, 3, height, width));
            TorchScript.of(discovery).write(folder.resolve("model.pt"));
            NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 1, 3, height, width);
            NDArray noise = Tensors.normal(manager, 2, DataType.FLOAT32, 1, 2, c.slotDim());
            NDList expected = byParts(manager, discovery, images, noise);
            try (Model model = load(folder.resolve("model.pt"), Map.of())) {
                NDList actual =
                        model.getBlock()
                                .forward(
                                        new ParameterStore(manager, false),
                                        new NDList(images, noise),
                                        false);
                for (NDArray array : expected) {
                    String name = array.getName();
                    Tensors.assertClose(name, array, actual.get(name), 2e-4);
                }
            }
            try (Model model = load(folder.resolve("model.pt"), Map.of("trainParam", "true"));
                    StateDict own = StateDict.of(discovery)) {
                TreeSet<String> names =
                        new TreeSet<>(model.getBlock().getDirectParameters().keys());
                TreeSet<String> learnt = new TreeSet<>(own.names());
                learnt.removeIf(name -> name.contains("running_"));
                names.removeIf(name -> name.contains("running_"));
                assertEquals(learnt, names);
                assertTrue(names.contains("grouping.to_q.weight"), names.toString());
            }
        }
    }

    /**
     * Nothing is drawn, so that the whole model computes the same: by k-means on colours. In
     * float32 a pixel that is as near to two of them may go to the other one.
     */
    @ParameterizedTest
    @CsvSource({
        "pictures, 32, 7, FLOAT64",
        "pictures, 48, 3, FLOAT64",
        "pictures-128, 64, 5, FLOAT64",
        "pictures, 32, 7, FLOAT32",
        "pictures-128, 64, 5, FLOAT32"
    })
    void startsOnTheSameClusters(
            String preset,
            int size,
            int slots,
            DataType type,
            NDManager manager,
            @TempDir Path folder)
            throws Exception {
        ObjectDiscoveryConfiguration c =
                Presets.named(preset).configuration().withSlots(slots).withImageSize(size, size);
        try (ObjectDiscovery discovery = new ObjectDiscovery(c)) {
            discovery.initialize(manager, type, new Shape(1, 3, size, size));
            Path file = folder.resolve("model.pt");
            TorchScript.of(discovery).write(file);
            try (Model model = load(file, Map.of())) {
                ParameterStore store = new ParameterStore(manager, false);
                Map<String, NDArray> inputs = new LinkedHashMap<>();
                NDArray patches = patches(manager, type, size);
                inputs.put("patches", patches);
                inputs.put("one", patches.get("0:1"));
                inputs.put("black", patches.mul(0));
                if (type == DataType.FLOAT64) {
                    inputs.put("noise", Tensors.uniform(manager, 1, type, 3, 3, size, size));
                }
                for (Map.Entry<String, NDArray> input : inputs.entrySet()) {
                    NDArray images = input.getValue();
                    NDList expected = discovery.discover(store, images, false).toNDList();
                    NDList actual = model.getBlock().forward(store, new NDList(images), false);
                    for (String name :
                            List.of(
                                    "reconstruction",
                                    "slot_images",
                                    "masks",
                                    "objects",
                                    "feature_attributions")) {
                        Tensors.assertClose(
                                input.getKey() + ": " + name,
                                orderOf(input.getKey() + name, expected.get(name)),
                                orderOf(input.getKey() + name, actual.get(name)),
                                1e-5);
                    }
                }
                NDArray noise = Tensors.normal(manager, 2, type, 2, slots, 64);
                assertThrows(
                        EngineException.class,
                        () -> model.getBlock().forward(store, new NDList(patches, noise), false));
            }
        }
    }

    /** PyTorch itself gives what the model gives, of which nothing is drawn. */
    @Test
    void pyTorchStartsOnTheSameClusters(NDManager manager, @TempDir Path folder) throws Exception {
        Python.assumeModules(folder, "torch, numpy");
        ObjectDiscoveryConfiguration c =
                Presets.named("pictures").configuration().withImageSize(32, 32);
        try (ObjectDiscovery discovery = new ObjectDiscovery(c)) {
            discovery.initialize(manager, DataType.FLOAT32, new Shape(1, 3, 32, 32));
            TorchScript.of(discovery).write(folder.resolve("model.pt"));
            NDArray images = patches(manager, DataType.FLOAT32, 32);
            Map<String, NDArray> io = new LinkedHashMap<>();
            discovery
                    .discover(new ParameterStore(manager, false), images, false)
                    .toNDList()
                    .forEach(array -> io.put(array.getName(), array));
            io.put("images", images);
            StateDict.of(io).write(folder.resolve("io.npz"));
        }
        Python.run(
                folder,
                """
                import numpy as np, torch
                io = {k: torch.from_numpy(v) for k, v in np.load("io.npz").items()}
                module = torch.jit.load("model.pt")
                images = io.pop("images")
                out = module(images)
                assert set(out) == set(io), (out.keys(), io.keys())
                for name, value in io.items():
                    worst = (out[name] - value).abs().max().item()
                    print(name, worst)
                    assert worst < 1e-5 * max(1, value.abs().max().item()), (name, worst)
                (out["reconstruction"] - images).square().mean().backward()
                for name, value in module.named_parameters():
                    assert value.grad is not None and value.grad.isfinite().all(), name
                try:
                    module(images, slots=5)
                    assert False
                except torch.jit.Error as e:
                    assert "slots must be 7" in str(e), e
                """);
    }

    /**
     * Two starts may end with the same clusters in another order, and which of them counts as
     * better is a matter of rounding: where that happens, slots are compared whatever their order.
     */
    private static NDArray orderOf(String input, NDArray array) {
        return input.startsWith("noise") && !input.endsWith("reconstruction")
                ? array.sort(1)
                : array;
    }

    /** Sixteen colours, each of a square. */
    private static NDArray patches(NDManager manager, DataType type, int size) {
        return Tensors.uniform(manager, 2, type, 2, 3, 4, 1, 4, 1)
                .broadcast(2, 3, 4, size / 4, 4, size / 4)
                .reshape(2, 3, size, size);
    }

    private static NDList byParts(
            NDManager manager, ObjectDiscovery discovery, NDArray images, NDArray noise) {
        Map<String, Block> parts = discovery.parts();
        ParameterStore store = new ParameterStore(manager, false);
        var colours = discovery.madeFrom().colours();
        NDArray x = images.sub(colours.mean()).div(colours.deviation());
        FeatureExtractorOutput features =
                ((FeatureExtractor) parts.get("encoder")).extract(store, x, false);
        NDArray start = ((Conditioning) parts.get("conditioning")).sample(store, noise, false);
        PerceptualGroupingOutput found =
                ((PerceptualGrouping) parts.get("grouping")).group(store, features, start, false);
        SlotDecoding made =
                ((SlotDecoder) parts.get("decoder")).decode(store, found.objects(), false);
        NDList all =
                new SlotDecoding(
                                made.reconstruction().mul(colours.deviation()).add(colours.mean()),
                                made.slotImages().mul(colours.deviation()).add(colours.mean()),
                                made.masks())
                        .toNDList();
        return all.addAll(found.toNDList());
    }
}
