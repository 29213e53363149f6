package org.slotwise.benchmark;

import com.google.errorprone.annotations.FormatMethod;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.gnm.GnmNetworks;
import org.slotwise.gnm.GnmNetworks.Stack;
import org.slotwise.gnm.GnmSetting;
import org.slotwise.gnm.GnmTerm;

/**
 * The text of {@link GnmPlain}: a whole GNM in TorchScript, operation by operation as the equations
 * stand in the paper and in the original, with the sizes and the setting of one step as constants.
 */
final class GnmText {

    private static final String HELPERS =
            """
            def each(self: __torch__.Script, x: Tensor) -> Tensor:
              return torch.sum(torch.reshape(x, [torch.size(x, 0), -1]), [1], False)
            def kl(self: __torch__.Script, qm: Tensor, qs: Tensor, pm: Tensor, ps: Tensor) -> Tensor:
              r = torch.pow(torch.div(qs, ps), 2)
              t = torch.pow(torch.div(torch.sub(qm, pm), ps), 2)
              return torch.mul(torch.sub(torch.sub(torch.add(r, t), 1), torch.log(r)), 0.5)
            def kl_presence(self: __torch__.Script, q: Tensor, p: Tensor) -> Tensor:
              m = torch.rsub(q, 1)
              n = torch.rsub(p, 1)
              yes = torch.mul(q, torch.sub(torch.log(torch.add(q, 1e-15)), torch.log(torch.add(p, 1e-15))))
              no = torch.mul(m, torch.sub(torch.log(torch.add(m, 1e-15)), torch.log(torch.add(n, 1e-15))))
              return torch.add(yes, no)
            def flat(self: __torch__.Script, x: Tensor) -> Tensor:
              return torch.flatten(torch.permute(x, [0, 2, 3, 1]), 1)
            def rows(self: __torch__.Script, x: Tensor) -> Tensor:
              return torch.reshape(torch.permute(x, [0, 2, 3, 1]), [-1, torch.size(x, 1)])
            def place(self: __torch__.Script, w: Tensor, offset: Tensor) -> Tensor:
              g = torch.size(w, 3)
              s, r, t = torch.split_with_sizes(w, [1, 1, 2], 1)
              size = torch.sigmoid(s)
              ratio = torch.sqrt(torch.exp(r))
              c = torch.add(torch.add(offset, 0.5), torch.tanh(t))
              u = torch.sub(torch.mul(c, torch.div(2., float(g))), 1)
              return torch.cat([torch.div(size, ratio), torch.mul(size, ratio), u], 1)
            def grid(self: __torch__.Script, place: Tensor, h: int, w: int) -> Tensor:
              n = torch.size(place, 0)
              sx, sy, tx, ty = torch.unbind(place, 1)
              ex = torch.add(sx, 1e-15)
              ey = torch.add(sy, 1e-15)
              o = torch.zeros_like(sx)
              t = torch.stack([torch.reciprocal(ex), o, torch.neg(torch.div(tx, ex)), o, torch.reciprocal(ey), torch.neg(torch.div(ty, ey))], 1)
              return torch.affine_grid_generator(torch.view(t, [n, 2, 3]), [n, 1, h, w], False)
            def render(self: __torch__.Script, o: Tensor, a: Tensor, z: Tensor, depth: Tensor, place: Tensor, bg: Tensor) -> Tuple[Tensor, Tensor]:
              b = torch.size(bg, 0)
              c = torch.size(bg, 1)
              h = torch.size(bg, 2)
              w = torch.size(bg, 3)
              grid = (self).grid(place, h, w)
              ah = torch.mul(a, torch.view(z, [-1, 1, 1, 1]))
              near = torch.mul(ah, torch.sigmoid(torch.neg(torch.view(depth, [-1, 1, 1, 1]))))
              imp = torch.view(torch.grid_sampler(near, grid, 0, 0, False), [b, -1, 1, h, w])
              masks = torch.view(torch.grid_sampler(ah, grid, 0, 0, False), [b, -1, 1, h, w])
              colours = torch.view(torch.grid_sampler(torch.mul(ah, o), grid, 0, 0, False), [b, -1, c, h, w])
              share = torch.div(imp, torch.add(torch.sum(imp, [1], True), 1e-15))
              fg = torch.sum(torch.mul(colours, share), [1], False)
              alpha = torch.sum(masks, [1], False)
              held = torch.add(alpha, torch.detach(torch.sub(torch.clamp(alpha, 1e-15, 0.999999999999999), alpha)))
              return (torch.add(fg, torch.mul(torch.rsub(held, 1), bg)), masks)
            """;

    private final GnmConfiguration sizes;
    private final UnaryOperator<String> weight;
    private final StringBuilder text = new StringBuilder();
    private int made;

