package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import org.slotwise.internal.Scalars;

/**
 * The adjusted Rand index: how often two segmentations agree on whether two pixels belong together,
 * set to 0 for chance and 1 for full agreement.
 *
 * <p>Source: Hubert and Arabie, "Comparing partitions" (1985); over the foreground only as in Greff
 * et al. (2019) and the metrics of Kabra et al., "Multi-Object Datasets" (2019).
 *
 * <pre>{@code
 * n[i, j]   pixels in true group i and predicted group j
 * a[i], b[j], n   its sums over j, over i, over both;  c(x) = x (x - 1)
 * expected = sum over i of c(a[i]) * sum over j of c(b[j]) / c(n)
 * largest  = (sum over i of c(a[i]) + sum over j of c(b[j])) / 2
 * ARI      = (sum over i, j of c(n[i, j]) - expected) / (largest - expected)
 * }</pre>
 *
 * <p>With {@link Background#LEFT_OUT} the sums run over the pixels of the objects only ("FG-ARI"):
 * what a prediction makes of the background has no influence. Pixels that have no group in one of
 * the two segmentations are left out as well.
 *
 * <p>The index is 1 where the fraction is 0 / 0: both segmentations have all pixels in one group,
 * or each pixel in a group of its own. An image without any pixel to look at, such as FG-ARI of an
 * image without objects, has no index: its value is NaN, and it is not counted in the mean.
 *
 * <p>How this differs from the source of the second: that one refuses what could be a group for
 * each pixel, gives NaN for one object that is found whole, and has no rule for images without
 * objects. scikit-learn agrees with this class, and gives 1 for no pixels.
 */
public final class AdjustedRandIndex extends SegmentationMetric {

    /**
     * Creates the metric.
     *
     * @param background COUNTED for "ARI" over all pixels, LEFT_OUT for "FG-ARI"
     */
    public AdjustedRandIndex(Background background) {
        super(background == Background.COUNTED ? "ARI" : "FG-ARI", background);
    }

    @Override
    ImageScores compare(Contingency contingency) {
        NDArray n = contingency.shared().mul(contingency.object().expandDims(2)); // (B, T, K)
        NDArray a = n.sum(new int[] {2});
        NDArray b = n.sum(new int[] {1});
        NDArray pixels = a.sum(new int[] {1});
        NDArray one = Scalars.like(n, 1);

        NDArray together = pairs(n).sum(new int[] {1, 2});
        NDArray inTruth = pairs(a).sum(new int[] {1});
        NDArray inPrediction = pairs(b).sum(new int[] {1});
        NDArray expected = inTruth.mul(inPrediction).div(pairs(pixels).maximum(one));
        NDArray largest = inTruth.add(inPrediction).mul(Scalars.like(n, 0.5));
        NDArray range = largest.sub(expected);
        NDArray index = together.sub(expected).div(range);
        NDArray zero = Scalars.like(n, 0);
        return new ImageScores(
                NDArrays.where(range.eq(zero), one.broadcast(index.getShape()), index),
                pixels.neq(zero));
    }

    /** x (x - 1), twice the number of pairs. */
    private static NDArray pairs(NDArray x) {
        return x.mul(x.sub(Scalars.like(x, 1)));
    }
}
