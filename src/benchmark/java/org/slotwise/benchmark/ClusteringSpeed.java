package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.clustering.MiniBatchKMeans;
import org.slotwise.weights.StateDict;

/**
 * k-means of many vectors beside scikit-learn, both of whose algorithms take turns with it, and
 * mini-batches beside its own. With one thread ratios are of processor time, which other processes
 * disturb less than the clock, with more of the clock's. docs/performance.md tells the arguments.
 */
final class ClusteringSpeed {

    /** On how many vectors a start is drawn and run where it is not on all. */
    private static final int SAMPLE = 10_000;

    private static final double RELAXATION = 1.7; // of these

    /** Where starts come from. */
    private enum Start {
        GIVEN("given"),
        DRAWN("k-means++"),
        /** Of the library three, on a sample, as {@code SlotLibrary} has it; of the others one. */
        SAMPLED("sample");

        final String told;

        Start(String told) {
            this.told = told;
        }
    }

    /** Vectors of a mini-batch: as many as scikit-learn takes if nothing is said. */
    private static final int BATCH = 1024;

    /** By what part of the largest element centres of mini-batches may differ, in float64. */
    private static final double APART = 1e-9;

    private record Pass(double processor, double wall, double inertia, long iterations) {}

    private final NDManager manager;
    private final Python python;
    private final int sample;
    private final int threads;

