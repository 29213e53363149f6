package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;
import org.slotwise.torchscript.ScriptModule;

/** The background: its posterior, its prior, and its picture. */
record Ground(NormedStack decoder, NormedStack prior, NormedStack posterior) {

    static Ground of(Declarer parameters, GnmConfiguration sizes) {
        GnmNetworks networks = sizes.networks();
        GnmConfiguration.Latents latents = sizes.latents();
        return new Ground(
                GnmLayers.subPixels(
                        parameters.under("p_bg_decoder").under("p_bg_decoder"),
                        latents.background(),
                        networks.background()),
                GnmLayers.perceptron(
                        parameters.under("p_bg_given_g_net").under("p_bg_generator"),
                        (long) latents.steps() * latents.scene(),
                        networks.backgroundPrior(),
                        2 * latents.background(),
                        true),
                GnmLayers.perceptron(
                        parameters.under("q_bg_given_x_net").under("p_bg_encoder"),
                        (long) networks.encoder().last() * sizes.count(),
                        networks.backgroundPosterior(),
                        2 * latents.background(),
                        true));
    }

    /** Of the encoder's map (B, E, G, G): (B, Zb). */
    Gaussian posterior(Pass pass, NDArray e) {
        return Gaussian.halves(posterior.apply(pass, flat(e)), 1);
    }

    /** Of the scene latent (B, T, Zg): (B, Zb). */
    Gaussian prior(Pass pass, NDArray scene) {
        return Gaussian.halves(prior.apply(pass, flat(scene)), 1);
    }

    /** Adds all three to a module. */
    void addTo(ScriptModule.Builder module) {
        module.module("p_bg_decoder", inside("p_bg_decoder", "conv", decoder))
                .module("p_bg_given_g_net", inside("p_bg_generator", "mlp", prior))
                .module("q_bg_given_x_net", inside("p_bg_encoder", "mlp", posterior));
    }

    private static ScriptModule inside(String name, String kind, NormedStack stack) {
        return GnmLayers.inside(name, GnmLayers.inside(kind, stack.script()));
    }

    private static NDArray flat(NDArray x) {
        Shape s = x.getShape();
        return x.reshape(s.get(0), s.size() / s.get(0));
    }

    /** The picture (B, C, H, W) of latents (B, Zb). */
    NDArray picture(Pass pass, NDArray z) {
        Shape s = z.getShape();
        return Activation.sigmoid(decoder.apply(pass, z.reshape(s.get(0), s.get(1), 1, 1)));
    }
}
