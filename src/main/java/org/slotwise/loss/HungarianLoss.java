package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.data.PropertyLayout;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * How unlikely true sets are under predicted ones: each slot is matched with one row of the truth,
 * such that the total is least, and pays the negative log-likelihood of its attributes and presence
 * and the distance of its position.
 *
 * <p>Source: Carion et al., "End-to-End Object Detection with Transformers" (2020), equation 2: the
 * Hungarian loss. How we differ: one cost serves matching and loss, where the paper matches by
 * probabilities instead of their logarithms; there may be several attributes; positions are points,
 * not boxes; and a slot without an object costs as much as any other.
 *
 * <pre>{@code
 * cost[k, j] = a sum over attributes of -log p(value of row j)
 *            + w sum over coordinates of huber(scale (position[k] - position[j]))
 *            - log presence[k]                            if row j is an object
 *            = - log (1 - presence[k])                    if it is none
 * pi         = the one-to-one matching of slots k with rows pi(k) whose total cost is least
 * loss       = mean over images of the sum over slots of cost[k, pi(k)]
 * }</pre>
 *
 * <p>Predictions are (B, K, P) probabilities and coordinates, as {@code
 * org.slotwise.decoder.PropertyDecoder} gives them if it knows the layout, and labels (B, K', P),
 * both on one device; the loss has shape (). A row whose presence is 0 stands for no object,
 * whatever else it holds. Where there are fewer rows than slots, rows of zeros are added. Where
 * there are more, each slot is matched with one row, and rows that are left over cost nothing: have
 * as many slots as objects.
 *
 * <p>The order of slots and the order of rows do not matter. No gradient flows through the choice
 * of the matching, and none to the labels. A probability counts as at least 1e-7 (float16: 1e-4):
 * below it there is no gradient.
 *
 * <p>Where a prediction or a label is not finite the loss is not either, and nothing is matched.
 * The matching waits for the device: B K max(K, K') costs are copied to the host.
 */
public final class HungarianLoss extends ShownLoss {

    private static final String WHO = "HungarianLoss";

    private final PropertyLayout layout;
    private final double attributeWeight;
    private final double positionWeight;

    /**
     * Creates the loss under the name "HungarianLoss", with weights 1.
     *
     * @param layout what the numbers of a row mean
     */
    public HungarianLoss(PropertyLayout layout) {
        this(WHO, layout, 1, 1);
    }

    /**
     * Creates the loss.
     *
     * @param name the name under which it is shown
     * @param layout what the numbers of a row mean
     * @param attributeWeight a, at least 0
     * @param positionWeight w, at least 0
     * @throws IllegalArgumentException if a weight is negative or not finite
     */
    public HungarianLoss(
            String name, PropertyLayout layout, double attributeWeight, double positionWeight) {
        super(name);
        this.layout = layout;
        this.attributeWeight = weight("attributeWeight", attributeWeight);
        this.positionWeight = weight("positionWeight", positionWeight);
    }

    private static double weight(String what, double value) {
        Check.option(
                value >= 0 && value < Double.POSITIVE_INFINITY,
                WHO + ": " + what + " must be at least 0 and finite, got " + value);
        return value;
    }

    /**
     * The loss of a batch.
     *
     * @param labels the true sets: one array (B, K', P), or the labels of a {@code SceneDataset},
     *     in any floating type
     * @param predictions the predicted sets: one array (B, K, P), probabilities in [0, 1]
     * @return a number, shape ()
     * @throws IllegalArgumentException if there is more than one array, or the two do not agree
     *     with each other or with the layout
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        NDArray label = MatchedRows.label(WHO, labels);
        NDArray prediction = MatchedRows.prediction(WHO, predictions);
        MatchedRows.check(WHO, label, prediction);
        Check.shape(WHO, "the prediction", prediction, "B", "K", layout.length());
        Shape shape = prediction.getShape();
        try (Scope scope = new Scope()) {
            NDArray target =
                    MatchedRows.find(
                            ofType(label, prediction),
                            shape,
                            rows -> costs(prediction.expandDims(2), rows.expandDims(1)));
            NDArray slots = Scalars.like(prediction, (double) shape.get(1));
            return scope.keep(costs(prediction, target).mean().mul(slots), prediction.getManager());
        }
    }

    /** Of predictions (..., P) and rows (..., P) that go together. */
    private NDArray costs(NDArray prediction, NDArray rows) {
        int presence = layout.presence();
        NDArray present = part(rows, presence, presence + 1).squeeze(-1);
        NDArray told = part(prediction, presence, presence + 1).squeeze(-1);
        NDArray one = Scalars.like(told, 1);
        NDArray object = log(told).neg();
        if (presence > layout.coordinates()) {
            NDArray likelihood =
                    log(part(prediction, layout.coordinates(), presence))
                            .mul(part(rows, layout.coordinates(), presence));
            object = object.sub(weighted(sum(likelihood), attributeWeight));
        }
        if (layout.coordinates() > 0) {
            NDArray d =
                    part(prediction, 0, layout.coordinates())
                            .sub(part(rows, 0, layout.coordinates()));
            NDArray distance = MatchedRows.huber(weighted(d, layout.scale()));
            object = object.add(weighted(sum(distance), positionWeight));
        }
        NDArray none = log(one.sub(told)).neg();
        return present.mul(object).add(one.sub(present).mul(none));
    }

    private static NDArray part(NDArray x, int from, int to) {
        return x.get("..., " + from + ":" + to);
    }

    private static NDArray sum(NDArray x) {
        return x.sum(new int[] {x.getShape().dimension() - 1});
    }

    private static NDArray weighted(NDArray x, double weight) {
        return x.mul(Scalars.like(x, weight));
    }

    private static NDArray log(NDArray probability) {
        double least = probability.getDataType() == DataType.FLOAT16 ? 1e-4 : 1e-7;
        return Ops.clampMin(probability, least).log();
    }
}
