package org.slotwise.examples.sets;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.examples.shared.Run;
import org.slotwise.training.LearningRate;
import org.slotwise.weights.StateDict;

class PredictSetsTest {

    @TempDir Path folder;

    private static Run run(String... args) {
        return Run.of(new PredictSets(), args);
    }

    private Path train(String name, String... more) {
        Path model = folder.resolve(name + ".safetensors");
        String[] args = {
            "train",
            "--steps",
            "3",
            "--report",
            "3",
            "--max-objects",
            "3",
            "--output",
            model.toString(),
        };
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        String out = run(all).succeeds().out();
        assertTrue(out.contains("step     3  loss "), out);
        assertTrue(out.contains("up to 3 objects"), out);
        return model;
    }

    private static double[] row(String out, String name) {
        Matcher found = Pattern.compile(Pattern.quote(name) + "(( +\\d+\\.\\d){6})").matcher(out);
        assertTrue(found.find(), out);
        return Arrays.stream(found.group(1).trim().split(" +"))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }

    @Test
    void trainsEvaluatesAndShows() throws IOException {
        Path model = train("model");
        String[] evaluate = {
            "evaluate", "--model", model.toString(), "--max-objects", "3", "--scenes", "70",
        };
        String out = run(evaluate).succeeds().out();
        assertTrue(out.contains("70 scenes of seed 4242, up to 3 objects, 4 slots"), out);
        for (String name :
                new String[] {
                    "model, 7 iterations",
                    "the mean of other scenes",
                    "the most frequent kind, anywhere",
                    "objects of other scenes"
                }) {
            double[] precisions = row(out, name);
            for (int i = 1; i < precisions.length; i++) {
                assertTrue(precisions[i] <= precisions[i - 1], out);
            }
        }
        assertTrue(row(out, "objects of other scenes")[0] > 0, out);
        assertEquals(out, run(evaluate).succeeds().out(), "the same each time");

        Path figure = folder.resolve("figure.png");
        run(
                        "show",
                        "--model",
                        model.toString(),
                        "--max-objects",
                        "3",
                        "--scenes",
                        "2",
                        "--output",
                        figure.toString())
                .succeeds();
        BufferedImage image = ImageIO.read(figure.toFile());
        int gap = PropertyFigure.GAP;
        assertEquals(6 * (PropertyFigure.PANEL + gap) + gap, image.getWidth());
        assertEquals(
                2 * (PropertyFigure.PANEL + PropertyFigure.WORDS + gap) + gap, image.getHeight());
    }

    @Test
    void tellsProgress() {
        String out =
                run(
                                "train",
                                "--steps",
                                "3",
                                "--report",
                                "2",
                                "--max-objects",
                                "1",
                                "--output",
                                folder.resolve("told.safetensors").toString())
                        .succeeds()
                        .out();
        assertTrue(out.contains("step     2  loss "), out);
        assertTrue(out.contains("step     3  loss "), out);
    }

    @Test
    void everyOptionOfTrainingCounts() throws IOException {
        byte[] once = Files.readAllBytes(train("once"));
        assertArrayEquals(once, Files.readAllBytes(train("twice")));
        assertFalse(Arrays.equals(once, Files.readAllBytes(train("seed", "--seed", "1"))));
        assertFalse(Arrays.equals(once, Files.readAllBytes(train("rounds", "--iterations", "2"))));
        assertFalse(Arrays.equals(once, Files.readAllBytes(train("all", "--gradients", "all"))));
        assertFalse(Arrays.equals(once, Files.readAllBytes(train("loss", "--loss", "huber"))));
        assertFalse(Arrays.equals(once, Files.readAllBytes(train("slots", "--slots", "6"))));
        assertFalse(
                Arrays.equals(once, Files.readAllBytes(train("places", "--position-weight", "4"))));
        assertArrayEquals(once, Files.readAllBytes(train("usual", "--position-weight", "2")));
        assertFalse(
                Arrays.equals(once, Files.readAllBytes(train("rate", "--learning-rate", "2e-3"))));
    }

    @ParameterizedTest
    @EnumSource(PropertyGrouping.class)
    void everyGroupingTrainsAndIsKnownFromItsFile(PropertyGrouping kind) throws IOException {
        Path model = train(kind.toString(), "--grouping", kind.toString());
        try (StateDict weights = StateDict.read(model)) {
            assertEquals(
                    kind == PropertyGrouping.DISCRETE,
                    weights.names().stream().anyMatch(name -> name.contains("quantizer")));
            assertEquals(kind.toString(), weights.metadata().get("grouping"));
            boolean all = kind == PropertyGrouping.MIXTURE;
            // A mixture starts on features, the others from what they have learnt.
            assertEquals(
                    !all, weights.names().stream().anyMatch(name -> name.contains("conditioning")));
            assertEquals(all ? "all" : "last", weights.metadata().get("gradients"));
            // Of a mixture features are read, too, and positions apart as of discrete slots.
            assertEquals(all, weights.names().stream().anyMatch(name -> name.contains("seen")));
            assertEquals(all ? "features" : null, weights.metadata().get("reads"));
            assertEquals(
                    kind != PropertyGrouping.ATTENTION,
                    weights.names().stream().anyMatch(name -> name.contains("positions")));
        }
        String out =
                run("evaluate", "--model", model.toString(), "--max-objects", "3", "--scenes", "30")
                        .succeeds()
                        .out();
        int times = kind == PropertyGrouping.MIXTURE ? 3 : 7;
        assertEquals(6, row(out, "model, " + times + " iterations").length);
    }

