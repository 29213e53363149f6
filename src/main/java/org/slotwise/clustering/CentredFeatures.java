package org.slotwise.clustering;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Features in the form that distances are best computed in: at most float32 wide becomes float32,
 * normalised if asked for, with mean 0 for each image; or with median 0 where a few features are so
 * far away that the mean is far from all others, which would cost these their digits.
 */
final class CentredFeatures {

    /**
     * Outside these, squares in float32, and what is computed with them, may be beyond its range.
     */
    private static final double LARGEST = 1e20;

    private static final double SMALLEST = 1e-20;

    private static final double NORM_EPS = 1e-12;

    /**
     * How many times the median of ||x||² its mean is where a few features are far away. Of 5,000
     * features of 64 elements one value does it from 4,500 times the deviation of the others on.
     */
    static final int FAR = 64;

    /** Of how many features medians are taken: at least so many, where there are. */
    static final int SAMPLE = 256;

    /** (B, N, F). */
    final NDArray values;

    /** ||x||² of each: (B, N). */
    final NDArray squares;

    /** What was subtracted: (B, 1, F). */
    final NDArray origin;

    /** The centres that came with the features, in the same form: (B, K, F); null if none did. */
    final @Nullable NDArray centers;

    /** For each image, the mean of the variances of its F elements. */
    final double[] variance;

    /** The same before they were centred: (B, N, F). */
    final NDArray given;

    private final @Nullable NDArray givenCenters;

    private CentredFeatures(NDArray x, @Nullable NDArray centers, NDArray origin, boolean isMean) {
        given = x;
        givenCenters = centers;
        this.origin = origin;
        values = x.sub(origin);
        squares = squares(values);
        this.centers = centers == null ? null : centers.sub(origin);
        Shape shape = x.getShape();
        variance = Ops.read(squares.sum(new int[] {1}));
        double[] toMean =
                isMean
                        ? new double[variance.length]
                        : Ops.read(values.mean(new int[] {1}).square().sum(new int[] {1}));
        for (int b = 0; b < variance.length; b++) {
            double square = variance[b] / shape.get(1) - toMean[b];
            variance[b] = Math.max(0, square) / shape.get(2);
        }
    }

    /** Around their mean, or around a median. */
    private static CentredFeatures around(NDArray x, @Nullable NDArray centers) {
        NDArray mean = x.mean(new int[] {1}, true);
        CentredFeatures centred = new CentredFeatures(x, centers, mean, true);
        double[] far = far(centred.squares);
        if (far == null) {
            return centred;
        }
        centred.values.close();
        NDArray toMedian = median(x).sub(mean).mul(chosen(x, far));
        return new CentredFeatures(x, centers, mean.add(toMedian), false);
    }

    /**
     * The same in float64, for features that were at most float32 wide: around 0, where it holds
     * all digits that these have, and those of their products.
     */
    CentredFeatures wide() {
        NDArray x = wide(given);
        NDArray c = givenCenters == null ? null : wide(givenCenters);
        return new CentredFeatures(x, c, Scalars.like(x, 0).broadcast(origin.getShape()), false);
    }

    /**
     * Some of the features, around the same origin.
     *
     * @param row which, (B, S) int64, as rows of the features of all images
     */
    CentredFeatures part(NDArray row) {
        return new CentredFeatures(this, Ops.rows(given.reshape(-1, given.getShape().get(2)), row));
    }

    private CentredFeatures(CentredFeatures whole, NDArray x) {
        given = x;
        givenCenters = null;
        origin = whole.origin;
        values = x.sub(origin);
        squares = squares(values);
        centers = null;
        variance = whole.variance;
    }

    /**
     * The same with centres to start from.
     *
     * @param start (B, K, F), around the origin
     */
    CentredFeatures from(NDArray start) {
        return new CentredFeatures(this, start, start.add(origin));
    }

    private CentredFeatures(CentredFeatures same, NDArray centers, NDArray givenCenters) {
        given = same.given;
        this.givenCenters = givenCenters;
        origin = same.origin;
        values = same.values;
        squares = same.squares;
        this.centers = centers;
        variance = same.variance;
    }

