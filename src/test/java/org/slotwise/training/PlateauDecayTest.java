package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class PlateauDecayTest {

    /** By half after 4 that are not better, again after 4 more; a better one starts anew. */
    @Test
    void halvesAndKeepsHalving() {
        PlateauDecay plateau = new PlateauDecay(4, 0.5);
        LearningRate rate = plateau.of(LearningRate.warmUp(2, 10));
        double[] losses = {5, 4, 4, 6, 4, 4, 9, 9, 9, 9, 3, 3, 3, 3, 2, 2};
        double[] scales = {1, 1, 1, 1, 1, .5, .5, .5, .5, .25, .25, .25, .25, .25, .25, .25};
        for (int i = 0; i < losses.length; i++) {
            boolean falls = i > 0 && scales[i] < scales[i - 1];
            assertEquals(falls, plateau.observe(losses[i]), "loss " + i);
            assertEquals(scales[i], plateau.scale(), "loss " + i);
            assertEquals(2 * scales[i], rate.at(100), "loss " + i);
            assertEquals(scales[i], rate.at(5), "loss " + i);
        }
        assertEquals(2, plateau.best());
    }

    @Test
    void doesAsPyTorch() throws IOException {
        try (InputStream in =
                PlateauDecayTest.class.getResourceAsStream("/training/plateau.json")) {
            for (JsonElement element :
                    JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8))
                            .getAsJsonArray()) {
                JsonObject one = element.getAsJsonObject();
                PlateauDecay plateau =
                        new PlateauDecay(
                                one.get("patience").getAsInt(), one.get("factor").getAsDouble());
                double[] losses = TorchCases.doubles(one.get("losses"));
                double[] scales = TorchCases.doubles(one.get("scales"));
                for (int i = 0; i < losses.length; i++) {
                    plateau.observe(losses[i]);
                    assertEquals(scales[i], plateau.scale(), 1e-15, one.get("patience") + " " + i);
                }
                assertTrue(plateau.scale() < 1, "dull");
            }
        }
    }

    @Test
    void notANumberIsNoBetter() {
        PlateauDecay plateau = new PlateauDecay(2, 0.1);
        assertFalse(plateau.observe(Double.NaN));
        assertTrue(plateau.observe(Double.POSITIVE_INFINITY));
        assertFalse(plateau.observe(1));
        assertEquals(1, plateau.best());
    }

    @Test
    void refusesWhatCannotBe() {
        assertRefused(
                "PlateauDecay: patience must be at least 1, got 0", () -> new PlateauDecay(0, .5));
        for (double factor : new double[] {0, 1, -1, Double.NaN}) {
            assertRefused(
                    "PlateauDecay: factor must be above 0 and below 1, got " + factor,
                    () -> new PlateauDecay(4, factor));
        }
        PlateauDecay plateau = new PlateauDecay(4, 0.5);
        plateau.observe(3);
        Map<String, String> good = plateau.state();
        assertRefused(
                "PlateauDecay: the state must have plateau.best, got []",
                () -> plateau.restore(Map.of()));
        refused(good, "plateau.waited", "4");
        refused(good, "plateau.waited", "-1");
        refused(good, "plateau.waited", "1.5");
        refused(good, "plateau.scale", "2");
        refused(good, "plateau.scale", "NaN");
        refused(good, "plateau.best", "NaN");
        refused(good, "plateau.best", "low");
    }

    private static void refused(Map<String, String> good, String name, String value) {
        PlateauDecay plateau = new PlateauDecay(4, 0.5);
        Map<String, String> bad = new HashMap<>(good);
        bad.put(name, value);
        String message =
                assertThrows(IllegalArgumentException.class, () -> plateau.restore(bad))
                        .getMessage();
        assertTrue(message.startsWith("PlateauDecay: " + name + " must be "), message);
        assertEquals(1, plateau.scale());
        assertEquals(Double.POSITIVE_INFINITY, plateau.best(), "nothing is restored");
    }

    /** In the middle of waiting, after a fall: the steps to come are the same. */
    @Test
    void goesOnFromACheckpoint(NDManager manager, @TempDir Path folder) throws IOException {
        double[] losses = {5, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2};
        float[] whole = trained(manager, losses, losses.length, folder.resolve("a.safetensors"));
        float[] cut = trained(manager, losses, 7, folder.resolve("b.safetensors"));
        assertArrayEquals(whole, cut);
    }

    /** Interrupted after some steps, and taken up by objects that are new. */
    private static float[] trained(NDManager manager, double[] losses, int until, Path file)
            throws IOException {
        manager.getEngine().setRandomSeed(1);
        FeedForward block = new FeedForward(3, 4);
        block.initialize(manager, DataType.FLOAT32, new Shape(-1, 3));
        PlateauDecay plateau = new PlateauDecay(2, 0.5);
        try (Adam adam = adam(plateau)) {
            steps(block, adam, plateau, losses, 0, until);
            Checkpoint.write(file, block, adam, until, Map.of("seed", "1"), plateau.state());
        }
        manager.getEngine().setRandomSeed(2);
        FeedForward other = new FeedForward(3, 4);
        other.initialize(manager, DataType.FLOAT32, new Shape(-1, 3));
        PlateauDecay again = new PlateauDecay(2, 0.5);
        try (Adam adam = adam(again);
                Checkpoint checkpoint = Checkpoint.read(file)) {
            assertEquals(Map.of("seed", "1"), checkpoint.run());
            assertEquals(plateau.state(), checkpoint.state());
            checkpoint.restore(other, adam);
            again.restore(checkpoint.state());
            steps(other, adam, again, losses, until, losses.length);
        }
        NDArray all = manager.create(new float[0]);
        for (NDArray array : StateDict.of(other).arrays().values()) {
            all = all.concat(array.flatten());
        }
        return all.toFloatArray();
    }

    private static Adam adam(PlateauDecay plateau) {
        return Adam.builder().optLearningRate(plateau.of(LearningRate.constant(0.1))).build();
    }

    private static void steps(
            FeedForward block, Adam adam, PlateauDecay plateau, double[] losses, int from, int to) {
        for (int step = from; step < to; step++) {
            for (Parameter parameter : block.getParameters().values()) {
                NDArray weight = parameter.getArray();
                adam.update(parameter.getId(), weight, weight.sin());
            }
            plateau.observe(losses[step]);
        }
    }
}
