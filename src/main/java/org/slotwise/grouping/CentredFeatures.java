package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;

/**
 * Features in the form that distances are best computed in: at most float32 wide becomes float32,
 * normalised if asked for, with mean 0 for each image.
 */
final class CentredFeatures {

    /** Outside these, squares of float32 might overflow or vanish. */
    private static final double LARGEST = 1e30;

    private static final double SMALLEST = 1e-25;

    private static final double NORM_EPS = 1e-12;

    /** (B, N, F). */
    final NDArray values;

    /** What was subtracted: (B, 1, F). */
    final NDArray mean;

    /** The centres that came with the features, in the same form: (B, K, F); null if none did. */
    final @Nullable NDArray centers;

    /** For each image, the mean of the variances of its F elements. */
    final double[] variance;

    private CentredFeatures(NDArray x, @Nullable NDArray centers) {
        mean = x.mean(new int[] {1}, true);
        values = x.sub(mean);
        this.centers = centers == null ? null : centers.sub(mean);
        Shape shape = x.getShape();
        variance = Ops.read(energy(values));
        for (int b = 0; b < variance.length; b++) {
            variance[b] /= (double) (shape.get(1) * shape.get(2));
        }
    }

    /**
     * Prepares features.
     *
     * @param who the block that complains
     * @param features (B, N, F)
     * @param centers (B, K, F) or null
     * @param normalise whether to scale each feature to norm 1
     */
    static CentredFeatures of(
            String who, NDArray features, @Nullable NDArray centers, boolean normalise) {
        DataType type = features.getDataType();
        if (type != DataType.FLOAT64) {
            boolean moderate =
                    moderate(features.toType(DataType.FLOAT32, false))
                            && (centers == null
                                    || moderate(centers.toType(DataType.FLOAT32, false)));
            type = moderate ? DataType.FLOAT32 : DataType.FLOAT64;
        }
        NDArray x = features.toType(type, false);
        NDArray c = centers == null ? null : centers.toType(type, false);
        if (type == DataType.FLOAT64) {
            requireFinite(who, "features", x);
            if (c != null) {
                requireFinite(who, "conditioning", c);
            }
        }
        return new CentredFeatures(normalise ? x.normalize(2, 2, NORM_EPS) : x, c);
    }

    /** The sum of the squares of an image: (B). */
    private static NDArray energy(NDArray x) {
        return x.square().sum(new int[] {1, 2});
    }

    /** Whether all images have squares that float32 holds well. */
    private static boolean moderate(NDArray x) {
        for (double e : Ops.read(energy(x))) {
            if (e != 0 && !(e > SMALLEST && e < LARGEST)) {
                return false;
            }
        }
        return true;
    }

    private static void requireFinite(String who, String what, NDArray x) {
        double[] energy = Ops.read(energy(x));
        for (int b = 0; b < energy.length; b++) {
            if (!(energy[b] < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        who
                                + ": "
                                + what
                                + " of image "
                                + b
                                + " must be finite, and so must their squares in float64");
            }
        }
    }
}
