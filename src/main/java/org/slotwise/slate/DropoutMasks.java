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

    /** A mask; null for nothing to drop. */
    @Nullable DropoutMask mask(String name, NDArray like, long... shape) {
        NDArray mask = given.get(prefix + name);
        if (mask != null) {
            return DropoutMask.of(mask);
        }
        return drawn == null ? null : drawn.kept(like, new Shape(shape));
    }

    /** x with elements dropped. */
    NDArray drop(String name, NDArray x) {
        DropoutMask mask = mask(name, x, x.getShape().getShape());
        return mask == null ? x : mask.apply(x);
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
