package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.slotwise.diffusion.Ddim;
import org.slotwise.diffusion.DenoisingLoss;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.LatentDiffusionDecoder;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Noising;
import org.slotwise.diffusion.Prediction;
import org.slotwise.diffusion.Sampling;
import org.slotwise.diffusion.StepNoise;
import org.slotwise.diffusion.TimeChoice;
import org.slotwise.internal.NoGraph;
import org.slotwise.training.Adam;
import org.slotwise.unet.UNet;
import org.slotwise.weights.StateDict;

/**
 * U-Nets on slots beside the same computation in TorchScript in the same process, and beside
 * PyTorch in another: {@code sampling} of 25 steps and a training {@code step} in time, {@code
 * memory} of a step, {@code leak}: resident memory over 1,000 steps of sampling.
 * docs/performance.md tells the arguments.
 */
final class DiffusionSpeed {

    private static final int STEPS = 25;

    private final NDManager manager;
    private final Arguments arguments;
    private final DenoiserSize size;
    private final UNet unet;
    private final LatentDiffusionDecoder decoder;
    private final ParameterStore store;
    private final NDArray clean;
    private final NDArray z;
    private final DiffusionDraws draws;
    private final NDArray noise;
    private final NDArray slots;
    private final NDArray times;
    private final Adam adam = Adam.builder().build();

    private DiffusionSpeed(NDManager manager, Arguments arguments, DenoiserSize size) {
        this.manager = manager;
        this.arguments = arguments;
        this.size = size;
        manager.getEngine().setRandomSeed(0);
        unet = new UNet(size.sizes());
        decoder =
                new LatentDiffusionDecoder(
                        unet,
                        DenoisingLoss.of(new Noising(schedule()), Prediction.NOISE),
                        size.latents().slice(1));
        decoder.initialize(manager, DataType.FLOAT32, size.latents());
        store = new ParameterStore(manager, false);
        clean = manager.randomNormal(size.latents());
        noise = manager.randomNormal(size.latents());
        slots = manager.randomNormal(size.slots());
        long[] t = new long[(int) size.latents().get(0)];
        for (int i = 0; i < t.length; i++) {
            t[i] = 7 + 131L * i;
        }
        times = manager.create(t);
        int[] each = Arrays.stream(t).mapToInt(Math::toIntExact).toArray();
        draws = new DiffusionDraws(noise, each);
        z = new Noising(schedule()).noised(clean, noise, each);
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        Engine.getEngine("PyTorch");
        for (String name : arguments.list("sizes", "tiny,small,wide")) {
            DenoiserSize size = DenoiserSize.valueOf(name.toUpperCase(Locale.ROOT));
            for (String threads : arguments.list("threads", "1,2")) {
                int count = Integer.parseInt(threads);
                JniUtils.setNumThreads(count);
                try (NDManager manager = arguments.manager()) {
                    new DiffusionSpeed(manager, arguments, size).measure(count);
                }
            }
        }
    }

    private void measure(int threads) throws IOException {
        List<String> what = arguments.list("modules", "sampling,step");
        if (what.contains("memory")) {
            memory(threads);
        }
        if (what.contains("leak")) {
            leak();
        }
        if (!what.contains("sampling") && !what.contains("step")) {
            return;
        }
        DenoiserPlain plain = plain(false);
        DenoiserPlain scores = plain(true);
        try (DenoiserPeer peer = arguments.get("python") == null ? null : peer(threads)) {
            compare("plain", plain);
            compare("scores", scores);
            if (peer != null) {
                comparePeer(peer);
            }
            if (what.contains("sampling")) {
                NDArray rows = DenoiserPlain.coefficients(manager, coefficients());
                List<Contender> contenders = new ArrayList<>();
                contenders.add(contender("library", threads, this::ours));
                contenders.add(
                        contender("plain", threads, () -> plain.sample(z, slots, rows).close()));
                contenders.add(
                        contender("scores", threads, () -> scores.sample(z, slots, rows).close()));
                if (peer != null) {
                    contenders.add(asked("eager", peer, "sample"));
                }
                time("sampling, 25 steps", threads, contenders);
            }
            if (what.contains("step")) {
                List<Contender> contenders = new ArrayList<>();
                contenders.add(contender("library", threads, this::ourStep));
                contenders.add(contender("plain", threads, () -> plainStep(plain)));
                contenders.add(contender("scores", threads, () -> plainStep(scores)));
                if (peer != null) {
                    contenders.add(asked("eager", peer, "step"));
                }
                time("training step", threads, contenders);
            }
        }
    }

