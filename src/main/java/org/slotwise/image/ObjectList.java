package org.slotwise.image;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The objects of an image, and the background where a slot is known to be it. Holds no native
 * memory.
 *
 * <p>As JSON, {@link #toJson}:
 *
 * <pre>{@code
 * {"height": 80, "width": 120,
 *  "objects": [{"slot": 1, "score": 0.93, "area": 130,
 *               "box": {"x": 3, "y": 40, "width": 12, "height": 14}, "centre": {"x": 9.2, "y": 46.8},
 *               "mask": {"size": [80, 120], "counts": "..."}, "vector": [0.1, -0.7, ...]}],
 *  "background": {...}}
 * }</pre>
 *
 * <p>where the mask is COCO's compressed {@link RunLengthEncoding}, the background may be {@code
 * null}, and so may a number of a vector that is not finite. {@link CocoAnnotations} has COCO's own
 * form.
 *
 * @param height the image's height in pixels
 * @param width the image's width in pixels
 * @param objects in the order of their slots, without the background
 * @param background the pixels of the slot that is the background; null if none is, or it has no
 *     pixel
 */
public record ObjectList(
        int height,
        int width,
        List<DiscoveredObject> objects,
        @Nullable DiscoveredObject background) {

    private static final String WHO = "ObjectList";

    /** The label of pixels that belong to none. */
    private static final long NOTHING = -1;

    /**
     * Creates the record.
     *
     * @param height at least 1
     * @param width at least 1
     * @param objects masks of that size; copied
     * @param background a mask of that size
     * @throws IllegalArgumentException if a size is out of range, or a mask has another
     */
    public ObjectList {
        PixelMask.checkSize(WHO, height, width);
        objects = List.copyOf(objects);
        objects.forEach(object -> checkSize(object, height, width));
        if (background != null) {
            checkSize(background, height, width);
        }
    }

    private static void checkSize(DiscoveredObject object, int height, int width) {
        PixelMask mask = object.mask();
        Check.option(
                mask.height() == height && mask.width() == width,
                WHO
                        + (": masks must be " + height + " x " + width)
                        + (", got " + mask.height() + " x " + mask.width()));
    }

    /**
     * How many objects there are.
     *
     * @return at least 0; the background is none
     */
    public int count() {
        return objects.size();
    }

    /**
     * The slot that each pixel belongs to, as metrics take it.
     *
     * @param manager the owner of the array
     * @return (1, H, W) int64; -1 where a pixel belongs to none, and where it belongs to several
     *     the last one's number
     */
    public NDArray labels(NDManager manager) {
        Limits.numbers(WHO, "labels", height, width);
        long[] labels = new long[height * width];
        Arrays.fill(labels, NOTHING);
        if (background != null) {
            paint(background, labels);
        }
        objects.forEach(object -> paint(object, labels));
        return manager.create(labels, new Shape(1, height, width));
    }

    private static void paint(DiscoveredObject object, long[] labels) {
        object.mask().bits().stream().forEach(i -> labels[i] = object.slot());
    }

    /**
     * All of it as JSON.
     *
     * @return one line; every number in it is finite
     */
    public String toJson() {
        return ObjectsJson.of(this).toString();
    }

    /**
     * Reads what {@link #toJson} gives. Boxes, areas and centres follow from the masks, and are not
     * read.
     *
     * @param json the text
     * @return an equal list
     * @throws IllegalArgumentException if it is not of that form; the message says where
     */
    public static ObjectList fromJson(String json) {
        return ObjectsJson.list(json);
    }

    /**
     * What there is, without pixels and numbers.
     *
     * @return one line, such as {@code ObjectList[3 objects and a background in 80 x 120]}
     */
    @Override
    public String toString() {
        return WHO
                + ("[" + count() + (count() == 1 ? " object" : " objects"))
                + (background == null ? "" : " and a background")
                + (" in " + height + " x " + width + "]");
    }
}
