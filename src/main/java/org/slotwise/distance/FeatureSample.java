package org.slotwise.distance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.SplitMix;

/**
 * Features of so many pictures of a set that come batch by batch, each as likely as any other: for
 * the kernel distance, which needs features themselves. While a set has no more pictures than are
 * kept, it is the set.
 *
 * <p>Source: Vitter, "Random sampling with a reservoir" (1985), algorithm R. Features are kept in
 * Java's memory in float32. Not for several threads at once.
 */
public final class FeatureSample {

    private static final String WHO = "FeatureSample";

    private final int limit;
    private final SplitMix random;
    private final List<float[]> rows = new ArrayList<>();
    private int seen;

    /**
     * Begins with no features.
     *
     * @param limit how many are kept at most, at least 2
     * @param seed what decides which
     * @throws IllegalArgumentException if the limit is below 2
     */
    public FeatureSample(int limit, long seed) {
        Check.atLeast(WHO, "limit", limit, 2);
        this.limit = limit;
        random = new SplitMix(seed, 2);
    }

    /**
     * Adds the features of some pictures.
     *
     * @param features (B, d), float32, float64 or float16
     * @return this
     * @throws IllegalArgumentException if they have another shape or type, are not finite in
     *     float32, or are of another size than those before
     */
    public FeatureSample add(NDArray features) {
        keep(check(features), Math.toIntExact(features.getShape().get(1)));
        return this;
    }

    /** Keeps rows of size d that {@link #check} gave. */
    void keep(float[] values, int d) {
        for (int from = 0; from < values.length; from += d) {
            seen++;
            int place = seen <= limit ? seen - 1 : random.below(seen);
            if (place < limit) {
                float[] row = Arrays.copyOfRange(values, from, from + d);
                if (place == rows.size()) {
                    rows.add(row);
                } else {
                    rows.set(place, row);
                }
            }
        }
    }

    /** The features as they would be kept. */
    float[] check(NDArray features) {
        FeatureRows.check(WHO, "features", features, seen);
        if (!rows.isEmpty()) {
            Check.last(WHO, "features", features, rows.get(0).length);
        }
        int d = Math.toIntExact(features.getShape().get(1));
        Limits.numbers(WHO, "features", limit, d);
        Check.option(
                seen + features.getShape().get(0) < Integer.MAX_VALUE,
                WHO + ": pictures must be below " + Integer.MAX_VALUE);
        float[] values;
        try (NDArray copy = features.toType(DataType.FLOAT32, true)) {
            values = copy.toFloatArray();
        }
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        WHO
                                + ": features must be finite in float32, got "
                                + values[i]
                                + " in row "
                                + ((long) seen + i / d));
            }
        }
        return values;
    }

    /**
     * How many pictures' features were added.
     *
     * @return n, those included that are not kept
     */
    public long count() {
        return seen;
    }

    /**
     * The features that were kept.
     *
     * @param manager what owns the result
     * @return (at most limit, d) float32
     * @throws IllegalStateException if nothing was added
     */
    public NDArray features(NDManager manager) {
        if (rows.isEmpty()) {
            throw new IllegalStateException(WHO + ": no features were added");
        }
        int d = rows.get(0).length;
        float[] all = new float[rows.size() * d];
        for (int i = 0; i < rows.size(); i++) {
            System.arraycopy(rows.get(i), 0, all, i * d, d);
        }
        return manager.create(all, new Shape(rows.size(), d));
    }
}