    private void time(String what, int threads, List<Contender> contenders) {
        List<Timing> timings =
                Timing.alternate(
                        contenders,
                        true,
                        arguments.number("warmups", 5),
                        arguments.number("rounds", 25),
                        arguments.number("seconds", 60));
        StringBuilder row = new StringBuilder();
        for (int i = 0; i < timings.size(); i++) {
            Timing t = timings.get(i);
            row.append(
                    i == 0
                            ? String.format("%.1f (%.1f to %.1f)", t.median(), t.low(), t.high())
                            : String.format(
                                    " | %.1f (%.1f to %.1f) | **%.2f**",
                                    t.median(),
                                    t.low(),
                                    t.high(),
                                    t.median() / timings.get(0).median()));
        }
        System.out.printf("| %s, %s | %d | %s |%n", what, size, threads, row);
    }

    private DenoiserPlain plain(boolean scores) {
        try (StateDict weights = StateDict.of(unet)) {
            return new DenoiserPlain(manager, weights, size, scores);
        }
    }

    private static NoiseSchedule schedule() {
        return NoiseSchedule.scaledLinear(1000, 0.00085, 0.012);
    }

    private static Ddim ddim(int steps) {
        return Ddim.builder().setSchedule(schedule()).optTimes(TimeChoice.leading(steps)).build();
    }

    private NDArray sampled(int steps) {
        Sampling sampling =
                Sampling.builder().setSampler(ddim(steps)).setPrediction(Prediction.NOISE).build();
        return decoder.generate(store, slots, sampling, z, StepNoise.seeded(0));
    }

    private void ours() {
        sampled(STEPS).close();
    }

    /** Rows t, a, b of z' = a z + b o, by equation 12 of the paper. */
    private static double[][] coefficients() {
        int[] visited = ddim(STEPS).times();
        double[][] rows = new double[visited.length][];
        for (int i = 0; i < visited.length; i++) {
            double a = schedule().alphaBar(visited[i]);
            double b = i + 1 < visited.length ? schedule().alphaBar(visited[i + 1]) : 1;
            double ofLatent = Math.sqrt(b / a);
            double ofOutput = Math.sqrt(1 - b) - ofLatent * Math.sqrt(1 - a);
            rows[i] = new double[] {visited[i], ofLatent, ofOutput};
        }
        return rows;
    }

