package org.slotwise.examples.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.Program;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.model.LatentSlotDiffusion;

/** Slots and latents of pictures, which a training of a denoiser reads from disk. */
class SeenPicturesTest {

    private static final int COUNT = 150; // more than two batches

    @TempDir Path folder;

    private int asked;

    @BeforeEach
    void start() {
        Program.of(new DiffuseSlots());
    }

    private SeenPictures look(LatentSlotDiffusion model, DiffusionPictures pictures, int stopAfter)
            throws IOException {
        asked = 0;
        return SeenPictures.of(
                model,
                pictures,
                folder,
                () -> {
                    if (asked++ == stopAfter) {
                        throw new InterruptedIOException("stopped");
                    }
                },
                new PrintWriter(new StringWriter()));
    }

    private List<Path> kept() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void areWhatTheModelSaysAndAreLookedAtOnce() throws IOException {
        DiffusionPictures pictures = DiffusionPictures.of(null, DiffusionPictures.SIDE, COUNT, 1);
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = TinyModel.fresh(manager, 1)) {
            assertThrows(InterruptedIOException.class, () -> look(model, pictures, 2));
            assertEquals(1, kept().size());
            long part = Files.size(kept().get(0));
            NDArray images =
                    SceneArrays.images(
                            manager, pictures.scenes(), LongStream.range(64, 128).toArray());
            ParameterStore store = new ParameterStore(manager, false);
            float[] slots = model.slots(store, images, false).objects().toFloatArray();
            float[] latents = model.latents(store, images).toFloatArray();
            try (SeenPictures seen = look(model, pictures, -1)) {
                assertTrue(asked < 3, "the first batch was kept");
                assertTrue(Files.size(kept().get(0)) > part);
                int[] some = LongStream.range(64, 128).mapToInt(i -> (int) i).toArray();
                assertArrayEquals(slots, seen.read(manager, some).slots().toFloatArray());
                assertArrayEquals(latents, seen.read(manager, some).latents().toFloatArray());
                NDArray last = seen.read(manager, COUNT - 1, 64).slots();
                assertArrayEquals(
                        last.get(1).toFloatArray(), seen.read(manager, 64).slots().toFloatArray());
                seen.bringToDeviationOfOne();
                int[] all = LongStream.range(0, COUNT).mapToInt(i -> (int) i).toArray();
                NDArray scaled = seen.read(manager, all).latents();
                double mean = scaled.mean().getFloat();
                assertEquals(1, Math.sqrt(scaled.square().mean().getFloat() - mean * mean), 1e-4);
                assertEquals(
                        latents[5] * seen.factor(),
                        seen.read(manager, 64).latents().toFloatArray()[5],
                        1e-6);
            }
            look(model, pictures, -1).close();
            assertEquals(0, asked, "nothing is looked at again");
            assertEquals(1, kept().size());

            // The denoiser's weights make no difference, those of the slots do.
            change(model.decoder().getParameters().valueAt(0));
            look(model, pictures, -1).close();
            assertEquals(0, asked);
            change(model.discovery().getParameters().valueAt(0));
            look(model, pictures, -1).close();
            assertTrue(asked > 2);
            assertEquals(2, kept().size());
            look(model, DiffusionPictures.of(null, DiffusionPictures.SIDE, COUNT, 2), -1).close();
            assertTrue(asked > 2, "of other pictures");
        }
    }

    private static void change(Parameter parameter) {
        parameter.getArray().addi(1);
    }

    @Test
    void picturesOfAFolderAreKnownByTheirFiles() throws IOException {
        Path own = TinyModel.pictures(folder.resolve("own"), 6);
        DiffusionPictures pictures = DiffusionPictures.of(own, DiffusionPictures.SIDE, 0, 0);
        assertEquals(pictures.scenes().size(), pictures.origin().images().size());
        Files.move(own, folder.resolve("moved"));
        DiffusionPictures moved =
                DiffusionPictures.of(folder.resolve("moved"), DiffusionPictures.SIDE, 0, 0);
        assertEquals(pictures.origin(), moved.origin());
        Files.write(
                folder.resolve("moved/1.png"), Files.readAllBytes(folder.resolve("moved/2.png")));
        DiffusionPictures changed =
                DiffusionPictures.of(folder.resolve("moved"), DiffusionPictures.SIDE, 0, 0);
        assertFalse(pictures.origin().equals(changed.origin()));
    }

    /** Without a folder nothing is left, however it ends. */
    @Test
    void aTemporaryFolderIsTakenAway() throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        List<Path> before = seenIn(temporary);
        DiffusionPictures pictures = DiffusionPictures.of(null, DiffusionPictures.SIDE, 3, 1);
        PrintWriter out = new PrintWriter(new StringWriter());
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = TinyModel.fresh(manager, 1)) {
            try (SeenPictures seen = SeenPictures.of(model, pictures, null, () -> {}, out)) {
                assertEquals(3, seen.size());
                assertEquals(before.size() + 1, seenIn(temporary).size());
            }
            assertThrows(
                    InterruptedIOException.class,
                    () ->
                            SeenPictures.of(
                                    model,
                                    pictures,
                                    null,
                                    () -> {
                                        throw new InterruptedIOException("stopped");
                                    },
                                    out));
        }
        assertEquals(before, seenIn(temporary));
    }

    private static List<Path> seenIn(Path temporary) throws IOException {
        try (Stream<Path> files = Files.list(temporary)) {
            return files.filter(file -> file.getFileName().toString().startsWith("slotwise-seen"))
                    .sorted()
                    .toList();
        }
    }
}
