package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Crop;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;

/**
 * The data set ClevrTex as it is published: objects like those of CLEVR, with textures, on textured
 * grounds.
 *
 * <p>Source: Karazija, Laina, Rupprecht, "ClevrTex: A Texture-Rich Benchmark for Unsupervised
 * Multi-Object Segmentation" (2021); names and parts as in {@code clevrtex_eval.py} of <a
 * href="https://github.com/karazijal/clevrtex-generation">its code</a>. The archives unpack to
 *
 * <pre>{@code
 * clevrtex_full/0/CLEVRTEX_full_000000.png        the picture, 240 x 320
 * clevrtex_full/0/CLEVRTEX_full_000000_flat.png   its mask, a palette: 0 the background, then a label for each object
 * clevrtex_full/0/CLEVRTEX_full_000000.json       its description
 * clevrtex_full/1/...
 * }</pre>
 *
 * <p>with the variants full, outd, pbg, vbg, grassbg and camo. Scenes come in the order of their
 * numbers, which is not that of their paths. The first tenth is for tests, the second for
 * validation, the rest to train on; outd is for tests as a whole.
 *
 * <p>Pictures are cut and resized as {@link ImageFolder} does it; before that, the square in the
 * middle can be taken, as the paper does. The objects are those that are seen in what is kept.
 *
 * <p>A picture whose mask is missing or of another size, and what is damaged, give a {@link
 * SceneFileException} that says which file.
 */
public final class ClevrTexScenes implements NamedScenes {

    private static final String WHO = "ClevrTexScenes";

    private final PictureScenes pictures;
    private final double centre;
    private final List<Path> files;

    /** What a part of the data set is for. */
    public enum Part {
        /** The first tenth. */
        TEST,
        /** The second tenth. */
        VALIDATION,
        /** All that follows. */
        TRAIN
    }

    private ClevrTexScenes(Builder builder, Path folder, PictureScenes pictures)
            throws IOException {
        this.pictures = pictures;
        centre = builder.centre;
        List<Path> kept = new ArrayList<>();
        for (Path picture : part(folder, builder)) {
            if (builder.maxObjects == Integer.MAX_VALUE
                    || ClevrTexFiles.objects(picture) <= builder.maxObjects) {
                kept.add(picture);
            }
        }
        files = List.copyOf(kept);
    }

    private static List<Path> part(Path folder, Builder builder) throws IOException {
        SortedMap<Integer, Path> all = ClevrTexFiles.pictures(folder, builder.variant);
        List<Path> ordered = List.copyOf(all.values());
        if (builder.part == null) {
            return ordered;
        }
        OptionalInt gap = ClevrTexFiles.gap(all);
        if (gap.isPresent()) {
            throw new SceneFileException(
                    folder,
                    "parts need the whole data set, and picture " + gap.getAsInt() + " is missing",
                    null);
        }
        int tenth = (int) (0.1 * ordered.size());
        int fifth = (int) (0.2 * ordered.size());
        return switch (builder.part) {
            case TEST -> ordered.subList(0, tenth);
            case VALIDATION -> ordered.subList(tenth, fifth);
            case TRAIN -> ordered.subList(fifth, ordered.size());
        };
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return files.size();
    }

    /**
     * The file of a scene.
     *
     * @param index from 0 to size - 1
     * @return the path of the picture
     */
    public Path file(long index) {
        return files.get((int) Objects.checkIndex(index, size()));
    }

    /** {@inheritDoc} */
    @Override
    public String name(long index) {
        return String.valueOf(file(index).getFileName());
    }

    /**
     * {@inheritDoc}
     *
     * @throws SceneFileException if the picture or its mask is damaged, or there is no mask for it
     */
    @Override
    public Scene get(long index) throws IOException {
        Path picture = file(index);
        Scene whole = pictures.whole(picture, ClevrTexFiles.mask(picture));
        if (centre < 1) {
            int side = (int) (centre * Math.min(whole.height(), whole.width()));
            if (side < 1) {
                throw new SceneFileException(picture, "too small to be cut, " + whole, null);
            }
            int top = (whole.height() - side) / 2;
            int left = (whole.width() - side) / 2;
            whole = whole.crop(new Crop(top, left, side, side));
        }
        return pictures.fitted(Place.of(picture), whole);
    }

    /**
     * Starts the description of the data set.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link ClevrTexScenes}. */
    public static final class Builder {
        private @Nullable Path folder;
        private @Nullable String variant;
        private @Nullable Part part;
        private int height = 128;
        private int width = 128;
        private double centre = 1;
        private int maxObjects = Integer.MAX_VALUE;
        private long maxPixels = ImageFile.MOST_PIXELS;
        private PictureFit fit = PictureFit.CROP;

        private Builder() {}

        /**
         * Sets the folder.
         *
         * @param folder such as {@code clevrtex_full}, or one that has it
         * @return this
         */
        public Builder setFolder(Path folder) {
            this.folder = folder;
            return this;
        }

        /**
         * Sets which variant is read, where there are several in the folder.
         *
         * @param variant as files are called, such as "full" or "outd"
         * @return this
         */
        public Builder optVariant(String variant) {
            this.variant = variant;
            return this;
        }

        /**
         * Sets that only a part is read. The data set must be there as a whole.
         *
         * @param part which one; all scenes if not set
         * @return this
         */
        public Builder optPart(Part part) {
            this.part = part;
            return this;
        }

        /**
         * Sets the size that pictures and masks are brought to.
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
         * Sets that the square in the middle is cut out first.
         *
         * @param fraction its side, as a part of the picture's shorter one, above 0 and at most 1;
         *     0.8 in the paper; the whole picture if not set
         * @return this
         */
        public Builder optCentre(double fraction) {
            this.centre = fraction;
            return this;
        }

        /**
         * Leaves out scenes of many objects, by their descriptions, which are read by {@link
         * #build}.
         *
         * @param maxObjects how many a scene has at most, at least 0; all scenes if not set
         * @return this
         */
        public Builder optMaxObjects(int maxObjects) {
            this.maxObjects = maxObjects;
            return this;
        }

        /**
         * Sets how pictures of other proportions come to that size.
         *
         * @param fit {@link PictureFit#CROP} if not set
         * @return this
         */
        public Builder optFit(PictureFit fit) {
            this.fit = fit;
            return this;
        }

        /**
         * Sets how many pixels a picture or a mask may declare.
         *
         * @param maxPixels at least 1; 33554432 if not set
         * @return this
         */
        public Builder optMaxPixels(long maxPixels) {
            this.maxPixels = maxPixels;
            return this;
        }

        /**
         * Lists the folder. Pictures are read when they are asked for.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         * @throws SceneFileException if there is no picture of ClevrTex, if one is there twice, or
         *     if it is not clear which variant is meant
         * @throws IOException if the folder cannot be read
         */
        public ClevrTexScenes build() throws IOException {
            if (folder == null) {
                throw new IllegalArgumentException(WHO + ": the folder is missing");
            }
            PictureScenes pictures =
                    PictureScenes.of(WHO, height, width, PictureScenes.NO_VOID, maxPixels)
                            .with(fit);
            Check.option(
                    centre > 0 && centre <= 1,
                    WHO + ": the fraction must be above 0 and at most 1, got " + centre);
            Check.option(
                    maxObjects >= 0, WHO + ": maxObjects must be at least 0, got " + maxObjects);
            return new ClevrTexScenes(this, folder, pictures);
        }
    }
}
