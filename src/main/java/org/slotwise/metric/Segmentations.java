package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Two segmentations of the same images, each as masks (B, K, N) or labels (B, N), of what users
 * have: also masks (B, K, H, W) and label maps (B, H, W).
 *
 * <p>Three dimensions of whole numbers can be label maps or masks. The number of pixels of the
 * other segmentation tells; where both would do, what is in them does.
 */
record Segmentations(NDArray truth, NDArray predicted) {

    /** Refuses what is neither masks nor labels, or not of the same images. */
    static void check(String who, NDArray truth, NDArray predicted) {
        Membership.check(who, "truth", truth);
        Membership.check(who, "predicted", predicted);
        Check.option(
                truth.getShape().get(0) == predicted.getShape().get(0)
                        && (fits(truth, predicted, false, false)
                                || fits(truth, predicted, true, false)
                                || fits(truth, predicted, false, true)),
                who
                        + ": truth and predicted must have the same images and pixels, got "
                        + truth.getShape()
                        + " and "
                        + predicted.getShape());
        Check.sameDevice(who, "truth", truth, "predicted", predicted);
    }

    /** Brings both to their form, inside a scope of the caller's. Inputs as check lets pass. */
    static Segmentations of(String who, NDArray truth, NDArray predicted) {
        boolean sameShape =
                truth.getShape().dimension() == 3 && truth.getShape().equals(predicted.getShape());
        if (sameShape) {
            boolean labels = areLabels(who, truth, predicted);
            return new Segmentations(
                    flat(who, "truth", truth, labels), flat(who, "predicted", predicted, labels));
        }
        checkLabelsAmongMasks(who, "truth", truth);
        checkLabelsAmongMasks(who, "predicted", predicted);
        // Only one reading of both fits here.
        boolean tIsMap = fits(truth, predicted, true, false);
        boolean pIsMap = fits(truth, predicted, false, true);
        return new Segmentations(
                flat(who, "truth", truth, tIsMap), flat(who, "predicted", predicted, pIsMap));
    }

    /**
     * Whether both have as many pixels when taken for label maps (B, H, W), or not for them. Two
     * label maps of as many pixels are of one shape, and fit as masks do.
     */
    private static boolean fits(NDArray t, NDArray p, boolean tIsMap, boolean pIsMap) {
        if ((tIsMap && !Membership.canBeMap(t)) || (pIsMap && !Membership.canBeMap(p))) {
            return false;
        }
        Shape a = pixels(t, tIsMap);
        Shape b = pixels(p, pIsMap);
        return a.dimension() == b.dimension() ? a.equals(b) : a.size() == b.size();
    }

    /** (N) or (H, W). */
    private static Shape pixels(NDArray array, boolean isMap) {
        Shape shape = array.getShape();
        return shape.slice(isMap || shape.dimension() == 2 ? 1 : 2);
    }

    private static NDArray flat(String who, String what, NDArray array, boolean isMap) {
        Shape shape = array.getShape();
        Membership.checkPixels(who, what, shape, pixels(array, isMap).size());
        if (isMap) {
            return array.reshape(shape.get(0), shape.get(1) * shape.get(2));
        }
        return shape.dimension() == 4
                ? array.reshape(shape.get(0), shape.get(1), shape.get(2) * shape.get(3))
                : array;
    }

    /** Of two arrays of one shape (B, a, b): masks of a groups, or label maps of a rows? */
    private static boolean areLabels(String who, NDArray truth, NDArray predicted) {
        boolean truthNumbers = hasLabels(truth);
        boolean predictedNumbers = hasLabels(predicted);
        if (Membership.canBeMap(truth) && Membership.canBeMap(predicted)) {
            if (truthNumbers || predictedNumbers) {
                return true;
            }
            throw new IllegalArgumentException(
                    who
                            + ": truth and predicted "
                            + truth.getShape()
                            + " of whole numbers 0 and 1 may be masks (B, K, N) or label maps (B,"
                            + " H, W); give masks as boolean or float32, labels as (B, N)");
        }
        if (truthNumbers || predictedNumbers) {
            String what = truthNumbers ? "truth" : "predicted";
            throw labelsAmongMasks(who, what, truthNumbers ? truth : predicted);
        }
        return false;
    }

    /**
     * A single mask of numbers above 1 is a label map with an axis of channels. It is of a floating
     * type: whole ones were refused.
     */
    private static void checkLabelsAmongMasks(String who, String what, NDArray array) {
        boolean single = array.getShape().dimension() > 2 && array.getShape().get(1) == 1;
        if (single && hasLabels(array)) {
            throw labelsAmongMasks(who, what, array);
        }
    }

    private static IllegalArgumentException labelsAmongMasks(
            String who, String what, NDArray array) {
        return new IllegalArgumentException(
                who
                        + ": "
                        + what
                        + " "
                        + array.getShape()
                        + " in "
                        + Check.name(array.getDataType())
                        + " must be masks here, got whole numbers above 1; give labels as (B, N)"
                        + " or (B, H, W) in a whole type, such as int64");
    }

    /** Whether all are whole numbers, and some of them neither 0 nor 1. */
    private static boolean hasLabels(NDArray array) {
        if (array.getDataType() == DataType.BOOLEAN) {
            return false;
        }
        boolean asItIs =
                array.getDataType() == DataType.FLOAT32 || array.getDataType() == DataType.FLOAT64;
        NDArray x = asItIs ? array : array.toType(DataType.FLOAT32, true);
        NDArray fraction = x.sub(x.round()).abs().max(); // NaN if any is
        NDArray beyond = x.mul(x.sub(Scalars.like(x, 1))).max(); // whole ones have none below 0
        double[] read = Ops.read(NDArrays.stack(new NDList(fraction, beyond)));
        return read[0] == 0 && read[1] > 0;
    }
}
