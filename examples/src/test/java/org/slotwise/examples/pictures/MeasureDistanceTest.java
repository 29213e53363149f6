package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.examples.shared.Run;

class MeasureDistanceTest {

    /** A stand-in for Inception with random weights: the real one cannot be distributed. */
    private static final String INCEPTION = "../src/test/resources/distance/inception_vectors.pt";

    private static final int COUNT = 24;

    @TempDir private Path folder;
    private Path real;
    private Path alike;
    private Path shuffled;

    private static Run run(Object... args) {
        String[] all = new String[args.length];
        for (int i = 0; i < args.length; i++) {
            all[i] = args[i].toString();
        }
        return Run.of(new MeasureDistance(), all);
    }

    @BeforeEach
    void draw() throws IOException {
        Scenes scenes = MultiDSprites.builder().setSize(2 * COUNT).optSeed(1).build();
        real = folder("real", scenes.range(0, COUNT), false);
        alike = folder("alike", scenes.range(COUNT, 2 * COUNT), false);
        shuffled = folder("shuffled", scenes.range(COUNT, 2 * COUNT), true);
    }

    private Path folder(String name, Scenes scenes, boolean shuffle) throws IOException {
        Path made = Files.createDirectory(folder.resolve(name));
        for (int n = 0; n < scenes.size(); n++) {
            Scene scene = scenes.get(n);
            int pixels = scene.height() * scene.width();
            int[] order = new Random(n).ints(0, pixels).distinct().limit(pixels).toArray();
            BufferedImage image =
                    new BufferedImage(scene.width(), scene.height(), BufferedImage.TYPE_INT_RGB);
            for (int i = 0; i < pixels; i++) {
                int from = 3 * (shuffle ? order[i] : i);
                int colour = 0;
                for (int c = 0; c < 3; c++) {
                    colour = colour << 8 | (scene.image()[from + c] & 0xff);
                }
                image.setRGB(i % scene.width(), i / scene.width(), colour);
            }
            ImageIO.write(image, "png", made.resolve(n + ".png").toFile());
        }
        return made;
    }

    private static double number(String out, String name) {
        Matcher found = Pattern.compile("(?m)^" + name + ": ([-0-9.e+]+)").matcher(out);
        assertTrue(found.find(), out);
        return Double.parseDouble(found.group(1));
    }

    @Test
    void realIsNearerToRealThanToShuffledPixels() {
        String near = run("--real", real, "--other", alike).succeeds().out();
        String far = run("--real", real, "--other", shuffled).succeeds().out();
        assertTrue(near.contains("24 pictures"), near);
        assertTrue(near.contains("They are no FID and no KID"), near);
        assertFalse(near.contains("FID:"), near);
        String frechet = "Frechet distance";
        assertTrue(number(near, frechet) < number(far, frechet), near + far);
        assertTrue(number(near, "kernel distance") < number(far, "kernel distance"), near + far);
    }

    /** As clean-fid reads pictures: colours behind transparency are what the file says. */
    @Test
    void transparencyIsPassedOver() throws IOException {
        Path clear = Files.createDirectory(folder.resolve("clear"));
        Random random = new Random(3);
        for (int n = 0; n < COUNT; n++) {
            BufferedImage image = ImageIO.read(real.resolve(n + ".png").toFile());
            BufferedImage seeThrough =
                    new BufferedImage(
                            image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_ARGB);
            for (int y = 0; y < image.getHeight(); y++) {
                for (int x = 0; x < image.getWidth(); x++) {
                    int colour = image.getRGB(x, y) & 0xffffff;
                    seeThrough.setRGB(x, y, random.nextInt(256) << 24 | colour);
                }
            }
            ImageIO.write(seeThrough, "png", clear.resolve(n + ".png").toFile());
        }
        String out = run("--real", real, "--other", clear).succeeds().out();
        String far = run("--real", real, "--other", alike).succeeds().out();
        double distance = number(out, "Frechet distance");
        assertEquals(0, distance, 1e-6 * number(far, "Frechet distance"));
    }

    @Test
    void inceptionsNumbersAreCalledByTheirNames() {
        String out =
                run("--real", real, "--other", alike, "--inception", INCEPTION).succeeds().out();
        assertTrue(out.contains("Inception-v3, 2048 numbers"), out);
        assertTrue(number(out, "FID") >= 0, out);
        assertTrue(out.contains("KID: "), out);
        assertTrue(out.contains("fewer pictures than numbers in the features"), out);
    }

    @Test
    void statisticsStandInForPictures() throws IOException {
        Path file = folder.resolve("real.npz");
        String written = run("--real", real, "--statistics", file).succeeds().out();
        assertTrue(written.contains("real.npz"), written);
        String direct = run("--real", real, "--other", alike).succeeds().out();
        String out = run("--real", file, "--other", alike).succeeds().out();
        double expected = number(direct, "Frechet distance");
        assertEquals(expected, number(out, "Frechet distance"), 1e-4 * expected);
        assertTrue(out.contains("no kernel distance"), out);
        run("--real", file, "--other", alike, "--inception", INCEPTION)
                .fails(1, "features of 128 and 2048 numbers");
        Files.write(file, new byte[] {1, 2, 3});
        run("--real", file, "--other", alike).fails(1, "real.npz");
    }

    @Test
    void sizesOfBatchesAndThreadsDoNotMatter() {
        String one = run("--real", real, "--other", alike, "--batch", 5).succeeds().out();
        String two =
                run("--real", real, "--other", alike, "--threads", 2, "--subset-size", 9)
                        .succeeds()
                        .out();
        double expected = number(one, "Frechet distance");
        assertEquals(expected, number(two, "Frechet distance"), 1e-3 * expected);
        assertTrue(one.contains("1 subset of 24 pictures"), one);
        assertTrue(two.contains("100 subsets of 9 pictures"), two);
    }

    @Test
    void saysWhatIsWrong() throws IOException {
        run("--real", real).fails(2, "--other");
        run("--real", real, "--other", folder.resolve("none")).fails(1, "none does not exist");
        run("--real", real, "--statistics", folder.resolve("a.txt")).fails(2, "--statistics");
        run("--real", real, "--other", alike, "--inception", INCEPTION, "--model", "x")
                .fails(2, "--inception", "--model");
        run("--real", real, "--other", alike, "--inception", folder.resolve("no.pt"))
                .fails(1, "--inception", "no.pt");
        run("--real", real, "--other", alike, "--model", "no-such-model").fails(1, "no-such-model");
        Path single = Files.createDirectory(folder.resolve("single"));
        Files.copy(real.resolve("0.png"), single.resolve("0.png"));
        run("--real", single, "--other", alike).fails(1, "single has one picture");
        run("--real", real.resolve("0.png"), "--other", alike).fails(1, "is no folder");
        Files.write(alike.resolve("3.png"), new byte[] {1, 2});
        run("--real", alike, "--other", real).fails(1, "3.png");
    }
}
