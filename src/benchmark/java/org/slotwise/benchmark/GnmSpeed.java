package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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

    private static final String PEER = "gnm_peer.py";

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
        List<String> who = who();
        System.out.println(
                "| sizes | pass | threads | "
                        + String.join(" | ", who)
                        + who.stream()
                                .skip(1)
                                .map(name -> " | " + name + " / " + who.get(0))
                                .collect(Collectors.joining())
                        + " |");
        System.out.println("|---".repeat(2 + 2 * who.size()) + "|");
        Engine.getEngine("PyTorch");
        try (Peer peer = Peer.of(arguments, PEER)) {
            for (String threads : arguments.list("threads", "1,2")) {
                int count = Integer.parseInt(threads);
                EngineThreads.set(count);
                for (Sizes sizes : sizes()) {
                    try (NDManager manager = arguments.manager()) {
                        times(sizes, sizes.subject(manager), peer, count);
                    }
                }
            }
        }
    }

    /** Who takes part, of those who could. */
    private List<String> who() {
        boolean python = arguments.get("python") != null;
        return Stream.of("library", "plain", "eager", "compile")
                .filter(arguments::takesPart)
                .filter(name -> python || name.equals("library") || name.equals("plain"))
                .toList();
    }

    private void times(Sizes sizes, GnmSubject subject, @Nullable Peer peer, int threads)
            throws IOException {
        boolean training = modules.contains("training");
        boolean explanation = modules.contains("explanation");
        if (training || explanation) {
            List<Contender> contenders = contenders(sizes, subject, peer, threads);
            if (training) {
                measure(sizes, contenders, "training step", true, threads);
            }
            if (explanation) {
                measure(sizes, contenders, "explanation", false, threads);
            }
        }
        if (modules.contains("objects")) {
            int cells = sizes.configuration.cells();
            for (int objects : new int[] {1, 4, cells * cells}) {
                subject.objects(objects);
                List<Contender> contenders = contenders(sizes, subject, peer, threads);
                measure(sizes, contenders, "explanation, objects: " + objects, false, threads);
            }
        }
    }

    /** Those who compute the same. */
    private List<Contender> contenders(
            Sizes sizes, GnmSubject subject, @Nullable Peer peer, int threads) throws IOException {
        List<Contender> contenders = new ArrayList<>(List.of(subject.library(), subject.plain()));
        if (peer != null) {
            contenders.addAll(peer.contenders(subject.request(), threads, subject.numbers()));
        }
        Comparison.keep(sizes, contenders, arguments, System.err);
        return contenders;
    }

    private void measure(
            Sizes sizes, List<Contender> contenders, String pass, boolean training, int threads) {
        List<Timing> timings = Timing.alternate(contenders, training, arguments, 3, 15, 60);
        Map<String, Timing> byName = new LinkedHashMap<>();
        for (int i = 0; i < timings.size(); i++) {
            byName.put(contenders.get(i).name(), timings.get(i));
        }
        row(sizes, pass, threads, byName);
    }

    /** With nothing for who cannot compute it. */
    private void row(Sizes sizes, String pass, int threads, Map<String, Timing> timings) {
        StringBuilder row = new StringBuilder("| " + sizes + " | " + pass + " | " + threads);
        List<String> who = who();
        for (String name : who) {
            row.append(" | ");
            Timing timing = timings.get(name);
            if (timing != null) {
                row.append(
                        String.format(
                                Locale.ROOT,
                                "%.2f (%.2f to %.2f)",
                                timing.median(),
                                timing.low(),
                                timing.high()));
            }
        }
        double first = timings.values().iterator().next().median();
        for (String name : who.subList(1, who.size())) {
            row.append(" | ");
            Timing timing = timings.get(name);
            if (timing != null) {
                row.append(String.format(Locale.ROOT, "**%.2f**", timing.median() / first));
            }
        }
        System.out.println(row + " |");
    }

    private void memory() throws IOException, InterruptedException {
        System.out.println("\nPeak beyond inputs and parameters, MB, one thread\n");
        System.out.println(
                "| sizes | pass | library | plain | eager | library / plain | library / eager |");
        System.out.println("|---|---|---|---|---|---|---|");
        for (Sizes sizes : sizes()) {
            for (String pass : List.of("training", "explanation")) {
                double ours = memory(sizes, pass, "library");
                double plain = memory(sizes, pass, "plain");
                double eager = memory(sizes, pass, "eager");
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

    /** Not a number for who takes no part. */
    private double memory(Sizes sizes, String pass, String who)
            throws IOException, InterruptedException {
        if (!arguments.takesPart(who)) {
            return Double.NaN;
        }
        if (who.equals("eager")) {
            return eager(sizes, pass.equals("training"));
        }
        return PeakMemory.fork(GnmSpeed.class, false, "child", sizes.name, pass, who);
    }

    private double eager(Sizes sizes, boolean training) throws IOException {
        String python = arguments.get("python");
        if (python == null) {
            return Double.NaN;
        }
        Engine.getEngine("PyTorch");
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Peer peer = new Peer(python, PEER, Device.cpu(), PeakMemory.ENVIRONMENT)) {
            GnmSubject subject = sizes.subject(manager);
            peer.load(subject.request(), 1, subject.numbers());
            return peer.peak("eager", training);
        }
    }

    /** Measures the memory of one pass in this process. */
    private static void child(String[] args) throws IOException {
        Engine.getEngine("PyTorch");
        EngineThreads.set(1);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            GnmSubject subject = Sizes.of(args[1]).subject(manager);
            boolean training = args[2].equals("training");
            Contender who = args[3].equals("library") ? subject.library() : subject.plain();
            System.out.println(PeakMemory.peak(() -> who.run(training)));
        }
    }
}