    private static NDArray wide(NDArray array) {
        return array.toType(DataType.FLOAT64, false);
    }

    /** Some features of each image, evenly over all: of (B, N, ...). */
    private static NDArray sample(NDArray array) {
        long step = Math.max(1, array.getShape().get(1) / SAMPLE);
        return array.get(":, ::" + step);
    }

    /**
     * Finds the images of which a few features are far away.
     *
     * @param squares ||x||² around the mean, (B, N)
     * @return 1 for these images and 0 for the others; null if there are none
     */
    private static double @Nullable [] far(NDArray squares) {
        NDArray some = sample(squares);
        int count = Math.toIntExact(some.getShape().get(1));
        double[] read = Ops.read(squares.mean(new int[] {1}, true).concat(some, 1));
        double[] far = new double[read.length / (count + 1)];
        boolean any = false;
        for (int b = 0; b < far.length; b++) {
            int at = b * (count + 1);
            double mean = read[at];
            Arrays.sort(read, at + 1, at + 1 + count);
            far[b] = mean > FAR * read[at + 1 + count / 2] ? 1 : 0;
            any |= far[b] > 0;
        }
        return any ? far : null;
    }

    private static NDArray chosen(NDArray like, double[] images) {
        return Scalars.of(
                like.getManager(),
                like.getDevice(),
                images,
                new Shape(images.length, 1, 1),
                like.getDataType());
    }

    /** The median of each element over some features: (B, 1, F). */
    private static NDArray median(NDArray x) {
        NDArray sorted = sample(x).sort(1);
        long middle = sorted.getShape().get(1) / 2;
        return Ops.part(sorted, 1, middle, middle + 1);
    }

    /**
     * Prepares features.
     *
     * @param who who complains
     * @param given what the centres are called in errors
     * @param features (B, N, F)
     * @param centers (B, K, F) or null
     * @param normalise whether to scale each feature to norm 1
     */
    static CentredFeatures of(
            String who,
            String given,
            NDArray features,
            @Nullable NDArray centers,
            boolean normalise) {
        boolean wide = features.getDataType() == DataType.FLOAT64;
        NDArray x = features.toType(wide ? DataType.FLOAT64 : DataType.FLOAT32, false);
        NDArray c = centers == null ? null : centers.toType(x.getDataType(), false);
        NDArray squares = squares(x);
        if (!wide && !(moderate(x, squares) && (c == null || moderate(c, squares(c))))) {
            x = wide(x);
            c = c == null ? null : wide(c);
            squares = squares(x);
            wide = true;
        }
        if (wide) {
            requireFinite(who, "features", squares);
            if (c != null) {
                requireFinite(who, given, squares(c));
            }
        }
        if (normalise) {
            NDArray norm = squares.sqrt().maximum(Scalars.like(squares, NORM_EPS));
            x = x.div(norm.expandDims(2));
        }
        return around(x, c);
    }

    private static NDArray squares(NDArray x) {
        // Without an array as large as x, which would cost more than the arithmetic.
        NDArray norm = x.norm(2, new int[] {2}, false);
        return norm.muli(norm);
    }

    /** Whether float32 holds the squares of all images well. */
    private static boolean moderate(NDArray x, NDArray squares) {
        double[] sums = Ops.read(squares.sum(new int[] {1}));
        double[] sizes = null;
        for (int b = 0; b < sums.length; b++) {
            if (sums[b] == 0) {
                // All zero, or so small that all squares vanish.
                sizes = sizes == null ? Ops.read(x.abs().sum(new int[] {1, 2})) : sizes;
                if (sizes[b] > 0) {
                    return false;
                }
            } else if (!(sums[b] > SMALLEST && sums[b] < LARGEST)) {
                return false;
            }
        }
        return true;
    }

    private static void requireFinite(String who, String what, NDArray squares) {
        double[] sums = Ops.read(squares.sum(new int[] {1}));
        for (int b = 0; b < sums.length; b++) {
            if (!(sums[b] < Double.POSITIVE_INFINITY)) {
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
