package org.slotwise.examples.diffusion;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.FeatureOrigin;
import org.slotwise.data.file.ImageFolder;
import org.slotwise.data.generated.MultiDSprites;

/**
 * The pictures that a model learns from: generated ones, or those of a folder.
 *
 * @param name what tells them from others
 * @param scenes the pictures
 * @param validation others, to tell of progress; at least two
 * @param masked whether it is known what objects they have
 * @param origin what tells each of them from others
 */
record DiffusionPictures(
        String name, Scenes scenes, Scenes validation, boolean masked, FeatureOrigin origin) {

    /** Height and width of generated pictures. */
    static final int SIDE = 32;

    private static final int VALIDATION = 320;
    private static final long VALIDATION_SEED = 987_654_321;

    /** Between the seeds of training pictures and of any others lies more than one can choose. */
    private static final long FIRST_DATA_SEED = 1L << 42;

    /**
     * Two to four sprites that hardly hide one another, at half the size that they are drawn in.
     */
    static Scenes sprites(long seed, long count) {
        MultiDSprites large =
                MultiDSprites.builder()
                        .setSize(count)
                        .optSeed(seed)
                        .optSprites(2, 4)
                        .optRadius(9, 14)
                        .optLeastVisible(0.8)
                        .build();
        return new Scenes() {
            @Override
            public long size() {
                return large.size();
            }

            @Override
            public Scene get(long index) {
                return large.get(index).resize(SIDE, SIDE);
            }
        };
    }

    /**
     * Chooses the pictures of a training.
     *
     * @param folder a folder of pictures; null for generated ones
     * @param side their height and width
     * @param count how many are generated
     * @param seed which are generated
     */
    static DiffusionPictures of(@Nullable Path folder, int side, long count, int seed)
            throws IOException {
        if (folder == null) {
            String name = count + " scenes of sprites of seed " + seed;
            return new DiffusionPictures(
                    name,
                    sprites(FIRST_DATA_SEED + seed, count),
                    sprites(VALIDATION_SEED, VALIDATION),
                    true,
                    new FeatureOrigin(name, Collections.nCopies((int) count, "")));
        }
        ImageFolder all = folder(folder, side);
        // The last tenth is not learnt from.
        long held = Math.max(2, Math.min(VALIDATION, all.size() / 10));
        long learnt = all.size() - held;
        if (learnt < 1) {
            throw new IOException(
                    "training takes at least 3 pictures, got " + all.size() + " in " + folder);
        }
        return new DiffusionPictures(
                all.size() + " pictures of " + folder.toAbsolutePath().normalize(),
                all.range(0, learnt),
                all.range(learnt, all.size()),
                false,
                origin(all, learnt));
    }

    /** The pictures of a folder at a size; at least one. */
    static ImageFolder folder(Path folder, int side) throws IOException {
        return ImageFolder.builder().setFolder(folder).setSize(side, side).build();
    }

    /** What tells the first pictures of a folder from others: names, sizes and times of files. */
    static FeatureOrigin origin(ImageFolder folder, long count) throws IOException {
        return FeatureOrigin.ofFiles(
                "pictures of a folder", LongStream.range(0, count).mapToObj(folder::file).toList());
    }
}
