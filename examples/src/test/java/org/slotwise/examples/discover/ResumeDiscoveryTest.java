package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.OtherProcess;
import org.slotwise.examples.shared.Run;
import org.slotwise.weights.StateDict;

/** Trainings of {@link DiscoverObjects} that are interrupted and go on. */
class ResumeDiscoveryTest {

    private static final int STEPS = 8;

    @TempDir Path folder;

    @AfterEach
    void oneThread() {
        JniUtils.setNumThreads(1);
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    /** The command, with options that replace those of the same name or come after them. */
    private List<String> train(String name, String... more) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("--steps", Integer.toString(STEPS));
        options.put("--report", "3");
        options.put("--checkpoint-every", "1");
        options.put("--output", file(name + ".safetensors"));
        options.put("--checkpoint", file(name + "-checkpoint.safetensors"));
        options.put("--history", file(name + ".csv"));
        List<String> args = new ArrayList<>(List.of("train"));
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

    private static Run run(List<String> args) {
        return Run.of(new DiscoverObjects(), args.toArray(new String[0]));
    }

    private Process start(List<String> args) throws IOException {
        return OtherProcess.start(DiscoverObjects.class, folder.resolve("output.txt"), args);
    }

    /** Waits until the history has some rows, of which the first line tells the columns. */
    private void await(Process process, Path history, int rows)
            throws IOException, InterruptedException {
        while (!Files.exists(history) || Files.readAllLines(history).size() <= rows) {
            assertFalse(
                    process.waitFor(20, TimeUnit.MILLISECONDS),
                    () -> {
                        try {
                            return Files.readString(folder.resolve("output.txt"));
                        } catch (IOException e) {
                            return e.toString();
                        }
                    });
        }
    }

    @Test
    void endsAsOneThatWasNeverKilled() throws Exception {
        run(train("whole", "--seed", "3")).succeeds();

        Path history = folder.resolve("killed.csv");
        Process process = start(train("killed", "--seed", "3"));
        try {
            await(process, history, 4);
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertFalse(Files.exists(folder.resolve("killed.safetensors")));

        run(train("killed", "--seed", "3")).fails(1, "exists: --resume goes on from it");
        String out = run(train("killed", "--seed", "3", "--resume")).succeeds().out();
        assertTrue(out.contains("going on after step "), out);
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("whole.safetensors")),
                Files.readAllBytes(folder.resolve("killed.safetensors")));
        String finished = run(train("killed", "--seed", "3", "--resume")).succeeds().out();
        assertTrue(finished.contains("all " + STEPS + " steps were taken before"), finished);
        List<String> rows = Files.readAllLines(history);
        assertEquals(Files.readAllLines(folder.resolve("whole.csv")), rows);
        assertEquals("step,loss,gradient_norm,learning_rate,fg_ari,ari,mse", rows.get(0));
        assertEquals(STEPS + 1, rows.size());
        assertTrue(rows.get(1).matches("1,0\\.\\d+,[\\d.]+,6\\.00000e-06,,,"), rows.get(1));
        assertTrue(rows.get(3).matches("3(,[\\d.e-]+){6}"), rows.get(3));
        assertTrue(rows.get(8).matches("8(,[\\d.e-]+){6}"), rows.get(8));

        // When all is done, resuming only writes the model again.
        run(train("killed", "--seed", "3", "--resume")).succeeds();
    }

