package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
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
import org.slotwise.internal.Gradients;
import org.slotwise.internal.NoGraph;
import org.slotwise.training.Adam;
import org.slotwise.unet.UNet;
import org.slotwise.weights.StateDict;

/**
 * A U-Net of one size with what it is given, computed by the library and plainly. A pass is a whole
 * sampling, with training a step with Adam.
 */
final class DenoiserSubject {

    /** How many steps a sampling takes. */
    static final int STEPS = 25;

    private final NDManager manager;
    private final DenoiserSize size;
    private final int threads;
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

    /**
     * Makes a network.
     *
     * @param threads with which it will be computed
     */
    DenoiserSubject(NDManager manager, DenoiserSize size, int threads) {
        this.manager = manager;
        this.size = size;
        this.threads = threads;
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

    private static NoiseSchedule schedule() {
        return NoiseSchedule.scaledLinear(1000, 0.00085, 0.012);
    }

    private static Ddim ddim(int steps) {
        return Ddim.builder().setSchedule(schedule()).optTimes(TimeChoice.leading(steps)).build();
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

    /** What Python is asked for. */
    JsonObject request() {
        JsonObject request = size.json();
        request.add("coefficients", new Gson().toJsonTree(coefficients()));
        return request;
    }

    /** Weights and inputs, as the Python side reads them. */
    Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = Peer.parameters(StateDict.of(unet).arrays());
        numbers.put("inputs.z", z);
        numbers.put("inputs.t", times);
        numbers.put("inputs.slots", slots);
        numbers.put("inputs.noise", noise);
        return numbers;
    }

    /** Samples, owned by the manager. */
    NDArray sampled(int steps) {
        Sampling sampling =
                Sampling.builder().setSampler(ddim(steps)).setPrediction(Prediction.NOISE).build();
        return decoder.generate(store, slots, sampling, z, StepNoise.seeded(0));
    }

    Contender library() {
        return new Contender() {
            @Override
            public String name() {
                return "library";
            }

            @Override
            public double run(boolean training) {
                return milliseconds(training ? this::step : () -> sampled(STEPS).close());
            }

            private void step() {
                backward();
                unet.getParameters()
                        .forEach(
                                p -> {
                                    NDArray value = p.getValue().getArray();
                                    try (NDArray gradient = value.getGradient()) {
                                        adam.update(p.getKey(), value, gradient);
                                    }
                                });
            }

            private void backward() {
                try (GradientCollector collector = collector();
                        NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    decoder.backward(store, clean, slots, false, draws, collector::backward);
                }
            }

            @Override
            public Map<String, float[]> results() {
                Map<String, float[]> results = new LinkedHashMap<>();
                read("prediction", NoGraph.during(this::predicted), results);
                read("samples", sampled(STEPS), results);
                backward();
                StateDict.parameters(unet)
                        .forEach((name, p) -> gradient(name, p.getArray(), results));
                return results;
            }

            private NDArray predicted() {
                return unet.predict(store, z, times, slots, false);
            }
        };
    }

    /**
     * The same in TorchScript.
     *
     * @param scores whether attention is a softmax of scores
     */
    Contender plain(boolean scores) {
        DenoiserPlain plain;
        try (StateDict weights = StateDict.of(unet)) {
            plain = new DenoiserPlain(manager, weights, size, scores);
        }
        NDArray rows = DenoiserPlain.coefficients(manager, coefficients());
        return new Contender() {
            @Override
            public String name() {
                return scores ? "scores" : "plain";
            }

            @Override
            public double run(boolean training) {
                return milliseconds(
                        training ? this::step : () -> plain.sample(z, slots, rows).close());
            }

            private void step() {
                backward();
                plain.update();
            }

            private void backward() {
                try (GradientCollector collector = collector();
                        NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    collector.backward(predicted().sub(noise).square().mean());
                }
            }

            private NDArray predicted() {
                return plain.predict(z, times.toType(DataType.FLOAT32, false), slots);
            }

            @Override
            public Map<String, float[]> results() {
                Map<String, float[]> results = new LinkedHashMap<>();
                read("prediction", NoGraph.during(this::predicted), results);
                read("samples", plain.sample(z, slots, rows), results);
                backward();
                plain.leaves().forEach((name, leaf) -> gradient(name, leaf, results));
                return results;
            }
        };
    }

    private static GradientCollector collector() {
        return Engine.getEngine("PyTorch").newGradientCollector();
    }

    private static void read(String name, NDArray array, Map<String, float[]> results) {
        results.put(name, array.toFloatArray());
        array.close();
    }

    private static void gradient(String name, NDArray leaf, Map<String, float[]> results) {
        try (NDArray gradient = leaf.getGradient()) {
            results.put("gradient of " + name, gradient.toFloatArray());
        }
        Gradients.zero(leaf);
    }

    /**
     * Of one thread its processor time, which other programs do not change; of more, and of a GPU,
     * the clock's.
     */
    private double milliseconds(Runnable run) {
        if (threads > 1 || manager.getDevice().isGpu()) {
            return Contender.milliseconds(manager, run);
        }
        ThreadMXBean bean = ManagementFactory.getThreadMXBean();
        long start = bean.getCurrentThreadCpuTime();
        run.run();
        return (bean.getCurrentThreadCpuTime() - start) / 1e6;
    }
}
