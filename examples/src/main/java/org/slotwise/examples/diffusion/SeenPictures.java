package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.FeatureCache;
import org.slotwise.data.file.FeatureOrigin;
import org.slotwise.examples.shared.Checksum;
import org.slotwise.examples.shared.ProgressLines;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.weights.StateDict;

/**
 * Pictures as slots and latents, computed once: neither changes while the denoiser learns.
 *
 * <p>They lie on disk, in a {@link FeatureCache} whose file is known by the pictures and the
 * weights that looked at them: those of other weights are in other files. A record is a picture's
 * slots (K D) and then its latents (C h w).
 */
final class SeenPictures implements AutoCloseable {

    private static final int BATCH = 64;

    /** What may end it early. */
    @FunctionalInterface
    interface Stop {
        void check() throws IOException;
    }

    private final FeatureCache cache;
    private final @Nullable Path temporary;
    private final Shape slotShape;
    private final Shape latentShape;
    private double factor = 1;

    private SeenPictures(
            FeatureCache cache, @Nullable Path temporary, Shape slotShape, Shape latentShape) {
        this.cache = cache;
        this.temporary = temporary;
        this.slotShape = slotShape;
        this.latentShape = latentShape;
    }

    /**
     * Looks at all pictures that were not looked at before.
     *
     * @param model what looks
     * @param pictures the pictures
     * @param folder where they are kept; null for a folder that is taken away when this is closed
     * @param stop asked after some of them whether to end, by an exception
     * @param out where it is told how far it is
     */
    static SeenPictures of(
            LatentSlotDiffusion model,
            DiffusionPictures pictures,
            @Nullable Path folder,
            Stop stop,
            PrintWriter out)
            throws IOException {
        Shape slotShape =
                new Shape(model.madeFrom().discovery().slots(), model.madeFrom().slotDim());
        Shape latentShape = model.decoder().latentShape();
        int each = Math.toIntExact(slotShape.size() + latentShape.size());
        Path where = folder == null ? Files.createTempDirectory("slotwise-seen") : folder;
        Path temporary = folder == null ? where : null;
        try (NDManager manager = NDManager.newBaseManager()) {
            FeatureOrigin origin = origin(model, pictures.origin());
            requireRoom(where, origin, each);
            Looking looking = new Looking(model, pictures.scenes(), each, stop, out);
            FeatureCache cache = FeatureCache.open(where, origin, manager, looking);
            return new SeenPictures(cache, temporary, slotShape, latentShape);
        } catch (IOException | RuntimeException e) {
            delete(temporary);
            throw e;
        }
    }

    /** All that decides which slots and latents pictures have: not the denoiser. */
    private static FeatureOrigin origin(LatentSlotDiffusion model, FeatureOrigin pictures)
            throws IOException {
        return new FeatureOrigin(
                String.join(
                        "; ",
                        "slots and latents of " + pictures.extractor(),
                        model.madeFrom().discovery().toString(),
                        "slots " + Checksum.of(StateDict.of(model.discovery())),
                        model.madeFrom().latents().toString(),
                        "latents " + Checksum.of(StateDict.of(model.autoencoder()))),
                pictures.images());
    }

    private static void requireRoom(Path folder, FeatureOrigin origin, int each)
            throws IOException {
        Path there = folder.toAbsolutePath();
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        Path file = FeatureCache.file(folder, origin);
        int images = origin.images().size();
        long record = Float.BYTES * (each + 1L);
        long need = images * record - (Files.exists(file) ? Files.size(file) : 0);
        long room = Files.getFileStore(there).getUsableSpace();
        if (need > room) {
            throw new IOException(
                    folder
                            + " has room for slots and latents of "
                            + room / record
                            + " pictures, not of "
                            + images
                            + ": --cache names another folder");
        }
    }

