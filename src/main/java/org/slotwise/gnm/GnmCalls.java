package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.Iterator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.RelaxedBernoulli;
import org.slotwise.torchscript.LoadedScript;

/**
 * Steps and explanations as two calls of the engine, between which is decided which parts of the
 * picture are computed for each cell: {@link GnmScript}.
 */
final class GnmCalls {

    /** What {@link GnmScript} gives of each cell: presence and where. */
    private static final int SEEN = 5;

    private final GnmLayers layers;
    private final LoadedScript script;

    GnmCalls(GnmLayers layers) {
        this.layers = layers;
        script = LoadedScript.of(() -> GnmScript.of(layers));
    }

    /** Whether a call can be taken so; if not, {@link GnmLayers} computes it. */
    boolean fit(Pass pass, NDArray images) {
        return script.fits(pass, images);
    }

    /** What the first call gives for the second. */
    private record Drawn(
            NDArray background,
            NDArray presence,
            NDArray depth,
            NDArray what,
            NDArray where,
            NDArray seen) {

        static Drawn of(Iterator<NDArray> next) {
            return new Drawn(
                    next.next(), next.next(), next.next(), next.next(), next.next(), next.next());
        }
    }

    /** The most probable explanation. */
    ExplainedScenes explain(NDArray images) {
        Iterator<NDArray> next = script.call("explain", images).iterator();
        CellLatents latents = latents(next);
        Cells cells = cells(next);
        return new ExplainedScenes(rendered(Drawn.of(next)), latents, cells);
    }

    /** Cells without an object are neither decoded nor pasted. */
    private RenderedScenes rendered(Drawn drawn) {
        double[] seen = drawn.seen().toDoubleArray();
        long[] present =
                LongStream.range(0, seen.length / SEEN)
                        .filter(i -> seen[SEEN * (int) i] > 0)
                        .toArray();
        if (present.length == 0) {
            return Renderer.none(drawn.background(), layers.sizes().count());
        }
        try (NDArray plan = plan(drawn, seen, present)) {
            NDList scenes =
                    script.call(
                            "explained",
                            drawn.background(),
                            drawn.presence(),
                            drawn.depth(),
                            drawn.what(),
                            drawn.where(),
                            plan);
            return scenes(scenes, drawn);
        }
    }

    private static RenderedScenes scenes(NDList list, Drawn drawn) {
        return new RenderedScenes(
                list.get(0), list.get(1), list.get(2), list.get(3), drawn.background());
    }

    private NDArray plan(Drawn drawn, double[] seen, long... cells) {
        double[] where = new double[seen.length / SEEN * 4];
        for (int i = 0; i < where.length / 4; i++) {
            System.arraycopy(seen, SEEN * i + 1, where, 4 * i, 4);
        }
        GnmConfiguration sizes = layers.sizes();
        double[] plan =
                PasteWindows.plan(where, cells, sizes.glimpseSize(), sizes.picture().size());
        return drawn.background().getManager().create(plan);
    }

    /** A training step. */
    GnmOutput step(NDArray images, GnmSetting setting, GnmNoise noise) {
        try (NDArray numbers = numbers(images, setting)) {
            Iterator<NDArray> next =
                    script.call("step", arguments(images, numbers, noise)).iterator();
            NDArray map = next.next();
            SceneSteps scene =
                    new SceneSteps(next.next(), next.next(), gaussian(next), gaussian(next));
            CellLatents posterior = latents(next);
            CellLatents prior = latents(next);
            Gaussian own = gaussian(next);
            Gaussian predicted = gaussian(next);
            NDArray background = next.next();
            Cells cells = cells(next);
            Drawn drawn = Drawn.of(next);
            NDArray terms = next.next();
            Explanation found =
                    new Explanation(
                            map, scene, posterior, prior, own, predicted, background, cells);
            double[] seen = drawn.seen().toDoubleArray();
            long[] all = LongStream.range(0, seen.length / SEEN).toArray();
            try (NDArray plan = plan(drawn, seen, all)) {
                NDList weighed =
                        script.call(
                                "weigh",
                                images,
                                drawn.background(),
                                drawn.presence(),
                                drawn.depth(),
                                drawn.what(),
                                drawn.where(),
                                plan,
                                terms,
                                numbers);
                RenderedScenes scenes = scenes(weighed, drawn);
                return new GnmOutput(weighed.get(5), weighed.get(4), terms, scenes, found);
            }
        }
    }

    /** Temperature, sigma, the priors that are set and those that are not, covered, weights. */
    private NDArray numbers(NDArray images, GnmSetting setting) {
        double[] weights = setting.allWeights();
        double[] all = new double[SEEN + weights.length];
        all[0] = setting.temperature();
        all[1] = layers.sizes().sigma();
        all[2] = or(setting.presencePrior(), Double.NaN);
        all[3] = or(setting.sizePrior(), Double.NaN);
        all[4] = or(setting.covered(), -1);
        System.arraycopy(weights, 0, all, SEEN, weights.length);
        return images.getManager().create(all);
    }

    private static double or(@Nullable Double value, double other) {
        return value == null ? other : value;
    }

    /** Noise that is not given is drawn in the order in which {@link GnmLayers} draws it. */
    private NDArray[] arguments(NDArray images, NDArray numbers, GnmNoise noise) {
        GnmConfiguration.Latents latents = layers.sizes().latents();
        long batch = images.getShape().get(0);
        long g = layers.sizes().cells();
        NDArray scene = noise.scene();
        if (scene == null) {
            NDList steps = new NDList(latents.steps());
            for (int t = 0; t < latents.steps(); t++) {
                steps.add(normal(images, null, batch, latents.scene()));
            }
            scene = NDArrays.stack(steps, 1);
        }
        NDArray background = normal(images, noise.background(), batch, latents.background());
        NDArray presence = noise.presence();
        if (presence == null) {
            presence = Ops.uniform(images, batch, 1, g, g);
        }
        return new NDArray[] {
            images,
            background,
            scene,
            presence,
            normal(images, noise.where(), batch, 4, g, g),
            normal(images, noise.depth(), batch, 1, g, g),
            normal(images, noise.what(), batch, latents.what(), g, g),
            numbers,
            RelaxedBernoulli.bounds(images.getDataType())
        };
    }

    private static NDArray normal(NDArray like, @Nullable NDArray given, long... shape) {
        return given == null
                ? Ops.normal(
                        like.getManager(), like.getDevice(), new Shape(shape), like.getDataType())
                : given;
    }

    private static Gaussian gaussian(Iterator<NDArray> next) {
        return new Gaussian(next.next(), next.next());
    }

    private static CellLatents latents(Iterator<NDArray> next) {
        return new CellLatents(next.next(), gaussian(next), gaussian(next), gaussian(next));
    }

    private static Cells cells(Iterator<NDArray> next) {
        return new Cells(next.next(), next.next(), next.next(), next.next(), next.next());
    }
}
