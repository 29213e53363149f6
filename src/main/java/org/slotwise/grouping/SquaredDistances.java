package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Scalars;

/**
 * Features that are compared by squared distance in place of the dot product. What all slots share
 * of a feature's distance, ||x||², is left out, since it cancels in a softmax over slots:
 *
 * <pre>{@code
 * -||x - s||² / temperature + ||x||² / temperature = (2 s . x - ||s||²) / temperature
 * }</pre>
 *
 * <p>Precise where features have mean 0.
 */
final class SquaredDistances implements AttendedFeatures {

    private final AttendedFeatures features;
    private final double temperature;

    SquaredDistances(AttendedFeatures features, double temperature) {
        this.features = features;
        this.temperature = temperature;
    }

    @Override
    public NDArray dot(NDArray s) {
        NDArray scaled = s.mul(Scalars.like(s, 1 / temperature));
        NDArray squares = s.mul(scaled).sum(new int[] {2}, true); // (B, K, 1)
        return features.dot(scaled.add(scaled)).sub(squares.expandDims(1));
    }

    @Override
    public NDArray weightedSum(NDArray a, NDArray total) {
        return features.weightedSum(a, total);
    }
}
