package org.slotwise.image;

import ai.djl.modality.cv.Image;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.slotwise.data.Crop;
import org.slotwise.internal.Check;

/**
 * Draws what slots see.
 *
 * <p>Pictures are as large as the image that is passed, whose size masks are brought to; those that
 * take no image are as large as the masks. All are images of DJL over a {@code BufferedImage}
 * ({@code getWrappedImage}), which {@code save(stream, "png")} writes. Images that are passed are
 * not changed.
 */
public final class SlotPictures {

    private static final int MAX_OUTLINE = 100;

    private final Palette palette;
    private final double opacity;
    private final int outline;
    private final double threshold;
    private final Blank blank;

    private SlotPictures(Builder builder) {
        palette = builder.palette;
        opacity = builder.opacity;
        outline = builder.outline;
        threshold = builder.threshold;
        blank = builder.blank;
    }

    /**
     * Each pixel in the colour of the slot to which it belongs most.
     *
     * @param masks the masks
     * @return a picture as large as the masks
     */
    public Image segmentation(SlotMasks masks) {
        int[] ofSlot = IntStream.range(0, masks.slots()).map(palette::rgb).toArray();
        int[] colours = masks.winners(masks.height(), masks.width());
        for (int i = 0; i < colours.length; i++) {
            colours[i] = ofSlot[colours[i]];
        }
        return Pixels.image(colours, masks.height(), masks.width(), false);
    }

    /**
     * Each pixel of an image in the colour of the slot to which it belongs most; black beyond what
     * the model saw.
     *
     * @param found what a model found in an image
     * @return a picture as large as the image
     */
    public Image segmentation(DiscoveredObjects found) {
        int[][] rows = found.segmentation().getMask();
        int slots = found.masks().slots();
        int width = rows[0].length;
        int[] colours = new int[rows.length * width];
        for (int i = 0; i < colours.length; i++) {
            int slot = rows[i / width][i % width];
            colours[i] = slot < slots ? palette.rgb(slot) : 0;
        }
        return Pixels.image(colours, rows.length, width, false);
    }

    /**
     * The segmentation over an image, and each slot's outline; what the model did not see stays as
     * it is.
     *
     * @param image the image, at any size
     * @param found what a model found in it
     * @return a picture as large as the image
     */
    public Image overlay(Image image, DiscoveredObjects found) {
        Pixels pixels = Pixels.of(image, Pixels.WHITE);
        int[][] rows = found.segmentation().getMask();
        Crop window =
                scaled(
                        found.window(),
                        (double) pixels.height() / rows.length,
                        (double) pixels.width() / rows[0].length);
        BufferedImage whole = (BufferedImage) pixels.image().getWrappedImage();
        Image part = overlay(pixels.cut(window).image(), found.masks());
        whole.createGraphics()
                .drawImage(
                        (BufferedImage) part.getWrappedImage(), window.left(), window.top(), null);
        return Pixels.image(whole);
    }

    private static Crop scaled(Crop window, double down, double across) {
        int top = (int) Math.round(window.top() * down);
        int left = (int) Math.round(window.left() * across);
        int bottom = (int) Math.round((window.top() + window.height()) * down);
        int right = (int) Math.round((window.left() + window.width()) * across);
        return new Crop(top, left, Math.max(1, bottom - top), Math.max(1, right - left));
    }

    /**
     * The segmentation over the image, and each slot's outline.
     *
     * @param image the image
     * @param masks its masks, of any size
     * @return a picture as large as the image
     */
    public Image overlay(Image image, SlotMasks masks) {
        Pixels pixels = Pixels.of(image, Pixels.WHITE);
        int[] ofSlot = IntStream.range(0, masks.slots()).map(palette::rgb).toArray();
        int[] winners = masks.winners(pixels.height(), pixels.width());
        int[] colours = new int[winners.length];
        for (int i = 0; i < colours.length; i++) {
            double share = isOutline(winners, pixels.width(), i) ? 1 : opacity;
            colours[i] = Palette.mix(pixels.at(i), ofSlot[winners[i]], share);
        }
        return Pixels.image(colours, pixels.height(), pixels.width(), false);
    }

    /** Whether another slot's pixel is near, across or along. */
    private boolean isOutline(int[] winners, int width, int i) {
        int x = i % width;
        for (int d = 1; d <= outline; d++) {
            if ((x >= d && winners[i - d] != winners[i])
                    || (x + d < width && winners[i + d] != winners[i])
                    || (i >= d * width && winners[i - d * width] != winners[i])
                    || (i + d * width < winners.length && winners[i + d * width] != winners[i])) {
                return true;
            }
        }
        return false;
    }

    /**
     * For each slot the image times its mask; the rest is blank.
     *
     * @param image the image
     * @param masks its masks, of any size
     * @return K pictures as large as the image
     */
    public List<Image> slots(Image image, SlotMasks masks) {
        Pixels pixels = Pixels.of(image, Pixels.WHITE);
        return each(masks, k -> cut(pixels, masks, k, SlotPictures::share));
    }

    /**
     * For each slot what the model takes it to look like, times its mask: their sum before black is
     * the reconstruction. Without the masks they are {@link DiscoveredObjects#slotImages}.
     *
     * @param found what a model found that gives images of slots
     * @return K pictures as large as the model's images; none if it gives no images of slots
     */
    public List<Image> slotImages(DiscoveredObjects found) {
        List<Pixels> own =
                found.slotImages().stream().map(image -> Pixels.of(image, Pixels.WHITE)).toList();
        return own.isEmpty()
                ? List.of()
                : each(found.masks(), k -> cut(own.get(k), found.masks(), k, SlotPictures::share));
    }