    /** A text in which weights have other names. */
    private GnmText(GnmConfiguration sizes, UnaryOperator<String> weight) {
        this.sizes = sizes;
        this.weight = weight;
    }

    /** The methods {@code step} and {@code explain}, with the weights' names as arguments. */
    static String of(GnmConfiguration sizes, GnmSetting setting, Map<String, String> weights) {
        String typed =
                String.join(", ", weights.values().stream().map(w -> w + ": Tensor").toList());
        GnmText step = new GnmText(sizes, weights::get);
        step.step(setting);
        GnmText explain = new GnmText(sizes, weights::get);
        explain.explain();
        return HELPERS
                + "def step(self: __torch__.Script, x: Tensor, nb: Tensor, ns: Tensor, u: Tensor,"
                + " nw: Tensor, nd: Tensor, na: Tensor, "
                + typed
                + ") -> Tuple[Tensor, Tensor, Tensor, Tensor]:\n"
                + step.text
                + "def explain(self: __torch__.Script, x: Tensor, "
                + typed
                + ") -> Tuple[Tensor, Tensor, Tensor]:\n"
                + explain.text;
    }

    /** A line "name = expression" with a new name, which it gives. */
    @FormatMethod
    private String let(String expression, Object... values) {
        String name = "v" + made++;
        text.append("  ").append(name).append(" = ");
        text.append(String.format(expression, values)).append('\n');
        return name;
    }

    private String w(String name) {
        return weight.apply(name);
    }

    private String conv(String x, String name, int stride, int padding) {
        return let(
                "torch.conv2d(%s, %s, %s, [%d, %d], [%d, %d], [1, 1], 1)",
                x, w(name + ".weight"), w(name + ".bias"), stride, stride, padding, padding);
    }

    private String normed(String x, String name, int groups) {
        String y = let("torch.celu(%s)", x);
        return let(
                "torch.group_norm(%s, %d, %s, %s, 1e-05, True)",
                y, groups, w(name + ".weight"), w(name + ".bias"));
    }

    private String convolutions(String in, String name, Stack stack, boolean open) {
        String x = in;
        int last = stack.filters().size() - 1;
        for (int i = 0; i <= last; i++) {
            int stride = stack.steps().get(i);
            int padding = stride == 0 ? 0 : (stack.kernels().get(i) - 1) / 2;
            x = conv(x, name + ".conv." + 3 * i, Math.max(1, stride), padding);
            if (i < last || !open) {
                x = normed(x, name + ".conv." + (3 * i + 2), stack.groups().get(i));
            }
        }
        return x;
    }

    private String subPixels(String in, String name, Stack stack) {
        String x = in;
        int number = 0;
        int last = stack.filters().size() - 1;
        for (int i = 0; i <= last; i++) {
            int factor = stack.steps().get(i);
            x = conv(x, name + ".conv." + number, 1, (stack.kernels().get(i) - 1) / 2);
            if (factor > 1) {
                x = let("torch.pixel_shuffle(%s, %d)", x, factor);
            }
            number += factor > 1 ? 3 : 2;
            if (i < last) {
                x = normed(x, name + ".conv." + number, stack.groups().get(i));
            }
            number++;
        }
        return x;
    }

    /** Linear maps with hidden layers; the last one is alone where the end is open. */
    private String perceptron(String in, String name, int hidden, boolean open) {
        String x = in;
        for (int i = 0; i <= hidden; i++) {
            String map = name + ".mlp." + 3 * i;
            x = let("torch.linear(%s, %s, %s)", x, w(map + ".weight"), w(map + ".bias"));
            if (i < hidden || !open) {
                String norm = name + ".mlp." + (3 * i + 2);
                String y = let("torch.celu(%s)", x);
                x =
                        let(
                                "torch.layer_norm(%s, [torch.size(%s, 1)], %s, %s)",
                                y, y, w(norm + ".weight"), w(norm + ".bias"));
            }
        }
        return x;
    }

    /** The names of mean and deviation. */
    private record Normal(String mean, String deviation) {}

    private Normal halves(String numbers) {
        String both = let("torch.chunk(%s, 2, 1)", numbers);
        String mean = let("%s[0]", both);
        return new Normal(mean, let("torch.softplus(%s[1])", both));
    }

    private String sample(Normal of, String noise) {
        return let("torch.add(%s, torch.mul(%s, %s))", of.mean, of.deviation, noise);
    }

    /** Logits of presence, where, depth and what. */
    private record Cells(String presence, Normal where, Normal depth, Normal what) {}

