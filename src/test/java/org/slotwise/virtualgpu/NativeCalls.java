package org.slotwise.virtualgpu;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/** What happens before and after each native call of the engine. The engine's classes call this. */
public final class NativeCalls {

    /** Copies a Java buffer: (manager, buffer, shape, type, format, device). */
    private static final String CREATE = "createNdFromByteBuffer";

    /** Copies an array: (array, type, device). */
    private static final String TO = "to";

    /** Replaces an array's content by that of a Java buffer: (array, buffer). */
    private static final String SET = "set";

    /** Operations in which even a number has to be on the device of the others. */
    private static final Set<String> NO_NUMBERS =
            Set.of("cat", "stack", "gather", "take", "put", "scatter", "pick", "booleanMask");

    private NativeCalls() {}

    /**
     * Refuses what a GPU would refuse, and writes down what is copied.
     *
     * @param call the method's name
     * @param given its arguments
     */
    public static void before(String call, Object[] given) {
        List<PtNDArray> arrays = Placement.arrays(given);
        switch (call) {
            case TO -> copied(Placement.isOnGpu(arrays.get(0)), target(given).isGpu());
            case CREATE -> copied(false, target(given).isGpu());
            case SET -> copied(false, Placement.isOnGpu(arrays.get(0)));
            case "indexSet", "indexAdvPut" -> written(call, arrays, Placement.indices(given));
            case "indexAdv" -> indexed(call, arrays.get(0), Placement.indices(given));
            case "forward" -> {
                arrays.removeIf(ScriptSettings::has);
                requireOneDevice(call, arrays);
            }
            case "contentEqual" -> {
                requireOneDevice(call, arrays);
                copied(arrays.stream().anyMatch(Placement::isOnGpu), false);
            }
            default -> requireOneDevice(call, arrays);
        }
    }

    /**
     * Values may be on another device than where they are written to, unless an array says where.
     */
    private static void written(String call, List<PtNDArray> arrays, List<PtNDArray> indices) {
        if (!indices.isEmpty()) {
            requireOneDevice(call, arrays);
            indexed(call, arrays.get(0), indices);
        } else {
            copied(Placement.isOnGpu(arrays.get(1)), Placement.isOnGpu(arrays.get(0)));
        }
    }

    /** Indices on the CPU are copied to where the array is, but not the other way round. */
    private static void indexed(String call, PtNDArray array, List<PtNDArray> indices) {
        for (PtNDArray index : indices) {
            if (Placement.isOnGpu(array)) {
                copied(Placement.isOnGpu(index), true);
            } else {
                requireOneDevice(call, List.of(array, index));
            }
        }
    }

    private static void copied(boolean fromGpu, boolean toGpu) {
        if (fromGpu != toGpu) {
            Crossings.record(toGpu ? Direction.FROM_HOST : Direction.TO_HOST);
        }
    }

    private static void requireOneDevice(String call, List<PtNDArray> arrays) {
        if (arrays.size() < 2 || arrays.stream().noneMatch(Placement::isOnGpu)) {
            return;
        }
        for (PtNDArray array : arrays) {
            // A number without dimensions is handed to a GPU's kernel as an argument.
            boolean number = !NO_NUMBERS.contains(call) && array.getShape().dimension() == 0;
            if (!Placement.isOnGpu(array) && !number) {
                throw new EngineException(
                        "Expected all tensors to be on the same device, but found at least two"
                                + " devices, cuda:0 and cpu! (virtual GPU, in "
                                + call
                                + ")");
            }
        }
    }

    /**
     * Puts what a call gives on the device where it would be.
     *
     * @param call the method's name
     * @param given its arguments
     * @param result what it gives, or null
     * @return what is given instead
     */
    public static Object after(String call, Object[] given, Object result) {
        if (call.equals(SET)) {
            // The engine expects a GPU to have copied the buffer.
            Placement.keepBuffer((PtNDArray) given[0], (ByteBuffer) given[1]);
        }
        if (result == null) {
            return null;
        }
        boolean gpu = isForGpu(given);
        boolean copied =
                switch (call) {
                    case CREATE -> gpu;
                    case TO -> gpu != Placement.isOnGpu((PtNDArray) given[0]);
                    default -> false;
                };
        try {
            Object made = copied ? ownMemory(result) : result;
            if (gpu) {
                Placement.onGpu(made);
            }
            return made;
        } finally {
            Reference.reachabilityFence(given); // a Java buffer among them
        }
    }

    /** On a machine with a GPU a copy to the other device shares no memory. */
    private static PtNDArray ownMemory(Object result) {
        try (PtNDArray shared = (PtNDArray) result) {
            return JniUtils.clone(shared);
        }
    }

    /**
     * Whether a call's result is on the GPU: as asked for, else as the arrays, else the manager.
     */
    private static boolean isForGpu(Object[] given) {
        Device asked = target(given);
        if (asked != null) {
            return asked.isGpu();
        }
        List<PtNDArray> arrays = Placement.arrays(given);
        if (!arrays.isEmpty()) {
            return arrays.stream().anyMatch(Placement::isOnGpu);
        }
        for (Object one : given) {
            if (one instanceof PtNDManager manager) {
                return manager.getDevice().isGpu();
            }
        }
        return false;
    }

    private static Device target(Object[] given) {
        for (Object one : given) {
            if (one instanceof Device device) {
                return device;
            }
        }
        return null;
    }
}