    /** What a file does not say is as it was before it could. */
    @Test
    void iterationsAndGradientsAreKnownFromTheFile() throws IOException {
        Path model = train("learnt", "--iterations", "2", "--gradients", "all");
        String[] evaluate = {
            "evaluate", "--model", model.toString(), "--max-objects", "3", "--scenes", "5"
        };
        assertTrue(run(evaluate).succeeds().out().contains("model, 2 iterations"));
        try (StateDict weights = StateDict.read(model)) {
            Map<String, String> said = new HashMap<>(weights.metadata());
            assertEquals("all", said.get("gradients"));
            said.keySet().removeAll(List.of("iterations", "gradients"));
            assertEquals(
                    new PropertySlots(PropertyGrouping.ATTENTION, PropertyGradients.LAST, 7, 4),
                    PropertySlots.of(said, null, 4));
            for (Map<String, String> mixture :
                    List.of(
                            Map.of("grouping", "mixture"),
                            Map.of("grouping", "mixture", "gradients", "all"))) {
                assertThrows(
                        IllegalArgumentException.class, () -> PropertySlots.of(mixture, null, 4));
            }
            for (String bad : new String[] {"0", "101", "two", "99999999999"}) {
                said.put("iterations", bad);
                assertThrows(
                        IllegalArgumentException.class, () -> PropertySlots.of(said, null, 4), bad);
            }
            assertEquals(3, PropertySlots.of(said, 3, 4).iterations());
            said.put("gradients", "none");
            assertThrows(IllegalArgumentException.class, () -> PropertySlots.of(said, 3, 4));
        }
    }

    @Test
    void theModelThatComesWithTheExamplesKnowsWhatItSees() throws IOException {
        String out = run("evaluate", "--scenes", "100").succeeds().out();
        double[] precisions = row(out, "model, 7 iterations");
        assertTrue(precisions[0] > 70, out);
        assertTrue(precisions[0] > 10 * row(out, "objects of other scenes")[0], out);
        Path figure = folder.resolve("shipped.png");
        run("show", "--scenes", "1", "--output", figure.toString()).succeeds();
        assertTrue(Files.size(figure) > 0);
    }

    @Test
    void iterationsSlotsAndSeedsChangeTheScores() {
        String model = train("model").toString();
        String[] base = {"evaluate", "--model", model, "--max-objects", "3", "--scenes", "30"};
        String out = run(base).succeeds().out();
        for (String[] more :
                new String[][] {{"--data-seed", "5"}, {"--slots", "9"}, {"--iterations", "1"}}) {
            String[] all = Arrays.copyOf(base, base.length + 2);
            System.arraycopy(more, 0, all, base.length, 2);
            assertNotEquals(out, run(all).succeeds().out(), more[0]);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "train --steps 0 | --steps must be 1 to 10000000, got 0",
                "train --report 0 | --report must be at least 1, got 0",
                "train --learning-rate 0 | --learning-rate must be above 0 and at most 1, got 0.0",
                "train --max-objects 11 | --max-objects must be 1 to 10, got 11",
                "train --slots 5 | --slots must be 6 to 32, got 5",
                "train --grouping none | Invalid value for option '--grouping': expected one of attention, mixture, discrete but was 'none'",
                "train --iterations 0 | --iterations must be 1 to 100, got 0",
                "train --gradients none | Invalid value for option '--gradients': expected one of last, all but was 'none'",
                "train --loss none | Invalid value for option '--loss': expected one of hungarian, huber but was 'none'",
                "train --position-weight 0 | --position-weight must be above 0 and at most 1000, got 0.0",
                "train --position-weight NaN | --position-weight must be above 0 and at most 1000, got NaN",
                "train --loss huber --position-weight 2 | --position-weight is for --loss hungarian, got huber",
                "train --threads 0 | --threads must be 1 to 256, got 0",
                "train --output m.pt | --output must end in .safetensors, got m.pt",
                "evaluate --scenes 0 | --scenes must be 1 to 100000, got 0",
                "evaluate --iterations 0 | --iterations must be 1 to 100, got 0",
                "show --scenes 65 | --scenes must be 1 to 64, got 65",
                "show --output a.gif | --output must end in .png, got a.gif",
            })
    void wrongOptions(String line, String message) {
        run(line.split(" ", -1)).fails(2, message);
    }

    @Test
    void aCommandIsNeeded() {
        run().fails(2, "expected a command: train, evaluate or show");
    }

    @Test
    void filesThatAreNotThereOrOfAnotherModel() throws IOException {
        String missing = folder.resolve("none.safetensors").toString();
        run("evaluate", "--model", missing).fails(1, "does not exist");
        Path text = Files.writeString(folder.resolve("text.safetensors"), "no weights");
        run("evaluate", "--model", text.toString()).fails(1);
        run("train", "--output", folder.resolve("no/m.safetensors").toString())
                .fails(1, "does not exist");
    }

    @Test
    void theLearningRateRisesAndFalls() {
        LearningRate rate = PropertyTraining.learningRate(1e-3, 2000);
        assertEquals(1e-3, rate.at(300), 1e-4);
        assertTrue(rate.at(1) < 1e-4 && rate.at(2000) < 5e-5);
        assertTrue(PropertyTraining.learningRate(1e-3, 1).at(1) > 0);
        IOException e =
                assertThrows(
                        IOException.class,
                        () ->
                                new PropertyTraining(
                                                10,
                                                1,
                                                1e-3,
                                                new PropertySlots(
                                                        PropertyGrouping.ATTENTION,
                                                        PropertyGradients.LAST,
                                                        7,
                                                        4),
                                                PropertyLoss.HUBER,
                                                2,
                                                3,
                                                0)
                                        .requireNumber(Double.NaN, 7));
        assertTrue(e.getMessage().contains("step 7"));
    }
}
