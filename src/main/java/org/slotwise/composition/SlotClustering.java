package org.slotwise.composition;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Ops;

/** Clusters the slots of many pictures, as one set: for {@link SlotLibrary}. */
final class SlotClustering {

    private static final String WHO = "SlotLibrary";

    private SlotClustering() {}

    static LibraryContent of(
            NDArray slots,
            @Nullable NDArray shares,
            @Nullable NDArray initial,
            LibraryOptions options) {
        Check.shape(WHO, "slots", slots, "N", "K", "D");
        Check.floating(WHO, "slots", slots.getDataType());
        Shape s = slots.getShape();
        long rows = s.get(0) * s.get(1);
        Limits.numbers(WHO, "slots", rows, s.get(2));
        int clusters = options.clustersOf(WHO, s.get(1));
        Check.option(
                rows >= clusters,
                WHO
                        + ": slots must be at least as many as clusters, "
                        + clusters
                        + ", got "
                        + rows);
        if (shares != null) {
            Check.shape(WHO, "shares", shares, s.get(0), s.get(1));
            Check.floating(WHO, "shares", shares.getDataType());
        }
        float[] values =
                finite(WHO, floats(slots), 0, Math.toIntExact(s.get(1)), Math.toIntExact(s.get(2)));
        KMeans kMeans =
                new KMeans(clusters, options.clustering())
                        .speakingAs(WHO, "initial centers", "clusters");
        try (NDManager manager = slots.getManager().newSubManager()) {
            NDArray all = attached(slots.reshape(1, rows, s.get(2)), manager);
            if (initial != null) {
                Check.shape(WHO, "initial centers", initial, clusters, s.get(2));
                for (double value : Ops.read(initial)) {
                    Check.option(Double.isFinite(value), WHO + ": initial centers must be finite");
                }
            }
            NDArray from = initial == null ? null : attached(initial.expandDims(0), manager);
            KMeansClustering found = kMeans.cluster(all, from);
            float[] centers = floats(found.centers());
            return new LibraryContent(
                    Math.toIntExact(s.get(1)),
                    Math.toIntExact(s.get(2)),
                    values,
                    shares == null ? null : checked(WHO, floats(shares)),
                    Arrays.stream(found.labels().toLongArray()).mapToInt(k -> (int) k).toArray(),
                    centers,
                    options.background() == null ? LibraryContent.UNKNOWN : options.background(),
                    options.leastShare(),
                    null,
                    null);
        }
    }

    private static NDArray attached(NDArray array, NDManager manager) {
        array.attach(manager);
        return array;
    }

    static float[] floats(NDArray array) {
        double[] wide = Ops.read(array);
        float[] values = new float[wide.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) wide[i];
        }
        return values;
    }

    /**
     * Requires slots (N, K, D) to be numbers that float32 can hold.
     *
     * @param before how many pictures of the same set came before, for the number in the error
     */
    static float[] finite(String who, float[] slots, int before, int count, int dim) {
        for (int i = 0; i < slots.length; i++) {
            if (!Float.isFinite(slots[i])) {
                throw new IllegalArgumentException(
                        who
                                + ": slots must be finite in float32, got "
                                + slots[i]
                                + " in slot "
                                + i / dim % count
                                + " of picture "
                                + (before + i / dim / count));
            }
        }
        return slots;
    }

    static float[] checked(String who, float[] shares) {
        for (int i = 0; i < shares.length; i++) {
            if (!(shares[i] >= 0 && shares[i] <= 1)) {
                throw new IllegalArgumentException(
                        who + ": shares must be from 0 to 1, got " + shares[i] + " in row " + i);
            }
        }
        return shares;
    }
}
