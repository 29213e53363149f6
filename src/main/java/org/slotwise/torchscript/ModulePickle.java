package org.slotwise.torchscript;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Parameter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A module as {@code torch.jit.save} pickles it (protocol 2): an object of its class, whose state
 * is a dictionary of tensors and of modules; tensors refer to storages, files of the archive that
 * have numbers.
 */
final class ModulePickle {

    // Opcodes of pickle.
    private static final int PROTOCOL = 0x80;
    private static final int MARK = '(';
    private static final int TUPLE = 't';
    private static final int EMPTY_TUPLE = ')';
    private static final int EMPTY_DICT = '}';
    private static final int SET_ITEMS = 'u';
    private static final int NEW_OBJECT = 0x81;
    private static final int BUILD = 'b';
    private static final int REDUCE = 'R';
    private static final int GLOBAL = 'c';
    private static final int UNICODE = 'X';
    private static final int INT = 'J';
    private static final int LONG = 0x8a;
    private static final int PERSISTENT_ID = 'Q';
    private static final int TRUE = 0x88;
    private static final int FALSE = 0x89;
    private static final int STOP = '.';

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final List<NDArray> storages = new ArrayList<>();
    private final Map<ScriptModule, String> classes;
    private final @Nullable NDArray standIn;

    /** Pickles a module. */
    ModulePickle(ScriptModule module, Map<ScriptModule, String> classes) {
        this(module, classes, null);
    }

    /** Pickles a module with an array in the place of each parameter's value; null for none. */
    ModulePickle(
            ScriptModule module, Map<ScriptModule, String> classes, @Nullable NDArray standIn) {
        this.classes = classes;
        this.standIn = standIn;
        out.write(PROTOCOL);
        out.write(2);
        object(module);
        out.write(STOP);
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    /** What the storages hold, in the order of their numbers. */
    List<NDArray> storages() {
        return storages;
    }

    private void object(ScriptModule module) {
        global("__torch__", Objects.requireNonNull(classes.get(module)));
        out.write(EMPTY_TUPLE);
        out.write(NEW_OBJECT);
        out.write(EMPTY_DICT);
        out.write(MARK);
        module.parameters()
                .forEach(
                        (name, parameter) -> {
                            text(name);
                            tensor(parameter);
                        });
        if (standIn != null) {
            for (String name : module.settled()) {
                text(name);
                tensor(standIn, false);
            }
        }
        text("training");
        out.write(FALSE);
        module.modules()
                .forEach(
                        (name, inside) -> {
                            text(name);
                            object(inside);
                        });
        out.write(SET_ITEMS);
        out.write(BUILD);
    }

    private void tensor(Parameter parameter) {
        if (standIn == null) {
            tensor(parameter.getArray(), parameter.requiresGradient());
        } else {
            tensor(standIn, false);
        }
    }

    private void tensor(NDArray array, boolean learnt) {
        long[] shape = array.getShape().getShape();
        global("torch._utils", "_rebuild_tensor_v2");
        out.write(MARK);
        out.write(MARK);
        text("storage");
        global("torch", storage(array.getDataType()));
        text(Integer.toString(storages.size()));
        text("cpu");
        number(array.size());
        out.write(TUPLE);
        out.write(PERSISTENT_ID);
        number(0); // where it begins in the storage
        tuple(shape);
        tuple(strides(shape));
        out.write(learnt ? TRUE : FALSE);
        global("collections", "OrderedDict");
        out.write(EMPTY_TUPLE);
        out.write(REDUCE);
        out.write(TUPLE);
        out.write(REDUCE);
        storages.add(array);
    }

    private static String storage(DataType type) {
        return switch (type) {
            case FLOAT16 -> "HalfStorage";
            case FLOAT32 -> "FloatStorage";
            default -> "DoubleStorage"; // blocks have no others
        };
    }

    private static long[] strides(long[] shape) {
        long[] strides = new long[shape.length];
        long step = 1;
        for (int i = shape.length - 1; i >= 0; i--) {
            strides[i] = step;
            step *= shape[i];
        }
        return strides;
    }

    private void tuple(long[] numbers) {
        out.write(MARK);
        for (long number : numbers) {
            number(number);
        }
        out.write(TUPLE);
    }

    private void number(long value) {
        boolean small = value <= Integer.MAX_VALUE;
        out.write(small ? INT : LONG);
        if (!small) {
            out.write(Long.BYTES);
        }
        little(value, small ? Integer.BYTES : Long.BYTES);
    }

    private void text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.write(UNICODE);
        little(bytes.length, Integer.BYTES);
        out.writeBytes(bytes);
    }

    private void global(String module, String name) {
        out.write(GLOBAL);
        out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.US_ASCII));
    }

    private void little(long value, int bytes) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >> (Byte.SIZE * i)));
        }
    }
}
