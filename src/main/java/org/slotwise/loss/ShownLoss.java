package org.slotwise.loss;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.loss.Loss;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scope;

/**
 * A loss that DJL's listeners can show, whatever type it has: what they show they read as a
 * float32, and end with an error if it is another type.
 */
abstract class ShownLoss extends Loss {

    ShownLoss(String name) {
        super(name);
    }

    /** Requires a prediction of a type that can be learnt, and a label to be compared with it. */
    static void check(String who, NDArray label, NDArray prediction) {
        Check.floating(who, "the prediction", prediction.getDataType());
        if (label.getDataType().isFloating()) {
            Check.sameDevice(who, "the label", label, "the prediction", prediction);
        } else {
            Check.sameTypeAndDevice(who, "the label", label, "the prediction", prediction);
        }
    }

    /** Requires one array of predictions, masks (B, K, H, W) of a floating type. */
    static NDArray masks(String who, NDList predictions) {
        Check.option(
                predictions.size() == 1,
                who
                        + ": expected one array of masks, got "
                        + predictions.size()
                        + "; see IndexLoss");
        NDArray masks = Check.present(who, "masks", predictions.head());
        Check.shape(who, "masks", masks, "B", "K", "H", "W");
        Check.floating(who, "masks", masks.getDataType());
        return masks;
    }

    /** A label in the prediction's type: data sets give float32, whatever the model is. */
    static NDArray ofType(NDArray label, NDArray prediction) {
        return label.toType(prediction.getDataType(), false);
    }

    /** {@inheritDoc} */
    @Override
    @SuppressWarnings("try") // the scope works by being open
    public void updateAccumulators(String[] keys, NDList labels, NDList predictions) {
        try (Scope scope = new Scope()) {
            super.updateAccumulators(keys, asFloat32(labels), asFloat32(predictions));
        }
    }

    private static NDList asFloat32(NDList list) {
        NDList converted = new NDList(list.size());
        for (NDArray array : list) {
            boolean other = array.getDataType().isFloating();
            NDArray shown = other ? array.toType(DataType.FLOAT32, false) : array;
            if (shown != array) {
                shown.setName(array.getName());
            }
            converted.add(shown);
        }
        return converted;
    }
}
