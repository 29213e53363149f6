package org.slotwise.api;

import ai.djl.MalformedModelException;
import ai.djl.TrainingDivergedException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.FeatureExtractorOutput;

/**
 * Calls with one bad argument among good ones, and what is wrong with what came of them: anything
 * but a result, or an error that says who complains, and anything that takes seconds.
 */
final class BadCalls {

    /** Records of what came out, with NaN where a score is not defined. */
    private static final Set<String> RESULTS =
            Set.of("GnmScores", "SegmentationScores", "TrainingProgress");

    private static final Pattern NAMED =
            Pattern.compile("(?s)[A-Z][A-Za-z0-9]*(\\.[A-Za-z]\\w*)*: .*");
    private static final long SLOW = 3_000_000_000L;

    private final NDManager base;
    final List<String> faults = new ArrayList<>();
    int count;
    volatile String current = "nothing";

    BadCalls(NDManager base) {
        this.base = base;
    }

    /** Makes what a call is made on, and knows its inputs. */
    interface Subject {
        @Nullable Object make(NDManager manager);

        default NDList inputs(NDManager manager) {
            return new NDList();
        }
    }

    /** All calls of a method or constructor; what a builder's method leaves is built and used. */
    void all(Executable call, Subject subject) {
        Parameter[] parameters = call.getParameters();
        List<Integer> counts = new ArrayList<>();
        try (NDManager manager = base.newSubManager()) {
            @Nullable Object[] good = good(call, subject.inputs(manager), manager);
            for (int i = 0; i < parameters.length; i++) {
                counts.add(bad(parameters[i], good[i], manager).size());
            }
        }
        if (parameters.length == 0) {
            one(call, subject, -1, 0, "");
        }
        for (int i = 0; i < parameters.length; i++) {
            for (int j = 0; j < counts.get(i); j++) {
                one(call, subject, i, j, parameters[i].getName());
            }
        }
    }

    private static List<Object> bad(Parameter parameter, @Nullable Object good, NDManager manager) {
        return BadArguments.of(parameter.getParameterizedType(), good, manager);
    }

    private void one(Executable call, Subject subject, int at, int which, String name) {
        try (NDManager manager = base.newSubManager()) {
            boolean isStatic =
                    Modifier.isStatic(call.getModifiers())
                            || call instanceof java.lang.reflect.Constructor;
            Object on = isStatic ? null : subject.make(manager);
            if (!isStatic && on == null) {
                return; // nothing to call it on of this type
            }
            NDList inputs = subject.inputs(manager);
            @Nullable Object[] with = good(call, inputs, manager);
            String what = PublicApi.name(call);
            if (at >= 0) {
                with[at] = bad(call.getParameters()[at], with[at], manager).get(which);
                what += ", " + name + " = " + described(with[at]);
            }
            judged(
                    what,
                    () -> {
                        Object result = Reflected.call(call, on, with);
                        boolean mayBeUndefined =
                                RESULTS.contains(call.getDeclaringClass().getSimpleName());
                        boolean option =
                                (isStatic && !mayBeUndefined)
                                        || Reflected.isBuilder(call.getDeclaringClass());
                        if (option && at >= 0 && with[at] instanceof Double d && d.isNaN()) {
                            if (on != null) {
                                Reflected.build(on);
                            }
                            throw new AssertionError("NaN was taken");
                        }
                        if (result != null && result == on && Reflected.isBuilder(on.getClass())) {
                            use(Reflected.build(on), with, inputs, manager);
                        }
                    });
        }
    }

