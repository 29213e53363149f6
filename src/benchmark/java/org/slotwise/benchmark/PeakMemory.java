package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slotwise.benchmark.Subject.By;

/**
 * How much native memory a pass takes at its peak, beyond inputs and parameters. Linux only.
 *
 * <p>Each measurement is a process of its own, in which the C library gives freed memory back at
 * once and the Java heap is touched beforehand; the kernel's high-water mark of resident memory is
 * reset before a second, identical pass. With the argument {@code leak}: resident memory over 2,000
 * forward and backward passes.
 */
final class PeakMemory {

    /** One thread, and freed memory is given back. */
    static final Map<String, String> ENVIRONMENT =
            Map.of(
                    "MALLOC_MMAP_THRESHOLD_", "65536",
                    "MALLOC_TRIM_THRESHOLD_", "65536",
                    "MALLOC_ARENA_MAX", "1",
                    "OMP_NUM_THREADS", "1");

    private PeakMemory() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length > 0 && args[0].equals("child")) {
            child(args);
        } else if (args.length > 0 && args[0].equals("leak")) {
            fork(PeakMemory.class, true, "child", "leak");
        } else {
            parent();
        }
    }

    private static void parent() throws IOException, InterruptedException {
        System.out.println("Peak native memory beyond inputs and parameters, MB");
        System.out.println("module size iterations pass library plain ratio");
        Size clevr = Size.SLOT_ATTENTION.get(0);
        for (int t : new int[] {1, 3, 10, 50}) {
            compare("SlotAttention", 0, t, "inference");
        }
        compare("SlotAttention", 0, clevr.t(), "training");
        compare("SlotAttention", 1, 3, "inference");
        compare("SlotAttention", 1, 3, "training");
        compare("SlotAttention", 0, 10, "training");
        double implicit = fork("SlotAttention", "0", "10", "implicit", "LIBRARY");
        System.out.printf("SlotAttention CLEVR6 10 implicit differentiation %.1f%n", implicit);
        for (int size = 0; size < Size.STICK_BREAKING.size(); size++) {
            compare("StickBreaking", size, 1, "inference");
            compare("StickBreaking", size, 1, "training");
        }
    }

    private static void compare(String module, int size, int t, String pass)
            throws IOException, InterruptedException {
        double library = fork(module, "" + size, "" + t, pass, "LIBRARY");
        double plain = fork(module, "" + size, "" + t, pass, "PLAIN");
        Size named =
                (module.equals("SlotAttention") ? Size.SLOT_ATTENTION : Size.STICK_BREAKING)
                        .get(size);
        System.out.printf(
                "%s %s %d %s %.1f %.1f %.2f%n",
                module, named, t, pass, library, plain, library / plain);
    }

    private static double fork(String... args) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("child"));
        all.addAll(List.of(args));
        return fork(PeakMemory.class, false, all.toArray(new String[0]));
    }

    /**
     * Runs a program in a process of its own, whose freed memory is given back at once.
     *
     * @param echo whether its lines are passed on
     * @return the number in its last line; 0 if lines are passed on
     */
    static double fork(Class<?> program, boolean echo, String... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(
                List.of(
                        "-Xms256m",
                        "-Xmx256m",
                        "-XX:+AlwaysPreTouch",
                        "-XX:+UseSerialGC",
                        "-Dai.djl.offline=true",
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
                        "-cp",
                        System.getProperty("java.class.path"),
                        program.getName()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(ENVIRONMENT);
        Process process = builder.start();
        String last = "";
        try (BufferedReader reader =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line; (line = reader.readLine()) != null; last = line) {
                if (echo) {
                    System.out.println(line);
                }
            }
        }
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", args) + ": " + last);
        }
        return echo ? 0 : Double.parseDouble(last);
    }

    private static void child(String[] args) throws IOException {
        Engine.getEngine("PyTorch");
        EngineThreads.set(1);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            if (args[1].equals("leak")) {
                leak(manager);
                return;
            }
            int size = Integer.parseInt(args[2]);
            int t = Integer.parseInt(args[3]);
            Subject subject =
                    args[1].equals("SlotAttention")
                            ? Subject.slotAttention(
                                    manager,
                                    Size.SLOT_ATTENTION.get(size).withIterations(t),
                                    args[4].equals("implicit"))
                            : Subject.stickBreaking(manager, Size.STICK_BREAKING.get(size));
            By by = By.valueOf(args[5]);
            boolean training = !args[4].equals("inference");
            System.out.println(peak(() -> subject.run(by, training)));
        }
    }

    /** Megabytes of a pass at its peak beyond what is resident after three. */
    static double peak(Runnable pass) throws IOException {
        for (int i = 0; i < 3; i++) {
            pass.run();
        }
        return Resident.peak(pass);
    }

    /** Forward and backward, 2,000 times, at a size at which a leak of one array would show. */
    private static void leak(NDManager manager) throws IOException {
        Subject subject =
                Subject.slotAttention(manager, new Size("leak", 4, 256, 64, 64, 64, 7, 3), false);
        Subject stick = Subject.stickBreaking(manager, new Size("leak", 4, 256, 64, 64, 64, 7, 1));
        for (int i = 1; i <= 2000; i++) {
            subject.run(By.LIBRARY, true);
            stick.run(By.LIBRARY, true);
            if (i % 200 == 0) {
                System.out.printf("pass %d: resident %.1f MB%n", i, Resident.megabytes("VmRSS"));
            }
        }
    }
}
