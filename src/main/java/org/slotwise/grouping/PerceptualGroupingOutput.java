package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/**
 * What a grouping module gives: the objects found, and which features belong to which.
 *
 * <p>Source: {@code ocl.typing.PerceptualGroupingOutput} of the Object-Centric Learning Framework.
 *
 * @param objects (B, K, D), a vector for each slot
 * @param featureAttributions (B, K, N), how much each feature belongs to each slot; null if the
 *     module does not say
 * @param isEmpty (B, K) boolean, true where the slot holds no object; null if the module does not
 *     say
 */
public record PerceptualGroupingOutput(
        NDArray objects, @Nullable NDArray featureAttributions, @Nullable NDArray isEmpty) {

    /** The name of the objects in an {@link NDList}. */
    public static final String OBJECTS = "objects";

    /** The name of the feature attributions in an {@link NDList}. */
    public static final String FEATURE_ATTRIBUTIONS = "feature_attributions";

    /** The name of the empty-slot indicator in an {@link NDList}. */
    public static final String IS_EMPTY = "is_empty";

    /**
     * The feature attributions of a module that gives them.
     *
     * @return (B, K, N)
     * @throws IllegalStateException if the module gave none
     */
    public NDArray attributions() {
        if (featureAttributions == null) {
            throw new IllegalStateException("This grouping gives no feature attributions");
        }
        return featureAttributions;
    }

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "objects", then "feature_attributions" and "is_empty" where they exist
     */
    public NDList toNDList() {
        NDList list = new NDList();
        objects.setName(OBJECTS);
        list.add(objects);
        if (featureAttributions != null) {
            featureAttributions.setName(FEATURE_ATTRIBUTIONS);
            list.add(featureAttributions);
        }
        if (isEmpty != null) {
            isEmpty.setName(IS_EMPTY);
            list.add(isEmpty);
        }
        return list;
    }

    /**
     * Converts from the form in which DJL's blocks pass arrays on.
     *
     * @param list arrays by the names of {@link #toNDList}; without names, in that order, where a
     *     boolean array is the empty-slot indicator; an array named "slot_positions" is passed over
     * @return the record
     * @throws IllegalArgumentException if the list is empty, has more than these three, or two for
     *     one place
     */
    public static PerceptualGroupingOutput from(NDList list) {
        if (list.contains(PositionedSlots.SLOT_POSITIONS)) {
            NDList others = new NDList(list);
            others.removeIf(array -> PositionedSlots.SLOT_POSITIONS.equals(array.getName()));
            return from(others);
        }
        Check.option(!list.isEmpty() && list.size() <= 3, expected(list));
        NDArray objects = null;
        NDArray attributions = null;
        NDArray empty = null;
        for (NDArray array : list) {
            String name = array.getName();
            if (IS_EMPTY.equals(name) || array.getDataType() == DataType.BOOLEAN) {
                Check.option(empty == null, expected(list));
                empty = array;
            } else if (FEATURE_ATTRIBUTIONS.equals(name)
                    || (objects != null && !OBJECTS.equals(name))) {
                Check.option(attributions == null, expected(list));
                attributions = array;
            } else {
                Check.option(objects == null, expected(list));
                objects = array;
            }
        }
        if (objects == null) {
            throw new IllegalArgumentException("PerceptualGroupingOutput: objects are missing");
        }
        return new PerceptualGroupingOutput(objects, attributions, empty);
    }

    private static String expected(NDList list) {
        return "PerceptualGroupingOutput: expected objects, feature_attributions and is_empty, got "
                + list.size()
                + " arrays: "
                + list.stream()
                        .map(a -> (a.getName() == null ? "" : a.getName() + " ") + a.getShape())
                        .collect(Collectors.joining(", "));
    }
}
