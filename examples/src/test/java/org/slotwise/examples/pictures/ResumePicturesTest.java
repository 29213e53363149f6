package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.Slotwise;
import org.slotwise.examples.shared.OtherProcess;
import org.slotwise.examples.shared.Run;

/** Trainings on pictures of one's own that are interrupted and go on. */
class ResumePicturesTest {

    @TempDir Path folder;
    private Path drawn;

    @BeforeEach
    void draw() throws IOException {
        drawn = DrawnPictures.draw(folder.resolve("drawn"), 10);
    }

    private Path at(String name) {
        return folder.resolve(name);
    }

    private List<String> options(String name, String... more) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("--images", drawn.toString());
        options.put("--out", at(name).toString());
        options.put("--checkpoint", at(name + ".safetensors").toString());
        options.put("--checkpoint-every", "1");
        options.put("--history", at(name + ".csv").toString());
        options.put("--report", "1");
        options.put("--size", "16");
        options.put("--steps", "40");
        List<String> args = new ArrayList<>();
        for (int i = 0; i < more.length; i++) {
            if ("--resume".equals(more[i])) {
                args.add(more[i]);
            } else {
                options.put(more[i], more[++i]);
            }
        }
        options.forEach((option, value) -> args.addAll(List.of(option, value)));
        return args;
    }

    private Run train(String name, String... more) {
        return Run.of(new TrainPictures(), options(name, more).toArray(String[]::new));
    }

    private Process start(String name, String... more) throws IOException {
        List<String> args = new ArrayList<>(List.of("train"));
        args.addAll(options(name, more));
        return OtherProcess.start(Slotwise.class, at("output.txt"), args);
    }

    private void await(Process process, Path history, int rows)
            throws IOException, InterruptedException {
        while (!Files.exists(history) || Files.readAllLines(history).size() <= rows) {
            if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
                throw new AssertionError(Files.readString(at("output.txt")));
            }
        }
    }

    /** What a history says, without the times. */
    private static List<String> rows(Path history) throws IOException {
        return Files.readAllLines(history).stream().map(row -> row.split(",", 2)[1]).toList();
    }

    @Test
    void endsAsOneThatWasNeverKilled() throws Exception {
        train("whole").succeeds();
        Process process = start("killed");
        try {
            await(process, at("killed.csv"), 4);
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertFalse(Files.exists(at("killed")));
        train("killed").fails(1, "exists: --resume goes on from it");
        String out = train("killed", "--resume").succeeds().out();
        assertTrue(out.contains("going on after step "), out);
        String finished = train("killed", "--resume").succeeds().out();
        assertTrue(finished.contains("all 40 steps were taken before"), finished);
        assertArrayEquals(
                Files.readAllBytes(at("whole/weights.safetensors")),
                Files.readAllBytes(at("killed/weights.safetensors")));
        assertEquals(rows(at("whole.csv")), rows(at("killed.csv")));
    }

    /** Ctrl-C leaves a checkpoint of the very step, however seldom one is written. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void savesItsWorkWhenAskedToEnd() throws Exception {
        Process process = start("asked", "--checkpoint-every", "10000", "--steps", "20000");
        try {
            await(process, at("asked.csv"), 3);
            process.destroy();
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertNotEquals(0, process.exitValue());
        String said = Files.readString(at("output.txt"));
        assertTrue(said.contains("go on from " + at("asked.safetensors")), said);
        assertTrue(Files.exists(at("asked.safetensors")));
        assertFalse(Files.exists(at("asked")));
    }

    @Test
    void refusesWhatItCannotGoOnFrom() throws IOException {
        String events = at("events").toString();
        train("a", "--steps", "2", "--tensorboard", events).succeeds();
        // What happened after the checkpoint, and would be dropped if the training went on.
        Files.writeString(at("a.csv"), "later\n", StandardOpenOption.APPEND);
        byte[] history = Files.readAllBytes(at("a.csv"));
        Run other = train("a", "--steps", "2", "--tensorboard", events, "--seed", "9", "--resume");
        assertArrayEquals(history, Files.readAllBytes(at("a.csv")));
        try (Stream<Path> files = Files.list(at("events"))) {
            assertEquals(1, files.count());
        }
        assertEquals(1, other.exitCode());
        assertTrue(other.err().contains("a.safetensors is of another run"), other.err());
        train("b", "--resume").fails(1, "b.safetensors does not exist");
        train("c", "--history", at("a.csv").toString()).fails(1, "a.csv exists");
    }
}
