package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * A score of a segmentation beside the true one, for each image of a batch.
 *
 * <p>Both segmentations come in one of two forms, whichever is at hand, as rows of pixels or as
 * pictures:
 *
 * <ul>
 *   <li>masks (B, K, N), (B, K, H, W) or (B, K, 1, H, W) of any type, one-hot or soft, such as the
 *       attention maps or the decoder's masks of K slots: a pixel belongs to the group whose value
 *       is largest, the first of equals. A pixel whose values are all zero belongs to none.
 *   <li>labels (B, N) or (B, H, W), whole numbers from 0: a pixel belongs to the group of that
 *       number. A negative label belongs to none. This form reads one number from the device, the
 *       largest label; it must be below 1024.
 * </ul>
 *
 * <p>Three dimensions of whole numbers (uint8, int8, int32, int64) are masks where they have as
 * many pixels as the other segmentation only when taken for masks, else label maps. Two arrays of
 * zeros and ones of one shape may be both: these are refused; give masks as boolean or float32,
 * labels as (B, N). So is a single mask (B, 1, ...) of whole numbers, and what holds labels in a
 * floating type, where that shows.
 *
 * <p>The numbers of groups need not agree, and how groups are numbered does not matter, but for
 * group 0 of the truth, which can be a {@link Background}. Everything is computed on the arrays'
 * own device, counts in float64; no gradient flows. An image with NaN among its masks scores NaN.
 */
public abstract sealed class SegmentationMetric
        permits AdjustedRandIndex, MeanBestOverlap, MeanIntersectionOverUnion {

    private final String name;
    private final Background background;

    SegmentationMetric(String name, Background background) {
        this.name = name;
        this.background = background;
    }

    /**
     * The name under which the score is known.
     *
     * @return such as "FG-ARI"
     */
    public final String name() {
        return name;
    }

    /**
     * Scores a batch.
     *
     * @param truth the true groups, masks (B, T, N) or (B, T, H, W), or labels (B, N) or (B, H, W)
     * @param predicted the predicted groups, masks (B, K, N) or (B, K, H, W), or labels (B, N) or
     *     (B, H, W)
     * @return a score for each image, in the manager of {@code predicted}
     * @throws IllegalArgumentException if one is neither masks nor labels, or may be both, if they
     *     differ in images, pixels or device, or if a label is too large
     */
    public final ImageScores score(NDArray truth, NDArray predicted) {
        String who = getClass().getSimpleName();
        Check.present(who, "truth", truth);
        Check.present(who, "predicted", predicted);
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray t = withoutChannel(truth);
                        NDArray p = withoutChannel(predicted);
                        Segmentations.check(who, t, p);
                        Segmentations both = Segmentations.of(who, t, p);
                        ImageScores scores = compare(Contingency.of(who, both, background));
                        NDArray values = scores.values();
                        NDArray undefined =
                                Scalars.like(values, Double.NaN).broadcast(values.getShape());
                        return new ImageScores(
                                scope.keep(
                                        NDArrays.where(scores.counted(), values, undefined),
                                        predicted.getManager()),
                                scope.keep(scores.counted(), predicted.getManager()));
                    }
                });
    }

    /** Masks (B, K, H, W) of (B, K, 1, H, W). */
    private static NDArray withoutChannel(NDArray array) {
        boolean has = array.getShape().dimension() == 5 && array.getShape().get(2) == 1;
        return has ? array.squeeze(2) : array;
    }

    /** The scores, of any value where an image is not counted. */
    abstract ImageScores compare(Contingency contingency);

    /** The mean of (B, T) over the objects of each image; an image without any is not counted. */
    static ImageScores meanOverObjects(NDArray values, Contingency contingency) {
        NDArray objects = contingency.object().sum(new int[] {1});
        return new ImageScores(
                values.mul(contingency.object()).sum(new int[] {1}).div(objects),
                objects.neq(Scalars.like(objects, 0)));
    }

    /** {@inheritDoc} */
    @Override
    public final String toString() {
        return name;
    }
}
