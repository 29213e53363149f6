package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.ChildJvm;
import org.slotwise.testing.OnDevice;

/** Trainings in processes of their own, which end before their time. */
@ExtendWith(OnDevice.class)
@DisabledIfSystemProperty(
        named = "slotwise.virtualgpu",
        matches = "true",
        disabledReason = "the GPU that is not there is in the tests' own process only")
class InterruptedTrainingTest {

    private static final int STEPS = 40;

    @TempDir Path folder;

    private static List<String> command(Path checkpoint, int steps, Path result) {
        return ChildJvm.command(
                ResumableRun.class,
                List.of(
                        "-Xmx256m",
                        "-Dai.djl.offline=true",
                        "-Dai.djl.pytorch.num_threads=1",
                        "-Dslotwise.device=" + System.getProperty("slotwise.device", "auto"),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
                checkpoint,
                steps,
                result);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void endsAsOneThatWasNeverKilled() throws Exception {
        Path whole = folder.resolve("whole.safetensors");
        ResumableRun.train(folder.resolve("other.safetensors"), STEPS, whole);

        Path checkpoint = folder.resolve("checkpoint.safetensors");
        Path result = folder.resolve("result.safetensors");
        Random random = new Random(1);
        long before = 0;
        for (long kill = 1; kill <= 3; kill++) {
            Process process = new ProcessBuilder(command(checkpoint, STEPS, result)).start();
            try (BufferedReader out =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.UTF_8))) {
                String line = out.readLine();
                while (line != null && Long.parseLong(line) < kill * 8) {
                    line = out.readLine();
                }
                // Anywhere in a step; most of a step is the writing of its checkpoint.
                Thread.sleep(random.nextInt(12));
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertNotEquals(0, process.exitValue());
            try (Checkpoint left = Checkpoint.read(checkpoint)) {
                assertTrue(left.step() >= kill * 8 && left.step() < STEPS, "" + left.step());
                assertTrue(left.step() > before);
                before = left.step();
            }
        }
        assertFalse(Files.exists(result));
        Process process = new ProcessBuilder(command(checkpoint, STEPS, result)).start();
        process.getInputStream().transferTo(OutputStream.nullOutputStream());
        assertEquals(0, process.waitFor());
        assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(result));
        // What the killed processes left behind is gone.
        assertEquals(4, files().size(), files().toString());
    }

    /** A limit to the size of files stands in for a disk that is full. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void keepsTheFormerCheckpointWhenThereIsNoRoom() throws Exception {
        Path checkpoint = folder.resolve("checkpoint.safetensors");
        Path result = folder.resolve("result.safetensors");
        ResumableRun.train(checkpoint, 2, result);
        byte[] former = Files.readAllBytes(checkpoint);
        List<String> limited = new ArrayList<>(List.of("bash", "-c", "ulimit -f 200; exec \"$@\""));
        limited.add("bash");
        limited.addAll(command(checkpoint, 4, result));
        Process process = new ProcessBuilder(limited).start();
        String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(1, process.waitFor(), error);
        assertTrue(error.contains("Checkpoint: cannot write " + checkpoint), error);
        assertTrue(error.contains("left as it was"), error);
        assertArrayEquals(former, Files.readAllBytes(checkpoint));
        assertEquals(List.of(checkpoint, result), files());
    }
}
