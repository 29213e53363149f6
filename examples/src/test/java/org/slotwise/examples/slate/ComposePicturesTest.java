package org.slotwise.examples.slate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.OtherProcess;
import org.slotwise.examples.shared.Run;

/** Small trainings of {@link ComposePictures}, and what is done with their models. */
class ComposePicturesTest {

    private static final int STEPS = 8;

    @TempDir Path folder;

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    private static Run run(String... args) {
        return Run.of(new ComposePictures(), args);
    }

    /** The command, with options that replace those of the same name or come after them. */
    private String[] train(String name, String... more) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("--scenes", "40");
        options.put("--dvae-steps", "3");
        options.put("--steps", Integer.toString(STEPS - 3));
        options.put("--dim", "8");
        options.put("--slot-dim", "4");
        options.put("--vocabulary", "8");
        options.put("--blocks", "1");
        options.put("--report", "2");
        options.put("--output", file(name + ".safetensors"));
        List<String> args = new ArrayList<>(List.of("train"));
        for (int i = 0; i < more.length; i++) {
            if ("--resume".equals(more[i]) || "--all-iterations".equals(more[i])) {
                args.add(more[i]);
            } else if (more[i].startsWith("without ")) {
                options.remove(more[i].substring(8));
            } else {
                options.put(more[i], more[++i]);
            }
        }
        options.forEach((option, value) -> args.addAll(List.of(option, value)));
        return args.toArray(String[]::new);
    }

    private String[] traced(String name, String... more) {
        List<String> all = new ArrayList<>(List.of(more));
        all.addAll(List.of("--checkpoint", file(name + "-checkpoint.safetensors")));
        all.addAll(List.of("--checkpoint-every", "1", "--halve-after", "1"));
        all.addAll(List.of("--history", file(name + ".csv")));
        return train(name, all.toArray(String[]::new));
    }

    private Process start(String... args) throws IOException {
        return OtherProcess.start(
                ComposePictures.class, folder.resolve("output.txt"), List.of(args));
    }

    /** Killed in either half. */
    @Test
    void endsAsOneThatWasNeverKilled() throws Exception {
        run(traced("whole")).succeeds();
        List<String> whole = Files.readAllLines(folder.resolve("whole.csv"));
        assertEquals(STEPS + 1, whole.size());
        assertEquals(
                "step,loss,gradient_norm,learning_rate,temperature,mse,cross_entropy,"
                        + "foreign_cross_entropy,fg_ari,ari",
                whole.get(0));
        for (int rows : new int[] {2, 5}) {
            String name = "killed" + rows;
            Path history = folder.resolve(name + ".csv");
            Process process = start(traced(name));
            try {
                while (!Files.exists(history) || Files.readAllLines(history).size() <= rows) {
                    assertFalse(
                            process.waitFor(5, TimeUnit.MILLISECONDS) && process.exitValue() != 0,
                            () -> read(folder.resolve("output.txt")));
                }
            } finally {
                process.destroyForcibly().waitFor();
            }
            String out = run(traced(name, "--resume")).succeeds().out();
            assertTrue(out.contains("going on after step "), out);
            String finished = run(traced(name, "--resume")).succeeds().out();
            assertTrue(finished.contains("all " + STEPS + " steps were taken before"), finished);
            assertArrayEquals(
                    Files.readAllBytes(folder.resolve("whole.safetensors")),
                    Files.readAllBytes(folder.resolve(name + ".safetensors")),
                    name);
            assertEquals(whole, Files.readAllLines(history), name);
        }
        run(traced("whole")).fails(1, "exists: --resume goes on from it");
        run(traced("whole", "--resume", "--seed", "9", "--slot-dim", "5"))
                .fails(1, "--seed was 0 and is now 9", "the model was");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Tokens of the same auto-encoder are read, others are made anew. */
    @Test
    void keepsTokens() throws IOException {
        String tokens = file("tokens.safetensors");
        run(train("a", "--tokens", tokens)).succeeds();
        byte[] kept = Files.readAllBytes(folder.resolve("tokens.safetensors"));
        String[] second =
                train(
                        "b",
                        "--tokens",
                        tokens,
                        "--dvae",
                        file("a.safetensors"),
                        "without --dvae-steps");
        String out = run(second).succeeds().out();
        assertTrue(out.contains(": 0 steps of 8 for the auto-encoder, 5 of 32"), out);
        assertArrayEquals(kept, Files.readAllBytes(folder.resolve("tokens.safetensors")));
        run(train("c", "--tokens", tokens, "--seed", "1")).succeeds();
        assertFalse(Arrays.equals(kept, Files.readAllBytes(folder.resolve("tokens.safetensors"))));
        Run refused = run(train("d", "--tokens", file("a.safetensors")));
        assertEquals(1, refused.exitCode());
        assertTrue(refused.err().contains("has no tokens, and is not overwritten"), refused.err());
        run(train(
                        "e",
                        "--dvae",
                        file("a.safetensors"),
                        "without --dvae-steps",
                        "--vocabulary",
                        "9"))
                .fails(1, "has an auto-encoder of another size");
    }

    @Test
    void evaluatesShowsAndComposes() throws IOException {
        String model = file("a.safetensors");
        run(train("a", "--all-iterations", "--dropout", "0.1", "--iterations", "2")).succeeds();
        String[] evaluate = {"evaluate", "--model", model, "--scenes", "3"};
        String table = run(evaluate).succeeds().out();
        assertTrue(table.contains("3 scenes of seed 4242"), table);
        assertTrue(table.contains("of 8 tokens used"), table);
        assertTrue(table.contains("the four quarters"), table);
        assertEquals(table, run(evaluate).succeeds().out(), "the same each time");
        run("show", "--model", model, "--scenes", "2", "--output", file("s.png")).succeeds();
        BufferedImage sheet = ImageIO.read(folder.resolve("s.png").toFile());
        assertEquals(8 * 128 + 7 * SlateFigure.GAP, sheet.getWidth(), SlateFigure.GAP * 2.0);
        String out =
                run("compose", "--model", model, "--scenes", "5", "--output", file("c.png"))
                        .succeeds()
                        .out();
        assertTrue(
                out.contains(" libraries of like slots, one slot of each in a picture; they have "),
                out);
        String[] prompt = {
            "compose",
            "--model",
            model,
            "--scenes",
            "5",
            "--prompt",
            "0:1,4:3",
            "--prompt",
            "2:0",
            "--temperature",
            "1",
            "--top-k",
            "3",
            "--output",
            file("p.png")
        };
        run(prompt).succeeds();
        byte[] once = Files.readAllBytes(folder.resolve("p.png"));
        run(prompt).succeeds();
        assertArrayEquals(once, Files.readAllBytes(folder.resolve("p.png")));
        run("show", "--model", file("s.png"), "--output", file("q.png")).fails(1, "s.png");
        run("show", "--model", model, "--output", model + "/x.png").fails(1, model);
    }

    /** The model that comes with the examples does what the docs say, roughly. */
    @Test
    void theShippedModelMakesPicturesOfSlots() {
        String table = run("evaluate", "--scenes", "40").succeeds().out();
        double own = number(table, "cross entropy: ([\\d.]+)");
        assertTrue(own < 4, table);
        assertTrue(number(table, "own slots, ([\\d.]+)") > 20 * own, table);
        assertTrue(number(table, "auto-encoder: error ([\\d.]+)") < 0.003, table);
        assertTrue(number(table, "([\\d.]+) of tokens right") > 0.93, table);
        assertTrue(number(table, "attention of slots +[\\d.]+ +([\\d.]+)") > 0.93, table);
    }

    private static double number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), text);
        return Double.parseDouble(matcher.group(1));
    }

    @Test
    void learnsFromPicturesOfOnesOwn() throws IOException {
        Path own = Files.createDirectory(folder.resolve("own"));
        for (int i = 0; i < 4; i++) {
            BufferedImage image = new BufferedImage(20, 16, BufferedImage.TYPE_INT_RGB);
            image.setRGB(4 * i, 5, 0xffffff);
            ImageIO.write(image, "png", own.resolve(i + ".png").toFile());
        }
        String[] few = {"--images", own.toString(), "--size", "16", "without --scenes"};
        String out = run(train("a", few)).succeeds().out();
        assertTrue(out.contains("4 pictures of "), out);
        assertFalse(out.contains("ARI"), out);
        String model = file("a.safetensors");
        String table =
                run("evaluate", "--model", model, "--images", own.toString()).succeeds().out();
        assertFalse(table.contains("ARI"), table);
        run("show", "--model", model, "--images", own.toString(), "--output", file("s.png"))
                .succeeds();
        run("show", "--model", model, "--output", file("t.png"))
                .fails(2, "--images is needed for a model of other pictures than 32 x 32");
        Files.delete(own.resolve("0.png"));
        Files.delete(own.resolve("1.png"));
        run(train("b", few)).fails(1, "training takes at least 3 pictures, got 2");
        Files.writeString(own.resolve("2.png"), "damaged");
        run("show", "--model", model, "--images", own.toString(), "--output", file("t.png"))
                .fails(1, "2.png");
    }
}
