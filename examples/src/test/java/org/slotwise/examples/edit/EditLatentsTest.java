package org.slotwise.examples.edit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.examples.discover.DiscoverObjects;
import org.slotwise.examples.shared.Run;

class EditLatentsTest {

    @TempDir Path folder;

    private static Run run(String... args) {
        return Run.of(new EditLatents(), args);
    }

    private Path train(String name, String... more) {
        Path model = folder.resolve(name + ".safetensors");
        String[] args = {"train", "--steps", "3", "--output", model.toString()};
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        String out = run(all).succeeds().out();
        assertEquals(
                Arrays.asList(more).contains("--report"), out.contains("step     2  temp"), out);
        assertTrue(out.contains("step     3  temperature 0.50  FG-ARI "), out);
        return model;
    }

    private static double[] numbers(String out, String row) {
        Matcher found = Pattern.compile("(?m)^" + row + "( .*)$").matcher(out);
        assertTrue(found.find(), out);
        return Arrays.stream(found.group(1).replaceAll("[A-Z-]{3,}", "").trim().split(" +"))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    /** What the examples promise of the model that they bring. */
    @Test
    void theModelThatIsShippedDescribesObjectsByCodes() {
        String out = run("evaluate", "--scenes", "128", "--data-seed", "17").succeeds().out();
        double[] continuous = numbers(out, "slots as they were");
        double[] discrete = numbers(out, "codes");
        assertTrue(discrete[0] >= 0.9 && discrete[0] <= continuous[0], out);
        assertTrue(discrete[2] < 0.012 && discrete[2] > continuous[2], out);
        for (int latent = 0; latent < 4; latent++) {
            double[] row = numbers(out, Integer.toString(latent));
            assertTrue(row[0] >= 2 && row[0] <= 8, out);
            assertTrue(row[3] > 100, out);
            // Inside beside outside.
            assertTrue(row[4] > 30 * row[5], out);
        }
        double[] colour = numbers(out, "3");
        assertTrue(colour[1] > 0.9, "says the colour: " + out);
        assertTrue(colour[6] > 0.4 && colour[7] < 0.1, "changes the colour alone: " + out);
        double[] shape = numbers(out, "2");
        assertTrue(shape[1] < 0.4 && shape[2] > 0.2, "says something of the shape: " + out);
        assertTrue(shape[6] < 0.02 && shape[7] > 0.4, "changes the shape alone: " + out);
    }

    @Test
    void trainsEvaluatesAndEdits() throws IOException {
        String model = train("model", "--latents", "2", "--codes", "5", "--report", "2").toString();
        String[] evaluate = {"evaluate", "--model", model, "--scenes", "70"};
        String out = run(evaluate).succeeds().out();
        assertTrue(out.contains("70 scenes of seed 4242"), out);
        assertEquals(3, numbers(out, "codes").length);
        assertTrue(numbers(out, "1")[0] <= 5, out);
        assertFalse(Pattern.compile("(?m)^2 ").matcher(out).find(), "two latents alone: " + out);
        assertEquals(out, run(evaluate).succeeds().out(), "the same each time");
        String[] other = {"evaluate", "--model", model, "--scenes", "70", "--data-seed", "5"};
        assertNotEquals(out, run(other).succeeds().out());
    }

    @Test
    void aPictureIsWritten() throws IOException {
        Path figure = folder.resolve("figure.png");
        String[] args = {
            "show", "--scenes", "3", "--values", "4", "--output", figure.toString(),
        };
        run(args).succeeds();
        BufferedImage image = ImageIO.read(figure.toFile());
        int panel = EditFigure.panel(35) + EditFigure.GAP;
        assertEquals((2 + 4) * panel + EditFigure.GAP, image.getWidth());
        assertEquals(3 * 4, (image.getHeight() - EditFigure.GAP) / panel);
        byte[] once = Files.readAllBytes(figure);
        String[] again = Arrays.copyOf(args, args.length + 2);
        again[args.length] = "--data-seed";
        again[args.length + 1] = "8";
        run(again).succeeds();
        assertFalse(Arrays.equals(once, Files.readAllBytes(figure)), "other scenes");
    }

    @Test
    void everyOptionOfTrainingCounts() throws IOException {
        byte[] once = Files.readAllBytes(train("once"));
        assertArrayEquals(once, Files.readAllBytes(train("twice")));
        String[][] options = {
            {"--seed", "1"},
            {"--learning-rate", "1e-3"},
            {"--latents", "8"},
            {"--codes", "9"},
            {"--beta", "0.1"},
        };
        for (String[] option : options) {
            assertFalse(Arrays.equals(once, Files.readAllBytes(train("other", option))), option[0]);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train --steps 0 | --steps must be 1 to 1000000, got 0",
                "train --report 0 | --report must be at least 1, got 0",
                "train --learning-rate NaN | --learning-rate must be above 0 and at most 1",
                "train --latents 3 | --latents must be a divisor of 64, got 3",
                "train --latents 0 | --latents must be a divisor of 64, got 0",
                "train --codes 1 | --codes must be 2 to 1024, got 1",
                "train --beta -1 | --beta must be 0 to 1000, got -1.0",
                "train --beta NaN | --beta must be 0 to 1000, got NaN",
                "train --output m.pt | --output must end in .safetensors, got m.pt",
                "evaluate --scenes 0 | --scenes must be 1 to 100000, got 0",
                "edit --scenes 33 | --scenes must be 1 to 32, got 33",
                "edit --values 0 | --values must be 1 to 32, got 0",
                "edit --output a.gif | --output must end in .png, got a.gif",
            })
    void wrongOptions(String line, String message) {
        run(line.split(" ", -1)).fails(2, message);
    }

    @Test
    void aCommandIsNeeded() {
        run().fails(2, "expected a command: train, evaluate or show");
    }

    @ParameterizedTest
    @ValueSource(strings = {"train", "evaluate", "show"})
    void helps(String command) {
        String out = run(command, "--help").succeeds().out();
        assertTrue(out.contains("Usage: EditLatents " + command), out);
    }

    @Test
    void saysWhichFileIsWrong() throws IOException {
        String missing = folder.resolve("none.safetensors").toString();
        run("evaluate", "--model", missing).fails(1, "none.safetensors does not exist");
        Path text = Files.writeString(folder.resolve("text.safetensors"), "no weights");
        run("evaluate", "--model", text.toString()).fails(1, "text.safetensors");
        Path cut = folder.resolve("cut.safetensors");
        byte[] whole = Files.readAllBytes(train("whole"));
        Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
        run("show", "--model", cut.toString(), "--output", folder.resolve("f.png").toString())
                .fails(1, "cut.safetensors");
        Path other = folder.resolve("other.safetensors");
        Run.of(new DiscoverObjects(), "train", "--steps", "1", "--output", other.toString())
                .succeeds();
        run("evaluate", "--model", other.toString())
                .fails(1, "is a model of \"slotwise discover\"");
        run("train", "--output", folder.resolve("no/m.safetensors").toString())
                .fails(1, "does not exist");
    }
}
