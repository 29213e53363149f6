package org.slotwise.examples.sets;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.image.Palette;

/**
 * Scenes below each other. From left to right: the picture with true and predicted places, which
 * slot looks where in colours, and for each slot its attention, with its object named where it says
 * that there is one.
 */
final class PropertyFigure {

    /** Height and width of a panel in pixels. */
    static final int PANEL = 192;

    /** Room between panels, and below them for words. */
    static final int GAP = 6;

    static final int WORDS = 30;
    private static final int SIDE = PropertyScenes.SIDE;
    private static final int GRID = PropertyModel.GRID;
    private static final int LENGTH = ClevrObject.PROPERTIES;
    private static final double SEEN = 0.5;

    private final BufferedImage sheet;
    private final Graphics2D graphics;

    private PropertyFigure(int rows, int columns) {
        sheet =
                new BufferedImage(
                        columns * (PANEL + GAP) + GAP,
                        rows * (PANEL + WORDS + GAP) + GAP,
                        BufferedImage.TYPE_INT_RGB);
        graphics = sheet.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        graphics.setRenderingHint(
                RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.setStroke(new BasicStroke(2));
        graphics.setFont(graphics.getFont().deriveFont(12f));
    }

    /**
     * Draws the figure.
     *
     * @param images (B, 3, 64, 64) in [0, 1]
     * @param truth (B, K, 19)
     * @param told what a model says of them
     * @return an image
     */
    static Image draw(NDArray images, NDArray truth, PropertyModel.Prediction told) {
        int scenes = (int) images.getShape().get(0);
        int slots = (int) told.properties().getShape().get(1);
        PropertyFigure figure = new PropertyFigure(scenes, 2 + slots);
        float[] image = images.toFloatArray();
        float[] attention = told.attention().toFloatArray();
        List<float[]> objects = rows(truth);
        List<float[]> said = rows(told.properties());
        for (int b = 0; b < scenes; b++) {
            List<float[]> real =
                    objects.subList(b * slots, (b + 1) * slots).stream()
                            .filter(row -> row[LENGTH - 1] > SEEN)
                            .toList();
            figure.picture(b, colours(image, 3 * b * SIDE * SIDE), real, said, b * slots, slots);
            int from = b * slots * GRID * GRID;
            figure.panel(b, 1, GRID, owners(attention, from, slots));
            for (int k = 0; k < slots; k++) {
                figure.panel(b, 2 + k, GRID, grey(attention, from + k * GRID * GRID));
                figure.name(b, 2 + k, said.get(b * slots + k));
            }
        }
        figure.graphics.dispose();
        return ImageFactory.getInstance().fromImage(figure.sheet);
    }

    private static List<float[]> rows(NDArray properties) {
        float[] all = properties.toFloatArray();
        return IntStream.range(0, all.length / LENGTH)
                .mapToObj(i -> Arrays.copyOfRange(all, i * LENGTH, (i + 1) * LENGTH))
                .toList();
    }

    private void picture(
            int row, int[] pixels, List<float[]> real, List<float[]> said, int from, int slots) {
        panel(row, 0, SIDE, pixels);
        for (float[] object : real) {
            int[] at = place(row, ClevrObject.decode(object));
            graphics.setColor(Color.WHITE);
            graphics.drawOval(at[0] - 7, at[1] - 7, 14, 14);
        }
        for (float[] object : said.subList(from, from + slots)) {
            if (object[LENGTH - 1] > SEEN) {
                ClevrObject one = ClevrObject.decode(object);
                boolean right =
                        real.stream()
                                .map(ClevrObject::decode)
                                .filter(other -> distance(one, other) < 1)
                                .anyMatch(other -> other.describe().equals(one.describe()));
                int[] at = place(row, one);
                graphics.setColor(right ? Color.WHITE : Color.BLACK);
                graphics.drawLine(at[0] - 5, at[1] - 5, at[0] + 5, at[1] + 5);
                graphics.drawLine(at[0] - 5, at[1] + 5, at[0] + 5, at[1] - 5);
            }
        }
    }

    private static double distance(ClevrObject a, ClevrObject b) {
        return Math.sqrt(
                Math.pow(a.x() - b.x(), 2)
                        + Math.pow(a.y() - b.y(), 2)
                        + Math.pow(a.z() - b.z(), 2));
    }

    /** Column and row in the sheet. */
    private static int[] place(int row, ClevrObject object) {
        double[] at = ClevrLikeScenes.place(object.x(), object.y(), object.z());
        return new int[] {
            GAP + (int) Math.round(at[1] * PANEL), top(row) + (int) Math.round(at[0] * PANEL)
        };
    }

    private static int top(int row) {
        return GAP + row * (PANEL + WORDS + GAP);
    }

    private void name(int row, int column, float... said) {
        graphics.setColor(Color.BLACK);
        int left = GAP + column * (PANEL + GAP);
        int base = top(row) + PANEL + 13;
        float presence = said[LENGTH - 1];
        graphics.drawString(
                presence > SEEN ? ClevrObject.decode(said).describe() : "no object", left, base);
        graphics.drawString(String.format(Locale.ROOT, "presence %.2f", presence), left, base + 14);
    }

    private static int[] colours(float[] values, int from) {
        int size = SIDE * SIDE;
        int[] rgb = new int[size];
        for (int i = 0; i < size; i++) {
            rgb[i] =
                    level(values[from + i]) << 16
                            | level(values[from + size + i]) << 8
                            | level(values[from + 2 * size + i]);
        }
        return rgb;
    }

    private static int[] grey(float[] values, int from) {
        int[] rgb = new int[GRID * GRID];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = level(values[from + i]) * 0x010101;
        }
        return rgb;
    }

    private static int[] owners(float[] attention, int from, int slots) {
        int size = GRID * GRID;
        int[] rgb = new int[size];
        for (int i = 0; i < size; i++) {
            int best = 0;
            for (int k = 1; k < slots; k++) {
                if (attention[from + k * size + i] > attention[from + best * size + i]) {
                    best = k;
                }
            }
            rgb[i] = Palette.colourBlindSafe().rgb(best);
        }
        return rgb;
    }

    private static int level(float value) {
        return Math.round(255 * Math.min(1, Math.max(0, value)));
    }

    private void panel(int row, int column, int side, int[] pixels) {
        int left = GAP + column * (PANEL + GAP);
        for (int y = 0; y < PANEL; y++) {
            for (int x = 0; x < PANEL; x++) {
                sheet.setRGB(
                        left + x, top(row) + y, pixels[y * side / PANEL * side + x * side / PANEL]);
            }
        }
    }
}
