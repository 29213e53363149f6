package org.slotwise.examples.edit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.weights.StateDict;

/** What is discrete about a {@link DiscreteModel}, with the model that the examples bring. */
class DiscreteModelTest {

    private NDManager manager;
    private ParameterStore store;
    private DiscreteModel model;
    private DiscreteModel.Description found;

    @BeforeEach
    void describe() throws Exception {
        manager = NDManager.newBaseManager();
        store = new ParameterStore(manager, false);
        model = DiscreteModel.load(manager, null);
        DescribedScenes scenes =
                DescribedScenes.of(manager, model, DiscreteModel.TASK.scenes(21, 6));
        assertEquals(6, scenes.size());
        found = model.describe(store, scenes.images());
        assertArrayEquals(
                scenes.slots().toFloatArray(), found.slots().objects().toFloatArray(), 1e-4f);
    }

    @AfterEach
    void close() {
        manager.close();
    }

    /** At test time slots are made of codes and of nothing else, and no draw is made. */
    @Test
    void codesAreHardAtTestTime() {
        NDArray codes = found.quantized().codes();
        NDArray again = model.codec().draw(store, codes, found.slots().positions()).masks();
        assertArrayEquals(found.decoding().masks().toFloatArray(), again.toFloatArray());
        Engine.getInstance().setRandomSeed(99);
        SlotCodec.Coded other =
                model.codec()
                        .code(
                                store,
                                found.slots().objects(),
                                found.slots().positions(),
                                PixelLattice.ALL,
                                false);
        assertArrayEquals(codes.toLongArray(), other.quantized().codes().toLongArray());
        assertArrayEquals(codes.toLongArray(), found.quantized().logits().argMax(3).toLongArray());
    }

    @Test
    void inTrainingCodesAreSampledAndLearnt() {
        NDArray slots = found.slots().objects();
        NDArray positions = found.slots().positions();
        NDArray pixels = SlotCodec.pixels(manager, new PixelLattice(2, 1, 0));
        Engine.getInstance().setRandomSeed(1);
        NDList outputs;
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            outputs = model.codec().forward(store, new NDList(slots, positions, pixels), true);
            collector.backward(outputs.head().square().mean());
        }
        assertEquals(new Shape(6, 3, 17, 18), outputs.head().getShape());
        model.codec()
                .getParameters()
                .forEach(
                        p -> {
                            boolean learnt = p.getValue().requiresGradient();
                            assertEquals(!p.getKey().matches("mean|deviation"), learnt, p.getKey());
                            if (learnt) {
                                NDArray gradient = p.getValue().getArray().getGradient();
                                assertTrue(gradient.abs().max().getFloat() > 0, p.getKey());
                            }
                        });
        NDArray once = model.quantizer().quantize(store, slots, true).slots();
        NDArray twice = model.quantizer().quantize(store, slots, true).slots();
        assertFalse(once.contentEquals(twice), "draws differ");
    }

    @Test
    void anEditLeavesAllElseAlone() {
        NDArray before = found.quantized().codes();
        long[] has = before.get(":, 1, 2").toLongArray();
        long[] gets = has.clone();
        gets[3] = (has[3] + 1) % model.quantizer().codes();
        EditedScene edited = EditedScene.of(model, store, found, 1, 2, gets);
        NDArray other = edited.codes().neq(before);
        assertEquals(1, other.countNonzero().getLong(), "one code");
        assertTrue(other.getBoolean(3, 1, 2), "that one");
        // Other scenes are the same to the bit, other slots of the scene have their own colours.
        for (int b = 0; b < 6; b++) {
            boolean same =
                    edited.after()
                            .reconstruction()
                            .get(b)
                            .contentEquals(found.decoding().reconstruction().get(b));
            assertEquals(b != 3, same, "scene " + b);
        }
        for (int k = 0; k < 4; k++) {
            boolean same =
                    edited.after()
                            .slotImages()
                            .get(3, k)
                            .contentEquals(found.decoding().slotImages().get(3, k));
            assertTrue(same || k == 1, "slot " + k);
        }
    }

    @Test
    void changesAreMeasured() {
        NDArray same = found.quantized().codes();
        long[] has = same.get(":, 0, 0").toLongArray();
        EditedScene unchanged = EditedScene.of(model, store, found, 0, 0, has);
        EditedScene.Change none = unchanged.change(0);
        for (double change : new double[] {none.inside(), none.outside(), none.colour()}) {
            assertTrue(Double.isNaN(change) || change == 0, none.toString());
        }
        long[] background = EditedScene.background(found.decoding().masks());
        float[] areas = found.decoding().masks().sum(new int[] {2, 3}).toFloatArray();
        for (int b = 0; b < 6; b++) {
            for (int k = 0; k < 4; k++) {
                assertTrue(areas[4 * b + k] <= areas[4 * b + (int) background[b]]);
            }
        }
    }

    /** A file says with which eps and iterations its slots are found; older ones had 1e-8 and 7. */
    @Test
    void aFileSaysHowSlotsAreFound(@TempDir Path folder) throws IOException {
        Path now = folder.resolve("now.safetensors");
        Path older = folder.resolve("older.safetensors");
        Path said = folder.resolve("said.safetensors");
        Path wrong = folder.resolve("wrong.safetensors");
        DiscreteModel.fresh(manager, 2, 4).write(now);
        Map<String, String> codes = Map.of("codes", "4", "latents", "2");
        Map<String, String> as = new TreeMap<>(codes);
        try (StateDict weights = StateDict.read(now)) {
            weights.withMetadata(codes).write(older);
            as.putAll(Map.of("eps", "1e-8", "iterations", "7"));
            weights.withMetadata(as).write(said);
            as.put("iterations", "0");
            weights.withMetadata(as).write(wrong);
            as.putAll(Map.of("eps", "0.001", "iterations", "10"));
            assertEquals(as, weights.metadata());
        }
        assertArrayEquals(slots(said), slots(older));
        assertFalse(Arrays.equals(slots(now), slots(older)));
        assertThrows(IOException.class, () -> DiscreteModel.load(manager, wrong));
    }

    private float[] slots(Path file) throws IOException {
        Engine.getInstance().setRandomSeed(5);
        NDArray noise = manager.randomUniform(0, 1, new Shape(1, 3, 35, 35));
        return DiscreteModel.load(manager, file).slots(store, noise).objects().toFloatArray();
    }

    @Test
    void perplexityCountsTheCodesInUse() {
        CodeUsage usage = new CodeUsage(2, 4);
        // Two scenes of three slots, of which the first of scene 0 and the last of scene 1 are no
        // objects. Latent 0 has 1, 2, 1, 2; latent 1 has 3 throughout.
        long[] codes = {0, 0, 1, 3, 2, 3, 1, 3, 2, 3, 0, 0};
        usage.add(manager.create(codes, new Shape(2, 3, 2)), new long[] {0, 2});
        assertEquals(2, usage.perplexity(0), 1e-12);
        assertEquals(1, usage.perplexity(1), 1e-12);
        assertEquals(List.of(1, 2), usage.used(0));
        assertEquals(List.of(3), usage.used(1));
        usage.add(manager.create(new long[] {2, 0}, new Shape(1, 1, 2)), new long[] {-1});
        assertEquals(List.of(2, 1), usage.used(0), "the most frequent first");
        assertEquals(
                Math.exp(-0.4 * Math.log(0.4) - 0.6 * Math.log(0.6)), usage.perplexity(0), 1e-9);
    }
}
