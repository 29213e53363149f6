package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Checks of what comes in DJL's forms, lists of arrays and of shapes, before a block looks at it.
 */
public final class Inputs {

    private Inputs() {}

    /**
     * Requires all arrays of a list to be there, open and of the PyTorch engine.
     *
     * @param who the block that complains
     * @param list what came
     * @return the list
     */
    public static NDList list(String who, @Nullable NDList list) {
        if (list == null) {
            throw new IllegalArgumentException(who + ": the list of inputs is missing");
        }
        int place = 0;
        for (NDArray array : list) {
            String name = array == null ? null : array.getName();
            Check.present(who, name == null ? "input " + place : name, array);
            place++;
        }
        return list;
    }

    /**
     * The only array of a list.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param list what came
     * @return the array
     */
    public static NDArray only(String who, String what, NDList list) {
        Check.option(
                list.size() == 1,
                who + ": expected " + what + " alone, got " + list.size() + " arrays");
        return Check.present(who, what, list.head());
    }

    /**
     * Requires the shapes of inputs: at least one, of sizes that there can be.
     *
     * @param who the block that complains
     * @param shapes what came
     * @return the shapes
     */
    public static Shape[] shapes(String who, Shape @Nullable [] shapes) {
        if (shapes == null || shapes.length == 0) {
            throw new IllegalArgumentException(
                    who + ": the shapes of the inputs are missing: expected at least one");
        }
        for (Shape shape : shapes) {
            sizes(who, shape);
        }
        return shapes;
    }

    /** Requires sizes of at least 0, or -1 where they are unknown, that do not overflow. */
    private static void sizes(String who, @Nullable Shape shape) {
        if (shape == null) {
            throw new IllegalArgumentException(who + ": the shape of an input is null");
        }
        for (long size : shape.getShape()) {
            Check.option(
                    size >= -1 && size <= Integer.MAX_VALUE,
                    who
                            + ": sizes of inputs must be from 0 to 2147483647, or -1 if unknown, got "
                            + shape);
        }
    }

    /**
     * Requires a manager to be open, and of the PyTorch engine.
     *
     * @param who the block that complains
     * @param manager what came
     */
    public static void manager(String who, @Nullable NDManager manager) {
        Check.given(manager, who + ": manager");
        if (manager != null) {
            String engine = manager.getEngine().getEngineName();
            Check.option(
                    "PyTorch".equals(engine),
                    who + ": manager must be of the PyTorch engine, got " + engine);
        }
    }
}