    private Cells cells(String map) {
        String net = "p_z_given_x_or_g_net";
        String h = convolutions(map, net + ".pwdw_net", sizes.networks().cells(), false);
        String logits = conv(h, net + ".q_pres_net", 1, 0);
        return new Cells(
                let("torch.mul(torch.tanh(%s), 8.8)", logits),
                halves(conv(h, net + ".q_where_net", 1, 0)),
                halves(conv(h, net + ".q_depth_net", 1, 0)),
                halves(conv(h, net + ".q_what_net", 1, 0)));
    }

    private String encoder() {
        return convolutions("x", "img_encoder", sizes.networks().encoder(), false);
    }

    private Normal ground(String e) {
        return halves(
                perceptron(
                        let("torch.flatten(%s, 1)", e),
                        "q_bg_given_x_net.p_bg_encoder",
                        sizes.networks().backgroundPosterior().size(),
                        true));
    }

    /** Picture and masks. */
    private String[] scene(String z, String w, String depth, String what, String background) {
        String rows = let("torch.unsqueeze(torch.unsqueeze((self).rows(%s), 2), 3)", what);
        String glimpses =
                let(
                        "torch.sigmoid(%s)",
                        subPixels(
                                rows,
                                "local_latent_sampler.z_what_decoder_net",
                                sizes.networks().glimpse()));
        String pixels = let("torch.unsqueeze(torch.unsqueeze(%s, 2), 3)", background);
        String bg =
                let(
                        "torch.sigmoid(%s)",
                        subPixels(
                                pixels,
                                "p_bg_decoder.p_bg_decoder",
                                sizes.networks().background()));
        String place =
                let("(self).rows((self).place(%s, %s))", w, w("local_latent_sampler.offset"));
        String picture = "v" + made++;
        String masks = "v" + made++;
        text.append(
                """
                  %s, %s = (self).render(torch.slice(%s, 1, 0, -1), torch.slice(%s, 1, -1), (self).rows(%s), (self).rows(%s), %s, %s)
                """
                        .formatted(picture, masks, glimpses, glimpses, z, depth, place, bg));
        return new String[] {picture, masks};
    }

    private void explain() {
        String e = encoder();
        Cells q = cells(e);
        String z = let("torch.to(torch.gt(%s, 0), 6)", q.presence);
        String[] made = scene(z, q.where.mean, q.depth.mean, q.what.mean, ground(e).mean);
        text.append("  return (%s, %s, %s)\n".formatted(made[0], made[1], z));
    }

    private void step(GnmSetting setting) {
        GnmNetworks networks = sizes.networks();
        int steps = sizes.latents().steps();
        int g = sizes.cells();
        String struct = "global_struct_draw.";
        String e = encoder();
        text.append("  b = torch.size(x, 0)\n");
        String f = let("torch.expand(%s, [b, -1, -1, -1])", w(struct + "dec_step_0"));
        String[] state = new String[4]; // h and c of the one that sees, then of the one that draws
        String[] first = {"rnn_enc.h_0", "rnn_enc.c_0", "rnn_dec.h_0", "rnn_dec.c_0"};
        for (int i = 0; i < 4; i++) {
            state[i] = let("torch.expand(%s, [b, -1, -1, -1])", w(struct + first[i]));
        }
        String scene = null;
        String klScene = null;
        for (int t = 0; t < steps; t++) {
            int hidden = networks.scene().prior().size();
            String flat = let("(self).flat(%s)", state[2]);
            Normal p = halves(perceptron(flat, struct + "p_global_net", hidden, true));
            String error = t == 0 ? e : let("torch.sub(%s, %s)", e, f);
            String seen = let("torch.cat([%s, %s, %s], 1)", e, error, state[2]);
            recur(seen, struct + "rnn_enc", state, 0);
            hidden = networks.scene().posterior().size();
            flat = let("(self).flat(%s)", state[0]);
            Normal q = halves(perceptron(flat, struct + "q_global_net", hidden, true));
            String z = sample(q, "torch.select(ns, 1, " + t + ")");
            String kl =
                    let(
                            "(self).each((self).kl(%s, %s, %s, %s))",
                            q.mean, q.deviation, p.mean, p.deviation);
            klScene = klScene == null ? kl : let("torch.add(%s, %s)", klScene, kl);
            scene = scene == null ? z : let("torch.cat([%s, %s], 1)", scene, z);
            hidden = networks.scene().decoder().size();
            String d = perceptron(z, struct + "p_global_decoder_net", hidden, false);
            String map = let("torch.reshape(%s, [b, -1, %d, %d])", d, g, g);
            recur(let("torch.cat([%s, %s], 1)", map, f), struct + "rnn_dec", state, 2);
            String more =
                    convolutions(state[2], struct + "hid_to_dec_net", networks.scene().map(), true);
            f = let("torch.add(%s, %s)", f, more);
        }
        Cells q = cells(e);
        Cells p = cells(f);
        Normal own = ground(e);
        String generator = "p_bg_given_g_net.p_bg_generator";
        Normal predicted =
                halves(perceptron(scene, generator, networks.backgroundPrior().size(), true));
        String background = sample(own, "nb");
        String z = presence(q.presence, setting.temperature());
        String[] made =
                scene(
                        z,
                        sample(q.where, "nw"),
                        sample(q.depth, "nd"),
                        sample(q.what, "na"),
                        background);
        losses(setting, made[0], z, q, p, own, predicted, klScene);
    }

