package org.slotwise.image;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Crop;
import org.slotwise.internal.Check;

/**
 * What a model found in an image. Holds no native memory.
 *
 * @param segmentation which pixel of the image belongs to which slot, at the image's own size; the
 *     class is the slot's number. Beyond what the model saw it is one more, called "outside"
 * @param masks how much each pixel belongs to each slot, at the size at which the model gives it;
 *     {@link SlotMasks#resize} brings it to any other
 * @param slots (K, D), a vector for each slot; no rows if the model does not give them
 * @param attention what each slot attends to, iteration by iteration if the model gives {@code
 *     attentions}, else in the last one alone; empty if it gives none
 * @param slotImages what the model takes each slot to look like, at the size at which the model
 *     gives it; empty if it gives none
 * @param reconstruction the image made again from its slots; null if the model does not
 * @param window the part of the image that the model saw: masks, attention and images that it made
 *     are of this part
 * @param leastScore slots of a lower score are no objects
 */
@SuppressWarnings("ArrayRecordComponent")
public record DiscoveredObjects(
        CategoryMask segmentation,
        SlotMasks masks,
        float[][] slots,
        List<SlotMasks> attention,
        List<Image> slotImages,
        @Nullable Image reconstruction,
        Crop window,
        double leastScore) {

    /**
     * The least score of an object where nobody says otherwise. What slots share, rather than have,
     * is below.
     */
    public static final double LEAST_SCORE = 0.5;

    /** What pixels are called that the model did not see. */
    static final String OUTSIDE = "outside";

    private static final String WHO = "DiscoveredObjects";

    /**
     * Creates the record.
     *
     * @param segmentation at the image's own size
     * @param masks at the model's size
     * @param slots (K, D), not copied
     * @param attention from the first iteration to the last
     * @param slotImages one for each slot
     * @param reconstruction the image made again
     * @param window what the model saw, inside the image
     * @param leastScore from 0 to 1
     * @throws IllegalArgumentException if the window is not inside the image, or the score is out
     *     of range
     */
    public DiscoveredObjects {
        attention = List.copyOf(attention);
        slotImages = List.copyOf(slotImages);
        int[][] rows = segmentation.getMask();
        int width = rows.length == 0 ? 0 : rows[0].length;
        Check.option(
                window.top() + window.height() <= rows.length
                        && window.left() + window.width() <= width,
                WHO + ": " + window + " is not inside an image of " + rows.length + " x " + width);
        checkLeastScore(WHO, leastScore);
    }

    /**
     * Creates the record of an image that the model saw whole.
     *
     * @param segmentation at the image's own size
     * @param masks at the model's size
     * @param slots (K, D), not copied
     * @param attention from the first iteration to the last
     * @param slotImages one for each slot
     * @param reconstruction the image made again
     */
    public DiscoveredObjects(
            CategoryMask segmentation,
            SlotMasks masks,
            float[][] slots,
            List<SlotMasks> attention,
            List<Image> slotImages,
            @Nullable Image reconstruction) {
        this(
                segmentation,
                masks,
                slots,
                attention,
                slotImages,
                reconstruction,
                new Crop(
                        0,
                        0,
                        segmentation.getMask().length,
                        segmentation.getMask().length == 0 ? 0 : segmentation.getMask()[0].length),
                LEAST_SCORE);
    }

    static void checkLeastScore(String who, double leastScore) {
        Check.option(
                leastScore >= 0 && leastScore <= 1,
                who + ": leastScore must be from 0 to 1, got " + leastScore);
    }

    /**
     * The objects that were found, each with its pixels at the image's own size, box, area, centre,
     * score and slot. A slot to which no pixel belongs is none, nor one that scores less than
     * {@link #leastScore}, nor the {@linkplain BackgroundSlot background}, which stands beside
     * them.
     *
     * @return the objects in the order of their slots
     * @throws IllegalArgumentException if the segmentation has classes that are no slots
     */
    public ObjectList objects() {
        return objects(leastScore);
    }

    /**
     * The objects that are sure enough.
     *
     * @param leastScore from 0, for all, to 1
     * @return the objects in the order of their slots
     * @throws IllegalArgumentException if the segmentation has classes that are no slots, or the
     *     score is out of range
     */
    public ObjectList objects(double leastScore) {
        checkLeastScore(WHO, leastScore);
        int background = segmentation.getClasses().indexOf(BackgroundSlot.NAME);
        return new FoundSlots(segmentation.getMask(), window, masks, slots)
                .objects(background, leastScore);
    }

    /**
     * The same at another size of the image: that of its file, where the model was asked about a
     * smaller copy of it. Each pixel goes to the slot whose mask is highest there.
     *
     * @param height the image's number of rows, at least 1
     * @param width its number of columns, at least 1
     * @return the same masks, slots and images, with a segmentation and a window of that size
     * @throws IllegalArgumentException if a number is below 1
     */
    public DiscoveredObjects resized(int height, int width) {
        Check.atLeast(WHO, "height", height, 1);
        Check.atLeast(WHO, "width", width, 1);
        int[][] rows = segmentation.getMask();
        int oldWidth = rows.length == 0 ? 0 : rows[0].length;
        int top = scaled(window.top(), height, rows.length);
        int left = scaled(window.left(), width, oldWidth);
        int bottom = scaled(window.top() + window.height(), height, rows.length);
        int right = scaled(window.left() + window.width(), width, oldWidth);
        Crop seen =
                new Crop(
                        Math.min(top, height - 1),
                        Math.min(left, width - 1),
                        Math.max(1, bottom - top),
                        Math.max(1, right - left));
        int ground = segmentation.getClasses().indexOf(BackgroundSlot.NAME);
        BackgroundSlot background =
                ground < 0 ? BackgroundSlot.none() : BackgroundSlot.number(ground);
        return new DiscoveredObjects(
                masks.categories(height, width, seen, background),
                masks,
                slots,
                attention,
                slotImages,
                reconstruction,
                seen,
                leastScore);
    }

    private static int scaled(int place, int size, int oldSize) {
        return oldSize == 0 ? 0 : Math.toIntExact(Math.round((double) place * size / oldSize));
    }

    /**
     * The sizes of what was found, without its numbers.
     *
     * @return one line, such as {@code DiscoveredObjects[80 x 120, masks=SlotMasks(3, 32, 32),
     *     slots=3, attention=0, slotImages=0, reconstruction=none]}
     */
    @Override
    public String toString() {
        int[][] rows = segmentation.getMask();
        return String.format(
                Locale.ROOT,
                "DiscoveredObjects[%d x %d, masks=%s, slots=%d, attention=%d, slotImages=%d,"
                        + " reconstruction=%s]",
                rows.length,
                rows.length == 0 ? 0 : rows[0].length,
                masks,
                slots.length,
                attention.size(),
                slotImages.size(),
                reconstruction == null
                        ? "none"
                        : reconstruction.getHeight() + " x " + reconstruction.getWidth());
    }
}
