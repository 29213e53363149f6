package org.slotwise.data;

import java.util.Arrays;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Resampling;

/**
 * A picture and, where it is known, which pixel belongs to which object.
 *
 * <p>The image is kept as bytes, row by row, red, green and blue of a pixel side by side (H, W, 3).
 * The mask is a label for each pixel (H, W): 0 is the background, 1 to 255 are objects, and one of
 * them may be {@linkplain #withVoid void}, of pixels that belong to nothing. Where it is known what
 * the objects are, each has a row of numbers, its properties. The arrays are not copied: do not
 * change them.
 */
public final class Scene {

    private static final int CHANNELS = 3;
    private static final int NO_VOID = -1;
    private static final float[] UNIT = new float[256];

    static {
        for (int i = 0; i < UNIT.length; i++) {
            UNIT[i] = i / 255f;
        }
    }

    private final int height;
    private final int width;
    private final byte[] image;
    private final byte @Nullable [] mask;
    private final int objectCount;
    private final float @Nullable [][] properties;

    /** The label of pixels that belong to nothing; -1 if there is none. */
    private final int voidLabel;

    /** Whether the number of objects is that of the labels. */
    private final boolean counted;

    /**
     * Creates a scene of which no mask is known.
     *
     * @param height the image's height H in pixels, at least 1
     * @param width the image's width W in pixels, at least 1
     * @param image (H, W, 3) unsigned bytes
     * @throws IllegalArgumentException if a size is wrong
     */
    public Scene(int height, int width, byte[] image) {
        this(height, width, image, null, 0);
    }

    /**
     * Creates a scene whose objects are those that the mask shows.
     *
     * @param height the image's height H in pixels, at least 1
     * @param width the image's width W in pixels, at least 1
     * @param image (H, W, 3) unsigned bytes
     * @param mask (H, W) unsigned bytes, 0 for the background
     * @throws IllegalArgumentException if a size is wrong
     */
    public Scene(int height, int width, byte[] image, byte[] mask) {
        this(height, width, image, mask, objectsIn(mask), null, NO_VOID, true);
    }

    /**
     * Creates a scene.
     *
     * @param height the image's height H in pixels, at least 1
     * @param width the image's width W in pixels, at least 1
     * @param image (H, W, 3) unsigned bytes
     * @param mask (H, W) unsigned bytes, 0 for the background; null if it is not known
     * @param objectCount how many objects the scene has, those that other objects hide included
     * @throws IllegalArgumentException if a size is wrong
     */
    public Scene(int height, int width, byte[] image, byte @Nullable [] mask, int objectCount) {
        this(height, width, image, mask, objectCount, null, NO_VOID, false);
    }

    private Scene(
            int height,
            int width,
            byte[] image,
            byte @Nullable [] mask,
            int objectCount,
            float @Nullable [][] properties,
            int voidLabel,
            boolean counted) {
        Check.option(
                height > 0 && width > 0,
                "Scene: height and width must be at least 1, got " + height + " and " + width);
        long pixels = (long) height * width;
        Check.option(
                image.length == CHANNELS * pixels,
                "Scene: image must have "
                        + CHANNELS * pixels
                        + (" bytes (" + height + " x " + width + " x 3), got ")
                        + image.length);
        Check.option(
                mask == null || mask.length == pixels,
                "Scene: mask must have "
                        + pixels
                        + (" bytes (" + height + " x " + width + "), got ")
                        + (mask == null ? 0 : mask.length));
        Check.option(objectCount >= 0, "Scene: objectCount must be at least 0, got " + objectCount);
        this.height = height;
        this.width = width;
        this.image = image;
        this.mask = mask;
        this.objectCount = objectCount;
        this.properties = properties;
        this.voidLabel = voidLabel;
        this.counted = counted;
    }

    private static int objectsIn(byte[] mask) {
        boolean[] seen = new boolean[256];
        for (byte label : mask) {
            seen[label & 0xff] = true;
        }
        int objects = 0;
        for (int label = 1; label < seen.length; label++) {
            objects += seen[label] ? 1 : 0;
        }
        return objects;
    }

    /**
     * The image's height.
     *
     * @return H in pixels
     */
    public int height() {
        return height;
    }

    /**
     * The image's width.
     *
     * @return W in pixels
     */
    public int width() {
        return width;
    }

    /**
     * The image.
     *
     * @return (H, W, 3) unsigned bytes, the array itself
     */
    public byte[] image() {
        return image;
    }

    /**
     * Whether it is known which pixel belongs to which object.
     *
     * @return true if there is a mask
     */
    public boolean hasMask() {
        return mask != null;
    }

    /**
     * The label of each pixel.
     *
     * @return (H, W) unsigned bytes, 0 for the background, and the void label where a pixel belongs
     *     to nothing; the array itself
     * @throws IllegalStateException if there is no mask
     */
    public byte[] mask() {
        if (mask == null) {
            throw new IllegalStateException("Scene: there is no mask");
        }
        return mask;
    }

    /**
     * The same scene, where pixels of one label belong to nothing, neither to an object nor to the
     * background: borders in Pascal VOC, crowds in COCO. {@link SceneDataset} and {@link
     * SceneStreamDataset} give -1 for them, which metrics leave out.
     *
     * @param label from 0 to 255
     * @return a scene; crops and changes of size keep the void. It has one object less if this
     *     label was among those that were counted in the mask
     * @throws IllegalArgumentException if the label is out of range
     * @throws IllegalStateException if there is no mask
     */
    public Scene withVoid(int label) {
        Check.option(
                label >= 0 && label <= 255, "Scene: the void label must be 0 to 255, got " + label);
        byte[] labels = mask();
        boolean seen = false;
        for (byte one : labels) {
            seen |= (one & 0xff) == label;
        }
        int count = counted && seen && label != 0 ? objectCount - 1 : objectCount;
        return new Scene(height, width, image, labels, count, properties, label, counted);
    }

