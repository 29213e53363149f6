package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.layer.Dropout;
import org.slotwise.layer.DropoutMask;

/**
 * The masks of one call, by the names of the original's modules: those that were given and, in
 * training, draws for the others.
 */
record DropoutMasks(Map<String, NDArray> given, @Nullable Dropout drawn, String prefix) {

    /** Nothing is dropped. */
    static final DropoutMasks NONE = new DropoutMasks(Map.of(), null, "");

    /** The masks of a call; none are drawn in inference. */
    static DropoutMasks of(Map<String, NDArray> given, double rate, boolean training) {
        return new DropoutMasks(given, training ? new Dropout(rate) : null, "");
    }

    /** Those of a part. */
    DropoutMasks under(String name) {
        return new DropoutMasks(given, drawn, prefix + name + '.');
    }

    /** A mask that was given; null if it was not. */
    @Nullable DropoutMask given(String name) {
        NDArray mask = given.get(prefix + name);
        return mask == null ? null : DropoutMask.of(mask);
    }

    /** x with elements dropped. */
    NDArray drop(String name, NDArray x) {
        DropoutMask mask = given(name);
        if (mask != null) {
            return mask.apply(x);
        }
        // Of numbers, not booleans: these would be made numbers twice, here and in the gradient.
        return drawn == null ? x : Dropout.apply(x, drawn.mask(x, x.getShape()));
    }

    /** Requires given masks to be of these names and shapes. */
    static void check(
            String who, Map<String, NDArray> given, Map<String, Shape> shapes, NDArray like) {
        given.forEach(
                (name, mask) -> {
                    Shape shape = shapes.get(name);
                    if (shape == null) {
                        throw new IllegalArgumentException(
                                who
                                        + ": dropout masks must be among "
                                        + shapes.keySet()
                                        + ", got "
                                        + name);
                    }
                    String what = "dropout mask " + name;
                    Check.shape(who, what, mask, DiscreteVae.boxed(shape));
                    Check.sameTypeAndDevice(who, what, mask, "the input", like);
                });
    }
}