    /** A block that was built is used where an option is a fraction: it must give numbers. */
    private static void use(
            Object built, @Nullable Object[] options, NDList inputs, NDManager manager) {
        if (!(built instanceof Block block) || options.length != 1) {
            return;
        }
        if (!(options[0] instanceof Double) && !(options[0] instanceof Boolean)) {
            return;
        }
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT16}) {
            NDList in = new NDList();
            for (NDArray array : inputs) {
                NDArray typed = array.toType(type, true);
                typed.setName(array.getName());
                in.add(typed);
            }
            block.clear();
            block.initialize(manager, type, in.getShapes());
            for (NDArray out : block.forward(new ParameterStore(manager, false), in, false)) {
                if (out.getDataType().isFloating() && out.isNaN().any().getBoolean()) {
                    throw new AssertionError("NaN in " + type + " of finite inputs");
                }
            }
        }
    }

    /** Something that may throw anything. */
    @FunctionalInterface
    interface Action {
        void run() throws Throwable;
    }

    /** Runs something, and notes what is wrong with it. */
    void judged(String what, Action action) {
        current = what;
        count++;
        long start = System.nanoTime();
        try {
            action.run();
        } catch (IllegalArgumentException | IllegalStateException e) {
            if (e.getMessage() == null || !NAMED.matcher(e.getMessage()).matches()) {
                faults.add(what + ": unnamed " + e + at(e));
            }
        } catch (IOException
                | UncheckedIOException
                | MalformedModelException
                | TrainingDivergedException e) {
            // what they promise to throw; unchecked it comes from Reflected.build
        } catch (IndexOutOfBoundsException e) {
            boolean promised = e.getClass() == IndexOutOfBoundsException.class;
            if (!promised || !what.matches("(?s).*(get|at|file|objects), .*")) {
                faults.add(what + ": " + e + at(e));
            }
        } catch (Throwable e) {
            faults.add(what + ": " + e + at(e));
        }
        if (System.nanoTime() - start > SLOW) {
            faults.add(what + ": took " + (System.nanoTime() - start) / 1_000_000 + " ms");
        }
    }

    private static String at(Throwable e) {
        for (StackTraceElement element : e.getStackTrace()) {
            if (element.getClassName().startsWith("org.slotwise")) {
                return " at " + element;
            }
        }
        return "";
    }

    private static String described(@Nullable Object argument) {
        if (argument instanceof NDArray array) {
            return array.isReleased()
                    ? "closed array"
                    : array.getDataType() + " " + array.getShape();
        }
        if (argument instanceof NDList list) {
            return list.stream().map(BadCalls::described).toList().toString();
        }
        if (argument instanceof FeatureExtractorOutput f) {
            return "output " + described(f.features());
        }
        String all =
                argument instanceof Object[] array
                        ? java.util.Arrays.toString(array)
                        : String.valueOf(argument);
        return all.substring(0, Math.min(80, all.length()));
    }

    private static @Nullable Object[] good(Executable call, NDList inputs, NDManager manager) {
        Parameter[] parameters = call.getParameters();
        @Nullable Object[] good = new Object[parameters.length];
        for (int i = 0; i < good.length; i++) {
            good[i] = good(parameters[i], inputs, manager);
        }
        return good;
    }

    private static @Nullable Object good(Parameter parameter, NDList inputs, NDManager manager) {
        Class<?> type = parameter.getType();
        boolean nullable = parameter.getAnnotatedType().isAnnotationPresent(Nullable.class);
        if (type == NDArray.class) {
            String name = parameter.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
            NDArray named = inputs.get(name);
            return named != null || nullable ? named : ObjectSamples.of(type, manager);
        }
        if (type == NDList.class && !inputs.isEmpty()) {
            return new NDList(inputs);
        }
        if (type == Shape[].class && !inputs.isEmpty()) {
            return inputs.getShapes();
        }
        if (type == FeatureExtractorOutput.class && inputs.get("features") != null) {
            return new FeatureExtractorOutput(inputs.get("features"), inputs.get("positions"));
        }
        return nullable ? null : ObjectSamples.of(type, manager);
    }

    /** A subject without inputs. */
    static Subject of(Supplier<?> supplier) {
        return manager -> supplier.get();
    }
}
