package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.shared.Run;

/** Scenes that are generated as they are needed, by trainings too short to learn anything. */
class GeneratedPicturesTest {

    private static final String TETROMINOES = "tetrominoes";

    @TempDir Path folder;

    private String at(String name) {
        return folder.resolve(name).toString();
    }

    private Run train(String name, String... more) {
        List<String> args = new ArrayList<>(List.of("--out", at(name), "--steps", "2"));
        args.addAll(List.of("--batch", "2", "--held-out", "3"));
        args.addAll(List.of(more));
        return Run.of(new TrainPictures(), args.toArray(String[]::new));
    }

    private Run tetrominoes(String name, String... more) {
        List<String> args = new ArrayList<>(List.of("--generated", TETROMINOES));
        args.addAll(List.of("--preset", "plain-tetrominoes"));
        args.addAll(List.of(more));
        return train(name, args.toArray(String[]::new));
    }

    private byte[] weights(String name) throws IOException {
        return Files.readAllBytes(folder.resolve(name).resolve("weights.safetensors"));
    }

    @Test
    void areLearntFromScoredAndShown() throws IOException {
        String out = tetrominoes("model").succeeds().out();
        assertTrue(
                out.startsWith(
                        "plain-tetrominoes: 4 pictures of 35 x 35 and 3 held out, 4 slots;"
                                + " 2 steps of 2, learning rate 0.002, seed 0"),
                out);
        tetrominoes("again").succeeds();
        assertArrayEquals(weights("model"), weights("again"));
        assertTrue(
                train("none", "--preset", "plain-tetrominoes", "--generated", TETROMINOES)
                        .succeeds()
                        .out()
                        .contains("model, 4 slots"));

        Run table = evaluate("--generated", TETROMINOES, "--scenes", "5").succeeds();
        assertTrue(table.out().startsWith("5 scenes of seed 4242"), table.out());
        for (String row : List.of("model, 4 slots", "k-means on colour", "the four quarters")) {
            assertTrue(table.out().contains(row), table.out());
        }
        // The same as when they are written first.
        Run.of(
                        new WriteScenes(),
                        "--kind",
                        TETROMINOES,
                        "--scenes",
                        "5",
                        "--seed",
                        "4242",
                        "--out",
                        at("written"))
                .succeeds();
        Run read = evaluate("--images", at("written")).succeeds();
        assertEquals(table.out().lines().skip(1).toList(), read.out().lines().skip(1).toList());

        String figure = at("figure.png");
        Run.of(
                        new ShowPictures(),
                        "--model",
                        at("model"),
                        "--generated",
                        TETROMINOES,
                        "--pictures",
                        "2",
                        "--out",
                        figure)
                .succeeds();
        assertTrue(Files.size(Path.of(figure)) > 0);
    }

    private Run evaluate(String... more) {
        List<String> args = new ArrayList<>(List.of("--model", at("model")));
        args.addAll(List.of(more));
        return Run.of(new EvaluatePictures(), args.toArray(String[]::new));
    }

    @Test
    void refuseWhatDoesNotFit() throws IOException {
        String which = "give --images or --generated";
        train("a").fails(2, which, "neither");
        tetrominoes("a", "--images", at("b")).fails(2, which, "both");
        tetrominoes("a", "--masks", at("b")).fails(2, "--masks and --void go with --images");
        tetrominoes("a", "--void", "3").fails(2, "--masks and --void go with --images");
        train("a", "--generated", "moons")
                .fails(
                        2,
                        "--generated",
                        "one of textured, multi-dsprites, tetrominoes, clevr, clevr6 but",
                        "moons");
        train("a", "--generated", TETROMINOES)
                .fails(2, "tetrominoes needs a model for pictures of 35 x 35", "64 x 64");
        train("a", "--generated", "textured", "--size", "16").fails(2, "32 to 512", "16 x 16");
        train("a", "--generated", "multi-dsprites", "--size", "32").fails(2, "64 x 64", "32 x 32");
        assertTrue(Files.notExists(folder.resolve("a")));
        evaluate("--generated", TETROMINOES, "--scenes", "0").fails(2, "--scenes", "0");
        evaluate("--generated", TETROMINOES, "--data-seed", "-1").fails(2, "--data-seed");
        evaluate("--generated", TETROMINOES).fails(1, "model");
    }
}
