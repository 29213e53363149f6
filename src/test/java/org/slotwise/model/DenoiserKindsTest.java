package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;
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
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.Prediction;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;
import org.slotwise.training.Adam;
import org.slotwise.training.AveragingDecay;
import org.slotwise.training.Checkpoint;
import org.slotwise.training.WeightAverage;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.BranchNormUNet;
import org.slotwise.weights.StateDict;

/** A model with one denoiser or the other, and what it keeps. */
@ExtendWith(OnDevice.class)
class DenoiserKindsTest {

    @TempDir Path folder;

    static LatentSlotDiffusionConfiguration branchNorm(int slotDim, int patch) {
        LatentSlotDiffusionConfiguration c = plain();
        return new LatentSlotDiffusionConfiguration(
                c.discovery(),
                0,
                new LatentsConfiguration.Patches(patch),
                c.diffusion(),
                new DenoiserConfiguration.BranchNormUNet(
                        new BranchNormConfiguration(3 * patch * patch, 4, 6, slotDim, 4, 2, 0.25)));
    }

    static LatentSlotDiffusionConfiguration plain() {
        return SmallModels.diffusion(new LatentsConfiguration.Patches(2), 12, Prediction.DATA);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void isTheSameWhenItIsLoaded(String name, NDManager manager) throws IOException {
        LatentSlotDiffusion model = LatentSlotDiffusionTest.fresh(manager, branchNorm(4, 1));
        Path path = folder.resolve(name);
        model.save(path);
        LatentSlotDiffusion loaded = LatentSlotDiffusion.load(path, manager);
        assertEquals(model.madeFrom(), loaded.madeFrom());
        assertInstanceOf(BranchNormUNet.class, loaded.decoder().denoiser());
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 2, 3, 8, 8);
        assertClose(
                "pictures",
                model.reconstruct(store, images, 1),
                loaded.reconstruct(store, images, 1),
                1e-5);
    }

    /** What a file says of the denoiser, or does not say. */
    @Test
    void kindsInFiles() {
        LatentSlotDiffusionConfiguration c = branchNorm(4, 1);
        String json = c.toJson();
        assertTrue(json.contains("\"kind\": \"branch_norm_u_net\""), json);
        assertEquals(c, LatentSlotDiffusionConfiguration.fromJson(json));
        String plain = plain().toJson();
        assertTrue(plain.contains("\"kind\": \"u_net\","), plain);
        String old = plain.replaceFirst("\"kind\": \"u_net\",\\s*", "");
        assertTrue(!old.contains("u_net"), old);
        assertEquals(plain(), LatentSlotDiffusionConfiguration.fromJson(old));
        refused(
                "denoiser.kind must be one of [u_net, branch_norm_u_net], got transformer",
                json.replace("branch_norm_u_net", "transformer"));
        refused("denoiser.sizes.repeats is missing", json.replaceFirst("\"repeats\": 2,\\s*", ""));
        refused(
                "denoiser.sizes.widths is unknown: there are [latents, channels, timeDim, slotDim,"
                        + " headSize, repeats, dropout]",
                json.replace("\"repeats\": 2", "\"repeats\": 2, \"widths\": [4]"));
        refused(
                "denoiser.sizes: BranchNormConfiguration: dropout must be at least 0 and below 1,"
                        + " got 1.0",
                json.replace("\"dropout\": 0.25", "\"dropout\": 1"));
        // The sizes of one kind are none of the other.
        assertRefusedBeginning(
                "LatentSlotDiffusionConfiguration: denoiser.sizes.latents is unknown",
                json.replace("branch_norm_u_net", "u_net"));
        refused("latents.kind is missing", plain.replaceFirst("\"kind\": \"patches\",\\s*", ""));
    }

    private static void refused(String message, String json) {
        assertRefused(
                "LatentSlotDiffusionConfiguration: " + message,
                () -> LatentSlotDiffusionConfiguration.fromJson(json));
    }

    private static void assertRefusedBeginning(String message, String json) {
        String got =
                assertThrows(
                                IllegalArgumentException.class,
                                () -> LatentSlotDiffusionConfiguration.fromJson(json))
                        .getMessage();
        assertTrue(got.startsWith(message), got);
    }

    @Test
    void latentsMustFit() {
        assertRefused(
                "BranchNormUNet: height and width of latents must be multiples of 8, got (1, 12, 4,"
                        + " 4)",
                () -> new LatentSlotDiffusion(branchNorm(4, 2)));
    }

    /** It learns, and an interrupted training goes on with averages and all. */
    @Test
    void averagesAndCheckpoints(NDManager manager) throws IOException {
        LatentSlotDiffusion model = LatentSlotDiffusionTest.fresh(manager, branchNorm(4, 1));
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = uniform(manager, 1, DataType.FLOAT32, 3, 3, 8, 8);
        DiffusionDraws draws =
                DiffusionDraws.of(
                        new Random(1),
                        model.decoder().learning().noising().schedule(),
                        manager,
                        new Shape(3, 3, 8, 8),
                        DataType.FLOAT32,
                        0);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(model.loss(store, images, draws, false, true));
        }
        Map<String, Parameter> learnt = StateDict.parameters(model.decoder());
        NDArray gradient = learnt.get("denoiser.r1.out.3.weight").getArray().getGradient();
        assertTrue(largest(gradient) > 0);
        LatentSlotDiffusion other = LatentSlotDiffusionTest.fresh(manager, branchNorm(4, 1));
        AveragingDecay decay = AveragingDecay.constant(0.5);
        Path file = folder.resolve("checkpoint.safetensors");
        Map<String, String> run = Map.of("seed", "1");
        try (Adam adam = Adam.builder().build();
                Adam fresh = Adam.builder().build();
                WeightAverage average = new WeightAverage(model.decoder(), decay);
                WeightAverage again = new WeightAverage(other.decoder(), decay)) {
            learnt.values().forEach(DenoiserKindsTest::change);
            average.update();
            Checkpoint.write(file, model, adam, average, 1, run, Map.of());
            try (Checkpoint checkpoint = Checkpoint.read(file)) {
                checkpoint.restore(other, fresh, again);
            }
            assertEquals(1, again.updates());
            assertEquals(average.state().keySet(), again.state().keySet());
            for (String name : average.state().keySet()) {
                assertArrayEquals(
                        average.state().get(name).toFloatArray(),
                        again.state().get(name).toFloatArray(),
                        name);
            }
            NDArray slots = normal(manager, 2, 3, 4, 4);
            assertClose(
                    "weights",
                    model.generate(store, slots, 1),
                    other.generate(store, slots, 1),
                    1e-5);
        }
    }

    private static void change(Parameter parameter) {
        NDArray w = parameter.getArray();
        NDArray drawn = normal(w.getManager(), 7, w.getShape().getShape());
        Ops.overwrite(w, drawn);
        drawn.close();
    }
}
