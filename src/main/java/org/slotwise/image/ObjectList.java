package org.slotwise.image;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
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

    /** What a segmentation, soft masks and slots say. */
    static ObjectList of(int[][] segmentation, int background, SlotMasks masks, float[][] slots) {
        int height = segmentation.length;
        int width = height == 0 ? 0 : segmentation[0].length;
        PixelMask.checkSize(WHO, height, width);
        int[] winners = flat(segmentation, width, masks.slots());
        double[] shares = shares(winners, masks, height, width);
        @Nullable DiscoveredObject[] found = new DiscoveredObject[masks.slots()];
        for (int k = 0; k < found.length; k++) {
            BitSet bits = new BitSet(winners.length);
            double sum = 0;
            for (int i = 0; i < winners.length; i++) {
                if (winners[i] == k) {
                    bits.set(i);
                    sum += shares[i];
                }
            }
            if (!bits.isEmpty()) {
                PixelMask mask = new PixelMask(height, width, bits);
                float[] vector = k < slots.length ? slots[k] : new float[0];
                found[k] = new DiscoveredObject(k, Math.min(1, sum / mask.area()), mask, vector);
            }
        }
        DiscoveredObject behind = null;
        if (background >= 0 && background < found.length) {
            behind = found[background];
            found[background] = null;
        }
        List<DiscoveredObject> objects = Arrays.stream(found).filter(Objects::nonNull).toList();
        return new ObjectList(height, width, objects, behind);
    }

    private static int[] flat(int[][] segmentation, int width, int slots) {
        int[] winners = new int[segmentation.length * width];
        for (int y = 0; y < segmentation.length; y++) {
            Check.option(
                    segmentation[y].length == width,
                    WHO
                            + ": all rows must have "
                            + width
                            + " pixels, got "
                            + segmentation[y].length);
            System.arraycopy(segmentation[y], 0, winners, y * width, width);
        }
        for (int k : winners) {
            Check.option(
                    k >= 0 && k < slots,
                    WHO + ": the classes of pixels must be 0 to " + (slots - 1) + ", got " + k);
        }
        return winners;
    }

    /** Of each pixel the share of the slot that has it: its mask there, divided by all masks. */
    private static double[] shares(int[] winners, SlotMasks masks, int height, int width) {
        double[] shares = new double[winners.length];
        double[] totals = new double[winners.length];
        for (int k = 0; k < masks.slots(); k++) {
            float[] map = masks.map(k, height, width);
            for (int i = 0; i < map.length; i++) {
                double value = Math.max(0, map[i]);
                totals[i] += value;
                shares[i] += winners[i] == k ? value : 0;
            }
        }
        for (int i = 0; i < shares.length; i++) {
            // Where all masks are 0 no slot has more than another.
            shares[i] = totals[i] > 0 ? shares[i] / totals[i] : 1.0 / masks.slots();
        }
        return shares;
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
