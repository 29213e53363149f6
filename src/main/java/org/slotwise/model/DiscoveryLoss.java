package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.loss.Loss;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.internal.BoxMeans;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.loss.PlaceEntropyLoss;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.loss.TotalVariationLoss;

/**
 * What an {@link ObjectDiscovery} is trained to make small.
 *
 * <pre>{@code
 * mean S(reconstruction - target)² + maskSmoothness * TV(masks) + placeEntropy * E(masks)
 * }</pre>
 *
 * <p>S is the mean over squares of pixels, for images; E is {@link PlaceEntropyLoss}.
 *
 * <p>The target is what the model says it was, or else the images, which are the only label that is
 * looked at.
 */
final class DiscoveryLoss extends Loss {

    private final double maskSmoothness;
    private final double placeEntropy;
    private final int smoothing;
    private final Shape grid;
    private double grown = 1;
    private final Loss reconstruction = new ReconstructionLoss();
    private final Loss smoothness = new TotalVariationLoss();
    private final Loss entropy = new PlaceEntropyLoss();

    /**
     * Creates the loss.
     *
     * @param recipe how much counts what
     * @param grid rows and columns of the features, for masks (B, K, N)
     */
    DiscoveryLoss(TrainingRecipe recipe, Shape grid) {
        super("DiscoveryLoss");
        maskSmoothness = recipe.maskSmoothness();
        placeEntropy = recipe.placeEntropy();
        smoothing = recipe.smoothing();
        this.grid = grid;
    }

    /**
     * Sets how much of their weight the masks' terms have.
     *
     * @param part in [0, 1]; 1 if not set
     */
    void grow(double part) {
        grown = part;
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
            NDArray loss = error(made, target);
            if (maskSmoothness > 0) {
                loss = loss.add(weighed(smoothness, predictions, grown * maskSmoothness));
            }
            if (placeEntropy > 0) {
                loss = loss.add(weighed(entropy, predictions, grown * placeEntropy));
            }
            return scope.keep(loss, made.getManager());
        }
    }

    private NDArray error(NDArray made, NDArray target) {
        if (smoothing == 1 || made.getShape().dimension() != 4) {
            return reconstruction.evaluate(new NDList(target), new NDList(made));
        }
        NDArray error = made.sub(target.toType(made.getDataType(), false));
        // Twice: once leaves much of a texture whose period is not that of the squares.
        return BoxMeans.of(BoxMeans.of(error, smoothing), smoothing).square().mean();
    }

    private NDArray weighed(Loss term, NDList predictions, double weight) {
        NDArray masks = onGrid(predictions.get(SlotDecoding.MASKS));
        NDArray value = term.evaluate(new NDList(), new NDList(masks));
        return value.mul(Scalars.like(value, weight));
    }

    /** Masks as (B, K, rows, columns). */
    private NDArray onGrid(NDArray masks) {
        Shape s = masks.getShape();
        return s.dimension() == 4
                ? masks
                : masks.reshape(s.get(0), s.get(1), grid.get(0), grid.get(1));
    }
}
