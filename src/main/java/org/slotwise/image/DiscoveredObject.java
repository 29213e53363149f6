package org.slotwise.image;

import ai.djl.modality.cv.output.Point;
import java.util.Arrays;
import java.util.Locale;
import org.slotwise.internal.Check;

/**
 * One of the objects that a model found in an image: the pixels that belong to a slot more than to
 * any other. Holds no native memory.
 *
 * @param slot the slot's number, from 0
 * @param score how much its pixels belong to the slot alone, from 0 to 1: the mean over its pixels
 *     of the slot's share of all masks there
 * @param mask its pixels, at least one, at the image's own size
 * @param vector the slot (D); empty if the model does not give it
 */
@SuppressWarnings("ArrayRecordComponent")
public record DiscoveredObject(int slot, double score, PixelMask mask, float[] vector) {

    /**
     * Creates the record.
     *
     * @param slot at least 0
     * @param score from 0 to 1
     * @param mask at least one pixel
     * @param vector (D), not copied
     * @throws IllegalArgumentException if a number is out of range, or the mask has no pixel
     */
    public DiscoveredObject {
        String who = "DiscoveredObject";
        Check.option(slot >= 0, who + ": slot must be at least 0, got " + slot);
        Check.option(score >= 0 && score <= 1, who + ": score must be 0 to 1, got " + score);
        Check.option(mask.area() > 0, who + ": mask must have a pixel, got none");
    }

    /**
     * The smallest rectangle around its pixels.
     *
     * @return a box in pixels of the image
     */
    public PixelBox box() {
        return mask.box();
    }

    /**
     * How many pixels it has.
     *
     * @return at least 1
     */
    public int area() {
        return mask.area();
    }

    /**
     * The mean of its pixels' centres, where the first pixel's is (0.5, 0.5).
     *
     * @return x and y in pixels of the image
     */
    public Point centre() {
        return mask.centre();
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(Object other) {
        return other instanceof DiscoveredObject object
                && slot == object.slot
                && Double.compare(score, object.score) == 0
                && mask.equals(object.mask)
                && Arrays.equals(vector, object.vector);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * (31 * slot + mask.hashCode()) + Arrays.hashCode(vector);
    }

    /**
     * What it is, without its pixels and numbers.
     *
     * @return one line, such as {@code DiscoveredObject[slot 2, 130 pixels in 12 x 14 at (3, 40),
     *     score 0.93]}
     */
    @Override
    public String toString() {
        PixelBox box = box();
        return String.format(
                Locale.ROOT,
                "DiscoveredObject[slot %d, %d pixels in %d x %d at (%d, %d), score %.2f]",
                slot,
                area(),
                box.height(),
                box.width(),
                box.y(),
                box.x(),
                score);
    }
}
