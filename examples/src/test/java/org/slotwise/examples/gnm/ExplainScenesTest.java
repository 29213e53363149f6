package org.slotwise.examples.gnm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.examples.shared.OtherProcess;
import org.slotwise.examples.shared.Run;
import org.slotwise.model.PictureModel;

/** Small trainings of {@link ExplainScenes}, and what is done with their models. */
class ExplainScenesTest {

    private static final int STEPS = 5;

    @TempDir Path folder;

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    private static Run run(String... args) {
        return Run.of(new ExplainScenes(), args);
    }

    private String[] train(String name, String... more) {
        List<String> args = new ArrayList<>(List.of("train", "--steps", "" + STEPS));
        args.addAll(List.of("--report", "2", "--output", file(name + ".safetensors")));
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private String[] traced(String name, String... more) {
        List<String> all = new ArrayList<>(List.of("--scenes", "40"));
        all.addAll(List.of("--checkpoint", file(name + "-checkpoint.safetensors")));
        all.addAll(List.of("--checkpoint-every", "1", "--history", file(name + ".csv")));
        all.addAll(List.of(more));
        return train(name, all.toArray(String[]::new));
    }

    private Process start(String... args) throws IOException {
        return OtherProcess.start(ExplainScenes.class, folder.resolve("output.txt"), List.of(args));
    }

    /** In another process, whose first steps are those of the middle. */
    @Test
    void endsAsOneThatWasNeverKilled() throws Exception {
        run(traced("whole")).succeeds();
        List<String> whole = Files.readAllLines(folder.resolve("whole.csv"));
        assertEquals(STEPS + 1, whole.size());
        assertTrue(whole.get(0).startsWith("step,loss,gradient_norm,"), whole.get(0));
        assertTrue(
                whole.get(0)
                        .endsWith(
                                ",scene,fixed_presence,fixed_where,fixed_depth,fixed_what,"
                                        + "fixed_background,error,count_right,found"),
                whole.get(0));
        Path history = folder.resolve("killed.csv");
        Process process = start(traced("killed"));
        try {
            while (!Files.exists(history) || Files.readAllLines(history).size() <= 2) {
                assertFalse(
                        process.waitFor(5, TimeUnit.MILLISECONDS) && process.exitValue() != 0,
                        "failed before it was killed");
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        String out = run(traced("killed", "--resume")).succeeds().out();
        assertTrue(out.contains("going on after step "), out);
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("whole.safetensors")),
                Files.readAllBytes(folder.resolve("killed.safetensors")));
        String finished = run(traced("killed", "--resume")).succeeds().out();
        assertTrue(finished.contains("all " + STEPS + " steps were taken before"), finished);
        assertEquals(whole, Files.readAllLines(history));
        run(traced("killed", "--resume", "--seed", "3")).fails(1, "--seed was 0 and is now 3");
        run(traced("killed")).fails(1, "exists: --resume goes on from it");
    }

    @Test
    void bothRecipesTrainOnPicturesOfOnesOwn() throws IOException {
        Path pictures = Files.createDirectory(folder.resolve("pictures"));
        for (int i = 0; i < 4; i++) {
            BufferedImage image = new BufferedImage(50, 40, BufferedImage.TYPE_INT_RGB);
            image.setRGB(i, i, 0xFF0000);
            ImageIO.write(image, "png", pictures.resolve(i + ".png").toFile());
        }
        for (String recipe : new String[] {"likely", "published"}) {
            String out =
                    run(train(recipe, "--images", pictures.toString(), "--recipe", recipe))
                            .succeeds()
                            .out();
            assertTrue(out.contains("recipe " + recipe), out);
            assertFalse(out.contains("count right"), "nobody knows: " + out);
            String told =
                    run(
                                    "evaluate",
                                    "--model",
                                    file(recipe + ".safetensors"),
                                    "--images",
                                    pictures.toString())
                            .succeeds()
                            .out();
            assertTrue(told.startsWith("4 pictures of "), told);
            assertFalse(told.contains("FG-ARI"), told);
        }
        assertNotEquals(
                -1,
                Files.mismatch(
                        folder.resolve("likely.safetensors"),
                        folder.resolve("published.safetensors")));
    }

    @Test
    void explainsAndMakesScenes() throws IOException {
        run(train("model", "--scenes", "40")).succeeds();
        String model = file("model.safetensors");
        String told = run("evaluate", "--model", model, "--scenes", "10").succeeds().out();
        for (String line :
                new String[] {
                    "count right: ",
                    "one sample: ",
                    "cells alone, one sample",
                    "k-means",
                    "quarters"
                }) {
            assertTrue(told.contains(line), told);
        }
        assertEquals(
                told, run("evaluate", "--model", model, "--scenes", "10").succeeds().out(), "seed");
        run("package", "--model", model, "--out", file("model.zip")).succeeds();
        try (PictureModel packed = PictureModel.load(folder.resolve("model.zip"))) {
            assertEquals(CountedScenes.SIDE, packed.imageHeight());
        }
        run("package", "--model", model, "--out", file("model.pt")).fails(2, ".zip");
        run("show", "--model", model, "--scenes", "2", "--output", file("shown.png")).succeeds();
        BufferedImage shown = ImageIO.read(folder.resolve("shown.png").toFile());
        assertTrue(shown.getWidth() > 7 * 128 && shown.getHeight() > 3 * 128, "7 columns, 3 rows");
        for (String name : new String[] {"a", "b"}) {
            run(
                            "generate",
                            "--model",
                            model,
                            "--scenes",
                            "3",
                            "--temperature",
                            "0.5",
                            "--output",
                            file(name + ".png"))
                    .succeeds();
        }
        assertEquals(
                -1, Files.mismatch(folder.resolve("a.png"), folder.resolve("b.png")), "one seed");
        run("generate", "--model", model, "--scenes", "3", "--mode", "--output", file("c.png"))
                .succeeds();
        assertNotEquals(-1, Files.mismatch(folder.resolve("a.png"), folder.resolve("c.png")));
        Files.write(folder.resolve("broken.safetensors"), new byte[] {1, 2, 3});
        run("evaluate", "--model", file("broken.safetensors")).fails(1, "broken.safetensors");
        run("evaluate", "--model", file("missing.safetensors")).fails(1, "does not exist");
    }

    @Test
    void scenesAreTheSameEachTime() {
        CountedScenes scenes = new CountedScenes(3, 200);
        int[] counts = new int[CountedScenes.MOST + 1];
        for (int i = 0; i < 200; i++) {
            Scene scene = scenes.get(i);
            assertEquals(scene, new CountedScenes(3, 500).get(i));
            counts[scene.objectCount()]++;
            int seen = 0;
            for (byte label : scene.mask()) {
                seen = Math.max(seen, label);
            }
            assertEquals(scene.objectCount(), seen, "nothing hides another");
        }
        for (int count : counts) {
            assertTrue(count > 20, "each number of objects");
        }
    }
}
