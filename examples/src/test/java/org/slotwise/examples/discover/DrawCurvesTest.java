package org.slotwise.examples.discover;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.examples.shared.Run;
import org.slotwise.image.Palette;

class DrawCurvesTest {

    private static final String HEADER = "step,loss,gradient_norm,learning_rate,fg_ari,ari,mse\n";

    @TempDir Path folder;

    private Path first;
    private Path second;

    @BeforeEach
    void write() throws IOException {
        first =
                Files.writeString(
                        folder.resolve("first.csv"),
                        HEADER
                                + "1,0.2,3,1e-4,,,\n"
                                + "100,0.05,1,4e-4,0.3,0.2,0.05\n\n"
                                + "200,0.01,1,4e-4,0.6,-0.1,0.01\n");
        second =
                Files.writeString(
                        folder.resolve("second.csv"),
                        HEADER + "1,0.3,3,1e-4,,,\n50,0.001,1,4e-4,,,\n");
    }

    /** A history of a few steps, and of one, of numbers that are close: axes have numbers still. */
    @Test
    void drawsShortHistories() throws IOException {
        String rows = "1,0.5,3,1e-4,0.1,0.1,0.1\n";
        for (String more :
                List.of("", "2,0.49,3,1e-4,0.1,0.1,0.09\n", "3,0.19,3,1e-4,0,0,0.01\n")) {
            rows += more;
            Files.writeString(first, HEADER + rows);
            curves(first).succeeds();
            BufferedImage figure = figure();
            // Left of a chart there is its title, turned, and right of it numbers.
            int dark = 0;
            for (int y = 0; y < CurvesFigure.HEIGHT; y++) {
                for (int x = 22; x < 50; x++) {
                    dark += (figure.getRGB(x, y) & 0xff) < 100 ? 1 : 0;
                }
            }
            assertTrue(dark > 20, more + ": " + dark + " dark pixels");
        }
    }

    private Run curves(Object... args) {
        List<String> all = new ArrayList<>(List.of("curves", "--output", output().toString()));
        Arrays.stream(args).map(Object::toString).forEach(all::add);
        return Run.of(new DiscoverObjects(), all.toArray(String[]::new));
    }

    private Path output() {
        return folder.resolve("curves.png");
    }

    private BufferedImage figure() throws IOException {
        return ImageIO.read(output().toFile());
    }

    private static boolean shows(BufferedImage figure, int rgb) {
        int[] pixels =
                figure.getRGB(
                        0, 0, figure.getWidth(), figure.getHeight(), null, 0, figure.getWidth());
        return Arrays.stream(pixels).anyMatch(pixel -> (pixel & 0xFFFFFF) == rgb);
    }

    @Test
    void readsWhatWasMeasured() throws IOException {
        TrainingHistory history = TrainingHistory.read(first);
        assertEquals("first", history.name());
        assertEquals(List.of(1.0, 100.0, 200.0), history.series().get("loss").steps());
        assertEquals(List.of(100.0, 200.0), history.series().get("ari").steps());
        assertEquals(List.of(0.2, -0.1), history.series().get("ari").values());
        assertFalse(TrainingHistory.read(second).series().containsKey("mse"));
    }

    @Test
    void aChartForEachQuantityAndALineForEachRun() throws IOException {
        curves(first, second).succeeds();
        assertEquals(CurvesFigure.WIDTH, figure().getWidth());
        assertEquals(4 * CurvesFigure.HEIGHT, figure().getHeight());
        assertTrue(shows(figure(), Palette.colourBlindSafe().rgb(0)));
        assertTrue(shows(figure(), Palette.colourBlindSafe().rgb(1)));
        curves(first).succeeds();
        assertFalse(shows(figure(), Palette.colourBlindSafe().rgb(1)));
        // The same file twice: two lines of one name.
        curves(first, first, "--columns", "loss").succeeds();
        assertEquals(CurvesFigure.HEIGHT, figure().getHeight());
    }

    @Test
    void axesAreLogarithmicUnlessAskedFor() throws IOException {
        curves(first, "--columns", "loss").succeeds();
        byte[] logarithmic = Files.readAllBytes(output());
        curves(first, "--columns", "loss", "--linear").succeeds();
        assertFalse(Arrays.equals(logarithmic, Files.readAllBytes(output())));
        Path zero = Files.writeString(folder.resolve("zero.csv"), HEADER + "1,0,1,1,,,\n");
        curves(zero).fails(1, "loss of zero has values of 0 or below", "--linear");
        curves(zero, "--linear").succeeds();
    }

    /**
     * Logarithmic axes have numbers at powers of ten alone: with fewer than two, axes are linear.
     */
    @Test
    void axesOfOneDecadeAreLinear() throws IOException {
        Path near =
                Files.writeString(folder.resolve("near.csv"), "step,loss\n1,9\n2,2\n3,5\n4,3\n");
        assertFalse(differsFromLinear(near));
        Path across = Files.writeString(folder.resolve("across.csv"), "step,loss\n1,0.3\n2,0.02\n");
        assertFalse(differsFromLinear(across));
        Path far = Files.writeString(folder.resolve("far.csv"), "step,loss\n1,1.5\n2,0.1\n");
        assertTrue(differsFromLinear(far));
    }

    private boolean differsFromLinear(Path history) throws IOException {
        curves(history, "--columns", "loss").succeeds();
        byte[] drawn = Files.readAllBytes(output());
        curves(history, "--columns", "loss", "--linear").succeeds();
        return !Arrays.equals(drawn, Files.readAllBytes(output()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''|has no column \"step\"",
                "loss,mse\\n1,2|has no column \"step\"",
                "step,loss\\n1|line 2: expected 2 cells, got 1",
                "step,loss\\n1,2\\n2,much|line 3: loss must be a number, got much",
                "step,loss\\n1,NaN|line 2: loss must be finite, got NaN",
                "step,loss\\n,1|line 2: step must be a number",
                "step,other\\n1,2|none was measured, only [other]"
            })
    void saysWhatIsWrongWithAFile(String text, String message) throws IOException {
        Path broken = folder.resolve("broken.csv");
        Files.writeString(broken, text.replace("\\n", "\n"));
        curves(broken).fails(1, message);
    }

    @Test
    void refuses() throws IOException {
        curves(folder.resolve("no.csv")).fails(1, "no.csv does not exist");
        curves(first, "--columns", "loss,colour").fails(2, "--columns", "colour");
        Files.write(folder.resolve("bytes.csv"), new byte[] {(byte) 0xFF, (byte) 0xFE, 0, 1});
        curves(folder.resolve("bytes.csv")).fails(1, "bytes.csv is no text");
        Run.of(new DiscoverObjects(), "curves", first.toString(), "--output", "a.jpg")
                .fails(2, "--output must end in .png");
        Run.of(new DiscoverObjects(), "curves").fails(2, "FILE");
    }
}
