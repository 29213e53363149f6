package org.slotwise.image;

import ai.djl.modality.cv.Image;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * Puts pictures side by side, row by row, on a white sheet.
 *
 * <p>Each picture is fitted into a panel, in its proportions. Where it becomes larger its pixels
 * become squares: masks and small images stay what they are.
 */
public final class PictureGrid {

    /** A picture and the colour of the bar under it; null for an empty panel. */
    private record Panel(@Nullable Pixels pixels, int bar) {}

    /** Between a panel and its bar. */
    private static final int SLIT = 2;

    private final int columns;
    private final int panelHeight;
    private final int panelWidth;
    private final int gap;
    private final int bar;
    private final List<Panel> panels = new ArrayList<>();

    private PictureGrid(Builder builder) {
        columns = builder.columns;
        panelHeight = builder.panelHeight;
        panelWidth = builder.panelWidth;
        gap = builder.gap;
        bar = builder.bar;
    }

    /**
     * Adds a picture.
     *
     * @param picture what comes next; transparent pixels are seen on white
     * @return this
     */
    public PictureGrid add(Image picture) {
        return add(picture, Pixels.WHITE);
    }

    /**
     * Adds a picture over a bar.
     *
     * @param picture what comes next; transparent pixels are seen on white
     * @param colour red, green and blue of the bar, a byte each
     * @return this
     */
    public PictureGrid add(Image picture, int colour) {
        panels.add(new Panel(Pixels.of(picture, Pixels.WHITE), colour));
        return this;
    }

    /**
     * Leaves a panel empty.
     *
     * @return this
     */
    public PictureGrid skip() {
        panels.add(new Panel(null, Pixels.WHITE));
        return this;
    }

    /**
     * Draws the sheet.
     *
     * @return a picture of all that was added
     * @throws IllegalArgumentException if nothing was added, or the sheet would have more than
     *     2<sup>31</sup> - 1 pixels
     */
    public Image draw() {
        Check.option(!panels.isEmpty(), "PictureGrid: there is no picture to draw");
        int rows = (panels.size() + columns - 1) / columns;
        long width = (long) columns * (panelWidth + gap) + gap;
        long height = (long) rows * (panelHeight + bar + gap) + gap;
        Check.option(
                width * height <= Integer.MAX_VALUE,
                "PictureGrid: the sheet would be " + height + " x " + width + " pixels");
        int[] sheet = new int[(int) (width * height)];
        Arrays.fill(sheet, Pixels.WHITE);
        for (int i = 0; i < panels.size(); i++) {
            int top = gap + i / columns * (panelHeight + bar + gap);
            int left = gap + i % columns * (panelWidth + gap);
            draw(panels.get(i), sheet, (int) width, top, left);
        }
        return Pixels.image(sheet, (int) height, (int) width, false);
    }

    private void draw(Panel panel, int[] sheet, int sheetWidth, int top, int left) {
        Pixels pixels = panel.pixels();
        if (pixels == null) {
            return;
        }
        double scale =
                Math.min(
                        (double) panelHeight / pixels.height(),
                        (double) panelWidth / pixels.width());
        int height = Math.max(1, (int) Math.round(pixels.height() * scale));
        int width = Math.max(1, (int) Math.round(pixels.width() * scale));
        Pixels drawn = scale < 1 ? pixels.resize(height, width) : pixels;
        int down = top + (panelHeight - height) / 2;
        int across = left + (panelWidth - width) / 2;
        for (int y = 0; y < height; y++) {
            int row = (int) ((long) y * drawn.height() / height) * drawn.width();
            for (int x = 0; x < width; x++) {
                sheet[(down + y) * sheetWidth + across + x] =
                        drawn.at(row + (int) ((long) x * drawn.width() / width));
            }
        }
        for (int y = top + panelHeight + SLIT; y < top + panelHeight + bar; y++) {
            Arrays.fill(
                    sheet, y * sheetWidth + left, y * sheetWidth + left + panelWidth, panel.bar());
        }
    }

    /**
     * Starts the description of a grid.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link PictureGrid}. */
    public static final class Builder {
        private int columns;
        private int panelHeight;
        private int panelWidth;
        private int gap = 8;
        private int bar = 8;

        private Builder() {}

        /**
         * Sets how many pictures stand side by side.
         *
         * @param columns at least 1
         * @return this
         */
        public Builder setColumns(int columns) {
            this.columns = columns;
            return this;
        }

        /**
         * Sets the size of a panel.
         *
         * @param height at least 1 pixel
         * @param width at least 1 pixel
         * @return this
         */
        public Builder setPanelSize(int height, int width) {
            panelHeight = height;
            panelWidth = width;
            return this;
        }

        /**
         * Sets the room between panels, and around them.
         *
         * @param pixels at least 0; 8 if not set
         * @return this
         */
        public Builder optGap(int pixels) {
            gap = pixels;
            return this;
        }

        /**
         * Sets how high the bars under panels are, with the slit of 2 pixels above them.
         *
         * @param pixels at least 0; 8 if not set. Up to 2 no bar is seen
         * @return this
         */
        public Builder optBar(int pixels) {
            bar = pixels;
            return this;
        }

        /**
         * Builds the grid.
         *
         * @return a grid without pictures
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public PictureGrid build() {
            String who = "PictureGrid";
            Check.atLeast(who, "columns", columns, 1);
            Check.option(
                    panelHeight > 0 && panelWidth > 0,
                    who
                            + ": panelSize must be at least 1 x 1, got "
                            + panelHeight
                            + " x "
                            + panelWidth);
            Check.atLeast(who, "gap", gap, 0);
            Check.atLeast(who, "bar", bar, 0);
            return new PictureGrid(this);
        }
    }
}
