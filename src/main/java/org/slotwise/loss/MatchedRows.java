package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.internal.Check;
import org.slotwise.internal.Chosen;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.matching.HungarianMatching;

/**
 * The row of a true set that each slot is matched with, such that the total of the costs is least.
 * Nothing here has a gradient.
 */
final class MatchedRows {

    private MatchedRows() {}

    /**
     * Checks what a loss between sets is given.
     *
     * @param who the loss
     * @param label (B, K', P)
     * @param prediction (B, K, P)
     */
    static void check(String who, NDArray label, NDArray prediction) {
        ShownLoss.check(who, label, prediction);
        Check.shape(who, "the prediction", prediction, "B", "K", "P");
        Shape shape = prediction.getShape();
        Check.shape(who, "the label", label, shape.get(0), "K'", shape.get(2));
    }

    /** The sets of labels: the only array, or the only one that may be sets. */
    static NDArray label(String who, NDList labels) {
        return Chosen.of(
                who,
                "labels",
                labels,
                "IndexLoss",
                List.of(),
                array -> array.getDataType().isFloating() && array.getShape().dimension() == 3);
    }

    /** The one array of predictions. */
    static NDArray prediction(String who, NDList predictions) {
        return Chosen.of(who, "predictions", predictions, "IndexLoss", List.of(), array -> false);
    }

    /**
     * Matches. Where there are fewer rows than slots, rows of zeros are added.
     *
     * @param label (B, K', P)
     * @param shape the shape of the prediction, (B, K, P)
     * @param costs from rows (B, M, P) to what each slot would pay for each of them, (B, K, M)
     * @return (B, K, P); where a cost is not finite nothing is matched, and all of it is not
     */
    static NDArray find(NDArray label, Shape shape, UnaryOperator<NDArray> costs) {
        return NoGraph.during(() -> matched(label, shape, costs));
    }

    private static NDArray matched(NDArray label, Shape shape, UnaryOperator<NDArray> costs) {
        long images = shape.get(0);
        long slots = shape.get(1);
        long properties = shape.get(2);
        NDArray rows = label;
        long missing = slots - label.getShape().get(1);
        if (missing > 0) {
            NDArray none =
                    Scalars.full(
                                    label.getManager(),
                                    new Shape(images, missing, properties),
                                    0,
                                    label.getDataType())
                            .toDevice(label.getDevice(), false);
            rows = NDArrays.concat(new NDList(label, none), 1);
        }
        NDArray pairs = costs.apply(rows);
        if (!isFinite(pairs)) {
            // Any rows will do to show it: the sum over all of them is not finite.
            return pairs.sum().broadcast(shape);
        }
        NDArray columns = HungarianMatching.match(pairs).columns(); // of slots 0, 1, ...
        long width = rows.getShape().get(1);
        NDArray first = Ops.begins(columns, (int) images, width).expandDims(1);
        return Ops.rows(rows.reshape(images * width, properties), columns.add(first));
    }

    private static boolean isFinite(NDArray costs) {
        return Double.isFinite(Ops.read(costs.toType(DataType.FLOAT64, false).sum())[0]);
    }

    /** q^2 / 2 + |d| - q, where q = min(|d|, 1). */
    static NDArray huber(NDArray d) {
        NDArray distance = d.abs();
        NDArray q = distance.minimum(Scalars.like(d, 1));
        return q.square().mul(Scalars.like(d, 0.5)).add(distance).sub(q);
    }
}
