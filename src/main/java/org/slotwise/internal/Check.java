package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Checks of inputs and options. Each failure is an {@link IllegalArgumentException} that says who
 * complains, what was expected and what came, and is thrown before any native code runs.
 */
public final class Check {

    private Check() {}

    /**
     * Requires an array of the engine with a certain shape.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param input the input
     * @param expected for each dimension a number, or a letter for a size that is free but at least
     *     1
     * @return the input
     */
    public static NDArray shape(
            String who, String what, @Nullable NDArray input, Object... expected) {
        NDArray array = present(who, what, input);
        shape(who, what, array.getShape(), expected);
        for (long size : array.getShape().getShape()) {
            if (size < 1) {
                throw mismatch(who, what, array.getShape(), expected, ", each size at least 1");
            }
        }
        return array;
    }

    /**
     * Requires a certain shape. Sizes of -1 (unknown) pass.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param shape the shape that came
     * @param expected for each dimension a number, or a letter for a size that is free
     */
    public static void shape(String who, String what, Shape shape, Object... expected) {
        boolean fits = shape.dimension() == expected.length;
        for (int i = 0; fits && i < expected.length; i++) {
            fits =
                    expected[i] instanceof String
                            || shape.get(i) == -1
                            || ((Number) expected[i]).longValue() == -1
                            || shape.get(i) == ((Number) expected[i]).longValue();
        }
        if (!fits) {
            throw mismatch(who, what, shape, expected, "");
        }
    }

    /**
     * Requires an array of the engine whose last size is known.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param input the input
     * @param size its last size
     * @return the input
     */
    public static NDArray last(String who, String what, NDArray input, long size) {
        present(who, what, input);
        Shape shape = input.getShape();
        int rank = shape.dimension();
        option(
                rank > 0 && shape.get(rank - 1) == size,
                who + ": " + what + " must be (..., " + size + "), got " + shape);
        return input;
    }

    /**
     * Requires an input to be there, open, and to belong to the PyTorch engine.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param array the input
     * @return the input
     */
    public static NDArray present(String who, String what, @Nullable NDArray array) {
        NDArray there = ofEngine(who, what, array);
        open(there, who + ": " + what);
        return there;
    }

    /**
     * Requires an input to be there and to belong to the PyTorch engine, open or closed.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param array the input
     * @return the input
     */
    public static NDArray ofEngine(String who, String what, @Nullable NDArray array) {
        if (array == null) {
            throw new IllegalArgumentException(who + ": " + what + " is missing");
        }
        String engine = array.getManager().getEngine().getEngineName();
        if (!"PyTorch".equals(engine)) {
            throw new IllegalArgumentException(
                    who + ": " + what + " must be an array of the PyTorch engine, got " + engine);
        }
        return array;
    }

    /**
     * Requires an argument to be there, and not to be closed. The build puts this before everything
     * else in each public method, for each argument that may not be null.
     *
     * @param argument what came
     * @param what who complains, and the argument's name: "SlotAttention.group: features"
     */
    public static void given(@Nullable Object argument, String what) {
        if (argument == null) {
            throw new IllegalArgumentException(what + " must not be null");
        }
        if (hasNull(argument)) {
            throw new IllegalArgumentException(what + " must not contain null");
        }
        open(argument, what);
    }

    private static boolean hasNull(Object argument) {
        Stream<?> elements =
                argument instanceof Collection<?> c
                        ? c.stream()
                        : argument instanceof Map<?, ?> map
                                ? map.values().stream()
                                : argument instanceof Object[] array
                                        ? Arrays.stream(array)
                                        : Stream.empty();
        return elements.anyMatch(Objects::isNull);
    }

    /**
     * Requires an argument that can be closed, an array or a manager, to be open. The build puts
     * this where {@link #given} has no place: the argument may be null.
     *
     * @param argument what came, which may be anything, null too
     * @param what who complains, and the argument's name
     */
    public static void open(@Nullable Object argument, String what) {
        if (argument instanceof NDArray array && array.isReleased()) {
            throw new IllegalArgumentException(what + " must be an open array, got a closed one");
        }
        if (argument instanceof NDManager manager && !manager.isOpen()) {
            throw new IllegalArgumentException(what + " must be an open manager, got a closed one");
        }
        if (argument instanceof NDList list) {
            list.forEach(array -> open(array, what));
        }
    }

