package org.slotwise.gnm;

import org.slotwise.gnm.FixedPriors.Distribution;
import org.slotwise.layer.RelaxedBernoulli;
import org.slotwise.torchscript.ScriptModule;

/**
 * The equations of a {@link Gnm} whose objects overlap before a background that is drawn, as one
 * module: what a step and an explanation are before it is known where cells are, and what they are
 * afterwards. Cells are rows in it, (B G G, ...).
 *
 * <p>No graph refers to settings and plans, which are memory of Java's: they are copied. The
 * divergences of where, depth and what are computed side by side.
 */
final class GnmScript {

    private GnmScript() {}

    private static final String METHODS =
            """
            def map(self, rows: Tensor) -> Tensor:
              return torch.permute(torch.view(rows, [-1, %1$s, %1$s, torch.size(rows, 1)]), [0, 3, 1, 2])
            def rows(self, map: Tensor) -> Tensor:
              return torch.reshape(torch.permute(map, [0, 2, 3, 1]), [-1, torch.size(map, 1)])
            def parts(self, rows: Tensor) -> List[Tensor]:
              return torch.split_with_sizes(self.map(rows), [4, 1, %2$s], 1)
            def number(self, like: Tensor, setting: Tensor, at: int) -> Tensor:
              return torch.full([], float(torch.select(setting, 0, at)), dtype=ops.prim.dtype(like), device=ops.prim.device(like))
            def halves(self, numbers: Tensor) -> Tuple[Tensor, Tensor]:
              mean, raw = torch.chunk(numbers, 2, 1)
              return (mean, torch.softplus(raw))
            def seen(self, z: Tensor, where: Tensor) -> Tensor:
              return torch.to(torch.cat([torch.detach(z), torch.detach(where)], 1), 7)
            def background(self, z: Tensor) -> Tensor:
              return torch.sigmoid(self.p_bg_decoder.p_bg_decoder.conv.place(z))
            def fixed(self, size: float) -> Tuple[Tensor, Tensor]:
              wm = self.aux_p_where_mean
              if torch.eq(size, size):
                first = torch.full_like(torch.slice(wm, 1, 0, 1), size)
                wm = torch.cat([first, torch.slice(wm, 1, 1, 4)], 1)
              dm = torch.view(self.aux_p_depth_mean, [1, 1])
              ds = torch.view(self.aux_p_depth_std, [1, 1])
              am = torch.expand(torch.view(self.aux_p_what_mean, [1, 1]), [1, %2$s])
              sa = torch.expand(torch.view(self.aux_p_what_std, [1, 1]), [1, %2$s])
              return (torch.cat([wm, dm, am], 1), torch.cat([self.aux_p_where_std, ds, sa], 1))
            def explain(self, x: Tensor) -> List[Tensor]:
              e = self.img_encoder.conv.forward(x)
              bm, br = torch.chunk(self.q_bg_given_x_net.p_bg_encoder.mlp.forward(torch.flatten(e, 1)), 2, 1)
              background = self.background(bm)
              logits, m, s = self.p_z_given_x_or_g_net.forward(torch.permute(e, [0, 2, 3, 1]))
              z = torch.to(torch.gt(logits, 0), ops.prim.dtype(x))
              w, depth, what = torch.split_with_sizes(m, [4, 1, %2$s], 1)
              where = self.local_latent_sampler.place(w)
              means = self.parts(m)
              stds = self.parts(s)
              latents = [self.map(logits), means[0], stds[0], means[1], stds[1], means[2], stds[2]]
              cells = [self.map(z), self.map(where), self.map(w), self.map(depth), self.map(what)]
              rows = [background, z, depth, what, where, self.seen(z, where)]
              return torch.add(torch.add(latents, cells), rows)
            def paste(self, background: Tensor, z: Tensor, depth: Tensor, what: Tensor, where: Tensor, plan: Tensor, covered: float) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
              p = torch.to(plan, 4)
              first = torch.add(torch.mul(int(torch.select(p, 0, 0)), 3), 1)
              n = torch.floordiv(torch.sub(torch.size(p, 0), first), 3)
              order = torch.slice(p, 0, first, torch.add(first, n))
              glimpses = self.local_latent_sampler.glimpses(torch.index_select(what, 0, order))
              return self.renderer.windows(glimpses, z, depth, where, background, covered, p)
            def explained(self, background: Tensor, z: Tensor, depth: Tensor, what: Tensor, where: Tensor, plan: Tensor) -> List[Tensor]:
              y, fg, a, masks = self.paste(background, z, depth, what, where, plan, -1.)
              return [y, fg, a, masks]
            def step(self, x: Tensor, nb: Tensor, ns: Tensor, u: Tensor, nw: Tensor, nd: Tensor, na: Tensor, setting: Tensor, bounds: Tensor) -> List[Tensor]:
              e = self.img_encoder.conv.forward(x)
              b = torch.size(x, 0)
              rows = self.rows(e)
              f, zs, pm, ps, qm, qs = self.global_struct_draw.forward(rows, ns)
              both = torch.view(torch.cat([rows, f], 0), [-1, %1$s, %1$s, torch.size(f, 1)])
              logits, m, s = self.p_z_given_x_or_g_net.forward(both)
              ql, pl = torch.chunk(logits, 2, 0)
              cqm, cpm = torch.chunk(m, 2, 0)
              cqs, cps = torch.chunk(s, 2, 0)
              om, os = self.halves(self.q_bg_given_x_net.p_bg_encoder.mlp.forward(torch.flatten(e, 1)))
              gm, gs = self.halves(self.p_bg_given_g_net.p_bg_generator.mlp.forward(torch.flatten(zs, 1)))
              latent = torch.addcmul(om, os, nb)
              background = self.background(latent)
              z = self.presence.sample(ql, self.rows(u), self.number(x, setting, 0), bounds)
              drawn = torch.addcmul(cqm, cqs, self.rows(torch.cat([nw, nd, na], 1)))
              w, depth, what = torch.split_with_sizes(drawn, [4, 1, %2$s], 1)
              where = self.local_latent_sampler.place(w)
              fm, fs = self.fixed(float(torch.select(setting, 0, 3)))
              chance = self.aux_p_pres_probs
              other = float(torch.select(setting, 0, 2))
              if torch.eq(other, other):
                chance = torch.full_like(chance, other)
              q = torch.sigmoid(ql)
              k = torch.cat([self.bernoulli(q, torch.sigmoid(pl)), self.normal(cqm, cqs, cpm, cps), self.bernoulli(q, chance), torch.mul(self.normal(cqm, cqs, fm, fs), torch.clamp(z, 1e-5, None))], 1)
              sums = torch.sum(torch.view(k, [b, -1, torch.size(k, 1)]), [1], False)
              kp, kw, kd, ka, fp, fw, fd, fa = torch.split_with_sizes(sums, [1, 4, 1, %2$s, 1, 4, 1, %2$s], 1)
              o = True
              kb = torch.sum(self.normal(om, os, gm, gs), [1], o)
              kz = torch.unsqueeze(self.each(self.normal(qm, qs, pm, ps)), 1)
              fb = torch.sum(self.normal(om, os, self.aux_p_bg_mean, self.aux_p_bg_std), [1], o)
              terms = torch.cat([kp, torch.sum(kw, [1], o), kd, torch.sum(ka, [1], o), kb, kz, fp, torch.sum(fw, [1], o), fd, torch.sum(fa, [1], o), fb], 1)
              ws, ds, sa = self.parts(s)
              wm, dm, am = self.parts(m)
              l1, l2 = torch.chunk(self.map(logits), 2, 0)
              wm1, wm2 = torch.chunk(wm, 2, 0)
              ws1, ws2 = torch.chunk(ws, 2, 0)
              dm1, dm2 = torch.chunk(dm, 2, 0)
              ds1, ds2 = torch.chunk(ds, 2, 0)
              am1, am2 = torch.chunk(am, 2, 0)
              sa1, sa2 = torch.chunk(sa, 2, 0)
              dw, dd, da = self.parts(drawn)
              scene = [e, self.map(f), zs, pm, ps, qm, qs]
              latents = [l1, wm1, ws1, dm1, ds1, am1, sa1, l2, wm2, ws2, dm2, ds2, am2, sa2]
              ground = [om, os, gm, gs, latent]
              cells = [self.map(z), self.map(where), torch.detach(dw), dd, da]
              more = [background, z, depth, what, where, self.seen(z, where), terms]
              return torch.add(torch.add(torch.add(torch.add(scene, latents), ground), cells), more)
            def weigh(self, x: Tensor, background: Tensor, z: Tensor, depth: Tensor, what: Tensor, where: Tensor, plan: Tensor, terms: Tensor, setting: Tensor) -> List[Tensor]:
              y, fg, a, masks = self.paste(background, z, depth, what, where, plan, float(torch.select(setting, 0, 4)))
              sigma = self.number(x, setting, 1)
              likelihood = self.likelihood(x, y, sigma)
              weights = torch.to(torch.slice(setting, 0, 5), ops.prim.dtype(x), False, True)
              return [y, fg, a, masks, likelihood, self.loss(likelihood, terms, weights)]
            """;

