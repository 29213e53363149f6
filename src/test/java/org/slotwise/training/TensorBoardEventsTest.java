package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.Python;

class TensorBoardEventsTest {

    private static final InstantSource FIXED =
            InstantSource.fixed(Instant.ofEpochSecond(1_000_000_000L, 125_000_000));

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** Byte by byte what TensorBoard's own classes write: src/test/python/make_events.py. */
    @Test
    void writesWhatTensorBoardDoes(@TempDir Path folder) throws IOException {
        Map<String, Number> values = new LinkedHashMap<>();
        values.put("train/loss", 0.1);
        values.put("norm", Double.POSITIVE_INFINITY);
        Path run = folder.resolve("run");
        try (TensorBoardEvents events = TensorBoardEvents.resume(run, 200, FIXED)) {
            events.write(250, values);
            events.write(300, Map.of()); // nothing to say
            events.write(1L << 40, Map.of("Grüße", -3));
        }
        Path file = files(run).get(0);
        assertEquals(
                "events.out.tfevents.1000000000.125000000.slotwise", file.getFileName().toString());
        try (InputStream expected = getClass().getResourceAsStream("/training/events.bin")) {
            assertArrayEquals(expected.readAllBytes(), Files.readAllBytes(file));
        }
    }

    private static Image image() {
        BufferedImage image = new BufferedImage(5, 3, BufferedImage.TYPE_INT_RGB);
        image.setRGB(4, 2, 0xFF8000);
        return ImageFactory.getInstance().fromImage(image);
    }

    @Test
    void tensorBoardReadsIt(@TempDir Path folder) throws IOException, InterruptedException {
        Python.assumeModules(
                folder, "numpy, PIL, tensorboard.backend.event_processing.event_accumulator");
        Path run = folder.resolve("run");
        try (TensorBoardEvents events = TensorBoardEvents.create(run)) {
            for (int step = 0; step <= 500; step += 100) {
                events.write(step, Map.of("train/loss", 1.0 / (step + 1), "FG-ARI", step));
            }
            events.image(500, "slots", image());
        }
        Files.write(files(run).get(0), new byte[] {7, 0, 0}, StandardOpenOption.APPEND); // killed
        try (TensorBoardEvents events = TensorBoardEvents.resume(run, 300)) {
            events.write(400, Map.of("train/loss", -4));
            events.image(400, "slots", image());
        }
        assertEquals(2, files(run).size());
        Python.run(
                folder,
                """
                import io, PIL.Image
                from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
                run = EventAccumulator("run", size_guidance={"images": 0, "scalars": 0, "tensors": 0})
                run.Reload()
                tags = run.Tags()
                assert sorted(tags["scalars"]) == ["FG-ARI", "train/loss"], tags
                loss = [(e.step, e.value) for e in run.Scalars("train/loss")]
                assert [s for s, _ in loss] == [0, 100, 200, 300, 400], loss
                assert loss[0][1] == 1 and loss[-1][1] == -4, loss
                image = run.Images("slots")
                assert [e.step for e in image] == [400], image
                assert (image[0].height, image[0].width) == (3, 5), image
                picture = PIL.Image.open(io.BytesIO(image[0].encoded_image_string)).convert("RGB")
                assert picture.getpixel((4, 2)) == (255, 128, 0), picture.getpixel((4, 2))
                """);
    }

    @Test
    void refusesWrongValues(@TempDir Path folder) throws IOException {
        assertRefused(
                "TensorBoardEvents: lastStep must be at least 0, got -1",
                () -> TensorBoardEvents.resume(folder, -1));
        assertEquals(List.of(), files(folder));
        TensorBoardEvents events = TensorBoardEvents.create(folder);
        assertRefused(
                "TensorBoardEvents: step must be at least 0, got -1",
                () -> events.write(-1, Map.of("a", 1)));
        events.close();
        String message =
                assertThrows(IOException.class, () -> events.write(1, Map.of("a", 1))).getMessage();
        assertTrue(message.startsWith("TensorBoardEvents: cannot write "), message);
        Path taken = Files.createFile(folder.resolve("taken"));
        assertThrows(IOException.class, () -> TensorBoardEvents.create(taken));
        Path deep = folder.resolve("no").resolve("run");
        String parent =
                assertThrows(IOException.class, () -> TensorBoardEvents.create(deep)).getMessage();
        assertTrue(parent.startsWith("TensorBoardEvents: cannot make the folder " + deep), parent);
    }
}