    /**
     * Requires two inputs to agree in type and device.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param array the input
     * @param otherName the name of what it must agree with
     * @param other what it must agree with
     */
    public static void sameTypeAndDevice(
            String who, String what, NDArray array, String otherName, NDArray other) {
        type(who, what, array, other.getDataType(), " as " + otherName);
        sameDevice(who, what, array, otherName, other);
    }

    /**
     * Requires two inputs to be on one device.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param array the input
     * @param otherName the name of what it must agree with
     * @param other what it must agree with
     */
    public static void sameDevice(
            String who, String what, NDArray array, String otherName, NDArray other) {
        Device expected = other.getDevice();
        if (!array.getDevice().equals(expected)) {
            throw new IllegalArgumentException(
                    who
                            + ": "
                            + what
                            + " must be on "
                            + expected
                            + " as "
                            + otherName
                            + ", got "
                            + array.getDevice());
        }
    }

    /**
     * Requires a type.
     *
     * @param who the block that complains
     * @param what the input's name
     * @param array the input
     * @param expected the type
     * @param why ends the sentence "must be float32"
     */
    public static void type(String who, String what, NDArray array, DataType expected, String why) {
        if (array.getDataType() != expected) {
            throw new IllegalArgumentException(
                    who
                            + ": "
                            + what
                            + " must be "
                            + name(expected)
                            + why
                            + ", got "
                            + name(array.getDataType()));
        }
    }

    /**
     * Requires a type that the blocks compute in: float16, float32 or float64. The others, bfloat16
     * among them, end the process in native code.
     *
     * @param who the block that complains
     * @param what the input's name, or "parameters"
     * @param type the type that came
     */
    public static void floating(String who, String what, DataType type) {
        if (type != DataType.FLOAT16 && type != DataType.FLOAT32 && type != DataType.FLOAT64) {
            throw new IllegalArgumentException(
                    who + ": " + what + " must be float32, float64 or float16, got " + name(type));
        }
    }

    /**
     * Requires an option to be in range.
     *
     * @param inRange whether it is
     * @param message what was expected and what came
     */
    public static void option(boolean inRange, String message) {
        if (!inRange) {
            throw new IllegalArgumentException(message);
        }
    }

    /**
     * Requires an option to be large enough.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     * @param least the smallest that is allowed
     */
    public static void atLeast(String who, String option, long got, long least) {
        option(got >= least, who + ": " + option + " must be at least " + least + ", got " + got);
    }

    /**
     * Requires an option to be a number of at least 0, and finite.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     */
    public static void notNegative(String who, String option, double got) {
        option(
                got >= 0 && got < Double.POSITIVE_INFINITY,
                who + ": " + option + " must be at least 0 and finite, got " + got);
    }

    /**
     * Requires an option to be a number above 0, and finite.
     *
     * @param who the block that complains
     * @param option the option's name
     * @param got what it was set to
     */
    public static void positive(String who, String option, double got) {
        option(
                got > 0 && got < Double.POSITIVE_INFINITY,
                who + ": " + option + " must be above 0 and finite, got " + got);
    }

    /**
     * The name of a type as users write it.
     *
     * @param type a type
     * @return "float32" and so on
     */
    public static String name(DataType type) {
        return type.name().toLowerCase(Locale.ROOT);
    }

    private static IllegalArgumentException mismatch(
            String who, String what, Shape got, Object[] expected, String also) {
        String sizes =
                Arrays.stream(expected)
                        .map(size -> "-1".equals(size.toString()) ? "?" : size.toString())
                        .collect(Collectors.joining(", ", "(", ")"));
        return new IllegalArgumentException(
                who + ": " + what + " must be " + sizes + also + ", got " + got);
    }
}