    private void recur(String input, String name, String[] state, int at) {
        String both = let("torch.cat([%s, %s], 1)", input, state[at]);
        int padding = (sizes.networks().scene().kernel() - 1) / 2;
        String gates = conv(both, name + ".conv", 1, padding);
        String parts = let("torch.chunk(%s, 4, 1)", gates);
        String c =
                let(
                        "torch.add(torch.mul(torch.sigmoid(%s[1]), %s),"
                                + " torch.mul(torch.sigmoid(%s[0]), torch.tanh(%s[3])))",
                        parts, state[at + 1], parts, parts);
        state[at] = let("torch.mul(torch.sigmoid(%s[2]), torch.tanh(%s))", parts, c);
        state[at + 1] = c;
    }

    private String presence(String logits, double temperature) {
        String p =
                let("torch.clamp(torch.sigmoid(%s), 1.1920929e-07, 0.99999988079071045)", logits);
        String u = let("torch.clamp(u, 1.1920929e-07, 0.99999988079071045)");
        String l =
                let(
                        "torch.sub(torch.add(torch.sub(torch.log(%s), torch.log1p(torch.neg(%s))),"
                                + " torch.log(%s)), torch.log1p(torch.neg(%s)))",
                        u, u, p, p);
        return let(
                "torch.clamp(torch.sigmoid(torch.div(%s, %s)), 1.17549435e-38, 0.99999988079071045)",
                l, temperature);
    }

    private void losses(
            GnmSetting setting,
            String y,
            String z,
            Cells q,
            Cells p,
            Normal own,
            Normal predicted,
            String scene) {
        String some = let("torch.clamp(%s, 1e-05, None)", z);
        String yes = let("torch.sigmoid(%s)", q.presence);
        String fixed =
                setting.presencePrior() == null
                        ? w("aux_p_pres_probs")
                        : let(
                                "torch.full_like(%s, %s)",
                                w("aux_p_pres_probs"), setting.presencePrior());
        List<String> terms =
                List.of(
                        let(
                                "(self).each((self).kl_presence(%s, torch.sigmoid(%s)))",
                                yes, p.presence),
                        divergence(q.where, p.where, null),
                        divergence(q.depth, p.depth, null),
                        divergence(q.what, p.what, null),
                        divergence(own, predicted, null),
                        scene,
                        let("(self).each((self).kl_presence(%s, %s))", yes, fixed),
                        divergence(q.where, fixed("where"), some),
                        divergence(q.depth, fixed("depth"), some),
                        divergence(q.what, fixed("what"), some),
                        divergence(own, fixed("bg"), null));
        double sigma = sizes.sigma();
        String ln =
                let(
                        "(self).each(torch.sub(torch.neg(torch.div(torch.pow(torch.sub(x, %s), 2), %s)),"
                                + " %s))",
                        y, 2 * sigma * sigma, Math.log(sigma) + Math.log(2 * Math.PI) / 2);
        String loss = let("torch.neg(torch.mean(%s))", ln);
        for (GnmTerm term : GnmTerm.values()) {
            loss =
                    let(
                            "torch.add(%s, torch.mul(torch.mean(%s), %s))",
                            loss,
                            terms.get(term.column()),
                            setting.weights().getOrDefault(term, 1.0));
        }
        String all = let("torch.stack([%s], 1)", String.join(", ", terms));
        text.append("  return (%s, %s, %s, %s)\n".formatted(loss, ln, all, y));
    }

    private Normal fixed(String name) {
        String mean = w("aux_p_" + name + "_mean");
        String deviation = w("aux_p_" + name + "_std");
        return name.equals("where")
                ? new Normal(
                        let("torch.view(%s, [1, 4, 1, 1])", mean),
                        let("torch.view(%s, [1, 4, 1, 1])", deviation))
                : new Normal(mean, deviation);
    }

    private String divergence(Normal q, Normal p, String times) {
        String kl = let("(self).kl(%s, %s, %s, %s)", q.mean, q.deviation, p.mean, p.deviation);
        return times == null
                ? let("(self).each(%s)", kl)
                : let("(self).each(torch.mul(%s, %s))", kl, times);
    }
}
