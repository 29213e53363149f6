package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * How far predicted sets are from the true ones: each slot is matched with one row of the truth,
 * such that the total is least.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), section 2.3,
 * in the form of the paper's code; Zhang et al., "Deep Set Prediction Networks" (2019), equation 2.
 *
 * <pre>{@code
 * cost[k, j] = mean over p of huber(prediction[k, p] - label[j, p])
 * huber(d)   = d^2 / 2 if |d| <= 1, else |d| - 1 / 2
 * pi         = the one-to-one matching of slots k with rows pi(k) whose total cost is least
 * loss       = mean over images of the sum over slots of cost[k, pi(k)]
 * }</pre>
 *
 * <p>Predictions are (B, K, P) and labels (B, K', P), one array each, on one device; the loss has
 * shape (). A row of zeros among the labels stands for no object: with a presence flag among the
 * properties, as {@code org.slotwise.data.SceneDataset} gives them, slots learn to say that they
 * hold none. Where there are fewer rows than slots (K' below K), rows of zeros are added, so that
 * each slot is matched. Where there are more, each slot is matched with one row, and rows that are
 * left over cost nothing, even if they are objects: have as many slots as objects.
 *
 * <p>The order of slots and the order of rows do not matter. No gradient flows through the choice
 * of the matching, and none to the labels. Among matchings of the same total any may be chosen: the
 * loss is the same, the gradient may differ.
 *
 * <p>Where a prediction or a label is not finite the loss is not either, and nothing is matched.
 *
 * <p>A position that is wrong by a sixth of its range costs 0.014 here, an attribute of which
 * nothing is known about 0.5: positions are learnt late. {@link HungarianLoss} weighs them.
 *
 * <p>The matching waits for the device: B K max(K, K') costs are copied to the host.
 */
public final class SetPredictionLoss extends ShownLoss {

    private static final String WHO = "SetPredictionLoss";

    /** Creates the loss under the name "SetPredictionLoss". */
    public SetPredictionLoss() {
        this(WHO);
    }

    /**
     * Creates the loss.
     *
     * @param name the name under which it is shown
     */
    public SetPredictionLoss(String name) {
        super(name);
    }

    /**
     * The loss of a batch.
     *
     * @param labels the true sets: one array (B, K', P), or the labels of a {@code SceneDataset},
     *     in any floating type
     * @param predictions the predicted sets: one array (B, K, P)
     * @return a number, shape ()
     * @throws IllegalArgumentException if there is more than one array, or the two do not agree
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray label = MatchedRows.label(WHO, labels);
        NDArray prediction = MatchedRows.prediction(WHO, predictions);
        MatchedRows.check(WHO, label, prediction);
        Shape shape = prediction.getShape();
        try (Scope scope = new Scope()) {
            NDArray target =
                    MatchedRows.find(
                            ofType(label, prediction), shape, rows -> pairs(prediction, rows));
            NDArray cost = MatchedRows.huber(prediction.sub(target)).mean();
            NDArray slots = Scalars.like(cost, (double) shape.get(1));
            return scope.keep(cost.mul(slots), prediction.getManager());
        }
    }

    private static NDArray pairs(NDArray prediction, NDArray rows) {
        NDArray d = prediction.expandDims(2).sub(rows.expandDims(1)); // (B, K, M, P)
        return MatchedRows.huber(d).sum(new int[] {3});
    }
}
