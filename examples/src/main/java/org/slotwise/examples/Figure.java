package org.slotwise.examples;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;

/**
 * A picture and its slots side by side: the picture, the segmentation in colours, and for each slot
 * what belongs to it, over a bar of its colour.
 */
final class Figure {

    /** How long a panel's longest side is, unless there are very many. */
    static final int PANEL = 400;

    /** Room between panels. */
    static final int GAP = 8;

    /** The bar under each panel. */
    static final int BAR = 8;

    private static final int MAX_COLUMNS = 6;
    private static final int MAX_PIXELS = 12_000_000;
    private static final int SHEET = 0xFFFFFF;

    /** Squares that show through where nothing belongs to a slot. */
    private static final int SQUARE = 8;

    private static final int[] SQUARES = {0xFBFBFB, 0xECECEC};

    private final BufferedImage sheet;
    private final int columns;
    private final int width;
    private final int height;
    private int panels;

    private Figure(int panels, int width, int height) {
        columns = columns(panels);
        this.width = width;
        this.height = height;
        int rows = rows(panels);
        sheet =
                new BufferedImage(
                        columns * (width + GAP) + GAP,
                        rows * (height + BAR + GAP) + GAP,
                        BufferedImage.TYPE_INT_RGB);
        Graphics2D g = sheet.createGraphics();
        g.setColor(new Color(SHEET));
        g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        g.dispose();
    }

    /**
     * How many rows so many panels take.
     *
     * @param panels a number of panels
     * @return a number of rows
     */
    static int rows(int panels) {
        return (panels + MAX_COLUMNS - 1) / MAX_COLUMNS;
    }

    /**
     * How many panels stand side by side.
     *
     * @param panels a number of panels
     * @return a number of columns
     */
    static int columns(int panels) {
        int rows = rows(panels);
        return (panels + rows - 1) / rows;
    }

    /**
     * Draws the figure.
     *
     * @param picture the picture
     * @param segmentation its slots
     * @return an image
     */
    static Image draw(Picture picture, Segmentation segmentation) {
        int slots = segmentation.pixels().length;
        Image shown = picture.scaledTo(panelSide(slots + 2));
        int w = shown.getWidth();
        int h = shown.getHeight();
        int[] rgb = ((BufferedImage) shown.getWrappedImage()).getRGB(0, 0, w, h, null, 0, w);
        float[] masks = segmentation.masks(w, h).toFloatArray();
        Figure figure = new Figure(slots + 2, w, h);
        figure.add(rgb, SHEET);
        figure.add(colours(masks, slots), SHEET);
        for (int k = 0; k < slots; k++) {
            figure.add(figure.only(masks, slots, k, rgb), Palette.rgb(k));
        }
        return ImageFactory.getInstance().fromImage(figure.sheet);
    }

    private static int panelSide(int panels) {
        return Math.min(PANEL, (int) Math.sqrt((double) MAX_PIXELS / panels));
    }

    private static int[] colours(float[] masks, int slots) {
        int[] colours = new int[masks.length / slots];
        for (int i = 0; i < colours.length; i++) {
            int best = 0;
            for (int k = 1; k < slots; k++) {
                if (masks[i * slots + k] > masks[i * slots + best]) {
                    best = k;
                }
            }
            colours[i] = Palette.rgb(best);
        }
        return colours;
    }

    private int[] only(float[] masks, int slots, int slot, int[] rgb) {
        int[] panel = new int[rgb.length];
        for (int i = 0; i < rgb.length; i++) {
            int square = SQUARES[(i % width / SQUARE + i / width / SQUARE) % 2];
            float mask = Math.min(1, Math.max(0, masks[i * slots + slot]));
            panel[i] = Palette.mix(square, rgb[i], mask);
        }
        return panel;
    }

    private void add(int[] pixels, int bar) {
        int x = GAP + panels % columns * (width + GAP);
        int y = GAP + panels / columns * (height + BAR + GAP);
        sheet.setRGB(x, y, width, height, pixels, 0, width);
        Graphics2D g = sheet.createGraphics();
        g.setColor(new Color(bar));
        g.fillRect(x, y + height + 2, width, BAR - 2);
        g.dispose();
        panels++;
    }
}
