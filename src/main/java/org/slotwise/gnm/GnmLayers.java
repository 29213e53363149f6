package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;
import org.slotwise.torchscript.ScriptModule;

/** The equations of {@link Gnm}, and the parts that they are made of. */
record GnmLayers(
        GnmConfiguration sizes,
        FixedPriors fixed,
        NormedStack encoder,
        SceneLatent scene,
        CellNetwork cells,
        CellSampler sampler,
        Parameter plain,
        @Nullable Ground ground,
        Renderer renderer) {

    static GnmLayers of(Declarer parameters, GnmConfiguration sizes) {
        FixedPriors fixed = FixedPriors.of(parameters);
        GnmConfiguration.Picture picture = sizes.picture();
        Parameter plain =
                parameters.other(
                        "background",
                        Initializer.ZEROS,
                        false,
                        1,
                        picture.channels(),
                        picture.size(),
                        picture.size());
        GnmNetworks networks = sizes.networks();
        return new GnmLayers(
                sizes,
                fixed,
                convolutions(
                        parameters.under("img_encoder"),
                        picture.channels(),
                        networks.encoder(),
                        false),
                SceneLatent.of(parameters.under("global_struct_draw"), sizes),
                CellNetwork.of(parameters.under("p_z_given_x_or_g_net"), sizes),
                CellSampler.of(parameters.under("local_latent_sampler"), sizes),
                plain,
                picture.background() ? Ground.of(parameters, sizes) : null,
                new Renderer(picture.size(), picture.overlap()));
    }

    static NormedStack convolutions(
            Declarer parameters, long in, GnmNetworks.Stack sizes, boolean openEnd) {
        NormedStack.Builder stack = NormedStack.of(parameters.under("conv"), in);
        for (int i = 0; i < sizes.layers(); i++) {
            stack.convolution(
                    sizes.filters().get(i),
                    GnmConfiguration.window(sizes, i),
                    sizes.groups().get(i));
        }
        return stack.optOpenEnd(openEnd).build();
    }

    static NormedStack subPixels(Declarer parameters, long in, GnmNetworks.Stack sizes) {
        NormedStack.Builder stack = NormedStack.of(parameters.under("conv"), in);
        for (int i = 0; i < sizes.layers(); i++) {
            stack.subPixel(
                    sizes.filters().get(i),
                    sizes.kernels().get(i),
                    sizes.steps().get(i),
                    sizes.groups().get(i));
        }
        return stack.optOpenEnd(true).build();
    }

    static NormedStack perceptron(
            Declarer parameters, long in, List<Integer> hidden, int out, boolean openEnd) {
        NormedStack.Builder stack = NormedStack.of(parameters.under("mlp"), in);
        hidden.forEach(stack::linear);
        return stack.linear(out).optOpenEnd(openEnd).build();
    }

    /** A module that has another one inside, under a name, and is it. */
    static ScriptModule inside(String name, ScriptModule module) {
        return ScriptModule.builder("Inside")
                .module(name, module)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return self.%s.forward(x)
                        """
                                .formatted(name))
                .build();
    }

    /** A training step. */
    GnmOutput step(Pass pass, NDArray images, GnmSetting setting, GnmNoise noise) {
        Explanation found = explain(pass, images, setting.temperature(), noise);
        NDArray background = background(pass, found.background(), images.getShape().get(0));
        RenderedScenes drawn = all(pass, found.cells(), background, setting.covered());
        NDArray likelihood = GnmLoss.likelihood(images, drawn.picture(), sizes.sigma());
        NDArray terms = terms(pass, found, setting);
        return new GnmOutput(
                GnmLoss.loss(likelihood, terms, setting), likelihood, terms, drawn, found);
    }

    /** The background's picture: of its latent, or the one that is kept where there is none. */
    private NDArray background(Pass pass, @Nullable NDArray latent, long batch) {
        if (ground != null && latent != null) {
            return ground.picture(pass, latent);
        }
        NDArray kept = pass.value(plain);
        Shape s = kept.getShape();
        return kept.broadcast(batch, s.get(1), s.get(2), s.get(3));
    }

    private Explanation explain(Pass pass, NDArray images, double temperature, GnmNoise noise) {
        NDArray e = encoder.apply(pass, images);
        SceneSteps steps =
                scene.draw(
                        pass,
                        images.getShape().get(0),
                        e,
                        sizes.latents().steps(),
                        null,
                        noise.scene());
        // One network on two maps: images are normalised one by one, so both go in together.
        CellLatents[] both = cells.apply(pass, e.concat(steps.map(), 0)).halves();
        Gaussian own = null;
        Gaussian predicted = null;
        NDArray latent = null;
        if (ground != null) {
            own = ground.posterior(pass, e);
            predicted = ground.prior(pass, steps.latent());
            latent = own.sample(noise.background());
        }
        Cells drawn = sampler.draw(pass, both[0], temperature, noise);
        return new Explanation(e, steps, both[0], both[1], own, predicted, latent, drawn);
    }

    /** (B, 11), in the order of {@link GnmTerm}. */
    private NDArray terms(Pass pass, Explanation found, GnmSetting setting) {
        NDArray byScene = GnmLoss.cells(found.posterior(), found.prior());
        NDArray fixedOnes =
                GnmLoss.fixed(
                        found.posterior(),
                        found.cells().presence(),
                        fixed.presence(pass, setting.presencePrior()),
                        fixed.where(pass, setting.sizePrior()),
                        fixed.depth().value(pass),
                        fixed.what().value(pass));
        Gaussian own = found.backgroundPosterior();
        SceneSteps steps = found.scene();
        return NDArrays.concat(
                new NDList(
                        byScene,
                        divergence(own, found.backgroundPrior(), byScene),
                        divergence(steps.posterior(), steps.prior(), byScene),
                        fixedOnes,
                        divergence(own, fixed.background().value(pass), byScene)),
                1);
    }

    /** KL (B, 1); 0 where there is nothing to compare. */
    private static NDArray divergence(
            @Nullable Gaussian posterior, @Nullable Gaussian prior, NDArray like) {
        if (posterior == null || prior == null) {
            Shape one = new Shape(like.getShape().get(0), 1);
            return Scalars.full(like, one, 0, like.getDataType());
        }
        return GnmLoss.divergence(posterior, prior).expandDims(1);
    }

    /** What is in pictures, the scene latent left out: it changes nothing here. */
    ExplainedScenes explain(
            Pass pass, NDArray images, @Nullable Double temperature, GnmNoise noise) {
        NDArray e = encoder.apply(pass, images);
        CellLatents posterior = cells.apply(pass, e);
        Gaussian ofBackground = ground != null ? ground.posterior(pass, e) : null;
        return draw(pass, posterior, ofBackground, temperature, noise);
    }

    /** Scenes of a scene latent: cells and background of their priors. */
    GeneratedScenes generate(
            Pass pass, SceneSteps steps, @Nullable Double temperature, GnmNoise noise) {
        CellLatents prior = cells.apply(pass, steps.map());
        Gaussian ofBackground = ground != null ? ground.prior(pass, steps.latent()) : null;
        return new GeneratedScenes(draw(pass, prior, ofBackground, temperature, noise), steps);
    }

    /** Draws cells and background, or takes the most probable ones, and makes pictures of them. */
    private ExplainedScenes draw(
            Pass pass,
            CellLatents latents,
            @Nullable Gaussian ofBackground,
            @Nullable Double temperature,
            GnmNoise noise) {
        long batch = latents.presence().getShape().get(0);
        NDArray z = null;
        if (ofBackground != null) {
            z = temperature == null ? ofBackground.mean() : ofBackground.sample(noise.background());
        }
        NDArray background = background(pass, z, batch);
        if (temperature == null) {
            Cells drawn = sampler.mode(pass, latents);
            return new ExplainedScenes(some(pass, drawn, background), latents, drawn);
        }
        Cells drawn = sampler.draw(pass, latents, temperature, noise);
        return new ExplainedScenes(all(pass, drawn, background, null), latents, drawn);
    }

    /** Draws all cells. */
    private RenderedScenes all(
            Pass pass, Cells drawn, NDArray background, @Nullable Double covered) {
        PasteWindows windows = renderer.windows(Cells.rows(drawn.where()), sizes.glimpseSize());
        return pasted(pass, drawn, windows, background, covered);
    }

    private RenderedScenes pasted(
            Pass pass,
            Cells drawn,
            @Nullable PasteWindows windows,
            NDArray background,
            @Nullable Double covered) {
        NDArray what = Cells.rows(drawn.what());
        NDArray glimpses =
                sampler.glimpses(pass, windows == null ? what : Ops.rows(what, windows.order()));
        return renderer.draw(glimpses, drawn, windows, background, covered);
    }

    /** Cells without an object are neither decoded nor pasted. */
    private RenderedScenes some(Pass pass, Cells drawn, NDArray background) {
        double[] present = Ops.read(drawn.presence());
        int n = sizes.count();
        long[] rows =
                LongStream.range(0, present.length).filter(i -> present[(int) i] > 0).toArray();
        if (!sizes.picture().overlap() || rows.length == present.length) {
            return all(pass, drawn, background, null);
        }
        if (rows.length == 0) {
            return Renderer.none(background, n);
        }
        PasteWindows windows =
                renderer.windows(Cells.rows(drawn.where()), rows, sizes.glimpseSize());
        return pasted(pass, drawn, windows, background, null);
    }
}