    /** Looks at as many at once as ever, wherever the cache begins. */
    private static final class Looking implements FeatureCache.Extraction {
        private final LatentSlotDiffusion model;
        private final Scenes scenes;
        private final int each;
        private final Stop stop;
        private final ProgressLines progress;
        private float[] batch = new float[0];
        private int first = -1;

        Looking(LatentSlotDiffusion model, Scenes scenes, int each, Stop stop, PrintWriter out) {
            this.model = model;
            this.scenes = scenes;
            this.each = each;
            this.stop = stop;
            progress = new ProgressLines(out, "slots and latents", "pictures", scenes.size());
        }

        @Override
        public NDArray extract(NDManager manager, int from, int to) throws IOException {
            float[] some = new float[(to - from) * each];
            for (int i = from; i < to; i++) {
                if (first != i - i % BATCH) {
                    if (first < 0) {
                        progress.begin(from);
                    }
                    look(i - i % BATCH);
                }
                System.arraycopy(batch, (i - first) * each, some, (i - from) * each, each);
            }
            progress.done(to);
            return manager.create(some, new Shape(to - from, 1, each));
        }

        private void look(int from) throws IOException {
            stop.check();
            int to = (int) Math.min(scenes.size(), from + BATCH);
            try (NDManager own = NDManager.newBaseManager()) {
                NDArray images =
                        SceneArrays.images(own, scenes, LongStream.range(from, to).toArray());
                ParameterStore store = new ParameterStore(own, false);
                NDArray slots = model.slots(store, images, false).objects();
                NDArray latents = model.latents(store, images);
                batch =
                        slots.reshape(to - from, -1)
                                .concat(latents.reshape(to - from, -1), 1)
                                .toFloatArray();
            }
            first = from;
        }
    }

    int size() {
        return cache.size();
    }

    /**
     * Some pictures.
     *
     * @param slots (B, K, D)
     * @param latents (B, C, h, w)
     */
    record Seen(NDArray slots, NDArray latents) {}

    /** Reads some pictures. */
    Seen read(NDManager manager, int... pictures) throws IOException {
        int first = Math.toIntExact(slotShape.size());
        int second = Math.toIntExact(latentShape.size());
        float[] all = records(pictures);
        float[] slots = new float[pictures.length * first];
        float[] latents = new float[pictures.length * second];
        for (int i = 0; i < pictures.length; i++) {
            System.arraycopy(all, i * (first + second), slots, i * first, first);
            for (int j = 0; j < second; j++) {
                latents[i * second + j] = (float) (all[i * (first + second) + first + j] * factor);
            }
        }
        Shape count = new Shape(pictures.length);
        return new Seen(
                manager.create(slots, count.addAll(slotShape)),
                manager.create(latents, count.addAll(latentShape)));
    }

    private float[] records(int... pictures) throws IOException {
        try (NDManager manager = NDManager.newBaseManager()) {
            return cache.read(manager, pictures).toFloatArray();
        }
    }

    /** What latents are multiplied by when they are read. */
    double factor() {
        return factor;
    }

    /** From now on latents are read such that the deviation of all their numbers is 1. */
    void bringToDeviationOfOne() throws IOException {
        int first = Math.toIntExact(slotShape.size());
        int each = first + Math.toIntExact(latentShape.size());
        double sum = 0;
        double squares = 0;
        for (int from = 0; from < size(); from += BATCH) {
            int to = Math.min(size(), from + BATCH);
            float[] some = records(IntStream.range(from, to).toArray());
            for (int i = 0; i < some.length; i++) {
                float z = i % each < first ? 0 : some[i];
                sum += z;
                squares += (double) z * z;
            }
        }
        double count = (double) size() * latentShape.size();
        double mean = sum / count;
        factor = 1 / Math.max(1e-6, Math.sqrt(squares / count - mean * mean));
    }

    /** Takes away what was only for now. */
    @Override
    public void close() throws IOException {
        delete(temporary);
    }

    private static void delete(@Nullable Path folder) throws IOException {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        }
        Files.deleteIfExists(folder);
    }
}
