package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.EnumSet;
import java.util.Set;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/** Reads segmentations in the forms in which users have them. */
final class Membership {

    /** A larger label is a mistake rather than a group: its one-hot form would fill the memory. */
    static final int MOST_GROUPS = 1024;

    /** Up to here counts of pixels are exact in float32. */
    private static final long MOST_PIXELS = 1 << 24;

    /** The other whole types end the process in native code. */
    private static final Set<DataType> WHOLE =
            EnumSet.of(
                    DataType.BOOLEAN,
                    DataType.UINT8,
                    DataType.INT8,
                    DataType.INT32,
                    DataType.INT64);

    private static final String WHOLE_NAMES = "boolean, uint8, int8, int32 or int64";

    private static final Set<DataType> FLOATING =
            EnumSet.of(DataType.FLOAT16, DataType.FLOAT32, DataType.FLOAT64);

    private Membership() {}

    /** Refuses what is neither masks nor labels. */
    static void check(String who, String what, NDArray segmentation) {
        Check.present(who, what, segmentation);
        Shape shape = segmentation.getShape();
        DataType type = segmentation.getDataType();
        if (shape.dimension() == 2) {
            Check.shape(who, what, segmentation, "B", "N");
            Check.option(
                    WHOLE.contains(type),
                    who
                            + ": "
                            + what
                            + " (B, N) must be "
                            + WHOLE_NAMES
                            + ", got "
                            + Check.name(type));
        } else {
            Check.option(
                    shape.dimension() == 3 || shape.dimension() == 4,
                    who
                            + ": "
                            + what
                            + " must be masks (B, K, N) or (B, K, H, W), or labels (B, N) or (B, H,"
                            + " W), got "
                            + shape);
            checkMasks(who, what, segmentation);
        }
    }

    static void checkPixels(String who, String what, Shape shape, long pixels) {
        Check.option(
                pixels <= MOST_PIXELS,
                who + ": " + what + " must have at most " + MOST_PIXELS + " pixels, got " + shape);
    }

    private static void checkMasks(String who, String what, NDArray masks) {
        Shape shape = masks.getShape();
        DataType type = masks.getDataType();
        boolean flat = shape.dimension() == 3;
        if (flat) {
            Check.shape(who, what, masks, "B", "K", "N");
        } else {
            Check.shape(who, what, masks, "B", "K", "H", "W");
        }
        Check.option(
                WHOLE.contains(type) || FLOATING.contains(type),
                who
                        + (": " + what + (flat ? " (B, K, N)" : " (B, K, H, W)"))
                        + " must be float32, float64, float16, "
                        + WHOLE_NAMES
                        + ", got "
                        + Check.name(type));
        Check.option(
                shape.get(1) > 1 || !isNumbers(type),
                who
                        + (": " + what + " " + shape + " in " + Check.name(type))
                        + " may be one mask or labels; give a mask as boolean or float32, labels as"
                        + (flat ? " (B, N)" : " (B, H, W)"));
    }

    /** Whether the numbers may be labels of groups. */
    private static boolean isNumbers(DataType type) {
        return WHOLE.contains(type) && type != DataType.BOOLEAN;
    }

    /** Whether an array of three dimensions may be a label map (B, H, W). */
    static boolean canBeMap(NDArray segmentation) {
        return segmentation.getShape().dimension() == 3 && isNumbers(segmentation.getDataType());
    }

    /**
     * 1 where a pixel belongs to a group, else 0, as (B, N, K) float32. A pixel whose masks are all
     * zero, or whose label is negative, belongs to none. A pixel with NaN is NaN in every group.
     */
    static NDArray of(String who, String what, NDArray segmentation) {
        return segmentation.getShape().dimension() == 2
                ? ofLabels(who, what, segmentation)
                : ofMasks(segmentation);
    }

    private static NDArray ofMasks(NDArray given) {
        DataType type = given.getDataType();
        boolean asItIs = type == DataType.FLOAT32 || type == DataType.FLOAT64;
        NDArray masks = asItIs ? given : given.toType(DataType.FLOAT32, true);
        int groups = Math.toIntExact(masks.getShape().get(1));
        NDArray strength = masks.abs().sum(new int[] {1}); // (B, N), NaN if any is
        NDArray zero = Scalars.like(strength, 0);
        NDArray one = Scalars.like(strength, 1).broadcast(strength.getShape());
        NDArray weight = NDArrays.where(strength.gt(zero), one, strength);
        return oneHot(masks.argMax(1), groups)
                .mul(weight.toType(DataType.FLOAT32, false).expandDims(2));
    }

    private static NDArray ofLabels(String who, String what, NDArray given) {
        NDArray labels = given.toType(DataType.INT64, false);
        long largest = (long) Ops.read(labels.max())[0];
        Check.option(
                largest < MOST_GROUPS,
                who + ": " + what + " must have labels below " + MOST_GROUPS + ", got " + largest);
        return oneHot(labels, Math.toIntExact(Math.max(largest, 0) + 1));
    }

    /** (B, N, groups) float32 of labels (B, N) int64. Labels outside have no group. */
    private static NDArray oneHot(NDArray labels, int groups) {
        NDArray all = Ops.range(labels, groups);
        return labels.expandDims(2).eq(all).toType(DataType.FLOAT32, false);
    }
}
