package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slotwise.training.HostMemory;
import org.slotwise.virtualgpu.VirtualGpu;

/** The arguments of {@link Speed}: names with values, "--rounds 15". */
record Arguments(Map<String, String> values) {

    private static final Set<String> NAMES =
            Set.of(
                    "threads",
                    "rounds",
                    "warmups",
                    "seconds",
                    "modules",
                    "sizes",
                    "who",
                    "interleave",
                    "python",
                    "csv",
                    "plot",
                    "sample",
                    "device",
                    "memory",
                    "within");

    static Arguments parse(String[] args) {
        VirtualGpu.installIfAsked();
        Map<String, String> values = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            String name = args[i].replaceFirst("^--", "");
            if (!NAMES.contains(name) || i + 1 == args.length) {
                throw new IllegalArgumentException(
                        "expected --name value with a name of " + NAMES + ", got " + args[i]);
            }
            values.put(name, args[i + 1]);
        }
        Arguments arguments = new Arguments(values);
        arguments.settleMemory();
        return arguments;
    }

    /** Whether everybody keeps what is freed, or does as it is. */
    private void settleMemory() {
        String memory = values.getOrDefault("memory", "usual");
        switch (memory) {
            case "usual" -> {}
            case "kept" -> {
                if (!HostMemory.keep()) {
                    throw new IllegalArgumentException("memory cannot be kept on this system");
                }
                Python.keepMemory();
            }
            default -> throw new IllegalArgumentException("expected usual or kept, got " + memory);
        }
    }

    /** A value, or null. */
    String get(String name) {
        return values.get(name);
    }

    /** Where the library computes, and PyTorch. */
    Device device() {
        String name = values.getOrDefault("device", "cpu");
        return switch (name) {
            case "cpu" -> Device.cpu();
            case "gpu" -> Device.gpu();
            default -> throw new IllegalArgumentException("expected cpu or gpu, got " + name);
        };
    }

    /** What owns the arrays of a measurement. */
    NDManager manager() {
        return NDManager.newBaseManager(device(), "PyTorch");
    }

    /** Stops where what is measured is this process's memory in a host. */
    void requireCpu(String what) {
        if (device().isGpu()) {
            throw new IllegalArgumentException(what + " is measured with --device cpu alone");
        }
    }

    /** How many times further apart results may be than rounding in float32 makes them. */
    double within() {
        return Double.parseDouble(values.getOrDefault("within", "1"));
    }

    /** Whether a way to compute something takes part: all do unless some are named. */
    boolean takesPart(String who) {
        return get("who") == null || list("who", "").contains(who);
    }

    int number(String name, int otherwise) {
        return Integer.parseInt(values.getOrDefault(name, "" + otherwise));
    }

    List<String> list(String name, String otherwise) {
        return Arrays.asList(values.getOrDefault(name, otherwise).split(","));
    }
}
