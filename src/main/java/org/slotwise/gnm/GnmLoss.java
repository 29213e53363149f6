package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;
import org.slotwise.layer.Gaussian;

/**
 * The equations of {@link Gnm}'s loss, in few calls of the engine. All sums are in nats, over
 * everything but the batch. The small numbers in logarithms stand where the original has them.
 */
final class GnmLoss {

    private GnmLoss() {}

    /** What is said once, here and in {@link GnmScript}. */
    static final String EQUATIONS =
            """
            def each(self, x: Tensor) -> Tensor:
              return torch.sum(torch.reshape(x, [torch.size(x, 0), -1]), [1], False)
            def normal(self, qm: Tensor,
              qs: Tensor,
              pm: Tensor,
              ps: Tensor) -> Tensor:
              r = torch.square(torch.div(qs, ps))
              t = torch.square(torch.div(torch.sub(qm, pm), ps))
              return torch.mul(torch.sub(torch.sub(torch.add(r, t), 1), torch.log(r)), 0.5)
            def bernoulli(self, q: Tensor,
              p: Tensor) -> Tensor:
              yes = torch.mul(q, torch.sub(torch.log(torch.add(q, 1e-15)), torch.log(torch.add(p, 1e-15))))
              m = torch.rsub(q, 1)
              no = torch.mul(m, torch.sub(torch.log(torch.add(m, 1e-15)), torch.log(torch.add(torch.rsub(p, 1), 1e-15))))
              return torch.add(yes, no)
            def likelihood(self, x: Tensor,
              y: Tensor,
              sigma: Tensor) -> Tensor:
              d = torch.div(torch.square(torch.sub(x, y)), torch.mul(torch.square(sigma), 2))
              l = torch.sub(torch.sub(torch.neg(d), torch.log(sigma)), 0.91893853320467267)
              return self.each(l)
            def loss(self, likelihood: Tensor,
              terms: Tensor,
              weights: Tensor) -> Tensor:
              weighted = torch.sum(torch.mul(torch.mean(terms, [0], False), weights))
              return torch.sub(weighted, torch.mean(likelihood))
            """;

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        EQUATIONS
                                + """
                        def cells(self, qp: Tensor,
                          qwm: Tensor,
                          qws: Tensor,
                          qdm: Tensor,
                          qds: Tensor,
                          qam: Tensor,
                          qas: Tensor,
                          pp: Tensor,
                          pwm: Tensor,
                          pws: Tensor,
                          pdm: Tensor,
                          pds: Tensor,
                          pam: Tensor,
                          pas: Tensor) -> Tensor:
                          p = self.each(self.bernoulli(torch.sigmoid(qp), torch.sigmoid(pp)))
                          w = self.each(self.normal(qwm, qws, pwm, pws))
                          d = self.each(self.normal(qdm, qds, pdm, pds))
                          a = self.each(self.normal(qam, qas, pam, pas))
                          return torch.stack([p, w, d, a], 1)
                        def fixed(self, qp: Tensor,
                          qwm: Tensor,
                          qws: Tensor,
                          qdm: Tensor,
                          qds: Tensor,
                          qam: Tensor,
                          qas: Tensor,
                          z: Tensor,
                          pp: Tensor,
                          pwm: Tensor,
                          pws: Tensor,
                          pdm: Tensor,
                          pds: Tensor,
                          pam: Tensor,
                          pas: Tensor) -> Tensor:
                          s = torch.clamp(z, 1e-5, None)
                          p = self.each(self.bernoulli(torch.sigmoid(qp), pp))
                          wm = torch.reshape(pwm, [1, 4, 1, 1])
                          ws = torch.reshape(pws, [1, 4, 1, 1])
                          w = self.each(torch.mul(self.normal(qwm, qws, wm, ws), s))
                          d = self.each(torch.mul(self.normal(qdm, qds, pdm, pds), s))
                          a = self.each(torch.mul(self.normal(qam, qas, pam, pas), s))
                          return torch.stack([p, w, d, a], 1)
                        def divergence(self, qm: Tensor,
                          qs: Tensor,
                          pm: Tensor,
                          ps: Tensor) -> Tensor:
                          return self.each(self.normal(qm, qs, pm, ps))
                        def presence(self, z: Tensor,
                          logits: Tensor) -> Tensor:
                          a = torch.sigmoid(logits)
                          yes = torch.mul(z, torch.log(torch.add(a, 1e-15)))
                          no = torch.mul(torch.rsub(z, 1), torch.log(torch.add(torch.rsub(a, 1), 1e-15)))
                          return self.each(torch.add(yes, no))
                        """);
    }

    private static NDArray call(String function, NDArray... arguments) {
        return Loaded.SCRIPT.call(function, arguments).singletonOrThrow();
    }

    private static NDArray call(String function, NDList... lists) {
        NDList all = new NDList();
        for (NDList list : lists) {
            all.addAll(list);
        }
        return call(function, all.toArray(new NDArray[0]));
    }

    /** ln p(x | y), of each image: (B). */
    static NDArray likelihood(NDArray images, NDArray y, double sigma) {
        return call("likelihood", images, y, Scalars.like(images, sigma));
    }

    /** KL of one yes or no from another, by their probabilities, number by number. */
    static NDArray bernoulli(NDArray probability, NDArray prior) {
        return call("bernoulli", probability, prior);
    }

    /** KL of presence, where, depth and what from what the scene predicts, (B, 4). */
    static NDArray cells(CellLatents posterior, CellLatents prior) {
        return call("cells", posterior.arrays(), prior.arrays());
    }

    /**
     * The same from fixed priors, (B, 4), all but the first times presence.
     *
     * @param z the draws (B, 1, G, G)
     * @param presence the probability, ()
     * @param where (1, 4)
     */
    static NDArray fixed(
            CellLatents posterior,
            NDArray z,
            NDArray presence,
            Gaussian where,
            Gaussian depth,
            Gaussian what) {
        NDList priors =
                new NDList(
                        z,
                        presence,
                        where.mean(),
                        where.deviation(),
                        depth.mean(),
                        depth.deviation(),
                        what.mean(),
                        what.deviation());
        return call("fixed", posterior.arrays(), priors);
    }

    /** KL of normal distributions, (B). */
    static NDArray divergence(Gaussian posterior, Gaussian prior) {
        return call(
                "divergence",
                posterior.mean(),
                posterior.deviation(),
                prior.mean(),
                prior.deviation());
    }

    /** ln p of presence z by logits, as if z were 0 or 1, (B). */
    static NDArray presence(NDArray z, NDArray logits) {
        return call("presence", z, logits);
    }

    /** -mean likelihood + the weighted means of the terms (B, 11), (). */
    static NDArray loss(NDArray likelihood, NDArray terms, GnmSetting setting) {
        double[] weights = setting.allWeights();
        Shape shape = new Shape(weights.length);
        NDArray w =
                Scalars.of(
                        terms.getManager(), terms.getDevice(), weights, shape, terms.getDataType());
        return call("loss", likelihood, terms, w);
    }
}
