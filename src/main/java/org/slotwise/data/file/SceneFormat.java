package org.slotwise.data.file;

import java.io.IOException;
import org.slotwise.data.Scene;
import org.slotwise.internal.Check;

/**
 * How a data set of DeepMind's Multi-Object Datasets (Kabra et al. 2019) lays out a scene in a
 * record of its TFRecord file.
 *
 * <p>A record is a {@code tf.train.Example} whose features "image" and "mask" are bytes, and whose
 * feature "visibility", if it is there, holds a number for each entity, 0 for an object that the
 * scene does not have. An entity is the background (the first one) or an object. Other features
 * (places, colours and so on) are not read.
 *
 * <p>Other data sets of that form can be described too; the Objects Room, for instance, is {@code
 * new SceneFormat("objects_room", 64, 64, 3, 7, MaskOrder.ENTITY_FIRST)}, whose first four entities
 * are sky, floor and walls.
 *
 * @param name the name of the data set, for messages
 * @param height the image's height H in pixels, at least 1
 * @param width the image's width W in pixels, at least 1
 * @param channels 3, or 1 for grey images, which are read as red, green and blue of one value
 * @param entities the number of masks E, the background's included, 1 to 256
 * @param maskOrder how the masks lie in the bytes
 */
public record SceneFormat(
        String name, int height, int width, int channels, int entities, MaskOrder maskOrder) {

    /** How the masks of the entities lie in the bytes. */
    public enum MaskOrder {
        /** (E, H, W, 1). */
        ENTITY_FIRST,
        /** (H, W, E, 1), as in Multi-dSprites. */
        ENTITY_LAST
    }

    /** CLEVR with masks: 240 x 320 pixels, up to 10 objects. */
    public static final SceneFormat CLEVR_WITH_MASKS =
            new SceneFormat("clevr_with_masks", 240, 320, 3, 11, MaskOrder.ENTITY_FIRST);

    /** Tetrominoes: 35 x 35 pixels, 3 objects. */
    public static final SceneFormat TETROMINOES =
            new SceneFormat("tetrominoes", 35, 35, 3, 4, MaskOrder.ENTITY_FIRST);

    /** Multi-dSprites, white on black: 64 x 64 pixels, 2 or 3 objects. */
    public static final SceneFormat MULTI_DSPRITES_BINARIZED =
            new SceneFormat("multi_dsprites_binarized", 64, 64, 1, 4, MaskOrder.ENTITY_LAST);

    /** Multi-dSprites, coloured sprites on grey: 64 x 64 pixels, 2 to 5 objects. */
    public static final SceneFormat MULTI_DSPRITES_COLORED_ON_GRAYSCALE =
            new SceneFormat(
                    "multi_dsprites_colored_on_grayscale", 64, 64, 3, 6, MaskOrder.ENTITY_LAST);

    /** Multi-dSprites, coloured sprites on a coloured ground: 64 x 64 pixels, 1 to 4 objects. */
    public static final SceneFormat MULTI_DSPRITES_COLORED_ON_COLORED =
            new SceneFormat(
                    "multi_dsprites_colored_on_colored", 64, 64, 3, 5, MaskOrder.ENTITY_LAST);

    /**
     * Creates a format.
     *
     * @param name the name of the data set
     * @param height the image's height H
     * @param width the image's width W
     * @param channels 3 or 1
     * @param entities the number of masks E
     * @param maskOrder how the masks lie in the bytes
     * @throws IllegalArgumentException if a number is out of range
     */
    public SceneFormat {
        Check.option(
                height > 0 && width > 0,
                "SceneFormat: height and width must be at least 1, got "
                        + (height + " and " + width));
        Check.option(
                channels == 1 || channels == 3,
                "SceneFormat: channels must be 1 or 3, got " + channels);
        Check.option(
                entities >= 1 && entities <= 256,
                "SceneFormat: entities must be 1 to 256, got " + entities);
        long largest = (long) height * width * Math.max(entities, channels);
        Check.option(
                largest <= Integer.MAX_VALUE,
                "SceneFormat: a record would have " + largest + " bytes, too many");
    }

    /**
     * How many bytes a record may have. DeepMind's files take three for each of an image and its
     * masks; what else is in a record is small.
     */
    long mostBytes() {
        return 4L * height * width * (channels + entities) + (1 << 20);
    }

    /** Takes a scene out of a record. */
    Scene scene(TfExample example) throws IOException {
        int pixels = height * width;
        byte[] image = rgb(example.bytes("image", pixels * channels));
        byte[] masks = example.bytes("mask", pixels * entities);
        byte[] labels =
                maskOrder == MaskOrder.ENTITY_FIRST
                        ? EntityMasks.labels(masks, entities, pixels, 1)
                        : EntityMasks.labels(masks, entities, 1, entities);
        if (!example.has("visibility")) {
            return new Scene(height, width, image, labels);
        }
        float[] visibility = example.floats("visibility", entities);
        int objects = 0;
        for (int e = 1; e < entities; e++) {
            objects += visibility[e] > 0 ? 1 : 0;
        }
        return new Scene(height, width, image, labels, objects);
    }

    private byte[] rgb(byte[] image) {
        return channels == 3 ? image : EntityMasks.tripled(image);
    }
}
