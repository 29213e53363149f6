package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import org.slotwise.examples.shared.Run;
import org.slotwise.training.LearningRate;

class DiscoverObjectsTest {

    @TempDir Path folder;

    private static Run run(String... args) {
        return Run.of(new DiscoverObjects(), args);
    }

    private Path train(String name, String... more) throws IOException {
        Path model = folder.resolve(name + ".safetensors");
        String[] args = {
            "train", "--steps", "3", "--report", "2", "--output", model.toString(),
        };
        String[] all = Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        String out = run(all).succeeds().out();
        assertTrue(out.contains("step     2  loss 0."), out);
        assertTrue(out.contains("step     3  loss 0."), out);
        assertTrue(out.contains("s left"), out);
        return model;
    }

    private static double[] scores(String out, String row) {
        Matcher found =
                Pattern.compile(Pattern.quote(row) + " +(-?\\d\\.\\d+) +(-?\\d\\.\\d+)")
                        .matcher(out);
        assertTrue(found.find(), out);
        return new double[] {
            Double.parseDouble(found.group(1)), Double.parseDouble(found.group(2))
        };
    }

    /** What the examples promise: the model that they bring finds objects, and k-means does not. */
    @Test
    void theModelThatIsShippedFindsObjects() {
        String out = run("evaluate", "--scenes", "128", "--data-seed", "17").succeeds().out();
        double[] model = scores(out, "model, 10 iterations");
        assertTrue(model[0] >= 0.98, out);
        assertTrue(model[1] >= 0.98, out);
        assertTrue(scores(out, "k-means on colour and place")[0] < 0.9, out);
        assertTrue(scores(out, "the four quarters")[0] < 0.8, out);
    }

    @Test
    void repeatsASeedAndWritesALog() throws IOException {
        Path log = folder.resolve("train.log");
        byte[] first = Files.readAllBytes(train("a", "--seed", "3", "--log", log.toString()));
        byte[] second = Files.readAllBytes(train("b", "--seed", "3"));
        assertArrayEquals(first, second);
        assertFalse(Arrays.equals(first, Files.readAllBytes(train("c", "--seed", "4"))));
        assertTrue(Files.readString(log).contains("step     3  loss 0."), Files.readString(log));

        String model = folder.resolve("a.safetensors").toString();
        String out = run("evaluate", "--scenes", "4", "--model", model).succeeds().out();
        assertTrue(scores(out, "model, 10 iterations")[0] < 0.95, out);
    }

    @Test
    void warmsUpHoldsAndDecays() {
        LearningRate rate = DiscoveryRecipe.learningRate(1, 5000);
        assertEquals(0.5, rate.at(100), 1e-12);
        assertEquals(1, rate.at(200), 1e-12);
        assertEquals(1, rate.at(1500), 1e-12);
        assertEquals(0.505, rate.at(3250), 1e-12);
        assertEquals(0.01, rate.at(5000), 1e-12);
        assertEquals(3, DiscoveryTask.TETROMINOES.recipe().iterations(1000, 5000));
        assertEquals(5, DiscoveryTask.TETROMINOES.recipe().iterations(1001, 5000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "train", "evaluate", "show", "curves"})
    void helps(String command) {
        String[] args =
                command.isEmpty() ? new String[] {"--help"} : new String[] {command, "--help"};
        String out = run(args).succeeds().out();
        assertTrue(out.contains("Usage: DiscoverObjects"), out);
        assertTrue(out.contains("--help"), out);
    }

    @ParameterizedTest
    @CsvSource({
        "train, --steps, 0, must be 1 to",
        "train, --report, 0, must be at least 1",
        "train, --checkpoint-every, 0, must be at least 1",
        "train, --checkpoint, c.npz, must end in .safetensors",
        "train, --threads, 0, must be 1 to 256",
        "train, --data, clevr, expected tetrominoes or multi-dsprites",
        "train, --learning-rate, -1, must be above 0",
        "train, --learning-rate, NaN, must be above 0",
        "train, --eps, 0, must be above 0",
        "train, --eps, 1.5, must be above 0 and at most 1",
        "train, --eps, NaN, must be above 0",
        "train, --output, model.npz, must end in .safetensors",
        "train, --seed, x, is not an int",
        "evaluate, --scenes, 0, must be 1 to",
        "evaluate, --iterations, 0, must be 1 to",
        "show, --scenes, 65, must be 1 to 64",
        "show, --output, figure.jpg, must end in .png",
        "show, --colour, 1, Unknown"
    })
    void refusesWrongOptions(String command, String option, String value, String says) {
        run(command, option, value).fails(2, option, says);
    }

    @Test
    void saysWhichFileIsWrong() throws IOException {
        String missing = folder.resolve("no.safetensors").toString();
        Run.of(new DiscoverObjects(), "evaluate", "--model", missing)
                .fails(1, "no.safetensors does not exist");
        Path text = Files.writeString(folder.resolve("text.safetensors"), "no model");
        run("show", "--model", text.toString(), "--output", folder.resolve("f.png").toString())
                .fails(1, "text.safetensors");
        String nowhere = folder.resolve("no").resolve("m.safetensors").toString();
        run("train", "--steps", "1", "--output", nowhere).fails(1, "does not exist");
        run("train", "--steps", "1", "--log", nowhere).fails(1, "does not exist");
        run("train", "--steps", "1", "--history", nowhere).fails(1, "does not exist");
        run("train", "--steps", "1", "--checkpoint", nowhere).fails(1, "does not exist");
        run("train", "--resume").fails(2, "--resume needs --checkpoint");
    }

    /** What the examples promise of the other model that they bring. */
    @Test
    void theModelOfSpritesFindsObjects() {
        String out =
                run("evaluate", "--data", "multi-dsprites", "--iterations", "3", "--scenes", "64")
                        .succeeds()
                        .out();
        double[] model = scores(out, "model, 3 iterations");
        assertTrue(model[0] >= 0.85, out);
        assertTrue(model[1] >= 0.9, out);
    }

    @Test
    void sweepsIterationsAndSlots() throws IOException {
        Path figure = folder.resolve("sweep.png");
        String[] args = {
            "sweep",
            "--data",
            "multi-dsprites",
            "--scenes",
            "8",
            "--iterations",
            "1,3",
            "--output",
            figure.toString()
        };
        String out = run(args).succeeds().out();
        Matcher rows = Pattern.compile("objects, \\d slots.*( +-?\\d\\.\\d{3}){4}").matcher(out);
        assertEquals(4, rows.results().count(), out);
        assertTrue(ImageIO.read(figure.toFile()).getWidth() > 500);
    }

    @Test
    void slotsOnAGridCannotBeMore() {
        run("evaluate", "--slots", "7")
                .fails(2, "slots of this model start on a grid of 4", "got 7");
        run("evaluate", "--slots", "0").fails(2, "--slots must be 1 to 100, got 0");
    }
}