    /**
     * For each slot the image where its mask is at least the threshold; the rest is blank.
     *
     * @param image the image
     * @param masks its masks, of any size
     * @return K pictures as large as the image
     */
    public List<Image> thresholded(Image image, SlotMasks masks) {
        Pixels pixels = Pixels.of(image, Pixels.WHITE);
        return each(masks, k -> cut(pixels, masks, k, mask -> mask >= threshold ? 1 : 0));
    }

    /** How much of a pixel is seen for a value of the mask. */
    @FunctionalInterface
    private interface Share {
        double of(float mask);
    }

    private static double share(float mask) {
        return Math.min(1, Math.max(0, mask));
    }

    private Image cut(Pixels pixels, SlotMasks masks, int slot, Share share) {
        int width = pixels.width();
        float[] map = masks.map(slot, pixels.height(), width);
        int[] colours = new int[map.length];
        for (int i = 0; i < colours.length; i++) {
            colours[i] = blank.under(pixels.at(i), share.of(map[i]), i / width, i % width);
        }
        return Pixels.image(colours, pixels.height(), width, blank == Blank.TRANSPARENT);
    }

    /**
     * For each slot its mask, from black (0) to white.
     *
     * @param masks masks, or attention
     * @return K pictures as large as the masks; white is all that a pixel has for the slots
     *     together, which is 1 for most masks and 1 / H for attention of H heads
     */
    public List<Image> masks(SlotMasks masks) {
        float top = 0;
        for (int i = 0; i < masks.height() * masks.width(); i++) {
            float sum = 0;
            for (int k = 0; k < masks.slots(); k++) {
                sum += Math.max(0, masks.at(k, i / masks.width(), i % masks.width()));
            }
            top = Math.max(top, sum);
        }
        float white = top == 0 ? 1 : top;
        return each(
                masks,
                k -> {
                    float[] map = masks.map(k, masks.height(), masks.width());
                    int[] colours = new int[map.length];
                    for (int i = 0; i < colours.length; i++) {
                        colours[i] = Pixels.level(map[i] / white) * 0x010101;
                    }
                    return Pixels.image(colours, masks.height(), masks.width(), false);
                });
    }

    /**
     * The attention of every iteration: a row for each iteration, from the first to the last, a
     * column for each slot, each map over a bar of the slot's colour.
     *
     * @param attention what {@link DiscoveredObjects#attention} gives, one or more
     * @param scale how many pixels wide a feature is drawn, at least 1
     * @return a picture
     * @throws IllegalArgumentException if there is no attention, or its sizes differ
     */
    public Image attention(List<SlotMasks> attention, int scale) {
        Check.option(!attention.isEmpty(), "SlotPictures: there is no attention to draw");
        Check.option(scale > 0, "SlotPictures: scale must be at least 1, got " + scale);
        SlotMasks first = attention.get(0);
        PictureGrid grid =
                PictureGrid.builder()
                        .setColumns(first.slots())
                        .setPanelSize(first.height() * scale, first.width() * scale)
                        .build();
        for (SlotMasks step : attention) {
            Check.option(
                    step.slots() == first.slots()
                            && step.height() == first.height()
                            && step.width() == first.width(),
                    "SlotPictures: attention must be " + first + " throughout, got " + step);
            List<Image> maps = masks(step);
            for (int k = 0; k < maps.size(); k++) {
                grid.add(maps.get(k), palette.rgb(k));
            }
        }
        return grid.draw();
    }

    private static List<Image> each(SlotMasks masks, IntFunction<Image> draw) {
        return IntStream.range(0, masks.slots()).mapToObj(draw).toList();
    }

    /**
     * Starts the description of how to draw.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes how {@link SlotPictures} draws. */
    public static final class Builder {
        private Palette palette = Palette.colourBlindSafe();
        private double opacity = 0.4;
        private int outline = 1;
        private double threshold = 0.5;
        private Blank blank = Blank.SQUARES;

        private Builder() {}

        /**
         * Sets the colours of slots.
         *
         * @param palette {@link Palette#colourBlindSafe} if not set
         * @return this
         */
        public Builder optPalette(Palette palette) {
            this.palette = palette;
            return this;
        }

        /**
         * Sets how much of an overlay is the slot's colour.
         *
         * @param opacity from 0, the image alone, to 1; 0.4 if not set
         * @return this
         */
        public Builder optOpacity(double opacity) {
            this.opacity = opacity;
            return this;
        }

        /**
         * Sets how wide outlines are, on each side of a border.
         *
         * @param pixels 0, which means none, to 100; 1 if not set
         * @return this
         */
        public Builder optOutline(int pixels) {
            outline = pixels;
            return this;
        }

        /**
         * Sets from which value of its mask on a pixel belongs to a thresholded slot.
         *
         * @param threshold a finite number; 0.5 if not set
         * @return this
         */
        public Builder optThreshold(double threshold) {
            this.threshold = threshold;
            return this;
        }

        /**
         * Sets what is seen where nothing belongs to a slot.
         *
         * @param blank {@link Blank#SQUARES} if not set
         * @return this
         */
        public Builder optBlank(Blank blank) {
            this.blank = blank;
            return this;
        }

        /**
         * Builds the drawer.
         *
         * @return what draws
         * @throws IllegalArgumentException if an option is out of range
         */
        public SlotPictures build() {
            String who = "SlotPictures: ";
            Check.option(
                    opacity >= 0 && opacity <= 1, who + "opacity must be 0 to 1, got " + opacity);
            Check.option(
                    outline >= 0 && outline <= MAX_OUTLINE,
                    who + "outline must be 0 to " + MAX_OUTLINE + ", got " + outline);
            Check.option(
                    Double.isFinite(threshold), who + "threshold must be finite, got " + threshold);
            return new SlotPictures(this);
        }
    }
}
