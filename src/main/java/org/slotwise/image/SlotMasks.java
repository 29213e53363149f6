package org.slotwise.image;

import ai.djl.modality.cv.output.CategoryMask;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slotwise.data.Crop;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Resampling;

/**
 * How much each pixel of an image belongs to each slot: numbers in Java's memory, which do not
 * change.
 *
 * <p>Masks of a decoder and attention maps have this form alike. Values are as the model gives
 * them; most models give values in [0, 1] that sum to 1 over slots.
 */
public final class SlotMasks {

    private final int height;
    private final int width;
    private final float[][] maps; // (K, H W)

    private SlotMasks(int height, int width, float[][] maps) {
        this.height = height;
        this.width = width;
        this.maps = maps;
    }

    /**
     * Copies the masks of an image.
     *
     * @param masks (K, H, W), float16, float32 or float64, or boolean or integers
     * @return the masks
     * @throws IllegalArgumentException if the array has another shape, is empty, or holds a number
     *     that is not finite
     */
    public static SlotMasks of(NDArray masks) {
        Check.shape("SlotMasks", "masks", masks, "K", "H", "W");
        Shape shape = masks.getShape();
        try (NDArray one = masks.reshape(1, shape.get(0), shape.get(1), shape.get(2))) {
            return each(one).get(0);
        }
    }

