package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slotwise.gnm.GnmConfiguration;

/**
 * GNM beside the original's computation in TorchScript in the same process, and beside PyTorch in
 * another: {@code training} (forward and backward), {@code explanation}, {@code objects} (an
 * explanation by the number of objects in a picture), {@code memory}. Sizes are {@code default},
 * those of the original, and {@code small}, those of the shipped model. What is printed is a table.
 * docs/performance.md tells the arguments.
 */
final class GnmSpeed {

    private record Sizes(String name, GnmConfiguration configuration, int batch) {

        static Sizes of(String name) {
            return switch (name) {
                case "default" -> new Sizes(name, GnmConfiguration.objectDiscoveryPytorch(0.2), 4);
                case "small" -> new Sizes(name, GnmConfiguration.small(32), 16);
                default -> throw new IllegalArgumentException("no sizes " + name);
            };
        }

        GnmSubject subject(NDManager manager) {
            return new GnmSubject(manager, configuration, batch);
        }

        @Override
        public String toString() {
            int size = configuration.picture().size();
            return name + ", " + batch + " of " + size + " x " + size;
        }
    }

    private final Arguments arguments;
    private final List<String> modules;

    private GnmSpeed(Arguments arguments) {
        this.arguments = arguments;
        modules = arguments.list("modules", "training,explanation,objects,memory");
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length > 0 && args[0].equals("child")) {
            child(args);
            return;
        }
        GnmSpeed speed = new GnmSpeed(Arguments.parse(args));
        if (!speed.modules.equals(List.of("memory"))) {
            speed.times();
        }
        if (speed.modules.contains("memory")) {
            speed.arguments.requireCpu("memory");
            speed.memory();
        }
    }

    private List<Sizes> sizes() {
        return arguments.list("sizes", "default,small").stream().map(Sizes::of).toList();
    }

    private void times() throws IOException {
        System.out.println(
                "| sizes | pass | threads | library | plain | eager | plain / library"
                        + " | eager / library |");
        System.out.println("|---|---|---|---|---|---|---|---|");
        Engine.getEngine("PyTorch");
        for (String threads : arguments.list("threads", "1,2")) {
            int count = Integer.parseInt(threads);
            JniUtils.setNumThreads(count);
            for (Sizes sizes : sizes()) {
                try (NDManager manager = arguments.manager()) {
                    GnmSubject subject = sizes.subject(manager);
                    if (modules.contains("training")) {
                        measure(sizes, subject, "training step", true, count);
                    }
                    if (modules.contains("explanation")) {
                        measure(sizes, subject, "explanation", false, count);
                    }
                    if (modules.contains("objects")) {
                        int cells = sizes.configuration.cells();
                        for (int objects : new int[] {1, 4, cells * cells}) {
                            subject.objects(objects);
                            String pass = "explanation, objects: " + objects;
                            measure(sizes, subject, pass, false, count);
                        }
                    }
                }
            }
        }
    }

    private void measure(
            Sizes sizes, GnmSubject subject, String pass, boolean training, int threads)
            throws IOException {
        List<Contender> contenders = new ArrayList<>(List.of(subject.library(), subject.plain()));
        try (GnmPeer peer = peer(Map.of())) {
            if (peer != null) {
                peer.load(sizes.configuration, subject, threads, arguments.device());
                contenders.add(peer);
            }
            Map<String, float[]> ours = contenders.get(0).results();
            for (Contender other : contenders.subList(1, contenders.size())) {
                Agreement agreement = Agreement.of(other.results(), ours);
                if (!agreement.holds(arguments.within())) {
                    throw new IllegalStateException(other.name() + ": " + agreement);
                }
                System.err.println(other.name() + ": " + agreement);
            }
            List<Timing> timings =
                    Timing.alternate(
                            contenders,
                            training,
                            arguments.number("warmups", 3),
                            arguments.number("rounds", 15),
                            arguments.number("seconds", 60));
            row(sizes, pass, threads, timings);
        }
    }

    private static void row(Sizes sizes, String pass, int threads, List<Timing> timings) {
        StringBuilder row = new StringBuilder("| " + sizes + " | " + pass + " | " + threads);
        double ours = timings.get(0).median();
        for (int i = 0; i < 3; i++) {
            row.append(" | ");
            if (i < timings.size()) {
                Timing timing = timings.get(i);
                row.append(
                        String.format(
                                Locale.ROOT,
                                "%.2f (%.2f to %.2f)",
                                timing.median(),
                                timing.low(),
                                timing.high()));
            }
        }
        for (int i = 1; i < 3; i++) {
            row.append(" | ");
            if (i < timings.size()) {
                double times = timings.get(i).median() / ours;
                row.append(String.format(Locale.ROOT, "**%.2f**", times));
            }
        }
        System.out.println(row + " |");
    }

    private GnmPeer peer(Map<String, String> environment) throws IOException {
        String python = arguments.get("python");
        return python == null ? null : new GnmPeer(python, environment);
    }

    private void memory() throws IOException, InterruptedException {
        System.out.println("\nPeak beyond inputs and parameters, MB, one thread\n");
        System.out.println(
                "| sizes | pass | library | plain | eager | library / plain | library / eager |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (Sizes sizes : sizes()) {
            for (String pass : List.of("training", "explanation")) {
                double ours = fork(sizes, pass, "library");
                double plain = fork(sizes, pass, "plain");
                double eager = eager(sizes, pass.equals("training"));
                System.out.printf(
                        Locale.ROOT,
                        "| %s | %s | %.1f | %.1f | %.1f | **%.2f** | **%.2f** |%n",
                        sizes,
                        pass,
                        ours,
                        plain,
                        eager,
                        ours / plain,
                        ours / eager);
            }
        }
    }

    private static double fork(Sizes sizes, String pass, String who)
            throws IOException, InterruptedException {
        return PeakMemory.fork(GnmSpeed.class, false, "child", sizes.name, pass, who);
    }

    private double eager(Sizes sizes, boolean training) throws IOException {
        Engine.getEngine("PyTorch");
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                GnmPeer peer = peer(PeakMemory.ENVIRONMENT)) {
            if (peer == null) {
                return Double.NaN;
            }
            peer.load(sizes.configuration, sizes.subject(manager), 1, Device.cpu());
            return peer.memory(training);
        }
    }

    /** Measures the memory of one pass in this process. */
    private static void child(String[] args) throws IOException {
        Engine.getEngine("PyTorch");
        JniUtils.setNumThreads(1);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            GnmSubject subject = Sizes.of(args[1]).subject(manager);
            boolean training = args[2].equals("training");
            Contender who = args[3].equals("library") ? subject.library() : subject.plain();
            System.out.println(PeakMemory.peak(() -> who.run(training)));
        }
    }
}
