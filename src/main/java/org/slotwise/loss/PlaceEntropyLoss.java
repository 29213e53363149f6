package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.PlaceMoments;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * How much has to be said of each pixel, given its slot's Gaussian over places: which slot it is
 * of, and where. Objects far apart are dear in one slot, and an object or a ground in pieces gains
 * nothing.
 *
 * <p>Source: the entropy of a mixture's complete data, as in Biernacki, Celeux and Govaert,
 * "Assessing a Mixture Model for Clustering with the Integrated Completed Likelihood" (2000). The
 * first slot, the ground, has the density 1 all over the picture instead of a Gaussian.
 *
 * <pre>{@code
 * share_k = mean over places of m_k       C_k = covariance of places in [0, 1]², weighed by m_k
 * loss = mean over images of  sum over k of  share_k (h_k - log share_k)
 * h_k = 1 + log(2 pi) + 1/2 log det C_k   h_0 = 0
 * }</pre>
 *
 * <p>The predictions are one array, the masks (B, K, H, W); the labels are not used. The loss has
 * shape (); it is 0 where the first slot has everything.
 */
public final class PlaceEntropyLoss extends ShownLoss {

    private static final String WHO = "PlaceEntropyLoss";
    private static final double GAUSSIAN = 1 + Math.log(2 * Math.PI);

    /** Creates the loss under the name "PlaceEntropyLoss". */
    public PlaceEntropyLoss() {
        this(WHO);
    }

    /**
     * Creates the loss.
     *
     * @param name the name under which it is shown
     */
    public PlaceEntropyLoss(String name) {
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
            Shape s = masks.getShape();
            NDArray table = PlaceMoments.table(masks, s.get(2), s.get(3));
            PlaceMoments moments = PlaceMoments.of(masks.flatten(2, 3), table);
            NDArray det = moments.determinant(); // (B, K, 1)
            NDArray h = det.log().mul(Scalars.like(det, 0.5)).add(Scalars.like(det, GAUSSIAN));
            NDArray ground = h.get(":, :1").zerosLike();
            NDArray all = NDArrays.concat(new NDList(ground, h.get(":, 1:")), 1);
            NDArray share = moments.share();
            NDArray loss = share.mul(all.sub(share.log())).sum(new int[] {1}).mean();
            return scope.keep(loss, masks.getManager());
        }
    }
}
