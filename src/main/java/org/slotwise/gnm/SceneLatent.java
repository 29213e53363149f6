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
import org.slotwise.torchscript.ScriptModule;

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

    /**
     * The equations where all steps see a picture: of the encoder's map as rows (B G G, E) and
     * noise (B, T, Zg) the scene map as rows, latents, and means and deviations of prior and
     * posterior, (B, T, Zg) each.
     */
    ScriptModule script() {
        return ScriptModule.builder("SceneLatent")
                .parameter("dec_step_0", start)
                .module("p_global_decoder_net", GnmLayers.inside("mlp", decoder.script()))
                .module("rnn_enc", encoderCell.script())
                .module("rnn_dec", decoderCell.script())
                .module("p_global_net", GnmLayers.inside("mlp", prior.script()))
                .module("q_global_net", GnmLayers.inside("mlp", posterior.script()))
                .module("hid_to_dec_net", GnmLayers.inside("conv", map.script()))
                .setCode(
                        """
                        def forward(self, e: Tensor, noise: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
                          b = torch.size(noise, 0)
                          steps = torch.size(noise, 1)
                          c = torch.size(e, 1)
                          f = torch.reshape(torch.expand(torch.permute(self.dec_step_0, [0, 2, 3, 1]), [b, -1, -1, -1]), [-1, c])
                          drawing, kept = self.rnn_dec.first(b)
                          seeing, known = self.rnn_enc.first(b)
                          draws = torch.unbind(noise, 1)
                          hidden = annotate(List[Tensor], [])
                          latents = annotate(List[Tensor], [])
                          means = annotate(List[Tensor], [])
                          deviations = annotate(List[Tensor], [])
                          for t in range(steps):
                            _0 = torch.append(hidden, torch.reshape(drawing, [b, -1]))
                            if torch.eq(t, 0):
                              error = e
                            else:
                              error = torch.sub(e, f)
                            seeing, known = self.rnn_enc.step(torch.cat([e, error, drawing, seeing], 1), known)
                            q = self.q_global_net.mlp.forward(torch.reshape(seeing, [b, -1]))
                            mean, raw = torch.chunk(q, 2, 1)
                            deviation = torch.softplus(raw)
                            z = torch.addcmul(mean, deviation, draws[t])
                            _1 = torch.append(latents, z)
                            _2 = torch.append(means, mean)
                            _3 = torch.append(deviations, deviation)
                            y = torch.reshape(self.p_global_decoder_net.mlp.forward(z), [b, -1, %1$s])
                            d = torch.reshape(torch.transpose(y, 1, 2), [torch.size(e, 0), -1])
                            drawing, kept = self.rnn_dec.step(torch.cat([d, f, drawing], 1), kept)
                            places = torch.view(drawing, [b, %2$s, %2$s, -1])
                            f = torch.add(f, torch.reshape(self.hid_to_dec_net.conv.places(places), [-1, c]))
                          p = self.p_global_net.mlp.forward(torch.cat(hidden, 0))
                          mean, raw = torch.chunk(torch.transpose(torch.view(p, [steps, b, -1]), 0, 1), 2, 2)
                          return (f, torch.stack(latents, 1), mean, torch.softplus(raw), torch.stack(means, 1), torch.stack(deviations, 1))
                        """
                                .formatted(places * places, places))
                .build();
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
