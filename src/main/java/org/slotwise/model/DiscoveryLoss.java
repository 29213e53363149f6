package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.loss.Loss;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.loss.TotalVariationLoss;

/**
 * What an {@link ObjectDiscovery} is trained to make small.
 *
 * <pre>{@code
 * mean (reconstruction - target)² + maskSmoothness * TV(masks)
 * }</pre>
 *
 * <p>The target is what the model says it was, or else the images, which are the only label that is
 * looked at.
 */
final class DiscoveryLoss extends Loss {

    private final double maskSmoothness;
    private final Shape grid;
    private final Loss reconstruction = new ReconstructionLoss();
    private final Loss smoothness = new TotalVariationLoss();

    /**
     * Creates the loss.
     *
     * @param maskSmoothness how much changes of masks count
     * @param grid rows and columns of the features, for masks (B, K, N)
     */
    DiscoveryLoss(double maskSmoothness, Shape grid) {
        super("DiscoveryLoss");
        this.maskSmoothness = maskSmoothness;
        this.grid = grid;
    }

    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray made =
                Check.present(
                        getName(),
                        SlotDecoding.RECONSTRUCTION,
                        predictions.get(SlotDecoding.RECONSTRUCTION));
        NDArray other = predictions.get(ObjectDiscoveryOutput.TARGET);
        NDArray target = other == null ? labels.head() : other;
        try (Scope scope = new Scope()) {
            NDArray loss = reconstruction.evaluate(new NDList(target), new NDList(made));
            if (maskSmoothness > 0) {
                NDArray change =
                        smoothness.evaluate(
                                labels, new NDList(onGrid(predictions.get(SlotDecoding.MASKS))));
                loss = loss.add(change.mul(Scalars.like(change, maskSmoothness)));
            }
            return scope.keep(loss, made.getManager());
        }
    }

    /** Masks as (B, K, rows, columns). */
    private NDArray onGrid(NDArray masks) {
        Shape s = masks.getShape();
        return s.dimension() == 4
                ? masks
                : masks.reshape(s.get(0), s.get(1), grid.get(0), grid.get(1));
    }
}
