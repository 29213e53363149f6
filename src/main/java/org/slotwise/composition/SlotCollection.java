package org.slotwise.composition;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.MiniBatchKMeans;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.SplitMix;

/**
 * Makes a {@link SlotLibrary} of slots that come batch by batch, for more pictures than an array
 * holds.
 *
 * <pre>{@code
 * SlotCollection collection = new SlotCollection(LibraryOptions.builder().build(), 100_000, 0);
 * for (NDArray slots : batches) {
 *     collection.add(slots, null);                        // (B, K, D)
 * }
 * SlotLibrary library = collection.library();
 * }</pre>
 *
 * <p>The first 10,000 slots are clustered as {@link SlotLibrary#of} clusters; of no more than these
 * the library is the same. Those that follow move the centres batch by batch ({@link
 * MiniBatchKMeans}), so the first should be as mixed as the rest. At the end each slot gets the
 * label of the nearest centre.
 *
 * <p>All slots count for the centres; kept, and so members of the library, are those of at most
 * {@code limit} pictures, each picture as likely as any other (Vitter's algorithm R, 1985).
 *
 * <p>Memory, in Java: 4 D bytes for each slot that is kept, 4 more for its share, 64 for a picture;
 * until the clustering starts the first slots once more; a batch; and in {@link #library} the
 * library, which is as large. It does not grow with the number of pictures beyond the limit. Slots
 * are taken in float32. Not for several threads at once.
 */
public final class SlotCollection {

    private static final String WHO = "SlotCollection";

    /** So many slots are clustered at once, before batches go on. */
    private static final int START = 10_000;

    /** So many slots get their labels at once. */
    private static final int LABELLED = 65_536;

    private final LibraryOptions options;
    private final int limit;
    private final SplitMix random;
    private final List<Picture> kept = new ArrayList<>();
    private final List<float[]> waiting = new ArrayList<>();
    private @Nullable Sizes sizes;
    private @Nullable MiniBatchKMeans kMeans;
    private int seen;

    /** What all batches have in common. */
    private record Sizes(int slots, int dim, int clusters, boolean shares, Device device) {}

    /** A picture that is kept. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Picture(int number, float[] slots, float @Nullable [] shares) {}

    /**
     * Begins with no pictures.
     *
     * @param options how slots are clustered
     * @param limit of how many pictures slots are kept, at least 1
     * @param seed what decides of which, where there are more
     * @throws IllegalArgumentException if the limit is below 1
     */
    public SlotCollection(LibraryOptions options, int limit, long seed) {
        Check.atLeast(WHO, "limit", limit, 1);
        this.options = options;
        this.limit = limit;
        random = new SplitMix(seed, 3);
    }

    /**
     * Adds the slots of some pictures.
     *
     * @param slots (B, K, D), float32, float64 or float16, finite; kept in float32
     * @param shares (B, K), how much of the attention each slot has, the mean over places; null if
     *     that is not known, of no batch then
     * @return this
     * @throws IllegalArgumentException if an input has another shape or type than it must or than
     *     those before, is not finite, or nothing more can be kept
     */
    public SlotCollection add(NDArray slots, @Nullable NDArray shares) {
        Check.shape(WHO, "slots", slots, "B", "K", "D");
        Check.floating(WHO, "slots", slots.getDataType());
        Sizes known = known(slots, shares);
        Check.shape(WHO, "slots", slots, "B", known.slots, known.dim);
        Check.option(
                known.shares == (shares != null),
                WHO + ": shares must be given of all batches or of none");
        int batch = Math.toIntExact(slots.getShape().get(0));
        float[] share = null;
        if (shares != null) {
            Check.shape(WHO, "shares", shares, batch, known.slots);
            Check.floating(WHO, "shares", shares.getDataType());
            share = SlotClustering.checked(WHO, SlotClustering.floats(shares));
        }
        float[] values = SlotClustering.floats(slots);
        SlotClustering.finite(WHO, values, seen, known.slots, known.dim);
        Limits.numbers(WHO, "slots", Math.min(limit, (long) seen + batch), known.slots, known.dim);
        Check.option(
                (long) seen + batch < Integer.MAX_VALUE,
                WHO + ": pictures must be below " + Integer.MAX_VALUE);
        sizes = known;
        keep(values, share, batch, known);
        cluster(values, known);
        return this;
    }

    private Sizes known(NDArray slots, @Nullable NDArray shares) {
        if (sizes != null) {
            return sizes;
        }
        Shape s = slots.getShape();
        return new Sizes(
                Math.toIntExact(s.get(1)),
                Math.toIntExact(s.get(2)),
                options.clustersOf(WHO, s.get(1)),
                shares != null,
                slots.getDevice());
    }

