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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.slotwise.internal.Gradients;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.slate.SlateNoise;
import org.slotwise.slate.SlateOutput;
import org.slotwise.weights.StateDict;

/**
 * A training step of SLATE, forward and backward, at the authors' sizes; the updates of the
 * optimizer are left out. What is compared leaves dropout out, which draws.
 */
final class SlateSubject {

    static final GumbelSoftmax SOFT = new GumbelSoftmax(1, false);
    static final int BATCH = 8;

    private final NDManager manager;
    private final SlateConfiguration sizes = SlateConfiguration.shapes3d();
    private final Slate slate;
    private final NDArray images;
    private final NDArray codes;
    private final NDArray tokens;
    private final NDArray noise;

    SlateSubject(NDManager manager) {
        this.manager = manager;
        slate = slate(manager, sizes);
        int side = sizes.imageSize();
        Shape draws = new Shape(BATCH, sizes.vocabulary(), sizes.side(), sizes.side());
        images = manager.randomUniform(0, 1, new Shape(BATCH, sizes.channels(), side, side));
        codes = manager.randomNormal(draws);
        tokens = manager.create(certainTokens(), draws);
        noise = manager.randomNormal(new Shape(BATCH, sizes.slots().count(), sizes.slots().dim()));
    }

    /** Draws that leave no doubt about a token: of two as likely ones rounding would choose. */
    private float[] certainTokens() {
        Random random = new Random(0);
        int places = sizes.tokens();
        float[] draws = new float[BATCH * sizes.vocabulary() * places];
        for (int i = 0; i < BATCH * places; i++) {
            int row = i / places * sizes.vocabulary() + random.nextInt(sizes.vocabulary());
            draws[row * places + i % places] = 100;
        }
        return draws;
    }

    /** A model with drawn weights. */
    static Slate slate(NDManager manager, SlateConfiguration sizes) {
        Slate slate = new Slate(sizes);
        manager.getEngine().setRandomSeed(0);
        int side = sizes.imageSize();
        slate.initialize(manager, DataType.FLOAT32, new Shape(1, sizes.channels(), side, side));
        slate.getParameters().forEach(p -> p.getValue().getArray().setName(null));
        return slate;
    }

    /** The same plainly. */
    static SlatePlain plain(NDManager manager, Slate slate, double dropout) {
        return new SlatePlain(
                manager,
                StateDict.of(slate),
                slate.sizes().transformer().blocks(),
                slate.sizes().slots().iterations(),
                dropout);
    }

    /** What Python is asked for: the arguments of its model. */
    JsonObject request() {
        SlateConfiguration.Transformer transformer = sizes.transformer();
        SlateConfiguration.Slots slots = sizes.slots();
        JsonObject request = new JsonObject();
        request.add(
                "sizes",
                new Gson()
                        .toJsonTree(
                                List.of(
                                        sizes.imageSize(),
                                        sizes.channels(),
                                        sizes.vocabulary(),
                                        sizes.dim(),
                                        transformer.blocks(),
                                        transformer.heads(),
                                        transformer.dropout(),
                                        slots.count(),
                                        slots.dim(),
                                        slots.iterations(),
                                        slots.hidden())));
        return request;
    }

    /** Weights and inputs, as the Python side reads them. */
    Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = Peer.parameters(StateDict.of(slate).arrays());
        numbers.put("inputs.images", images);
        numbers.put("inputs.codes", codes);
        numbers.put("inputs.tokens", tokens);
        numbers.put("inputs.noise", noise);
        return numbers;
    }

    /** Going back from each half as soon as it is there. */
    Contender library() {
        return Contender.of(
                manager,
                "library",
                () -> inHalves(slate),
                () -> {
                    Slate certain = certain();
                    return results(inHalves(certain), gradients(certain));
                });
    }

    /** The same with both halves in one graph. */
    Contender oneGraph() {
        return Contender.of(
                manager,
                "graph",
                () -> inOneGraph(slate),
                () -> {
                    Slate certain = certain();
                    return results(inOneGraph(certain), gradients(certain));
                });
    }

    Contender plain() {
        SlatePlain plain = plain(manager, slate, sizes.transformer().dropout());
        return Contender.of(
                manager,
                "plain",
                () -> step(plain),
                () -> {
                    SlatePlain certain = plain(manager, slate, 0);
                    return results(step(certain), certain.gradients());
                });
    }

    /** The model without dropout. */
    private Slate certain() {
        Slate certain =
                slate(
                        manager,
                        new SlateConfiguration(
                                sizes.imageSize(),
                                sizes.channels(),
                                sizes.vocabulary(),
                                sizes.dim(),
                                new SlateConfiguration.Transformer(
                                        sizes.transformer().blocks(),
                                        sizes.transformer().heads(),
                                        0),
                                sizes.slots()));
        StateDict.of(slate).loadInto(certain);
        return certain;
    }

    private static Map<String, NDArray> gradients(Slate slate) {
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        StateDict.of(slate)
                .arrays()
                .forEach(
                        (name, array) -> {
                            if (array.hasGradient()) {
                                gradients.put(name, Gradients.of(array));
                            }
                        });
        return gradients;
    }

    /** Cross entropy and squared error. */
    private static Map<String, float[]> results(float[] losses, Map<String, NDArray> gradients) {
        Map<String, float[]> results = new LinkedHashMap<>();
        results.put("cross entropy", new float[] {losses[0]});
        results.put("squared error", new float[] {losses[1]});
        gradients.forEach(
                (name, gradient) -> results.put("gradient of " + name, gradient.toFloatArray()));
        return results;
    }

    private SlateNoise given() {
        return new SlateNoise(codes, tokens, noise, Map.of());
    }

    private float[] inHalves(Slate model) {
        try (NDManager scratch = manager.newSubManager();
                GradientCollector collector = collector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            ParameterStore store = new ParameterStore(scratch, false);
            return losses(model.backward(store, images, SOFT, given(), collector::backward));
        }
    }

    private float[] inOneGraph(Slate model) {
        try (NDManager scratch = manager.newSubManager();
                GradientCollector collector = collector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            ParameterStore store = new ParameterStore(scratch, false);
            SlateOutput out = model.step(store, images, SOFT, given(), true);
            collector.backward(out.loss());
            return losses(out);
        }
    }

    private float[] step(SlatePlain plain) {
        try (GradientCollector collector = collector();
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            NDList out = plain.step(images, codes, tokens, noise);
            collector.backward(out.get(0).add(out.get(1)));
            return new float[] {out.get(0).getFloat(), out.get(1).getFloat()};
        }
    }

    private static float[] losses(SlateOutput out) {
        return new float[] {out.crossEntropy().getFloat(), out.mse().getFloat()};
    }

    private static GradientCollector collector() {
        return Engine.getEngine("PyTorch").newGradientCollector();
    }
}
