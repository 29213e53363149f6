package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.examples.shared.DiscoveryFigure;
import org.slotwise.examples.shared.PictureFiles;
import org.slotwise.examples.shared.Run;

class ShowDiscoveryTest {

    private static final int SIDE = 35;
    private static final int SCALE = 4;
    private static final int GAP = DiscoveryFigure.GAP;

    @TempDir Path folder;

    private BufferedImage show(String... options) throws IOException {
        String[] args = new String[options.length + 3];
        args[0] = "show";
        args[1] = "--output";
        args[2] = folder.resolve("figure.png").toString();
        System.arraycopy(options, 0, args, 3, options.length);
        String out = Run.of(new DiscoverObjects(), args).succeeds().out();
        assertTrue(out.contains("figure.png"), out);
        return ImageIO.read(folder.resolve("figure.png").toFile());
    }

    @ParameterizedTest
    @CsvSource({
        "scenes, 7, 2",
        "overlay, 3, 2",
        "slots, 5, 4",
        "threshold, 5, 2",
        "attention, 5, 20",
        "ALL, 5, 26"
    })
    void drawsWhatIsAskedFor(String what, int columns, int rows) throws IOException {
        BufferedImage image = show("--what", what, "--scenes", "2");
        int bar = "overlay".equals(what) ? 0 : DiscoveryFigure.BAR;
        assertEquals(columns * (SIDE * SCALE + GAP) + GAP, image.getWidth());
        assertEquals(rows * (SIDE * SCALE + bar + GAP) + GAP, image.getHeight());
    }

    @Test
    void theFirstPanelIsTheScene() throws IOException {
        BufferedImage image = show("--scenes", "1");
        // The picture is black where there is nothing, and there are objects.
        long black = 0;
        long coloured = 0;
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                int rgb = image.getRGB(GAP + 2 + SCALE * x, GAP + 2 + SCALE * y) & 0xFFFFFF;
                black += rgb == 0 ? 1 : 0;
                coloured += rgb != 0 ? 1 : 0;
            }
        }
        assertEquals(925, black);
        assertEquals(300, coloured);
    }

    @Test
    void takesAPictureOfOnesOwn() throws IOException {
        Path own =
                PictureFiles.png(
                        folder.resolve("own.png"),
                        PictureFiles.halves(300, 100, BufferedImage.TYPE_INT_RGB));
        BufferedImage image = show("--image", own.toString());
        // In its own proportions.
        int width = 3 * DiscoveryFigure.PANEL / 2;
        assertEquals(7 * (width + GAP) + GAP, image.getWidth());
        assertEquals(width / 3 + DiscoveryFigure.BAR + 2 * GAP, image.getHeight());
        assertEquals(0xFF0000, image.getRGB(GAP + 10, GAP + 10) & 0xFFFFFF);
        assertEquals(0x0000FF, image.getRGB(GAP + width - 10, GAP + 10) & 0xFFFFFF);
        // What the model makes of it is no longer square either.
        int again = image.getRGB(2 * GAP + width + 10, GAP + width / 3 - 3) & 0xFFFFFF;
        assertNotEquals(0xFFFFFF, again);
    }

    @Test
    void saysWhatIsWrongWithAPicture() throws IOException {
        String output = folder.resolve("figure.png").toString();
        Path text = Files.writeString(folder.resolve("text.png"), "no picture");
        Run.of(new DiscoverObjects(), "show", "--image", text.toString(), "--output", output)
                .fails(1, "text.png is not a picture");
        Run.of(new DiscoverObjects(), "show", "--image", "no.png", "--output", output)
                .fails(1, "no.png does not exist");
        Path own =
                PictureFiles.png(
                        folder.resolve("own.png"),
                        PictureFiles.halves(30, 10, BufferedImage.TYPE_INT_RGB));
        Run.of(new DiscoverObjects(), "show", "--image", own.toString(), "--output", own.toString())
                .fails(1, "is what is read");
        Run.of(new DiscoverObjects(), "show", "--what", "nothing").fails(2, "--what", "nothing");
    }
}
