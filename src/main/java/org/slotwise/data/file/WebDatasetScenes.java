package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.internal.Check;

/**
 * Pictures, and masks if there are some, from WebDataset's shards: tar archives in which the files
 * of a record lie side by side and have the same name up to its first dot.
 *
 * <p>Source: <a href="https://github.com/webdataset/webdataset">WebDataset</a>. A shard, in GZIP or
 * not:
 *
 * <pre>{@code
 * train-000000.tar:   a/0001.jpg   a/0001.mask.png   a/0001.json   a/0002.jpg   a/0002.mask.png   ...
 * }</pre>
 *
 * <p>where the key is {@code a/0001} and endings are {@code jpg}, {@code mask.png} and {@code
 * json}; capitals do not count in them. The picture of a record is the file with an ending of a
 * picture ({@code png}, {@code jpg} and so on), or one of those that are named. Without names,
 * there are no masks. Pictures and masks are read, cut and resized as {@link ImageFolder}
 * describes. Other files are passed over, as are names that begin with a dot or have none.
 *
 * <p>An archive can only be read from its start, so these scenes come as a stream: {@link
 * SceneStreamDataset} trains on them in bounded memory. A record is in memory, and of the shard
 * that is read a hash of each key.
 *
 * <p>What is damaged or cut short, and a record that has no picture or no mask or is there twice in
 * a shard, ends the stream with an {@link java.io.UncheckedIOException} whose cause, a {@link
 * SceneFileException}, says which shard, record and file. Tar has checksums for headers and GZIP
 * for all; without GZIP a changed byte in a JPEG can go unnoticed. A shard without the mark of its
 * end is an error after its last record.
 */
public final class WebDatasetScenes implements NamedSource {

