package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slotwise.gnm.ExplainedScenes;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.gnm.GnmDraws;
import org.slotwise.gnm.GnmNoise;
import org.slotwise.gnm.GnmOutput;
import org.slotwise.gnm.GnmSchedules;
import org.slotwise.gnm.GnmSetting;
import org.slotwise.gnm.GnmTerm;
import org.slotwise.internal.NoGraph;
import org.slotwise.weights.StateDict;

/** A GNM of one size with what it is given, computed by the library and plainly. */
final class GnmSubject {

    /** The bias of presence: with it alone logits are as large as they get. */
    private static final String BIAS = "p_z_given_x_or_g_net.q_pres_net.bias";

    private final NDManager manager;
    private final Gnm gnm;
    private final NDArray images;
    private final GnmNoise noise;
    private final GnmSetting setting = GnmSchedules.objectDiscoveryPytorch().at(10_000);

    GnmSubject(NDManager manager, GnmConfiguration sizes, int batch) {
        this.manager = manager;
        gnm = new Gnm(sizes);
        manager.getEngine().setRandomSeed(0);
        int size = sizes.picture().size();
        gnm.initialize(manager, DataType.FLOAT32, new Shape(1, 3, size, size));
        gnm.getParameters().forEach(p -> p.getValue().getArray().setName(null));
        int g = sizes.cells();
        // The same picture several times, so that a bias says how many objects are in each.
        images = manager.randomUniform(0, 1, new Shape(1, 3, size, size)).repeat(0, batch);
        noise =
                new GnmNoise(
                        manager.randomNormal(new Shape(batch, sizes.latents().background())),
                        manager.randomNormal(
                                new Shape(batch, sizes.latents().steps(), sizes.latents().scene())),
                        manager.randomUniform(0, 1, new Shape(batch, 1, g, g)),
                        manager.randomNormal(new Shape(batch, 4, g, g)),
                        manager.randomNormal(new Shape(batch, 1, g, g)),
                        manager.randomNormal(new Shape(batch, sizes.latents().what(), g, g)));
    }

    /** What Python is asked for. */
    JsonObject request() {
        JsonObject request = new JsonObject();
        request.add("sizes", new Gson().toJsonTree(gnm.sizes()));
        request.addProperty("temperature", setting.temperature());
        request.addProperty("presence", setting.presencePrior());
        double[] of = new double[GnmTerm.values().length];
        for (GnmTerm term : GnmTerm.values()) {
            of[term.column()] = setting.weights().getOrDefault(term, 1.0);
        }
        request.add("weights", new Gson().toJsonTree(of));
        return request;
    }

    /** Makes so many cells of each picture have an object. */
    void objects(int count) {
        NDArray bias = weights().get(BIAS);
        bias.set(new float[] {0});
        try (NDManager scratch = manager.newSubManager()) {
            float[] logits = explained(scratch).latents().presence().toFloatArray();
            double[] raw = new double[gnm.sizes().cells() * gnm.sizes().cells()];
            for (int i = 0; i < raw.length; i++) {
                double tanh = logits[i] / 8.8;
                raw[i] = 0.5 * Math.log((1 + tanh) / (1 - tanh));
            }
            Arrays.sort(raw);
            int none = raw.length - count;
            double least = none == 0 ? raw[0] - 1 : (raw[none - 1] + raw[none]) / 2;
            bias.set(new float[] {(float) -least});
            int[] found = explained(scratch).counts();
            if (Arrays.stream(found).anyMatch(n -> n != count)) {
                throw new IllegalStateException(count + " and " + Arrays.toString(found));
            }
        }
    }

    private Map<String, NDArray> weights() {
        return StateDict.of(gnm).arrays();
    }

    /** Weights and inputs, as the Python side reads them. */
    Map<String, NDArray> numbers() {
        Map<String, NDArray> all = Peer.parameters(weights());
        all.put("inputs.images", images);
        all.put("inputs.background", noise.background());
        all.put("inputs.scene", noise.scene());
        all.put("inputs.presence", noise.presence());
        all.put("inputs.where", noise.where());
        all.put("inputs.depth", noise.depth());
        all.put("inputs.what", noise.what());
        return all;
    }

