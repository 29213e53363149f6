package org.slotwise.virtualgpu;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.index.dim.NDIndexBooleans;
import ai.djl.ndarray.index.dim.NDIndexElement;
import ai.djl.ndarray.index.dim.NDIndexTake;
import ai.djl.pytorch.engine.PtNDArray;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Where arrays lie: what the engine remembers of it in each array, read and written. */
public final class Placement {

    /** The only GPU. */
    public static final Device GPU = Device.gpu(0);

    private static final Field DEVICE = field("device");
    private static final Field BUFFER = field("dataRef");

    private Placement() {}

    private static Field field(String name) {
        try {
            Field field = PtNDArray.class.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw new AssertionError("the engine's arrays are made otherwise now", e);
        }
    }

    /** Whether an engine is the one that has the GPU. */
    public static boolean isOurs(Engine engine) {
        return "PyTorch".equals(engine.getEngineName());
    }

    static boolean isOnGpu(PtNDArray array) {
        try {
            Device device = (Device) DEVICE.get(array);
            return device != null && device.isGpu();
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    /** Puts what a native call gave on the GPU. */
    static void onGpu(Object given) {
        for (PtNDArray array : arrays(given)) {
            set(DEVICE, array, GPU);
        }
    }

    /** Keeps a Java buffer alive as long as an array that uses its memory. */
    static void keepBuffer(PtNDArray array, ByteBuffer buffer) {
        set(BUFFER, array, buffer);
    }

    private static void set(Field field, PtNDArray array, Object value) {
        try {
            field.set(array, value);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    /** The arrays among a call's arguments, those in lists included, those in indices not. */
    static List<PtNDArray> arrays(Object... given) {
        List<PtNDArray> arrays = new ArrayList<>(2);
        for (Object one : given) {
            if (one instanceof PtNDArray array) {
                arrays.add(array);
            } else if (one instanceof NDList list) {
                arrays.addAll(arrays(list.toArray()));
            } else if (one instanceof Object[] several) {
                arrays.addAll(arrays(several));
            }
        }
        return arrays;
    }

    /** The arrays that an index is made of; for NDIndexPick the engine makes a call of its own. */
    static List<PtNDArray> indices(Object... given) {
        List<PtNDArray> arrays = new ArrayList<>(0);
        for (Object one : given) {
            if (one instanceof NDIndex index) {
                for (NDIndexElement element : index.getIndices()) {
                    NDArray array = null;
                    if (element instanceof NDIndexBooleans booleans) {
                        array = booleans.getIndex();
                    } else if (element instanceof NDIndexTake take) {
                        array = take.getIndex();
                    }
                    arrays.addAll(arrays(array));
                }
            }
        }
        return arrays;
    }
}
