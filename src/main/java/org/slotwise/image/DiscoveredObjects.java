package org.slotwise.image;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.output.CategoryMask;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a model found in an image. Holds no native memory.
 *
 * @param segmentation which pixel of the image belongs to which slot, at the image's own size; the
 *     class is the slot's number
 * @param masks how much each pixel belongs to each slot, at the size at which the model gives it;
 *     {@link SlotMasks#resize} brings it to any other
 * @param slots (K, D), a vector for each slot; no rows if the model does not give them
 * @param attention what each slot attends to, iteration by iteration if the model gives {@code
 *     attentions}, else in the last one alone; empty if it gives none
 * @param slotImages what the model takes each slot to look like, at the size at which the model
 *     gives it; empty if it gives none
 * @param reconstruction the image made again from its slots; null if the model does not
 */
@SuppressWarnings("ArrayRecordComponent")
public record DiscoveredObjects(
        CategoryMask segmentation,
        SlotMasks masks,
        float[][] slots,
        List<SlotMasks> attention,
        List<Image> slotImages,
        @Nullable Image reconstruction) {

    /**
     * Creates the record.
     *
     * @param segmentation at the image's own size
     * @param masks at the model's size
     * @param slots (K, D), not copied
     * @param attention from the first iteration to the last
     * @param slotImages one for each slot
     * @param reconstruction the image made again
     */
    public DiscoveredObjects {
        attention = List.copyOf(attention);
        slotImages = List.copyOf(slotImages);
    }

    /**
     * The objects that were found, each with its pixels at the image's own size, box, area, centre,
     * score and slot. A slot to which no pixel belongs is none, and neither is the {@linkplain
     * BackgroundSlot background}, which stands beside them.
     *
     * @return the objects in the order of their slots
     * @throws IllegalArgumentException if the segmentation has classes that are no slots
     */
    public ObjectList objects() {
        int background = segmentation.getClasses().indexOf(BackgroundSlot.NAME);
        return ObjectList.of(segmentation.getMask(), background, masks, slots);
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