    /**
     * The label of pixels that belong to nothing.
     *
     * @return from 0 to 255; empty if there is none
     */
    public OptionalInt voidLabel() {
        return voidLabel == NO_VOID ? OptionalInt.empty() : OptionalInt.of(voidLabel);
    }

    /**
     * How many objects the scene was made of, as its source says: objects that others hide, or that
     * were cut away with a crop, may be among them. Where the source says nothing, it is the number
     * of labels in the mask.
     *
     * @return at least 0, without the background; 0 if there is no mask
     */
    public int objectCount() {
        return objectCount;
    }

    /**
     * The same scene with what is known of its objects.
     *
     * @param known for each object a row of numbers, all of the same length, of the source's own
     *     meaning, such as {@link ClevrObject#encode} gives
     * @return a scene; crops and changes of size keep the properties as they are
     * @throws IllegalArgumentException if there is not one row for each object, or rows differ in
     *     length
     */
    public Scene withProperties(float[]... known) {
        Check.option(
                known.length == objectCount,
                "Scene: properties must have "
                        + objectCount
                        + " rows, one for each object, got "
                        + known.length);
        for (float[] row : known) {
            Check.option(
                    row.length == known[0].length,
                    "Scene: all rows of properties must be of one length, got "
                            + known[0].length
                            + " and "
                            + row.length);
        }
        return new Scene(height, width, image, mask, objectCount, known, voidLabel, false);
    }

    /**
     * Whether it is known what the objects are.
     *
     * @return true if there are properties
     */
    public boolean hasProperties() {
        return properties != null;
    }

    /**
     * What the objects are.
     *
     * @return for each object a row of numbers; the array itself
     * @throws IllegalStateException if that is not known
     */
    public float[][] properties() {
        if (properties == null) {
            throw new IllegalStateException("Scene: there are no properties");
        }
        return properties;
    }

    /**
     * Cuts out a window.
     *
     * @param window which part stays
     * @return the part of image and mask; the number of objects stays
     * @throws IllegalArgumentException if the window is not inside the image
     */
    public Scene crop(Crop window) {
        Check.option(
                window.top() + window.height() <= height && window.left() + window.width() <= width,
                "Scene: " + window + " is not inside an image of " + height + " x " + width);
        return new Scene(
                window.height(),
                window.width(),
                cut(image, CHANNELS, window),
                mask == null ? null : cut(mask, 1, window),
                objectCount,
                properties,
                voidLabel,
                counted);
    }

    private byte[] cut(byte[] from, int channels, Crop window) {
        int row = window.width() * channels;
        byte[] to = new byte[window.height() * row];
        for (int y = 0; y < window.height(); y++) {
            int at = ((window.top() + y) * width + window.left()) * channels;
            System.arraycopy(from, at, to, y * row, row);
        }
        return to;
    }

    /**
     * Resizes to another height and width. The image is filtered by a triangle as wide as one pixel
     * of the coarser grid on either side: bilinear when it grows, and without aliasing when it
     * shrinks. The mask takes the label of the nearest pixel.
     *
     * @param newHeight in pixels, at least 1
     * @param newWidth in pixels, at least 1
     * @return the resized scene; the number of objects stays
     * @throws IllegalArgumentException if a size is below 1
     */
    public Scene resize(int newHeight, int newWidth) {
        Check.option(
                newHeight > 0 && newWidth > 0,
                "Scene: height and width must be at least 1, got "
                        + (newHeight + " and " + newWidth));
        Limits.numbers("Scene", "an image", CHANNELS, newHeight, newWidth);
        if (newHeight == height && newWidth == width) {
            return this;
        }
        return new Scene(
                newHeight,
                newWidth,
                Resampling.triangle(image, height, width, CHANNELS, newHeight, newWidth),
                mask == null ? null : Resampling.nearest(mask, height, width, newHeight, newWidth),
                objectCount,
                properties,
                voidLabel,
                counted);
    }

    /** Writes the image as (3, H, W) in [0, 1] into an array. */
    void imageInto(float[] to, int at) {
        int pixels = height * width;
        for (int p = 0; p < pixels; p++) {
            to[at + p] = UNIT[image[3 * p] & 0xff];
            to[at + pixels + p] = UNIT[image[3 * p + 1] & 0xff];
            to[at + 2 * pixels + p] = UNIT[image[3 * p + 2] & 0xff];
        }
    }

    /** Writes the mask as (H * W) into an array, -1 for void. */
    void maskInto(long[] to, int at) {
        byte[] labels = mask();
        for (int p = 0; p < labels.length; p++) {
            int label = labels[p] & 0xff;
            to[at + p] = label == voidLabel ? -1 : label;
        }
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Scene scene
                && height == scene.height
                && width == scene.width
                && objectCount == scene.objectCount
                && voidLabel == scene.voidLabel
                && Arrays.equals(image, scene.image)
                && Arrays.equals(mask, scene.mask)
                && Arrays.deepEquals(properties, scene.properties);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(image) + Arrays.hashCode(mask);
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return "Scene[" + height + " x " + width + ", objects=" + objectCount + "]";
    }
}
