package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Arrays;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;

/**
 * What {@link Dropout} keeps, and by how much that is raised.
 *
 * <pre>{@code
 * y = x m s
 * }</pre>
 *
 * <p>A mask of booleans is a fourth of one of float32, and a graph holds it until the gradients are
 * there: of attention among many places that is much.
 *
 * @param kept m, of x's shape: BOOLEAN, or numbers of x's type
 * @param scale s, above 0
 */
public record DropoutMask(NDArray kept, double scale) {

    /**
     * Creates a mask.
     *
     * @param kept m, of x's shape: BOOLEAN, or numbers of x's type
     * @param scale s, above 0
     * @throws IllegalArgumentException if the scale is not above 0 and finite
     */
    public DropoutMask {
        Check.present("DropoutMask", "kept", kept);
        Check.positive("DropoutMask", "scale", scale);
    }

    /**
     * A mask that has its scale in it, as {@link Dropout#mask} draws it.
     *
     * @param factors what is multiplied by
     * @return the mask
     */
    public static DropoutMask of(NDArray factors) {
        return new DropoutMask(factors, 1);
    }

    /**
     * Drops elements.
     *
     * @param x any array
     * @return x m s
     * @throws IllegalArgumentException if the mask has another shape or type, or is on another
     *     device
     */
    public NDArray apply(NDArray x) {
        return scaled(dropped(x));
    }

    /** x m: what is linear in it may be scaled where it is smaller. */
    NDArray dropped(NDArray x) {
        check("the input", x, boxed(x));
        return x.mul(kept);
    }

    /** x s. */
    NDArray scaled(NDArray x) {
        return scale == 1 ? x : x.mul(Scalars.like(x, scale));
    }

    /** This mask in another shape. */
    DropoutMask reshaped(long... shape) {
        return new DropoutMask(kept.reshape(shape), scale);
    }

    /** Requires a mask for an array of a shape, with the type and device of an array. */
    void check(String what, NDArray like, Object... shape) {
        Check.shape("Dropout", "mask", kept, shape);
        if (kept.getDataType() != DataType.BOOLEAN) {
            Check.sameTypeAndDevice("Dropout", "mask", kept, what, like);
        }
    }

    private static Object[] boxed(NDArray x) {
        return Arrays.stream(x.getShape().getShape()).boxed().toArray();
    }
}