    private static final String WHO = "WebDatasetScenes";
    private static final Set<String> PICTURES =
            Set.of("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "dib", "gif", "webp");

    private final List<Path> shards;
    private final Set<String> images;
    private final Set<String> masks;
    private final PictureScenes pictures;

    private WebDatasetScenes(
            List<Path> shards, Set<String> images, Set<String> masks, PictureScenes pictures) {
        this.shards = shards;
        this.images = images;
        this.masks = masks;
        this.pictures = pictures;
    }

    /**
     * As {@link #open}, with names.
     *
     * @return the scenes, each with the name of its picture: "a/0001.jpg"
     * @throws IOException if the first shard cannot be opened
     */
    @Override
    public Stream<NamedScene> named() throws IOException {
        return SceneStream.named(shards, Records::new);
    }

    /**
     * {@inheritDoc}
     *
     * @return the shards
     */
    @Override
    public List<SceneSource> parts() {
        return shards.stream()
                .<SceneSource>map(
                        shard -> new WebDatasetScenes(List.of(shard), images, masks, pictures))
                .toList();
    }

    /** The scenes of a shard. */
    private final class Records implements SceneStream.Reader {
        private final Path shard;
        private final TarRecords records;
        private boolean any;
        private @Nullable String name;

        Records(Path shard) throws IOException {
            this.shard = shard;
            long most = ImageFile.mostBytes(pictures.maxPixels());
            records =
                    new TarRecords(
                            shard,
                            ending -> images.contains(ending) || masks.contains(ending),
                            most);
        }

        @Override
        public @Nullable Scene next() throws IOException {
            TarRecords.Sample record = records.next();
            if (record == null) {
                if (!any) {
                    throw new SceneFileException(shard, "there is no record in this shard", null);
                }
                return null;
            }
            any = true;
            PictureScenes.Encoded image = the("picture", record, images, masks);
            name = image.place().part();
            return pictures.read(
                    image, masks.isEmpty() ? null : the("mask", record, masks, Set.of()));
        }

        @Override
        public @Nullable String name() {
            return name;
        }

        /** The only file of a record with one of the endings. */
        private PictureScenes.Encoded the(
                String what, TarRecords.Sample record, Set<String> endings, Set<String> others)
                throws SceneFileException {
            Set<String> found = new TreeSet<>(record.files().keySet());
            found.retainAll(endings);
            found.removeAll(others);
            if (found.size() != 1) {
                Set<String> all = new TreeSet<>(record.files().keySet());
                all.addAll(record.others());
                Place place = new Place(shard, record.number(), record.key());
                throw place.wrong(
                        found.isEmpty()
                                ? "no " + what + " among its files, " + all
                                : "several could be the " + what + ", " + found,
                        null);
            }
            String ending = found.iterator().next();
            byte[] bytes = record.files().get(ending);
            if (bytes == null) {
                throw new IllegalStateException(ending);
            }
            return new PictureScenes.Encoded(
                    new Place(shard, record.number(), record.key() + "." + ending), bytes);
        }

        @Override
        public void close() throws IOException {
            records.close();
        }
    }

    /**
     * Starts the description of shards.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link WebDatasetScenes}. */
    public static final class Builder {
        private List<Path> shards = List.of();
        private Set<String> images = Set.of();
        private Set<String> masks = Set.of();
        private int voidLabel = PictureScenes.NO_VOID;
        private int height;
        private int width;
        private long maxPixels = ImageFile.MOST_PIXELS;
        private PictureFit fit = PictureFit.CROP;

        private Builder() {}

        /**
         * Sets the shards.
         *
         * @param shards tar archives, at least one, in GZIP or not, in the order in which they are
         *     read
         * @return this
         */
        public Builder setShards(List<Path> shards) {
            this.shards = List.copyOf(shards);
            return this;
        }

        /**
         * Sets the size that pictures and masks are brought to.
         *
         * @param height in pixels, at least 1
         * @param width in pixels, at least 1
         * @return this
         */
        public Builder setSize(int height, int width) {
            this.height = height;
            this.width = width;
            return this;
        }

        /**
         * Sets which file of a record is its picture.
         *
         * @param endings what comes after the first dot of the name, such as "image.png"; one of
         *     them in each record. Those of pictures, such as "jpg", if not set
         * @return this
         */
        public Builder optImages(String... endings) {
            images = endings(endings);
            return this;
        }

        /**
         * Sets which file of a record is its mask.
         *
         * @param endings what comes after the first dot of the name, such as "mask.png" or
         *     "seg.png"; one of them in each record. No masks if not set
         * @return this
         */
        public Builder optMasks(String... endings) {
            masks = endings(endings);
            return this;
        }

        private static Set<String> endings(String... endings) {
            Set<String> all = new TreeSet<>();
            for (String ending : endings) {
                Check.option(
                        !ending.isEmpty() && !ending.startsWith(".") && ending.indexOf('/') < 0,
                        WHO + ": an ending is what comes after the first dot, got " + ending);
                all.add(ending.toLowerCase(Locale.ROOT));
            }
            return all;
        }

        /**
         * Sets which label of a mask means that a pixel belongs to nothing. A {@link SceneDataset}
         * gives -1 for it, which metrics leave out. Masks must have one channel.
         *
         * @param label from 0 to 255, such as 255; none if not set
         * @return this
         */
        public Builder optVoid(int label) {
            voidLabel = PictureScenes.checkedVoid(WHO, label);
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
         * Builds the source. Shards are opened when their turn comes.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public WebDatasetScenes build() {
            Check.option(!shards.isEmpty(), WHO + ": there must be at least one shard");
            Check.option(
                    images.stream().noneMatch(masks::contains),
                    WHO
                            + ": an ending is that of pictures or of masks, got "
                            + images
                            + " for both");
            return new WebDatasetScenes(
                    shards,
                    images.isEmpty() ? PICTURES : images,
                    masks,
                    PictureScenes.of(WHO, height, width, voidLabel, maxPixels).with(fit));
        }
    }
}
