package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.Crop;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;

/**
 * The data set CLEVR: pictures from its folder {@code images}, properties from its folder {@code
 * scenes}.
 *
 * <p>Source: Johnson et al., "CLEVR: A Diagnostic Dataset for Compositional Language and Elementary
 * Visual Reasoning" (2017). Row k of {@link Scene#properties} is what {@link ClevrObject#encode}
 * gives for the k-th object of the file. There are no masks; {@link TfRecordScenes} reads "CLEVR
 * with masks", which has no properties in the form of these.
 *
 * <p>For set prediction (Locatello et al. 2020, section 4.2) whole pictures are resized to 128 x
 * 128; for the discovery of objects they are first cut to {@link Crop#CLEVR}, which leaves objects
 * near the edges out of sight. CLEVR6 is {@code optMaxObjects(6)}.
 *
 * <p>The file of scenes is read when this is built, pictures when they are asked for. What is
 * damaged gives a {@link SceneFileException} that says which file and which of its scenes, counted
 * from 0.
 */
public final class ClevrScenes implements NamedScenes {

    private final Path file;
    private final Path images;
    private final int height;
    private final int width;
    private final @Nullable Crop crop;
    private final PictureFit fit;
    private final long maxPixels;
    private final List<ClevrSceneFile.Entry> entries;

    private ClevrScenes(Builder builder, Path file, Path images) throws IOException {
        this.file = file;
        this.images = images;
        height = builder.height;
        width = builder.width;
        crop = builder.crop;
        fit = builder.fit;
        maxPixels = builder.maxPixels;
        entries =
                ClevrSceneFile.read(file).stream()
                        .filter(entry -> entry.objects().size() <= builder.maxObjects)
                        .toList();
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return entries.size();
    }

    /**
     * The objects of a scene, without reading its picture.
     *
     * @param index from 0 to size - 1
     * @return the objects in the order of the file
     */
    public List<ClevrObject> objects(long index) {
        return List.copyOf(entry(index).objects());
    }

    private ClevrSceneFile.Entry entry(long index) {
        return entries.get((int) Objects.checkIndex(index, size()));
    }

    /**
     * {@inheritDoc}
     *
     * @throws SceneFileException if the picture is missing or damaged, or smaller than the crop
     */
    @Override
    public Scene get(long index) throws IOException {
        ClevrSceneFile.Entry entry = entry(index);
        Path path = picture(entry);
        ImageFile image = ImageFile.picture(path, maxPixels);
        int objects = entry.objects().size();
        Scene scene = new Scene(image.height(), image.width(), image.values(), null, objects);
        if (crop != null) {
            if (crop.top() + crop.height() > scene.height()
                    || crop.left() + crop.width() > scene.width()) {
                throw new SceneFileException(path, crop + " is not inside " + scene, null);
            }
            scene = scene.crop(crop);
        }
        float[][] properties =
                entry.objects().stream().map(ClevrObject::encode).toArray(float[][]::new);
        return fit.fitted(scene, height, width).withProperties(properties);
    }

    /** {@inheritDoc} */
    @Override
    public String name(long index) {
        return entry(index).image();
    }

    /** The file of a picture, which must lie in the folder. */
    private Path picture(ClevrSceneFile.Entry entry) throws SceneFileException {
        String what = "there is no picture " + entry.image() + " in " + images;
        try {
            // Absolute: "." and "" say nothing that a path could start with.
            Path folder = images.toAbsolutePath().normalize();
            Path path = folder.resolve(entry.image()).normalize();
            if (path.startsWith(folder) && Files.isRegularFile(path)) {
                return images.resolve(folder.relativize(path));
            }
        } catch (InvalidPathException e) { // no system has a file of that name
            throw SceneFileException.inRecord(file, entry.record(), what, e);
        }
        throw new SceneFileException(file, entry.record(), what);
    }

    /**
     * Starts the description of the data set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link ClevrScenes}. */
    public static final class Builder {
        private @Nullable Path file;
        private @Nullable Path images;
        private int height = 128;
        private int width = 128;
        private int maxObjects = Integer.MAX_VALUE;
        private @Nullable Crop crop;
        private PictureFit fit = PictureFit.SQUEEZE;
        private long maxPixels = ImageFile.MOST_PIXELS;

        private Builder() {}

        /**
         * Sets the file of scenes.
         *
         * @param file such as {@code scenes/CLEVR_train_scenes.json}
         * @return this
         */
        public Builder setScenes(Path file) {
            this.file = file;
            return this;
        }

        /**
         * Sets the folder of the pictures that belong to the file.
         *
         * @param images such as {@code images/train}
         * @return this
         */
        public Builder setImages(Path images) {
            this.images = images;
            return this;
        }

        /**
         * Sets the size that pictures are brought to.
         *
         * @param height in pixels, at least 1; 128 if not set
         * @param width in pixels, at least 1; 128 if not set
         * @return this
         */
        public Builder optSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets how pictures of other proportions come to that size.
         *
         * @param fit {@link PictureFit#SQUEEZE} if not set
         * @return this
         */
        public Builder optFit(PictureFit fit) {
            this.fit = fit;
            return this;
        }

        /**
         * Leaves out scenes of many objects.
         *
         * @param maxObjects how many a scene has at most, at least 0; all scenes if not set
         * @return this
         */
        public Builder optMaxObjects(int maxObjects) {
            this.maxObjects = maxObjects;
            return this;
        }

        /**
         * Cuts pictures before they are resized. All objects stay among the properties.
         *
         * @param crop the part that stays, such as {@link Crop#CLEVR}; the whole if not set
         * @return this
         */
        public Builder optCrop(Crop crop) {
            this.crop = crop;
            return this;
        }

        /**
         * Sets how many pixels a picture may declare.
         *
         * @param maxPixels at least 1; 33554432, as many as 5792 x 5792, if not set
         * @return this
         */
        public Builder optMaxPixels(long maxPixels) {
            this.maxPixels = maxPixels;
            return this;
        }

        /**
         * Reads the file of scenes.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         * @throws SceneFileException if the file is damaged
         * @throws IOException if it cannot be read
         */
        public ClevrScenes build() throws IOException {
            if (file == null || images == null) {
                throw new IllegalArgumentException(
                        "ClevrScenes: the "
                                + (file == null ? "file of scenes" : "folder of images")
                                + " is missing");
            }
            Check.option(
                    height > 0 && width > 0,
                    "ClevrScenes: height and width must be at least 1, got "
                            + (height + " and " + width));
            Check.option(
                    maxObjects >= 0,
                    "ClevrScenes: maxObjects must be at least 0, got " + maxObjects);
            Check.option(
                    maxPixels > 0, "ClevrScenes: maxPixels must be at least 1, got " + maxPixels);
            return new ClevrScenes(this, file, images);
        }
    }
}
