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
 * <p>Both segmentations come in one of two forms, whichever is at hand:
 *
 * <ul>
 *   <li>masks (B, K, N) of any type, one-hot or soft, such as the attention maps or the decoder's
 *       masks of K slots: a pixel belongs to the group whose value is largest, the first of equals.
 *       A pixel whose values are all zero belongs to none.
 *   <li>labels (B, N), whole numbers from 0: a pixel belongs to the group of that number. A
 *       negative label belongs to none. This form reads one number from the device, the largest
 *       label; it must be below 1024.
 * </ul>
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
     * @param truth the true groups, masks (B, T, N) or labels (B, N)
     * @param predicted the predicted groups, masks (B, K, N) or labels (B, N)
     * @return a score for each image, in the manager of {@code predicted}
     * @throws IllegalArgumentException if one is neither masks nor labels, if they differ in
     *     images, pixels or device, or if a label is too large
     */
    public final ImageScores score(NDArray truth, NDArray predicted) {
        String who = getClass().getSimpleName();
        Membership.check(who, "truth", truth);
        Membership.check(who, "predicted", predicted);
        Check.option(
                truth.getShape().get(0) == predicted.getShape().get(0)
                        && Membership.pixels(truth) == Membership.pixels(predicted),
                who
                        + ": truth and predicted must have the same images and pixels, got "
                        + truth.getShape()
                        + " and "
                        + predicted.getShape());
        Check.sameDevice(who, "truth", truth, "predicted", predicted);
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        ImageScores scores =
                                compare(Contingency.of(who, truth, predicted, background));
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
