package org.slotwise.data.file;

import org.jspecify.annotations.Nullable;

/**
 * How the arrays of an HDF5 file are called in a data set as it is published: what {@link
 * Hdf5Scenes} has to be told.
 *
 * <p>Sketchy has no entry: its published form (Engelcke et al., GENESIS-V2, {@code
 * scripts/sketchy_preparation.py}) is a folder of PNG files, {@code
 * processed/train/ep000000/ep000000_t000_fl_full.png}, which {@link ImageFolder} reads.
 *
 * @param images the images (N, H, W, 3), or (N, H, W, 1)
 * @param masks the masks; null if there are none
 * @param counts how many objects there are, as {@link Hdf5Scenes.Builder#optCounts} describes; null
 *     if the file does not say
 * @param properties what the objects are, as {@link Hdf5Scenes.Builder#optProperties} describes;
 *     null if the file does not say
 */
public record Hdf5Format(
        String images,
        @Nullable String masks,
        @Nullable String counts,
        @Nullable String properties) {

    /**
     * 3D Shapes: 480000 images of 64 x 64 with one object each, and no masks. The object's
     * properties are floor hue, wall hue, object hue, scale, shape and orientation.
     *
     * <p>Source: Burgess and Kim 2018, <a
     * href="https://github.com/google-deepmind/3d-shapes">3dshapes.h5</a>.
     */
    public static final Hdf5Format SHAPES_3D = new Hdf5Format("images", null, null, "labels");

    /**
     * Robot arms over a table, of 480 x 640, three views for each scene. A label is the number of a
     * body in the simulator: 0 the ground, then table, robot and arm, then up to 8 things on the
     * table. The number of objects is that of these things, fewer than there are labels.
     *
     * <p>Source: Housen 2022, <a href="https://github.com/HHousen/ravens">a fork of Ravens</a>,
     * whose {@code ravens_*_train.h5} and {@code ravens_*_test.h5} object-discovery-pytorch reads.
     */
    public static final Hdf5Format RAVENS =
            new Hdf5Format("color", "segm", "num_objects_on_table", null);

    /**
     * DeepMind's Multi-Object Datasets as object-discovery-pytorch publishes them: CLEVR with
     * masks, Tetrominoes. Masks (N, E, H, W, 1), visibilities (N, E).
     *
     * <p>Source: Housen 2022, <a
     * href="https://github.com/HHousen/object-discovery-pytorch">object-discovery-pytorch</a>.
     */
    public static final Hdf5Format MULTI_OBJECT_VISIBLE =
            new Hdf5Format("image", "mask", "visibility", null);

    /** DeepMind's Multi-Object Datasets as multi_object_datasets_torch converts them. */
    public static final Hdf5Format MULTI_OBJECT = new Hdf5Format("image", "mask", null, null);

    /** EfficientMORL's CLEVR6 with masks: what is to be trained on. */
    public static final Hdf5Format EFFICIENT_MORL_TRAIN = efficientMorl("train");

    /** EfficientMORL's CLEVR6 with masks: what is to be tested on. */
    public static final Hdf5Format EFFICIENT_MORL_TEST = efficientMorl("test");

    private static Hdf5Format efficientMorl(String part) {
        return new Hdf5Format(part + "/imgs", part + "/masks", null, null);
    }
}
