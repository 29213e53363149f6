package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.LeakyRelu;

/** One iteration, and its repetition: the equations of {@link InvariantSlotAttention}. */
final class InvariantSlotAttentionIteration {

    private final Pass pass;
    private final InvariantSlotAttentionLayers layers;
    private final double eps;
    private final UnaryOperator<NDArray> feedForward;
    private final NDArray x; // (B, N, F)
    private final NDArray near; // Wr x + br, and what Wp says of p alone: (B, 1, N, R)
    private final NDArray positions; // p: (N, 2)
    private final NDArray columns; // p: (2, N)
    private final RelativePlaces relativePlaces;
    private final NDArray keys; // Wk: (D, F)
    private final NDArray byPlace; // Wp: (R, 2 (1 + 2 L))
    private final @Nullable NDArray mask; // (B, K, 1)

    /**
     * Describes iterations.
     *
     * @param x normalised features (B, N, F)
     * @param relative Wr x + br (B, N, R)
     * @param positions p (N, 2)
     * @param slotMask empty slots (B, K); null for none
     */
    InvariantSlotAttentionIteration(
            Pass pass,
            InvariantSlotAttentionLayers layers,
            NDArray x,
            NDArray relative,
            NDArray positions,
            int frequencies,
            double eps,
            @Nullable NDArray slotMask,
            UnaryOperator<NDArray> feedForward) {
        this.pass = pass;
        this.layers = layers;
        this.x = x;
        this.positions = positions;
        this.eps = eps;
        this.feedForward = feedForward;
        mask = slotMask == null ? null : slotMask.expandDims(2);
        columns = positions.transpose();
        relativePlaces = new RelativePlaces(positions, frequencies);
        byPlace = layers.relativePosition().weight(pass);
        near = relative.add(relativePlaces.fixed(byPlace)).expandDims(1);
        keys = layers.key().weight(pass);
    }

    /**
     * Iterates, with gradients through all iterations or, implicitly, through the last alone.
     *
     * @param start as {@link #repeat} takes it
     * @param guessed whether the start has the first attention
     * @param times how many iterations
     * @param implicit whether gradients flow through the last iteration only
     * @param traced whether the attention of every iteration is wanted
     * @param steps takes the first iterations, so many of them, in one call without a graph; null
     *     to take them one by one, which tracing needs
     * @return slots, positions, the attention (B, K, N) that led to them; traced, also that of all
     *     iterations (B, T, K, N)
     */
    NDList run(
            NDList start,
            boolean guessed,
            int times,
            boolean implicit,
            boolean traced,
            @Nullable IntFunction<NDList> steps) {
        NDList seen = traced ? new NDList() : null;
        NDList out;
        if (!implicit) {
            out = repeat(start, guessed, times, seen);
        } else if (times == 1) {
            out = repeat(detached(start), guessed, 1, seen);
        } else {
            NDList before =
                    NoGraph.during(
                            () ->
                                    steps == null
                                            ? repeat(start, guessed, times - 1, seen)
                                            : steps.apply(times - 1));
            out = repeat(before, false, 1, seen);
        }
        if (seen != null) {
            out.add(NDArrays.stack(seen, 1));
        }
        return out;
    }

    private static NDList detached(NDList start) {
        return new NDList(start.get(0).stopGradient(), start.get(1).stopGradient());
    }

    /**
     * Iterates; what an iteration makes on its way is freed before the next one starts.
     *
     * @param start slots (B, K, D), and their positions (B, K, 2) or the first attention (B, K, N);
     *     not closed
     * @param guessed whether the start has the first attention
     * @param times how many iterations
     * @param seen where the attention (B, K, N) of each iteration goes; null for nowhere
     * @return slots, positions, and the attention (B, K, N) that led to them
     */
    private NDList repeat(NDList start, boolean guessed, int times, @Nullable NDList seen) {
        NDList now = start;
        for (int t = 0; t < times; t++) {
            NDList before = now;
            try (Scope scope = new Scope()) {
                now =
                        guessed && t == 0
                                ? update(before.get(0), null, before.get(1))
                                : step(before.get(0), before.get(1));
                now.forEach(scope::keep);
            }
            if (seen != null) {
                seen.add(now.get(2));
            }
            if (t > 0) {
                closeSlots(before, seen != null);
            }
        }
        return now;
    }