    private void gradients() {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            decoder.backward(store, clean, slots, false, draws, collector::backward);
        }
    }

    private void ourStep() {
        gradients();
        unet.getParameters()
                .forEach(
                        p -> {
                            NDArray value = p.getValue().getArray();
                            try (NDArray gradient = value.getGradient()) {
                                adam.update(p.getKey(), value, gradient);
                            }
                        });
    }

    private void plainGradients(DenoiserPlain plain) {
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            NDArray t = times.toType(DataType.FLOAT32, false);
            NDArray o = plain.predict(z, t, slots);
            collector.backward(o.sub(noise).square().mean());
        }
    }

    private void plainStep(DenoiserPlain plain) {
        plainGradients(plain);
        plain.update();
    }

    private Map<String, NDArray> ourGradients() {
        gradients();
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        StateDict.parameters(unet)
                .forEach(
                        (name, p) -> {
                            NDArray gradient = p.getArray().getGradient();
                            gradients.put(name, gradient.duplicate());
                            gradient.subi(gradient.duplicate());
                        });
        return gradients;
    }

    private void compare(String who, DenoiserPlain plain) {
        NDArray ours = NoGraph.during(() -> unet.predict(store, z, times, slots, false));
        NDArray theirs =
                NoGraph.during(
                        () -> plain.predict(z, times.toType(DataType.FLOAT32, false), slots));
        NDArray rows = DenoiserPlain.coefficients(manager, coefficients());
        double sample = apart(sampled(STEPS), plain.sample(z, slots, rows));
        Map<String, NDArray> gradients = ourGradients();
        plainGradients(plain);
        double worst = 0;
        for (Map.Entry<String, NDArray> other : plain.gradients().entrySet()) {
            worst = Math.max(worst, apart(gradients.get(other.getKey()), other.getValue()));
            other.getValue().subi(other.getValue().duplicate());
        }
        report(who, apart(ours, theirs), sample, worst);
    }

    private void comparePeer(DenoiserPeer peer) throws IOException {
        Map<String, NDArray> gradients = ourGradients();
        try (StateDict theirs = peer.results()) {
            NDArray ours = NoGraph.during(() -> unet.predict(store, z, times, slots, false));
            double worst = 0;
            for (Map.Entry<String, NDArray> own : gradients.entrySet()) {
                worst = Math.max(worst, apart(own.getValue(), theirs.get("grad/" + own.getKey())));
            }
            report(
                    "eager",
                    apart(ours, theirs.get("out")),
                    apart(sampled(STEPS), theirs.get("sample")),
                    worst);
        }
    }

    private void report(String who, double prediction, double sample, double gradient) {
        System.out.printf(
                "%s, %s: apart by %.1e in a prediction, %.1e in samples, %.1e in gradients%n",
                size, who, prediction, sample, gradient);
        double times = arguments.within();
        if (!(prediction < times * 1e-4)
                || !(sample < times * 1e-3)
                || !(gradient < times * 1e-3)) {
            throw new IllegalStateException(who + " computes something else");
        }
    }

    /** The largest difference, by the largest value. */
    private static double apart(NDArray a, NDArray b) {
        double most = Math.max(a.abs().max().getFloat(), 1e-6);
        return a.sub(b).abs().max().getFloat() / most;
    }

    private DenoiserPeer peer(int threads) throws IOException {
        JsonObject options = size.json();
        options.addProperty("threads", threads);
        options.addProperty("device", Python.name(arguments.device()));
        JsonArray rows = new JsonArray();
        for (double[] row : coefficients()) {
            JsonArray numbers = new JsonArray();
            for (double number : row) {
                numbers.add(number);
            }
            rows.add(numbers);
        }
        options.add("coefficients", rows);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        StateDict.of(unet).arrays().forEach((name, array) -> arrays.put("weight/" + name, array));
        arrays.put("in/z", z);
        arrays.put("in/t", times);
        arrays.put("in/slots", slots);
        arrays.put("in/noise", noise);
        return new DenoiserPeer(arguments.get("python"), options, arrays);
    }

    /**
     * Of one thread its processor time, which other programs do not change; of more, and of a GPU,
     * the clock's.
     */
    private double milliseconds(int threads, Runnable run) {
        if (threads > 1 || manager.getDevice().isGpu()) {
            return Contender.milliseconds(manager, run);
        }
        ThreadMXBean bean = ManagementFactory.getThreadMXBean();
        long start = bean.getCurrentThreadCpuTime();
        run.run();
        return (bean.getCurrentThreadCpuTime() - start) / 1e6;
    }

    private static Contender asked(String name, DenoiserPeer peer, String request) {
        return timed(name, () -> Double.parseDouble(peer.ask(request)));
    }

    private Contender contender(String name, int threads, Runnable run) {
        return timed(name, () -> milliseconds(threads, run));
    }

    private static Contender timed(String name, DoubleSupplier run) {
        return new Contender() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public double run(boolean training) {
                return run.getAsDouble();
            }

            @Override
            public Map<String, float[]> results() {
                return Map.of();
            }
        };
    }

    /** Peak of a training step beyond what was resident: one way in a process. */
    private void memory(int threads) throws IOException {
        arguments.requireCpu("memory");
        String who = arguments.list("who", "library").get(0);
        if (who.equals("eager")) {
            try (DenoiserPeer peer = peer(threads)) {
                String[] both = peer.ask("memory").split(" ", 2);
                reportMemory(who, Double.parseDouble(both[0]));
            }
            return;
        }
        Runnable step = this::ourStep;
        if (!who.equals("library")) {
            DenoiserPlain other = plain(who.equals("scores"));
            step = () -> plainStep(other);
        }
        for (int i = 0; i < 3; i++) {
            step.run();
        }
        reportMemory(who, Resident.peak(step));
    }

    private void reportMemory(String who, double peak) {
        System.out.printf(
                "training step, %s, %s: peak %.1f MB beyond what there was%n", size, who, peak);
    }

    private void leak() throws IOException {
        for (int i = 1; i <= 10; i++) {
            sampled(100).close();
            Resident.settle(); // what grows is not Java's heap then
            System.out.printf(
                    "%s, %d steps: resident %.1f MB%n", size, 100 * i, Resident.megabytes("VmRSS"));
        }
    }
}
