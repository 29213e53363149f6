package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.slotwise.internal.Scope;

/**
 * How much masks change from each pixel to its neighbours: masks that follow the noise of a texture
 * cost much, masks with a short border little.
 *
 * <p>Source: Rudin, Osher and Fatemi, "Nonlinear Total Variation Based Noise Removal Algorithms"
 * (1992), in its anisotropic form, summed over the slots' masks.
 *
 * <pre>{@code
 * TV = mean over images, rows and columns of  sum over k of |m_k[y + 1, x] - m_k[y, x]|
 *    + the same of                                          |m_k[y, x + 1] - m_k[y, x]|
 * }</pre>
 *
 * <p>The predictions are one array, the masks (B, K, H, W); the labels are not used. The loss has
 * shape (), is 0 for masks that do not change, and at most 4 for masks whose sum over slots is 1. A
 * direction in which there is but one pixel adds nothing.
 */
public final class TotalVariationLoss extends ShownLoss {

    private static final String WHO = "TotalVariationLoss";

    /** Creates the loss under the name "TotalVariationLoss". */
    public TotalVariationLoss() {
        this(WHO);
    }

    /**
     * Creates the loss.
     *
     * @param name the name under which it is shown
     */
    public TotalVariationLoss(String name) {
        super(name);
    }

    /**
     * The loss of a batch.
     *
     * @param labels not used
     * @param predictions the masks, one array
     * @return a number, shape ()
     * @throws IllegalArgumentException if there is not one array of predictions, or it is not (B,
     *     K, H, W), of a floating type and with at least one element
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray masks = masks(WHO, predictions);
        try (Scope scope = new Scope()) {
            NDArray loss = along(masks, 2).add(along(masks, 3));
            return scope.keep(loss, masks.getManager());
        }
    }

    /** The mean over pairs of neighbours along an axis of what changes, summed over slots. */
    private static NDArray along(NDArray masks, int axis) {
        long size = masks.getShape().get(axis);
        if (size < 2) {
            return masks.zerosLike().sum();
        }
        boolean rows = axis == 2;
        NDArray next = masks.get(rows ? ":, :, 1:" : ":, :, :, 1:");
        NDArray here = masks.get(rows ? ":, :, :-1" : ":, :, :, :-1");
        return next.sub(here).abs().sum(new int[] {1}).mean();
    }
}