    private ClusteringSpeed(NDManager manager, String interpreter, int sample, int threads)
            throws IOException {
        this.manager = manager;
        this.sample = sample;
        this.threads = threads;
        python = new Python(interpreter, "clustering_peer.py", Map.of());
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        arguments.requireCpu("k-means beside scikit-learn");
        String all =
                ClusteredVectors.ALL.stream()
                        .map(ClusteredVectors::name)
                        .collect(Collectors.joining(","));
        List<String> chosen = arguments.list("modules", all);
        for (String threads : arguments.list("threads", "1")) {
            int count = Integer.parseInt(threads);
            EngineThreads.set(count);
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                ClusteringSpeed speed =
                        new ClusteringSpeed(
                                manager,
                                arguments.get("python"),
                                arguments.number("sample", SAMPLE),
                                count);
                System.out.printf(
                        "threads %s, milliseconds of %s%n",
                        threads, count == 1 ? "processor time" : "the clock");
                for (ClusteredVectors vectors : ClusteredVectors.ALL) {
                    if (chosen.contains(vectors.name())) {
                        speed.measure(vectors, arguments.number("rounds", 7));
                    }
                }
                speed.python.close();
            }
        }
    }

    private void measure(ClusteredVectors v, int rounds) throws IOException {
        NDArray x = v.in(manager);
        NDArray centers = x.get(":" + v.k()).duplicate();
        Path file = Files.createTempFile("vectors", ".npz");
        try {
            StateDict.of(Map.of("features", x, "centers", centers)).write(file);
            JsonObject load = new JsonObject();
            load.addProperty("file", file.toString());
            python.ask(load);
        } finally {
            Files.delete(file);
        }
        for (Start start : Start.values()) {
            List<Pass> ours = new ArrayList<>();
            List<Pass> lloyd = new ArrayList<>();
            List<Pass> elkan = new ArrayList<>();
            List<Pass> byHand = new ArrayList<>();
            for (int round = -2; round < rounds; round++) {
                Pass own = own(x, start == Start.GIVEN ? centers : null, start, v.k(), round);
                Pass first = theirs("lloyd", start == Start.GIVEN, 0, round + 2);
                Pass second = theirs("elkan", start == Start.GIVEN, 0, round + 2);
                Pass third =
                        start == Start.SAMPLED ? theirs("lloyd", false, sample, round + 2) : null;
                if (round >= 0) {
                    ours.add(own);
                    lloyd.add(first);
                    elkan.add(second);
                    if (third != null) {
                        byHand.add(third);
                    }
                }
            }
            print(v, start, ours, lloyd, elkan);
            if (!byHand.isEmpty()) {
                System.out.printf(
                        Locale.ROOT,
                        "%-20s the same by hand with lloyd %7.1f ms, %d iterations, %.2f times as"
                                + " long; inertia %.5g%n",
                        v.name(),
                        median(byHand),
                        byHand.get(0).iterations,
                        median(byHand) / median(ours),
                        mean(byHand));
            }
        }
        batches(v, x, centers, rounds);
    }

    /** All vectors once, batch by batch from the same centres. */
    private void batches(ClusteredVectors v, NDArray x, NDArray centers, int rounds)
            throws IOException {
        Path file = Files.createTempFile("centers", ".npz");
        try (NDManager scratch = manager.newSubManager()) {
            theirBatches(file, true);
            double apart;
            try (StateDict theirs = StateDict.read(file)) {
                NDArray ours =
                        ownBatches(x, centers).centers(scratch).toType(DataType.FLOAT64, false);
                NDArray other = theirs.get("centers").toType(DataType.FLOAT64, false);
                apart = ours.sub(other).abs().max().getDouble() / ours.abs().max().getDouble();
            }
            if (!(apart <= APART)) {
                throw new IllegalStateException("centres of mini-batches differ by " + apart);
            }
            List<Pass> ours = new ArrayList<>();
            List<Pass> theirs = new ArrayList<>();
            for (int round = -2; round < rounds; round++) {
                Pass own = timed(() -> ownBatches(x, centers));
                Pass other = theirBatches(file, false);
                if (round >= 0) {
                    ours.add(own);
                    theirs.add(other);
                }
            }
            System.out.printf(
                    Locale.ROOT,
                    "%-20s mini-batches of %d: library %7.1f ms, scikit-learn %7.1f ms: %.2f times"
                            + " as fast; centres differ by %.1e%n",
                    v.name(),
                    BATCH,
                    median(ours),
                    median(theirs),
                    median(theirs) / median(ours),
                    apart);
        } finally {
            Files.delete(file);
        }
    }

    private static MiniBatchKMeans ownBatches(NDArray x, NDArray centers) {
        MiniBatchKMeans kMeans = MiniBatchKMeans.from(centers);
        long n = x.getShape().get(0);
        for (long begin = 0; begin < n; begin += BATCH) {
            try (NDArray batch =
                    x.get(new NDIndex().addSliceDim(begin, Math.min(n, begin + BATCH)))) {
                kMeans.add(batch);
            }
        }
        return kMeans;
    }

    /**
     * Theirs.
     *
     * @param exact in float64, as the library's: in float32 a feature between two centres may go to
     *     the other, after which all is different
     */
    private Pass theirBatches(Path file, boolean exact) throws IOException {
        Timing.rest();
        JsonObject request = new JsonObject();
        request.addProperty("way", "batches");
        request.addProperty("batch", BATCH);
        request.addProperty("exact", exact);
        request.addProperty("centers", file.toString());
        request.addProperty("threads", threads);
        JsonObject answer = python.ask(request);
        return new Pass(
                answer.get("processor").getAsDouble(), answer.get("wall").getAsDouble(), 0, 0);
    }

    private static Pass timed(Runnable pass) {
        Timing.rest();
        var bean = ManagementFactory.getThreadMXBean();
        long processor = bean.getCurrentThreadCpuTime();
        long wall = System.nanoTime();
        pass.run();
        return new Pass(
                (bean.getCurrentThreadCpuTime() - processor) / 1e6,
                (System.nanoTime() - wall) / 1e6,
                0,
                0);
    }

    private void print(
            ClusteredVectors v, Start start, List<Pass> ours, List<Pass> lloyd, List<Pass> elkan) {
        double mine = median(ours);
        double best = Math.min(median(lloyd), median(elkan));
        System.out.printf(
                Locale.ROOT,
                "%-20s %-10s library %7.1f ms, %d iterations; lloyd %7.1f ms, elkan %7.1f ms,"
                        + " %d iterations: %.2f times as fast as the better; inertia %.5g and"
                        + " %.5g%n",
                v.name(),
                start.told,
                mine,
                ours.get(0).iterations,
                median(lloyd),
                median(elkan),
                lloyd.get(0).iterations,
                best / mine,
                mean(ours),
                mean(lloyd));
    }

    private Pass own(NDArray x, NDArray centers, Start start, int k, int seed) {
        KMeans kMeans =
                new KMeans(
                        k,
                        KMeansOptions.builder()
                                .optNInit(start == Start.SAMPLED ? 3 : 1)
                                .optSample(start == Start.SAMPLED ? sample : 0)
                                .optRelaxation(start == Start.SAMPLED ? RELAXATION : 1)
                                .optSeed(seed)
                                .build());
        Timing.rest();
        var bean = ManagementFactory.getThreadMXBean();
        try (NDManager scratch = manager.newSubManager()) {
            NDArray batch = x.expandDims(0);
            batch.attach(scratch);
            long processor = bean.getCurrentThreadCpuTime();
            long wall = System.nanoTime();
            KMeansClustering found =
                    kMeans.cluster(batch, centers == null ? null : centers.expandDims(0));
            double inertia = found.inertia().toType(DataType.FLOAT64, false).getDouble(0);
            return new Pass(
                    (bean.getCurrentThreadCpuTime() - processor) / 1e6,
                    (System.nanoTime() - wall) / 1e6,
                    inertia,
                    found.iterations().getLong(0));
        }
    }

    private Pass theirs(String way, boolean given, int onSample, int seed) throws IOException {
        Timing.rest();
        JsonObject request = new JsonObject();
        request.addProperty("way", way);
        request.addProperty("given", given);
        request.addProperty("sample", onSample);
        request.addProperty("seed", seed);
        request.addProperty("threads", threads);
        JsonObject answer = python.ask(request);
        return new Pass(
                answer.get("processor").getAsDouble(),
                answer.get("wall").getAsDouble(),
                answer.get("inertia").getAsDouble(),
                answer.get("iterations").getAsLong());
    }

    private double median(List<Pass> passes) {
        double[] sorted =
                passes.stream()
                        .mapToDouble(threads == 1 ? Pass::processor : Pass::wall)
                        .sorted()
                        .toArray();
        return sorted[sorted.length / 2];
    }

    private static double mean(List<Pass> passes) {
        return passes.stream().mapToDouble(Pass::inertia).average().orElseThrow();
    }
}
