package org.slotwise.metric;

/**
 * Mean best overlap: the IoU of each true object with the predicted group that covers it best.
 *
 * <p>Source: Pont-Tuset et al., "Multiscale Combinatorial Grouping" (2017), there the average best
 * overlap; as used for slots by Seitzer et al., "Bridging the Gap to Real-World Object-Centric
 * Learning" (2023).
 *
 * <pre>{@code
 * IoU[i, j] = pixels in true object i and predicted group j / pixels in either
 * mBO       = mean over the image's objects i of  max over j of IoU[i, j]
 * }</pre>
 *
 * <p>A predicted group may be the best one for several objects. A true group without pixels is no
 * object, and neither is a {@link Background} that is left out; its pixels still count in the union
 * where a predicted group spills into it. Pixels of no true group count for nobody. An image
 * without objects has no value: NaN, not counted in the mean.
 */
public final class MeanBestOverlap extends SegmentationMetric {

    /**
     * Creates the metric.
     *
     * @param background LEFT_OUT for "mBO", COUNTED for "mBO-all", where group 0 is an object
     */
    public MeanBestOverlap(Background background) {
        super(background == Background.COUNTED ? "mBO-all" : "mBO", background);
    }

    @Override
    ImageScores compare(Contingency contingency) {
        return meanOverObjects(contingency.intersectionOverUnion().max(new int[] {2}), contingency);
    }
}
