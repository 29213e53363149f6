package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Run;

/** Learning from pictures, by trainings that are too short to learn anything. */
class TrainPicturesTest extends PicturePrograms {

    @Test
    void trainsScoresAndKeepsAModel() throws IOException {
        String out =
                train(
                                "model",
                                "--history",
                                at("h.csv"),
                                "--tensorboard",
                                at("events"),
                                "--log",
                                at("train.log"))
                        .succeeds()
                        .out();
        assertTrue(
                out.contains("pictures: 11 pictures of 16 x 16 and 1 held out, 3 slots; 3 steps"),
                out);
        assertTrue(out.contains("These are few pictures"), out);
        assertTrue(out.matches("(?s).*step +2  loss 0\\.\\d+  FG-ARI .*, \\d+ s left.*"), out);
        for (String row : List.of("model, 3 slots", "k-means on colour and place", "a grid of")) {
            assertTrue(out.contains(row), out);
        }
        assertEquals(out, Files.readString(folder.resolve("train.log")));
        List<String> history = Files.readAllLines(folder.resolve("h.csv"));
        assertEquals(
                "time,step,loss,gradient_norm,learning_rate,fg_ari,ari,mbo,miou,mse",
                history.get(0));
        assertEquals(3, history.size());
        assertTrue(history.get(2).matches("[^,]+,3(,-?[\\d.E-]+){8}"), history.get(2));
        assertEquals(1, names(folder.resolve("events")).size());
        assertEquals(
                List.of("model.json", "serving.properties", "weights.safetensors"),
                names(folder.resolve("model")));

        String table =
                Run.of(
                                new EvaluatePictures(),
                                "--model",
                                at("model"),
                                "--images",
                                drawn.resolve("images").toString(),
                                "--masks",
                                drawn.resolve("masks").toString())
                        .succeeds()
                        .out();
        assertTrue(table.startsWith("12 pictures"), table);
        assertTrue(table.contains("FG-ARI     ARI     mBO    mIoU"), table);
        assertTrue(table.contains("model, 3 slots"), table);
    }

    @Test
    void repeatsASeedAndReplacesAModel() throws IOException {
        train("a", "--seed", "3").succeeds();
        train("b.zip", "--seed", "4").succeeds();
        train("b", "--seed", "4").succeeds();
        Path weights = Path.of("weights.safetensors");
        byte[] first = Files.readAllBytes(folder.resolve("a").resolve(weights));
        assertFalse(Arrays.equals(first, Files.readAllBytes(folder.resolve("b").resolve(weights))));
        train("b", "--seed", "3").succeeds();
        assertArrayEquals(first, Files.readAllBytes(folder.resolve("b").resolve(weights)));
    }

    @Test
    void learnsWithoutMasks() {
        String images = drawn.resolve("images").toString();
        String out = train("new/model", "--images", images).succeeds().out();
        assertTrue(out.contains("pictures: 12 pictures of 16 x 16, 3 slots; 3 steps"), out);
        train("x", "--images", images, "--held-out", "1").fails(2, "--held-out needs masks");
        assertFalse(out.contains("FG-ARI"), out);
    }

    /** Masks of a few tell how good the result is; no picture is lost to learning by that. */
    @Test
    void aFewMasksAreEnough() throws IOException {
        for (int i = 0; i < 12; i++) {
            if (i % 6 != 4) {
                Files.delete(drawn.resolve(String.format(Locale.ROOT, "masks/%03d.png", i)));
            }
        }
        String out = train("few", "--held-out", "2").succeeds().out();
        assertTrue(out.contains("2 of 12 pictures have masks; the others are"), out);
        assertTrue(out.contains("pictures: 10 pictures of 16 x 16 and 2 held out"), out);
        train("x", "--held-out", "3").fails(2, "--held-out must be at most", "masks, 2, got 3");
        Run evaluated =
                Run.of(new EvaluatePictures(), "--model", at("few"), "--images", drawn.toString());
        assertTrue(evaluated.succeeds().out().contains("2 pictures with masks, of 12"));
    }
}