    private void keep(float[] values, float @Nullable [] shares, int batch, Sizes known) {
        for (int b = 0; b < batch; b++) {
            int place = seen < limit ? seen : random.below(seen + 1);
            if (place < limit) {
                Picture picture =
                        new Picture(
                                seen,
                                part(values, b, known.slots * known.dim),
                                shares == null ? null : part(shares, b, known.slots));
                if (place == kept.size()) {
                    kept.add(picture);
                } else {
                    kept.set(place, picture);
                }
            }
            seen++;
        }
    }

    private static float[] part(float[] all, int index, int size) {
        float[] part = new float[size];
        System.arraycopy(all, index * size, part, 0, size);
        return part;
    }

    private void cluster(float[] values, Sizes known) {
        if (kMeans != null) {
            with(known, values, kMeans::add);
            return;
        }
        waiting.add(values);
        if (waitingSlots(known) >= Math.max(START, known.clusters)) {
            kMeans = started(known);
            waiting.clear();
        }
    }

    private long waitingSlots(Sizes known) {
        return waiting.stream().mapToLong(values -> values.length / known.dim).sum();
    }

    /** A clustering of the slots that wait for one. */
    private MiniBatchKMeans started(Sizes known) {
        MiniBatchKMeans started = new MiniBatchKMeans(known.clusters, options.clustering());
        float[] all = new float[Math.toIntExact(waitingSlots(known) * known.dim)];
        int at = 0;
        for (float[] values : waiting) {
            System.arraycopy(values, 0, all, at, values.length);
            at += values.length;
        }
        with(known, all, started::add);
        return started;
    }

    /** Works on slots as an array (rows, D) on the device that they came from. */
    private static void with(Sizes known, float[] values, Consumer<NDArray> work) {
        try (NDManager manager = NDManager.newBaseManager(known.device, "PyTorch")) {
            int rows = values.length / known.dim;
            work.accept(manager.create(values, new Shape(rows, known.dim)));
        }
    }

    /**
     * How many pictures were added.
     *
     * @return n, those included whose slots are not kept
     */
    public long count() {
        return seen;
    }

    /**
     * The library of what was added. More may be added afterwards, for another.
     *
     * @return the library; of more pictures than are kept, {@link SlotLibrary#picture} says which
     *     ones they are
     * @throws IllegalStateException if there are fewer slots than clusters
     */
    public SlotLibrary library() {
        if (sizes == null || (long) seen * sizes.slots < sizes.clusters) {
            throw new IllegalStateException(
                    WHO
                            + ": slots must be at least as many as clusters, got those of "
                            + seen
                            + " pictures");
        }
        Sizes known = sizes;
        MiniBatchKMeans clustering = kMeans == null ? started(known) : kMeans;
        List<Picture> pictures = new ArrayList<>(kept);
        pictures.sort(Comparator.comparingInt(Picture::number));
        int size = known.slots * known.dim;
        float[] slots = new float[Math.multiplyExact(pictures.size(), size)];
        float[] shares = known.shares ? new float[pictures.size() * known.slots] : null;
        int[] numbers = new int[pictures.size()];
        for (int i = 0; i < numbers.length; i++) {
            Picture one = pictures.get(i);
            numbers[i] = one.number;
            System.arraycopy(one.slots, 0, slots, i * size, size);
            if (shares != null && one.shares != null) {
                System.arraycopy(one.shares, 0, shares, i * known.slots, known.slots);
            }
        }
        return new SlotLibrary(
                new LibraryContent(
                        known.slots,
                        known.dim,
                        slots,
                        shares,
                        labels(clustering, slots, known),
                        centers(clustering),
                        options.background() == null
                                ? LibraryContent.UNKNOWN
                                : options.background(),
                        options.leastShare(),
                        numbers.length == seen ? null : numbers,
                        null));
    }

    private static int[] labels(MiniBatchKMeans clustering, float[] slots, Sizes known) {
        int rows = slots.length / known.dim;
        int[] labels = new int[rows];
        for (int from = 0; from < rows; from += LABELLED) {
            int first = from;
            int count = Math.min(LABELLED, rows - from);
            float[] some = new float[count * known.dim];
            System.arraycopy(slots, from * known.dim, some, 0, some.length);
            with(
                    known,
                    some,
                    x -> {
                        long[] found = clustering.labels(x).toLongArray();
                        for (int i = 0; i < count; i++) {
                            labels[first + i] = (int) found[i];
                        }
                    });
        }
        return labels;
    }

    private static float[] centers(MiniBatchKMeans clustering) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            return clustering.centers(manager).toType(DataType.FLOAT32, false).toFloatArray();
        }
    }
}
