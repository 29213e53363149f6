package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import org.slotwise.internal.Scalars;
import org.slotwise.matching.Assignment;
import org.slotwise.matching.HungarianMatching;

/**
 * Mean intersection over union, where predicted groups are matched one to one with true objects
 * such that the total IoU is largest.
 *
 * <p>Source: the Jaccard index of Everingham et al., "The Pascal Visual Object Classes Challenge"
 * (2010); the matching is needed because predicted groups have no class.
 *
 * <pre>{@code
 * IoU[i, j] = pixels in true object i and predicted group j / pixels in either
 * mIoU      = mean over the image's objects i of  IoU[i, match(i)]
 * }</pre>
 *
 * <p>An object that finds no partner, because there are fewer groups than objects, counts as 0. A
 * true group without pixels is no object, and neither is a {@link Background} that is left out; its
 * pixels still count in the union where a predicted group spills into it. Pixels of no true group
 * count for nobody. An image without objects has no value: NaN, not counted in the mean.
 *
 * <p>The matching is done on the host, see {@link HungarianMatching}: the T x K overlaps of each
 * image are copied there.
 */
public final class MeanIntersectionOverUnion extends SegmentationMetric {

    /**
     * Creates the metric.
     *
     * @param background LEFT_OUT for "mIoU", COUNTED for "mIoU-all", where group 0 is an object
     */
    public MeanIntersectionOverUnion(Background background) {
        super(background == Background.COUNTED ? "mIoU-all" : "mIoU", background);
    }

    @Override
    ImageScores compare(Contingency contingency) {
        // Groups that are no objects are worth nothing, so they take no partner away.
        NDArray overlap =
                contingency.intersectionOverUnion().mul(contingency.object().expandDims(2));
        NDArray zero = Scalars.like(overlap, 0).broadcast(overlap.getShape());
        NDArray costs = NDArrays.where(overlap.isNaN(), zero, overlap).neg();
        Assignment assignment = HungarianMatching.match(costs);
        NDArray matched = assignment.pick(overlap).sum(new int[] {1}); // (B)
        NDArray objects = contingency.object().sum(new int[] {1});
        return new ImageScores(matched.div(objects), objects.neq(Scalars.like(objects, 0)));
    }
}
