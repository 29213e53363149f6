package org.slotwise.examples.photos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.examples.shared.Figure;
import org.slotwise.examples.shared.PictureFiles;
import org.slotwise.examples.shared.Run;

class DiscoverInPhotosTest {

    private static final Pattern LOSS = Pattern.compile("loss (\\d+\\.\\d+)");
    private static final Pattern SCORES = Pattern.compile("FG-ARI (\\d\\.\\d+), ARI (\\d\\.\\d+)");
    private static final Path NETWORK = Path.of("../src/test/resources/backbone/vit.pt");

    @TempDir private Path folder;

    private Run run(String... more) {
        return Run.of(
                new DiscoverInPhotos(),
                Stream.concat(
                                Stream.of(
                                        "--cache",
                                        folder.resolve("cache").toString(),
                                        "--output",
                                        folder.resolve("out").toString()),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    private static List<Double> losses(Run run) {
        return LOSS.matcher(run.succeeds().out())
                .results()
                .map(m -> Double.valueOf(m.group(1)))
                .toList();
    }

    @Test
    void findsWhatIsInStillLifes() throws IOException {
        Run run = run("--steps", "300", "--size", "112");
        List<Double> losses = losses(run);
        assertEquals(10, losses.size());
        assertTrue(losses.get(9) < 0.2 * losses.get(0), losses.toString());
        double[][] scores =
                SCORES.matcher(run.out())
                        .results()
                        .map(m -> Stream.of(m.group(1), m.group(2)))
                        .map(both -> both.mapToDouble(Double::parseDouble).toArray())
                        .toArray(double[][]::new);
        assertEquals(2, scores.length, run.out());
        assertTrue(scores[0][0] > 0.7 && scores[0][1] > 0.85, run.out());
        assertTrue(scores[0][0] > scores[1][0] - 0.05, "objects as by k-means: " + run.out());
        assertTrue(scores[0][1] > scores[1][1] + 0.03, "wall and table better: " + run.out());
        Path figure = folder.resolve("out").resolve("still-life-slots.png");
        // The picture, its segmentation and 6 slots, in 2 rows.
        BufferedImage image = ImageIO.read(figure.toFile());
        assertTrue(image.getWidth() > 4 * Figure.PANEL, "wide enough for the panels");
    }

    @Test
    void aPictureOfOneColour() throws IOException {
        Path photos = Files.createDirectory(folder.resolve("photos"));
        PictureFiles.png(
                photos.resolve("black.png"), new BufferedImage(30, 30, BufferedImage.TYPE_INT_RGB));
        Run run = run("--images", photos.toString(), "--steps", "10", "--size", "24");
        assertTrue(losses(run).stream().allMatch(Double::isFinite), run.out());
        assertTrue(!run.out().contains("still lifes"), "nobody knows what is in photographs");
    }

    @Test
    void seesAPhotographOnceAndRepeatsASeed() throws IOException {
        Path photos = Files.createDirectory(folder.resolve("photos"));
        PictureFiles.png(
                photos.resolve("a.png"), PictureFiles.halves(60, 40, BufferedImage.TYPE_INT_RGB));
        PictureFiles.png(
                photos.resolve("b.png"), PictureFiles.halves(40, 60, BufferedImage.TYPE_INT_RGB));
        Files.writeString(photos.resolve("notes.txt"), "not a picture");
        Files.writeString(photos.resolve("._a.png"), "what another system says of a.png");
        String[] args = {
            "--images", photos.toString(), "--steps", "3", "--size", "56", "--parts", "4"
        };
        List<Double> first = losses(run(args));
        try (Stream<Path> caches = Files.list(folder.resolve("cache"))) {
            assertEquals(1, caches.count());
        }
        assertEquals(first, losses(run(args)));
        List<Double> other =
                losses(
                        run(
                                Stream.concat(Stream.of(args), Stream.of("--seed", "1"))
                                        .toArray(String[]::new)));
        assertNotEquals(first, other);
        assertTrue(Files.exists(folder.resolve("out").resolve("a.png-slots.png")));
        assertTrue(Files.exists(folder.resolve("out").resolve("b.png-slots.png")));
    }

    @Test
    void withANetwork() {
        Run run =
                run(
                        "--backbone",
                        NETWORK.toString(),
                        "--size",
                        "32",
                        "--steps",
                        "2",
                        "--parts",
                        "7",
                        "--slots",
                        "3");
        assertEquals(2, losses(run).size());
        assertTrue(
                run.out().contains("8 views of 1 photographs, 16 features of size 48 each"),
                run.out());
    }

    @Test
    void tellsWhatIsWrongWithFiles() {
        run("--images", folder.resolve("none").toString()).fails(1, "none is not a folder");
        run("--images", folder.toString()).fails(1, "has no pictures in it");
        run("--backbone", "none.pt").fails(1, "file must exist, got none.pt");
        run("--backbone", NETWORK.resolveSibling("state_dict.pt").toString())
                .fails(1, "holds a state dict");
        run("--backbone", NETWORK.toString(), "--size", "64").fails(1, "cannot be run on images");
    }

    @Test
    void refusesMoreSlotsThanPatches() {
        run("--size", "16", "--slots", "5")
                .fails(2, "--slots must be at most the number of patches, 4");
    }

    @ParameterizedTest
    @CsvSource({
        "--slots, 0, must be 1 to 32",
        "--parts, -1, must be 0 to 10000",
        "--steps, 0, must be 1 to",
        "--figures, 0, must be at least 1",
        "--size, 0, must be 1 to 1024",
        "--size, 100, must be a multiple of 8 without --backbone",
        "--x, 1, Unknown"
    })
    void refusesWrongOptions(String option, String value, String says) {
        Run.of(new DiscoverInPhotos(), option, value).fails(2, option, says);
    }
}