    /** Ctrl-C leaves a checkpoint of the very step, however seldom one is written. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void savesItsWorkWhenAskedToEnd() throws Exception {
        Path history = folder.resolve("asked.csv");
        Process process = start(train("asked", "--checkpoint-every", "1000", "--steps", "500"));
        try {
            await(process, history, 3);
            process.destroy();
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertNotEquals(0, process.exitValue());
        List<String> rows = Files.readAllLines(history);
        String last = rows.get(rows.size() - 1).split(",", 2)[0];
        String out = run(train("asked", "--steps", "501", "--resume")).err();
        assertTrue(out.contains("--steps was 500 and is now 501"), out);
        assertTrue(Files.readString(folder.resolve("output.txt")).contains("after step " + last));
        assertFalse(Files.exists(folder.resolve("asked.safetensors")));
    }

    @Test
    void refusesOtherOptionsAndSaysWhich() throws IOException {
        run(train("a", "--steps", "1")).succeeds();
        run(train("a", "--steps", "1", "--resume", "--seed", "9", "--learning-rate", "0.01"))
                .fails(
                        1,
                        "a-checkpoint.safetensors is of another run",
                        "--seed was 0 and is now 9",
                        "--learning-rate was 0.0012 and is now 0.01");
        run(train("a", "--steps", "1", "--resume", "--data", "multi-dsprites"))
                .fails(1, "--data was tetrominoes and is now multi-dsprites");
        run(train("b", "--resume")).fails(1, "b-checkpoint.safetensors does not exist");
        Files.writeString(folder.resolve("b-checkpoint.safetensors"), "damaged");
        run(train("b", "--resume")).fails(1, "b-checkpoint.safetensors is damaged");
    }

    /** An eps decides what is learnt, and belongs to the model from then on. */
    @Test
    void theModelKeepsItsEps() throws IOException {
        run(train("a", "--steps", "1")).succeeds();
        run(train("b", "--steps", "1", "--eps", "0.01")).succeeds();
        run(train("a", "--steps", "1", "--eps", "0.01", "--resume")).fails(1, "--eps");
        run(train("b", "--steps", "1", "--resume")).fails(1, "--eps");
        Path model = folder.resolve("b.safetensors");
        try (StateDict usual = StateDict.read(folder.resolve("a.safetensors"));
                StateDict larger = StateDict.read(model)) {
            assertEquals(Map.of("task", "tetrominoes", "eps", "0.001"), usual.metadata());
            assertEquals(Map.of("task", "tetrominoes", "eps", "0.01"), larger.metadata());
            larger.withMetadata(Map.of("eps", "0.5")).write(folder.resolve("c.safetensors"));
            larger.withMetadata(Map.of("eps", "2")).write(folder.resolve("d.safetensors"));
            larger.withMetadata(Map.of("eps", "x")).write(folder.resolve("e.safetensors"));
        }
        String[] evaluate = {"evaluate", "--scenes", "3", "--model", model.toString()};
        String kept = Run.of(new DiscoverObjects(), evaluate).succeeds().out();
        evaluate[4] = file("c.safetensors");
        assertNotEquals(kept, Run.of(new DiscoverObjects(), evaluate).succeeds().out());
        for (String wrong : List.of("2", "x")) {
            evaluate[4] = file(wrong.equals("2") ? "d.safetensors" : "e.safetensors");
            Run.of(new DiscoverObjects(), evaluate).fails(1, "its eps is " + wrong);
        }
    }

    @Test
    void takesThreads() {
        run(train("a", "--steps", "1", "--threads", "2")).succeeds();
        assertEquals(2, JniUtils.getNumThreads());
    }

    @Test
    void learnsSprites() throws IOException {
        String out = run(train("s", "--data", "multi-dsprites", "--steps", "2")).succeeds().out();
        assertTrue(out.contains("multi-dsprites: 2 steps"), out);
        String model = file("s.safetensors");
        String[] evaluate = {"evaluate", "--scenes", "3", "--model", model};
        String table = Run.of(new DiscoverObjects(), evaluate).succeeds().out();
        assertTrue(table.contains("a grid of 2 x 3"), table);
        String figure = file("f.png");
        Run.of(new DiscoverObjects(), "show", "--model", model, "--output", figure).succeeds();
        Run.of(new DiscoverObjects(), "evaluate", "--model", model, "--data", "tetrominoes")
                .fails(1, "s.safetensors is a model of multi-dsprites, not of tetrominoes");
        Run.of(new DiscoverObjects(), "evaluate", "--data", "clevr").fails(2, "--data");
    }
}
