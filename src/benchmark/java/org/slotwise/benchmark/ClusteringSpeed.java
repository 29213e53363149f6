package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.JniUtils;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.weights.StateDict;

/**
 * k-means of many vectors beside scikit-learn, both of whose algorithms take turns with it, one
 * thread each. Ratios are of processor time, which other processes disturb less than the clock.
 * docs/performance.md tells the arguments.
 */
final class ClusteringSpeed {

    /**
     * Vectors: N of size F, around so many means of variance 1, clustered into K; without means
     * those of {@link RealSlots}.
     */
    private record Vectors(String name, int n, int f, int means, double spread, int k) {
        private static final String SLOTS = "-slots";

        static Vectors slots(String model) {
            return new Vectors(model + SLOTS, 100_000, 64, 0, 0, 20);
        }

        NDArray in(NDManager manager) throws IOException {
            return means == 0
                    ? RealSlots.of(manager, name.substring(0, name.length() - SLOTS.length()), n)
                    : manager.create(numbers(this), new Shape(n, f));
        }
    }

    /** On how many vectors a start is drawn and run where it is not on all. */
    private static final int SAMPLE = 10_000;

    private static final double RELAXATION = 1.7; // of these

    private static final List<Vectors> ALL =
            List.of(
                    Vectors.slots("multi-dsprites"),
                    Vectors.slots("tetrominoes"),
                    new Vectors("clear", 100_000, 64, 20, 0.3, 20),
                    new Vectors("vague", 100_000, 64, 20, 1, 20),
                    new Vectors("noise", 100_000, 64, 1, 1, 20),
                    new Vectors("colours", 60_000, 3, 12, 0.5, 8),
                    new Vectors("many-colours", 60_000, 3, 12, 0.5, 20));

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

    private record Pass(double processor, double wall, double inertia, long iterations) {}

    private final NDManager manager;
    private final Python python;
    private final int sample;

    private ClusteringSpeed(NDManager manager, String interpreter, int sample) throws IOException {
        this.manager = manager;
        this.sample = sample;
        python = new Python(interpreter, "clustering_peer.py", Map.of());
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        JniUtils.setNumThreads(1);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            ClusteringSpeed speed =
                    new ClusteringSpeed(
                            manager, arguments.get("python"), arguments.number("sample", SAMPLE));
            String all = ALL.stream().map(Vectors::name).collect(Collectors.joining(","));
            List<String> chosen = arguments.list("modules", all);
            for (Vectors vectors : ALL) {
                if (chosen.contains(vectors.name)) {
                    speed.measure(vectors, arguments.number("rounds", 7));
                }
            }
            speed.python.close();
        }
    }

    private void measure(Vectors v, int rounds) throws IOException {
        NDArray x = v.in(manager);
        NDArray centers = x.get(":" + v.k).duplicate();
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
                Pass own = own(x, start == Start.GIVEN ? centers : null, start, v.k, round);
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
                        v.name,
                        median(byHand),
                        byHand.get(0).iterations,
                        median(byHand) / median(ours),
                        mean(byHand));
            }
        }
    }

    private static void print(
            Vectors v, Start start, List<Pass> ours, List<Pass> lloyd, List<Pass> elkan) {
        double mine = median(ours);
        double best = Math.min(median(lloyd), median(elkan));
        System.out.printf(
                Locale.ROOT,
                "%-20s %-10s library %7.1f ms, %d iterations; lloyd %7.1f ms, elkan %7.1f ms,"
                        + " %d iterations: %.2f times as fast as the better; inertia %.5g and"
                        + " %.5g%n",
                v.name,
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
        var threads = ManagementFactory.getThreadMXBean();
        try (NDManager scratch = manager.newSubManager()) {
            NDArray batch = x.expandDims(0);
            batch.attach(scratch);
            long processor = threads.getCurrentThreadCpuTime();
            long wall = System.nanoTime();
            KMeansClustering found =
                    kMeans.cluster(batch, centers == null ? null : centers.expandDims(0));
            double inertia = found.inertia().toType(DataType.FLOAT64, false).getDouble(0);
            return new Pass(
                    (threads.getCurrentThreadCpuTime() - processor) / 1e6,
                    (System.nanoTime() - wall) / 1e6,
                    inertia,
                    found.iterations().getLong(0));
        }
    }

    private Pass theirs(String way, boolean given, int onSample, int seed) throws IOException {
        JsonObject request = new JsonObject();
        request.addProperty("way", way);
        request.addProperty("given", given);
        request.addProperty("sample", onSample);
        request.addProperty("seed", seed);
        JsonObject answer = python.ask(request);
        return new Pass(
                answer.get("processor").getAsDouble(),
                answer.get("wall").getAsDouble(),
                answer.get("inertia").getAsDouble(),
                answer.get("iterations").getAsLong());
    }

    private static double median(List<Pass> passes) {
        double[] sorted = passes.stream().mapToDouble(Pass::processor).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    private static double mean(List<Pass> passes) {
        return passes.stream().mapToDouble(Pass::inertia).average().orElseThrow();
    }

    private static float[] numbers(Vectors v) {
        Random random = new Random(0);
        double[][] means = new double[v.means][v.f];
        for (double[] mean : means) {
            for (int i = 0; i < v.f; i++) {
                mean[i] = random.nextGaussian();
            }
        }
        float[] numbers = new float[v.n * v.f];
        for (int j = 0; j < v.n; j++) {
            double[] mean = means[random.nextInt(v.means)];
            for (int i = 0; i < v.f; i++) {
                numbers[j * v.f + i] = (float) (mean[i] + v.spread * random.nextGaussian());
            }
        }
        return numbers;
    }
}
