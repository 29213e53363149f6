package org.slotwise.examples.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

/** Small trainings of {@link DiffuseSlots}, and what is done with their models. */
class DiffuseSlotsTest {

    private static final int STEPS = 8;

    @TempDir Path folder;

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    private static Run run(String... args) {
        return Run.of(new DiffuseSlots(), args);
    }

    /** The command, with options that replace those of the same name or come after them. */
    private String[] train(String name, String... more) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("--scenes", "40");
        options.put("--slot-steps", "2");
        options.put("--autoencoder-steps", "2");
        options.put("--steps", Integer.toString(STEPS - 4));
        options.put("--slots", "3");
        options.put("--slot-dim", "8");
        options.put("--width", "16");
        options.put("--report", "100");
        options.put("--output", file(name + ".safetensors"));
        List<String> args = new ArrayList<>(List.of("train"));
        for (int i = 0; i < more.length; i++) {
            if ("--resume".equals(more[i])) {
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
        all.addAll(List.of("--checkpoint-every", "1"));
        all.addAll(List.of("--history", file(name + ".csv")));
        return train(name, all.toArray(String[]::new));
    }

    private Process start(String... args) throws IOException {
        return OtherProcess.start(DiffuseSlots.class, folder.resolve("output.txt"), List.of(args));
    }

    /** Killed in each of the three stages. */
    @Test
    void endsAsOneThatWasNeverKilled() throws Exception {
        run(traced("whole")).succeeds();
        List<String> whole = Files.readAllLines(folder.resolve("whole.csv"));
        assertEquals(STEPS + 1, whole.size());
        assertEquals(
                "step,loss,gradient_norm,learning_rate,error,fg_ari,ari,held_out_loss,"
                        + "other_slots_loss,drawn_error,drawn_error_to_another",
                whole.get(0));
        for (int rows : new int[] {1, 3, 6}) {
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
            Path checkpoint = folder.resolve(name + "-checkpoint.safetensors");
            String[] again = Files.exists(checkpoint) ? traced(name, "--resume") : traced(name);
            run(again).succeeds();
            assertArrayEquals(
                    Files.readAllBytes(folder.resolve("whole.safetensors")),
                    Files.readAllBytes(folder.resolve(name + ".safetensors")),
                    name);
            assertEquals(whole, Files.readAllLines(history), name);
        }
        String finished = run(traced("whole", "--resume")).succeeds().out();
        assertTrue(finished.contains("all " + STEPS + " steps were taken before"), finished);
        // Slots and latents that are kept give the same.
        String cache = file("cache");
        for (String name : new String[] {"kept", "again"}) {
            run(train(name, "--cache", cache)).succeeds();
            assertArrayEquals(
                    Files.readAllBytes(folder.resolve("whole.safetensors")),
                    Files.readAllBytes(folder.resolve(name + ".safetensors")),
                    name);
            try (var files = Files.list(folder.resolve("cache"))) {
                assertEquals(1, files.count());
            }
        }
        run(traced("whole")).fails(1, "exists: --resume goes on from it");
        run(traced("whole", "--resume", "--seed", "9", "--width", "32"))
                .fails(1, "--seed was 0 and is now 9", "the model was");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    void evaluatesShowsAndComposes() throws IOException {
        String model = file("a.safetensors");
        String told = run(train("a")).succeeds().out();
        for (String stage : new String[] {"slots: 2 steps", "autoencoder: 2", "denoiser: 4"}) {
            assertTrue(told.contains(stage), told);
        }
        String[] evaluate = {
            "evaluate", "--model", model, "--scenes", "3", "--sampling-steps", "4"
        };
        String table = run(evaluate).succeeds().out();
        assertTrue(table.contains("3 scenes of seed 4242"), table);
        assertTrue(table.contains("drawn by DDIM in 4 steps"), table);
        assertTrue(table.contains("k-means on colour and place"), table);
        assertTrue(table.contains("cross attention of the denoiser"), table);
        assertEquals(table, run(evaluate).succeeds().out(), "the same each time");
        for (String sampler : new String[] {"DDPM", "dpm_solver"}) {
            run(
                            "show",
                            "--model",
                            model,
                            "--scenes",
                            "2",
                            "--sampler",
                            sampler,
                            "--sampling-steps",
                            "3",
                            "--output",
                            file(sampler + ".png"))
                    .succeeds();
            BufferedImage sheet = ImageIO.read(folder.resolve(sampler + ".png").toFile());
            // Ten panels, and what belongs to each of three slots.
            assertEquals(13 * 96 + 12 * 6, sheet.getWidth(), 12);
        }
        String out =
                run(
                                "compose",
                                "--model",
                                model,
                                "--scenes",
                                "8",
                                "--pictures",
                                "2",
                                "--objects",
                                "1",
                                "--sampling-steps",
                                "2",
                                "--output",
                                file("c.png"))
                        .succeeds()
                        .out();
        assertTrue(out.contains("clusters of ["), out);
        String[] prompt = {
            "compose",
            "--model",
            model,
            "--scenes",
            "5",
            "--sampling-steps",
            "2",
            "--prompt",
            "0:1,4:2",
            "--prompt",
            "2:0",
            "--output",
            file("p.png")
        };
        assertTrue(run(prompt).succeeds().out().contains("--images takes pictures of your own"));
        byte[] once = Files.readAllBytes(folder.resolve("p.png"));
        run(prompt).succeeds();
        assertArrayEquals(once, Files.readAllBytes(folder.resolve("p.png")));
        prompt[8] = "0:3";
        run(prompt).fails(2, "--prompt must name pictures 0 to 4 and their slots 0 to 2, got 0:3");
        run("show", "--model", file("p.png"), "--output", file("q.png")).fails(1, "p.png");
        run("show", "--model", model, "--sampling-steps", "1001")
                .fails(2, "--sampling-steps must be 1 to 1000, got 1001");
        run("compose", "--model", model, "--rule", "shifted", "--objects", "2")
                .fails(2, "--objects needs --rule OBJECTS");
        told = run(train("b", "--autoencoder-steps", "1")).succeeds().out();
        assertTrue(told.contains("autoencoder: 1 step\n"), told);
        run(train("b", "--latents", "PIXELS", "--slot-steps", "2"))
                .fails(2, "--autoencoder-steps needs --latents AUTOENCODER");
    }

    /** The other denoiser, from training to pictures. */
    @Test
    void learnsWithTheOtherDenoiser() {
        String told = run(train("n", "--denoiser", "branch_norm")).succeeds().out();
        assertTrue(told.contains("denoiser: 4 steps"), told);
        String[] evaluate = {
            "evaluate", "--model", file("n.safetensors"), "--scenes", "3", "--sampling-steps", "2"
        };
        String table = run(evaluate).succeeds().out();
        assertTrue(table.contains("cross attention of the denoiser"), table);
        run(train(
                        "m",
                        "--denoiser",
                        "BRANCH_NORM",
                        "--images",
                        file(""),
                        "without --scenes",
                        "--size",
                        "48"))
                .fails(2, "--denoiser BRANCH_NORM needs a --size that is a multiple of 32, got 48");
        run(train("m", "--denoiser", "both")).fails(2, "--denoiser");
    }

    /** Pixels need no autoencoder; pictures of one's own no masks. */
    @Test
    void learnsFromPicturesOfOnesOwn() throws IOException {
        Path own = Files.createDirectory(folder.resolve("own"));
        for (int i = 0; i < 4; i++) {
            BufferedImage image = new BufferedImage(20, 16, BufferedImage.TYPE_INT_RGB);
            image.setRGB(4 * i, 5, 0xffffff);
            ImageIO.write(image, "png", own.resolve(i + ".png").toFile());
        }
        String[] few = {
            "--images",
            own.toString(),
            "--size",
            "16",
            "--latents",
            "pixels",
            "without --scenes",
            "without --autoencoder-steps"
        };
        String out = run(train("a", few)).succeeds().out();
        assertTrue(out.contains("4 pictures of "), out);
        assertTrue(out.contains(" 0 for the autoencoder"), out);
        assertFalse(out.contains("ARI"), out);
        String model = file("a.safetensors");
        String[] evaluate = {
            "evaluate", "--model", model, "--images", own.toString(), "--sampling-steps", "2"
        };
        String table = run(evaluate).succeeds().out();
        assertFalse(table.contains("ARI"), table);
        assertTrue(table.contains("autoencoder: error 0.00000"), table);
        run("show", "--model", model, "--output", file("t.png"))
                .fails(2, "--images is needed for a model of other pictures than 32 x 32");
        run("show", "--model", model, "--images", own.toString(), "--output", own + "/x.png")
                .fails(2, "--output must not lie among the pictures that are read");
        Files.delete(own.resolve("0.png"));
        Files.delete(own.resolve("1.png"));
        run(train("b", few)).fails(1, "training takes at least 3 pictures, got 2");
    }

    /** The model that comes with the examples does what the docs say, roughly. */
    @Test
    void theShippedModelDrawsPicturesOfSlots() {
        String table = run("evaluate", "--scenes", "40", "--sampling-steps", "20").succeeds().out();
        double own = number(table, "loss of the denoiser: ([\\d.]+)");
        assertTrue(own < 0.15, table);
        assertTrue(number(table, "own slots, ([\\d.]+)") > 5 * own, table);
        double error = number(table, "drawn by DDIM in 20 steps: error ([\\d.]+)");
        assertTrue(error < 0.01, table);
        assertTrue(number(table, "to another picture ([\\d.]+)") > 8 * error, table);
        assertTrue(number(table, "masks of the first stage +([\\d.]+)") > 0.55, table);
        double attention = number(table, "attention of slots +([\\d.]+)");
        double looked = number(table, "cross attention of the denoiser +([\\d.]+)");
        assertTrue(looked > 0.5 && looked > attention + 0.2, table);
    }

    private static double number(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), text);
        return Double.parseDouble(matcher.group(1));
    }
}