    /** Closes what an iteration started from, but for an attention that was seen. */
    private static void closeSlots(NDList before, boolean seen) {
        before.get(0).close();
        before.get(1).close();
        if (!seen) {
            before.get(2).close();
        }
    }

    private NDList step(NDArray slots, NDArray slotPositions) {
        return update(slots, slotPositions, attend(slots, slotPositions));
    }

    /** The next slots, their positions, and a (B, K, N), of which a guess is copied. */
    private NDList update(NDArray slots, @Nullable NDArray slotPositions, NDArray a) {
        // w = (a + eps) / sum of (a + eps)
        NDArray w = a.add(Scalars.like(a, eps));
        NDArray total = w.sum(new int[] {2}, true);
        w = w.div(SlotShares.divisor(total, eps));
        NDArray c = w.matMul(positions); // (B, K, 2)
        // u = Wv sum of w x + Wo sum of w h + Wm [2 (c - P), |2 (c - P)|]
        NDArray moved = slotPositions == null ? c.zerosLike() : doubled(c.sub(slotPositions));
        NDArray displacement = NDArrays.concat(new NDList(moved, moved.abs()), 2);
        NDArray u =
                layers.value()
                        .apply(pass, w.matMul(x))
                        .add(relativeValues(w, c))
                        .add(layers.displacement().apply(pass, displacement));
        return new NDList(
                feedForward.apply(layers.gru().step(pass, u, slots)),
                c,
                slotPositions == null ? a.mul(Scalars.like(a, 1)) : a);
    }

    /** a (B, K, N) for slots s (B, K, D) at P (B, K, 2). */
    private NDArray attend(NDArray slots, NDArray slotPositions) {
        NDArray s = layers.slotNorm().apply(pass, slots);
        // Wk on the slots' side: q . Wk x = (Wk' q) . x
        NDArray q = layers.query().apply(pass, s);
        q = q.mul(Scalars.like(q, 1 / Math.sqrt((double) q.getShape().get(2)))).matMul(keys);
        // r(s) . d - 1/2 exp(g(s) - 2 sigma) |d|^2 = (r(s) - 1/2 exp(g(s) - 2 sigma) d) . d
        NDArray d = doubled(columns.sub(slotPositions.expandDims(3))); // (B, K, 2, N)
        NDArray g = layers.scale().apply(pass, s); // (B, K, 1)
        NDArray two = Scalars.like(g, 2);
        NDArray half = g.sub(pass.value(layers.logScale()).mul(two)).exp().div(two).expandDims(3);
        NDArray r = layers.direction().apply(pass, s).expandDims(3);
        NDArray side = r.sub(half.mul(d)).mul(d).sum(new int[] {2}); // (B, K, N)
        return SlotShares.of(q.matMul(x.swapAxes(1, 2)).add(side), mask);
    }

    /** Wo sum of w h (B, K, D) with h = relu(Wr x + br + Wp phi(4 (p - c))). */
    private NDArray relativeValues(NDArray w, NDArray c) {
        Shape s = w.getShape(); // (B, K, N)
        NDArray h = LeakyRelu.NONE.inPlace(relativePlaces.seenFrom(byPlace, c).add(near));
        long rows = s.get(0) * s.get(1);
        NDArray sum = // (B K, 1, R)
                w.reshape(rows, 1, s.get(2)).batchMatMul(h.reshape(rows, s.get(2), -1));
        return layers.relativeOutput().apply(pass, sum.reshape(s.get(0), s.get(1), -1));
    }

    private static NDArray doubled(NDArray x) {
        return x.mul(Scalars.like(x, 2));
    }
}