    private ExplainedScenes explained(NDManager scratch) {
        NDArray own = images.duplicate();
        own.attach(scratch);
        return gnm.explain(new ParameterStore(scratch, false), own, GnmDraws.mode());
    }

    private GnmOutput step(NDManager scratch) {
        return gnm.step(new ParameterStore(scratch, false), images, setting, noise, true);
    }

    Contender library() {
        return new Contender() {
            @Override
            public String name() {
                return "library";
            }

            @Override
            public double run(boolean training) {
                return Contender.milliseconds(
                        manager,
                        () -> {
                            try (NDManager scratch = manager.newSubManager()) {
                                if (training) {
                                    train(scratch);
                                } else {
                                    explained(scratch);
                                }
                            }
                        });
            }

            private void train(NDManager scratch) {
                try (GradientCollector collector = collector();
                        NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    collector.backward(step(scratch).loss());
                }
            }

            @Override
            public Map<String, float[]> results() {
                Map<String, float[]> results = new LinkedHashMap<>();
                forget(weights());
                try (NDManager scratch = manager.newSubManager()) {
                    ExplainedScenes scenes = explained(scratch);
                    results.put("explained picture", numbers(scenes.rendered().picture()));
                    results.put("explained masks", numbers(scenes.rendered().masks()));
                    results.put("explained presence", numbers(scenes.cells().presence()));
                    try (GradientCollector collector = collector();
                            NDScope scope = new NDScope()) {
                        scope.suppressNotUsedWarning();
                        GnmOutput out = step(scratch);
                        results.put("likelihood", numbers(out.likelihood()));
                        results.put("terms", numbers(out.terms()));
                        results.put("picture", numbers(out.rendered().picture()));
                        collector.backward(out.loss());
                    }
                    gradients(weights(), results);
                }
                return results;
            }
        };
    }

    Contender plain() {
        GnmPlain plain = new GnmPlain(manager, weights(), gnm.sizes(), setting);
        return new Contender() {
            @Override
            public String name() {
                return "plain";
            }

            @Override
            public double run(boolean training) {
                return Contender.milliseconds(
                        manager,
                        () -> {
                            if (training) {
                                train();
                            } else {
                                NoGraph.during(
                                        () -> {
                                            plain.explain(images).close();
                                            return images;
                                        });
                            }
                        });
            }

            private void train() {
                try (GradientCollector collector = collector();
                        NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    collector.backward(plain.step(images, noise).head());
                }
            }

            @Override
            public Map<String, float[]> results() {
                Map<String, float[]> results = new LinkedHashMap<>();
                NDList scenes = NoGraph.during(() -> plain.explain(images));
                results.put("explained picture", numbers(scenes.get(0)));
                results.put("explained masks", numbers(scenes.get(1)));
                results.put("explained presence", numbers(scenes.get(2)));
                scenes.close();
                try (GradientCollector collector = collector();
                        NDScope scope = new NDScope()) {
                    scope.suppressNotUsedWarning();
                    NDList out = plain.step(images, noise);
                    results.put("likelihood", numbers(out.get(1)));
                    results.put("terms", numbers(out.get(2)));
                    results.put("picture", numbers(out.get(3)));
                    collector.backward(out.head());
                }
                gradients(plain.leaves(), results);
                return results;
            }
        };
    }

    private static GradientCollector collector() {
        return Engine.getEngine("PyTorch").newGradientCollector();
    }

    /** Sets gradients, to which those of each pass are added, to 0. */
    private static void forget(Map<String, NDArray> leaves) {
        leaves.values().stream()
                .filter(NDArray::hasGradient)
                .forEach(
                        leaf -> {
                            try (NDArray gradient = leaf.getGradient()) {
                                gradient.muli(0);
                            }
                        });
    }

    private static float[] numbers(NDArray array) {
        return array.toFloatArray();
    }

    private static void gradients(Map<String, NDArray> leaves, Map<String, float[]> results) {
        leaves.forEach(
                (name, leaf) -> {
                    if (!GnmPlain.buffer(name)) {
                        try (NDArray gradient = leaf.getGradient()) {
                            results.put("gradient of " + name, numbers(gradient));
                        }
                    }
                });
    }
}
