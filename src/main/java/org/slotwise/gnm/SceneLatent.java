package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.gnm.GnmNetworks.Scene;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.ConvolutionalLstmCell;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;

/**
 * The latent of a whole scene, drawn in T steps: the prior of all cells together (StructDRAW).
 *
 * <pre>{@code
 * p_t = N(halves of prior(flat(h_d)))
 * h_e = rnn_enc([e, e - f, h_d])                     e in place of e - f in the first step
 * q_t = N(halves of posterior(flat(h_e)));           z_t ~ q_t, or ~ p_t where there is no picture
 * h_d = rnn_dec([decoder(z_t), f]);                  f = f + map(h_d)
 * }</pre>
 */
record SceneLatent(
        Parameter start,
        NormedStack decoder,
        ConvolutionalLstmCell encoderCell,
        ConvolutionalLstmCell decoderCell,
        NormedStack prior,
        NormedStack posterior,
        NormedStack map,
        int steps,
        int places) {

    static SceneLatent of(Declarer parameters, GnmConfiguration sizes) {
        Scene scene = sizes.networks().scene();
        int z = sizes.latents().scene();
        int g = sizes.cells();
        long e = sizes.networks().encoder().last();
        Parameter start = parameters.other("dec_step_0", Initializer.ZEROS, false, 1, e, g, g);
        NormedStack decoder =
                GnmLayers.perceptron(
                        parameters.under("p_global_decoder_net"),
                        z,
                        scene.decoder(),
                        scene.decoderChannels() * g * g,
                        false);
        int seen = scene.encoderSize();
        int drawn = scene.decoderSize();
        return new SceneLatent(
                start,
                decoder,
                new ConvolutionalLstmCell(
                        parameters.under("rnn_enc"), 2 * e + drawn, seen, scene.kernel(), g),
                new ConvolutionalLstmCell(
                        parameters.under("rnn_dec"),
                        scene.decoderChannels() + e,
                        drawn,
                        scene.kernel(),
                        g),
                halves(parameters.under("p_global_net"), (long) drawn * g * g, scene.prior(), z),
                halves(parameters.under("q_global_net"), (long) seen * g * g, scene.posterior(), z),
                GnmLayers.convolutions(
                        parameters.under("hid_to_dec_net"), drawn, scene.map(), true),
                sizes.latents().steps(),
                g);
    }

    private static NormedStack halves(Declarer parameters, long in, List<Integer> hidden, int z) {
        return GnmLayers.perceptron(parameters, in, hidden, 2 * z, true);
    }

    /**
     * Draws.
     *
     * @param e the encoder's map (B, E, G, G); null where no step sees a picture
     * @param fromPicture how many steps see it, the others are drawn from their prior
     * @param given the latents of the first n of those that do not, (B, n, Zg); null for none
     * @param noise (B, steps that are drawn, Zg); null to draw it
     */
    SceneSteps draw(
            Pass pass,
            long batch,
            @Nullable NDArray e,
            int fromPicture,
            @Nullable NDArray given,
            @Nullable NDArray noise) {
        NDArray f0 = pass.value(start);
        Shape one = f0.getShape();
        NDArray f = f0.broadcast(batch, one.get(1), one.get(2), one.get(3));
        ConvolutionalLstmCell.State drawing = decoderCell.start(pass, batch);
        ConvolutionalLstmCell.State seeing =
                fromPicture == 0 ? drawing : encoderCell.start(pass, batch);
        NDList z = new NDList(steps);
        NDList[] numbers = {new NDList(), new NDList(), new NDList(), new NDList()};
        int noises = 0;
        long known = given == null ? 0 : given.getShape().get(1);
        boolean allSeen = e != null && fromPicture == steps;
        NDList hidden = new NDList(steps);
        for (int t = 0; t < steps; t++) {
            NDArray before = flat(drawing.hidden());
            Gaussian from;
            if (allSeen) {
                hidden.add(before);
            } else {
                add(numbers, 0, Gaussian.halves(prior.apply(pass, before), 1));
            }
            if (t < fromPicture && e != null) {
                NDArray error = t == 0 ? e : e.sub(f);
                NDArray input = NDArrays.concat(new NDList(e, error, drawing.hidden()), 1);
                seeing = encoderCell.step(pass, input, seeing);
                from = Gaussian.halves(posterior.apply(pass, flat(seeing.hidden())), 1);
                add(numbers, 2, from);
            } else {
                from = new Gaussian(last(numbers, 0), last(numbers, 1));
            }
            NDArray zt;
            if (given != null && t >= fromPicture && t < known) {
                zt = given.get(":, {}", t);
            } else {
                zt = from.sample(noise == null ? null : noise.get(":, {}", noises));
                noises++;
            }
            z.add(zt);
            NDArray d = decoder.apply(pass, zt).reshape(batch, -1, places, places);
            drawing = decoderCell.step(pass, d.concat(f, 1), drawing);
            f = f.add(map.apply(pass, drawing.hidden()));
        }
        return new SceneSteps(
                f,
                NDArrays.stack(z, 1),
                allSeen ? priors(pass, hidden) : stacked(numbers, 0),
                numbers[2].isEmpty() ? null : stacked(numbers, 2));
    }

    /** The priors of all steps in one pass: where every step sees the picture none waits for it. */
    private Gaussian priors(Pass pass, NDList hidden) {
        NDArray all =
                prior.apply(
                        pass,
                        NDArrays.stack(hidden, 1).reshape(-1, hidden.head().getShape().get(1)));
        long batch = hidden.head().getShape().get(0);
        return Gaussian.halves(all.reshape(batch, hidden.size(), -1), 2);
    }

    private static NDArray last(NDList[] numbers, int at) {
        return numbers[at].get(numbers[at].size() - 1);
    }

    private static void add(NDList[] numbers, int at, Gaussian distribution) {
        numbers[at].add(distribution.mean());
        numbers[at + 1].add(distribution.deviation());
    }

    private static Gaussian stacked(NDList[] numbers, int at) {
        return new Gaussian(NDArrays.stack(numbers[at], 1), NDArrays.stack(numbers[at + 1], 1));
    }

    /** Channels last: (B, c, G, G) to (B, G G c). */
    private static NDArray flat(NDArray h) {
        Shape s = h.getShape();
        return h.transpose(0, 2, 3, 1).reshape(s.get(0), s.get(1) * s.get(2) * s.get(3));
    }
}