    /**
     * Copies the masks of a batch.
     *
     * @param masks (B, K, H, W) or (B, K, 1, H, W), float16, float32 or float64, or boolean or
     *     integers
     * @return the masks of each image
     * @throws IllegalArgumentException if the array has another shape, is empty, or holds a number
     *     that is not finite
     */
    public static List<SlotMasks> each(NDArray masks) {
        if (masks.getShape().dimension() == 5 && masks.getShape().get(2) == 1) {
            try (NDArray without = masks.squeeze(2)) {
                return each(without);
            }
        }
        Check.shape("SlotMasks", "masks", masks, "B", "K", "H", "W");
        Shape shape = masks.getShape();
        int slots = (int) shape.get(1);
        int size = Math.toIntExact(shape.get(2) * shape.get(3));
        float[] values = floats(masks);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        String.format(
                                Locale.ROOT,
                                "SlotMasks: masks must be finite, got %s in slot %d of image %d",
                                values[i],
                                i / size % slots,
                                i / size / slots));
            }
        }
        List<SlotMasks> list = new ArrayList<>();
        for (int from = 0; from < values.length; from += slots * size) {
            float[][] maps = new float[slots][];
            for (int k = 0; k < slots; k++) {
                maps[k] = Arrays.copyOfRange(values, from + k * size, from + (k + 1) * size);
            }
            list.add(new SlotMasks((int) shape.get(2), (int) shape.get(3), maps));
        }
        return list;
    }

    /** All numbers of an array of any type. */
    static float[] floats(NDArray array) {
        // On a GPU the engine's copies live in the manager of what is read.
        try (NDManager manager = array.getManager().newSubManager()) {
            NDArray copy = array.toType(DataType.FLOAT32, true);
            copy.attach(manager);
            return copy.toFloatArray();
        }
    }

    /**
     * The number of slots.
     *
     * @return K
     */
    public int slots() {
        return maps.length;
    }

    /**
     * The number of rows.
     *
     * @return H
     */
    public int height() {
        return height;
    }

    /**
     * The number of columns.
     *
     * @return W
     */
    public int width() {
        return width;
    }

    /**
     * How much a pixel belongs to a slot.
     *
     * @param slot from 0 to K - 1
     * @param y the row, from 0
     * @param x the column, from 0
     * @return as the model gave it
     */
    public float at(int slot, int y, int x) {
        Objects.checkIndex(x, width);
        Objects.checkIndex(y, height);
        return maps[Objects.checkIndex(slot, maps.length)][y * width + x];
    }

    /**
     * The masks at another size: linear between pixels, and means of pixels where they become
     * fewer.
     *
     * @param newHeight at least 1
     * @param newWidth at least 1
     * @return other masks, or these if they have that size
     */
    public SlotMasks resize(int newHeight, int newWidth) {
        checkSize(newHeight, newWidth);
        return newHeight == height && newWidth == width
                ? this
                : new SlotMasks(
                        newHeight,
                        newWidth,
                        maps(k -> map(k, newHeight, newWidth)).toArray(float[][]::new));
    }

    /**
     * The masks as an array, as metrics take it.
     *
     * @param manager the owner of the array
     * @return (1, K, H, W) float32
     */
    public NDArray toNDArray(NDManager manager) {
        Limits.numbers("SlotMasks", "an array of masks", maps.length, height, width);
        int size = height * width;
        float[] values = new float[maps.length * size];
        for (int k = 0; k < maps.length; k++) {
            System.arraycopy(maps[k], 0, values, k * size, size);
        }
        return manager.create(values, new Shape(1, maps.length, height, width));
    }

    private Stream<float[]> maps(IntFunction<float[]> map) {
        return IntStream.range(0, maps.length).mapToObj(map);
    }

    /** One slot's mask at a size. */
    float[] map(int slot, int newHeight, int newWidth) {
        return newHeight == height && newWidth == width
                ? maps[slot]
                : Resampling.plane(maps[slot], height, width, newHeight, newWidth);
    }

    private static void checkSize(int height, int width) {
        Check.option(
                height > 0 && width > 0,
                "SlotMasks: the new size must be at least 1 x 1, got " + height + " x " + width);
        Limits.numbers("SlotMasks", "a mask", height, width);
    }

    /**
     * The slot to which each pixel belongs most, at another size; the first of equals. Masks are
     * brought to that size before they are compared, one at a time.
     *
     * @param newHeight H', at least 1
     * @param newWidth W', at least 1
     * @return (H', W'), row by row
     */
    public int[] winners(int newHeight, int newWidth) {
        checkSize(newHeight, newWidth);
        float[] best = map(0, newHeight, newWidth).clone();
        int[] winners = new int[best.length];
        for (int k = 1; k < maps.length; k++) {
            float[] map = map(k, newHeight, newWidth);
            for (int i = 0; i < best.length; i++) {
                if (map[i] > best[i]) {
                    best[i] = map[i];
                    winners[i] = k;
                }
            }
        }
        return winners;
    }

    /**
     * How many pixels belong to each slot more than to any other.
     *
     * @return K numbers, whose sum is H W
     */
    public int[] sizes() {
        return counts(winners(height, width));
    }

    /**
     * Gives each pixel to one slot.
     *
     * @return masks of 1 for the slot to which a pixel belongs most, and 0 for the others
     */
    public SlotMasks hard() {
        int[] winners = winners(height, width);
        float[][] hard = new float[maps.length][winners.length];
        for (int i = 0; i < winners.length; i++) {
            hard[winners[i]][i] = 1;
        }
        return new SlotMasks(height, width, hard);
    }

    /**
     * Puts the slots in another order.
     *
     * @return the same masks, the slot with the most pixels first; equals stay in their order
     */
    public SlotMasks largestFirst() {
        int[] sizes = sizes();
        float[][] sorted =
                IntStream.range(0, maps.length)
                        .boxed()
                        .sorted(Comparator.comparingInt(k -> -sizes[k]))
                        .map(k -> maps[k])
                        .toArray(float[][]::new);
        return new SlotMasks(height, width, sorted);
    }

    /**
     * Which pixel belongs to which slot, in DJL's form: the class is the slot's number.
     *
     * @param newHeight the number of rows, at least 1
     * @param newWidth the number of columns, at least 1
     * @param names what the slots are called
     * @return the classes of all pixels
     * @throws IllegalArgumentException if there is not one name for each slot
     */
    public CategoryMask categories(int newHeight, int newWidth, List<String> names) {
        Check.option(
                names.size() == maps.length,
                "SlotMasks: expected " + maps.length + " names, got " + names.size());
        int[] winners = winners(newHeight, newWidth);
        int[][] rows = new int[newHeight][];
        for (int y = 0; y < newHeight; y++) {
            rows[y] = Arrays.copyOfRange(winners, y * newWidth, (y + 1) * newWidth);
        }
        return new CategoryMask(List.copyOf(names), rows);
    }

    /**
     * The same for masks of a part of an image; what lies beyond has a class of its own, K.
     *
     * @param window the part
     * @param background which slot is called so, by its pixels of the image
     */
    CategoryMask categories(
            int imageHeight, int imageWidth, Crop window, BackgroundSlot background) {
        int[] winners = winners(window.height(), window.width());
        List<String> names = new ArrayList<>(background.names(counts(winners)));
        boolean whole = window.height() == imageHeight && window.width() == imageWidth;
        if (!whole) {
            names.add(DiscoveredObjects.OUTSIDE);
        }
        int[][] rows = new int[imageHeight][imageWidth];
        for (int y = 0; y < imageHeight; y++) {
            Arrays.fill(rows[y], maps.length);
            int in = y - window.top();
            if (in >= 0 && in < window.height()) {
                System.arraycopy(
                        winners, in * window.width(), rows[y], window.left(), window.width());
            }
        }
        return new CategoryMask(List.copyOf(names), rows);
    }

    private int[] counts(int... winners) {
        int[] sizes = new int[maps.length];
        for (int k : winners) {
            sizes[k]++;
        }
        return sizes;
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "SlotMasks(" + maps.length + ", " + height + ", " + width + ")";
    }
}