    /**
     * The module.
     *
     * @throws IllegalArgumentException if objects do not overlap, or no background is drawn
     */
    static ScriptModule of(GnmLayers layers) {
        GnmConfiguration sizes = layers.sizes();
        Ground ground = layers.ground();
        if (ground == null || !sizes.picture().overlap()) {
            throw new IllegalArgumentException("GnmScript: objects must overlap on a background");
        }
        FixedPriors fixed = layers.fixed();
        ScriptModule.Builder module =
                ScriptModule.builder("Gnm")
                        .parameter("aux_p_pres_probs", fixed.presence())
                        .module("img_encoder", GnmLayers.inside("conv", layers.encoder().script()))
                        .module("global_struct_draw", layers.scene().script())
                        .module(
                                "p_z_given_x_or_g_net",
                                layers.cells().script(sizes.latents().what()))
                        .module("local_latent_sampler", layers.sampler().script())
                        .module("presence", RelaxedBernoulli.script())
                        .module("renderer", Renderer.script());
        add(module, "what", fixed.what());
        add(module, "bg", fixed.background());
        add(module, "depth", fixed.depth());
        add(module, "where", fixed.where());
        ground.addTo(module);
        String methods = METHODS.formatted(sizes.cells(), sizes.latents().what());
        return module.setCode(GnmLoss.EQUATIONS + methods).build();
    }

    private static void add(ScriptModule.Builder module, String name, Distribution prior) {
        module.parameter("aux_p_" + name + "_mean", prior.mean())
                .parameter("aux_p_" + name + "_std", prior.deviation());
    }
}
