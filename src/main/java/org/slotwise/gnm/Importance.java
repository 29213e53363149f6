package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Gaussian;

/** log p - log q of what was drawn. */
final class Importance {

    private Importance() {}

    /** Presence, where, depth, what, background and scene, (B, 6). */
    static NDArray of(Explanation e) {
        return NoGraph.during(
                () -> {
                    try (Scope scope = new Scope()) {
                        return scope.keep(compute(e), e.map().getManager());
                    }
                });
    }

    private static NDArray compute(Explanation e) {
        Cells z = e.cells();
        CellLatents q = e.posterior();
        CellLatents p = e.prior();
        NDArray presence =
                GnmLoss.presence(z.presence(), p.presence())
                        .sub(GnmLoss.presence(z.presence(), q.presence()));
        NDList all = new NDList(presence);
        all.add(ratio(z.whereDrawn(), p.where(), q.where()));
        all.add(ratio(z.depth(), p.depth(), q.depth()));
        all.add(ratio(z.what(), p.what(), q.what()));
        Gaussian own = e.backgroundPosterior();
        Gaussian predicted = e.backgroundPrior();
        NDArray background = e.background();
        all.add(
                own == null || predicted == null || background == null
                        ? presence.zerosLike()
                        : ratio(background, predicted, own));
        SceneSteps steps = e.scene();
        Gaussian seen = steps.posterior();
        all.add(seen == null ? presence.zerosLike() : ratio(steps.latent(), steps.prior(), seen));
        return NDArrays.stack(all, 1);
    }

    private static NDArray ratio(NDArray x, Gaussian p, Gaussian q) {
        NDArray difference = p.logDensity(x).sub(q.logDensity(x));
        Shape s = difference.getShape();
        return difference.reshape(s.get(0), s.size() / s.get(0)).sum(new int[] {1});
    }
}
