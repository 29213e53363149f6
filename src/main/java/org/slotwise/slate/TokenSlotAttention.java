package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GruCell;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/**
 * The iterations of {@link TokenGrouping}. {@code grouping.SlotAttention} has the same equations;
 * its names, its starting values and the mean over heads are those of another implementation.
 */
record TokenSlotAttention(
        SlateConfiguration.Slots sizes,
        LayerNorm inputNorm,
        LayerNorm slotNorm,
        LayerNorm mlpNorm,
        Linear query,
        Linear key,
        Linear value,
        GruCell gru,
        Linear hidden,
        Linear output) {

    private static final double EPS = 1e-8;

    static TokenSlotAttention of(Declarer parameters, int dim, SlateConfiguration.Slots sizes) {
        int e = sizes.dim();
        Initializer fromInput = StartingValues.xavier(dim, e);
        Declarer mlp = parameters.under("mlp");
        return new TokenSlotAttention(
                sizes,
                LayerNorm.of(parameters.under("norm_inputs"), dim),
                LayerNorm.of(parameters.under("norm_slots"), e),
                LayerNorm.of(parameters.under("norm_mlp"), e),
                Linear.of(parameters.under("project_q"), e, e, StartingValues.xavier(e, e), null),
                Linear.of(parameters.under("project_k"), dim, e, fromInput, null),
                Linear.of(parameters.under("project_v"), dim, e, fromInput, null),
                new GruCell(
                        parameters.under("gru"),
                        e,
                        e,
                        StartingValues.xavier(e, 3L * e),
                        StartingValues.orthogonal(),
                        Initializer.ZEROS),
                Linear.of(
                        mlp.under("0"),
                        e,
                        sizes.hidden(),
                        StartingValues.kaiming(e),
                        Initializer.ZEROS),
                Linear.of(
                        mlp.under("2"),
                        sizes.hidden(),
                        e,
                        StartingValues.xavier(sizes.hidden(), e),
                        Initializer.ZEROS));
    }

    /** Slots (B, K, E) and their last attention (B, K, L), for inputs (B, L, D) and a start. */
    NDList iterate(Pass pass, NDArray inputs, NDArray start) {
        NDArray x = inputNorm.apply(pass, inputs);
        double scale = Math.sqrt((double) sizes.heads() / sizes.dim());
        NDArray k = byHeads(key.apply(pass, x).mul(Scalars.like(x, scale))).swapAxes(1, 2);
        NDArray v = byHeads(value.apply(pass, x));
        if (!sizes.implicitDifferentiation()) {
            return repeat(pass, k, v, start, sizes.iterations());
        }
        NDArray fixedPoint =
                NoGraph.during(() -> repeat(pass, k, v, start, sizes.iterations()).get(0));
        return repeat(pass, k, v, fixedPoint, 1);
    }

    private NDList repeat(Pass pass, NDArray k, NDArray v, NDArray start, int times) {
        NDArray slots = start;
        NDArray attention = start;
        for (int t = 1; t <= times; t++) {
            NDArray before = slots;
            try (Scope scope = new Scope()) {
                NDArray a = attend(pass, before, k); // (B R, K, L)
                if (t == times) {
                    attention = scope.keep(overHeads(a));
                }
                slots = scope.keep(update(pass, before, a, v));
            }
            if (before != start) {
                before.close();
            }
        }
        return new NDList(slots, attention);
    }

    /** a = softmax over heads and slots of q . k. */
    private NDArray attend(Pass pass, NDArray slots, NDArray k) {
        NDArray q = byHeads(query.apply(pass, slotNorm.apply(pass, slots)));
        NDArray scores = q.batchMatMul(k);
        long tokens = scores.getShape().get(2);
        return scores.reshape(slots.getShape().get(0), -1, tokens)
                .softmax(1)
                .reshape(scores.getShape());
    }

    private NDArray overHeads(NDArray a) {
        long slots = a.getShape().get(1);
        return a.reshape(-1, sizes.heads(), slots, a.getShape().get(2)).sum(new int[] {1});
    }

    private NDArray update(Pass pass, NDArray s, NDArray a, NDArray v) {
        // w = (a + eps) / sum over tokens of (a + eps);   u = sum over tokens of w v
        NDArray above = a.add(Scalars.like(a, EPS));
        NDArray w = above.div(above.sum(new int[] {2}, true));
        long batch = s.getShape().get(0);
        long slots = s.getShape().get(1);
        NDArray u =
                w.batchMatMul(v)
                        .reshape(batch, sizes.heads(), slots, -1)
                        .transpose(0, 2, 1, 3)
                        .reshape(batch, slots, sizes.dim());
        NDArray next = gru.step(pass, u, s);
        NDArray h = LeakyRelu.NONE.ofMap(pass, hidden.apply(pass, mlpNorm.apply(pass, next)));
        return next.add(output.apply(pass, h));
    }

    /** (B, N, E) to (B R, N, E / R). */
    private NDArray byHeads(NDArray x) {
        long batch = x.getShape().get(0);
        long n = x.getShape().get(1);
        int heads = sizes.heads();
        long size = x.getShape().get(2) / heads;
        return heads == 1
                ? x
                : x.reshape(batch, n, heads, size)
                        .transpose(0, 2, 1, 3)
                        .reshape(batch * heads, n, size);
    }
}
