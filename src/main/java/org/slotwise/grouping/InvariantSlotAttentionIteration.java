package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.LeakyRelu;

/** One iteration, and its repetition: the equations of {@link InvariantSlotAttention}. */
final class InvariantSlotAttentionIteration {

    private final Pass pass;
    private final InvariantSlotAttentionLayers layers;
    private final int frequencies;
    private final double eps;
    private final UnaryOperator<NDArray> feedForward;
    private final NDArray keys; // (B, D, N), divided by sqrt(D)
    private final NDArray values; // (B, N, D)
    private final NDArray relative; // Wr x + br: (B, 1, N, R)
    private final NDArray positions; // p: (N, 2)
    private final @Nullable NDArray mask; // (B, K, 1)

    InvariantSlotAttentionIteration(
            Pass pass,
            InvariantSlotAttentionLayers layers,
            NDArray x,
            NDArray positions,
            int frequencies,
            double eps,
            @Nullable NDArray slotMask,
            UnaryOperator<NDArray> feedForward) {
        this.pass = pass;
        this.layers = layers;
        this.positions = positions;
        this.frequencies = frequencies;
        this.eps = eps;
        this.feedForward = feedForward;
        mask = slotMask == null ? null : slotMask.expandDims(2);
        NDArray k = layers.key().apply(pass, x);
        double dim = (double) k.getShape().get(2);
        keys = k.mul(Scalars.like(k, 1 / Math.sqrt(dim))).swapAxes(1, 2);
        values = layers.value().apply(pass, x);
        relative = layers.relativeFeature().apply(pass, x).expandDims(1);
    }

    /**
     * Iterates, with gradients through all iterations or, implicitly, through the last alone.
     *
     * @param start as {@link #repeat} takes it
     * @param guessed whether the start has the first attention
     * @param times how many iterations
     * @param implicit whether gradients flow through the last iteration only
     * @param traced whether the attention of every iteration is wanted
     * @return slots, positions, the attention (B, K, N) that led to them; traced, also that of all
     *     iterations (B, T, K, N)
     */
    NDList run(NDList start, boolean guessed, int times, boolean implicit, boolean traced) {
        NDList seen = traced ? new NDList() : null;
        NDList out;
        if (!implicit) {
            out = repeat(start, guessed, times, seen);
        } else if (times == 1) {
            out = repeat(detached(start), guessed, 1, seen);
        } else {
            NDList before = NoGraph.during(() -> repeat(start, guessed, times - 1, seen));
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
    NDList repeat(NDList start, boolean guessed, int times, @Nullable NDList seen) {
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
        w = w.div(eps < Scalars.smallest(a.getDataType()) ? nonZero(total) : total);
        NDArray c = w.matMul(positions); // (B, K, 2)
        // u = sum of w v + Wo sum of w h + Wm [2 (c - P), |2 (c - P)|]
        NDArray moved = slotPositions == null ? c.zerosLike() : doubled(c.sub(slotPositions));
        NDArray displacement = NDArrays.concat(new NDList(moved, moved.abs()), 2);
        NDArray u =
                w.matMul(values)
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
        NDArray q = layers.query().apply(pass, s);
        // - 1/2 exp(g(s) - 2 sigma) |d|^2
        NDArray d = relativeTo(slotPositions); // (B, K, N, 2)
        NDArray distance = d.square().sum(new int[] {3}); // (B, K, N)
        NDArray g = layers.scale().apply(pass, s); // (B, K, 1)
        NDArray two = Scalars.like(g, 2);
        NDArray nearness =
                g.sub(pass.value(layers.logScale()).mul(two)).exp().div(two).mul(distance);
        // r(s) . d
        NDArray r = layers.direction().apply(pass, s).expandDims(2);
        NDArray side = d.mul(r).sum(new int[] {3}); // (B, K, N)
        NDArray logits = q.matMul(keys).sub(nearness).add(side);
        if (mask == null) {
            return logits.softmax(1);
        }
        // The lowest number rather than -infinity: no NaN where all slots of an image are masked.
        double lowest = Scalars.lowest(logits.getDataType());
        return Ops.maskedFill(Ops.maskedFill(logits, mask, lowest).softmax(1), mask, 0);
    }

    /** Wo sum of w h (B, K, D) with h = relu(Wr x + br + Wp phi(2 d)), d relative to c. */
    private NDArray relativeValues(NDArray w, NDArray c) {
        Shape s = w.getShape(); // (B, K, N)
        NDArray phi = FourierFeatures.of(doubled(relativeTo(c)), frequencies);
        NDArray h =
                LeakyRelu.NONE.inPlace(relative.add(layers.relativePosition().apply(pass, phi)));
        long rows = s.get(0) * s.get(1);
        NDArray sum = // (B K, 1, R)
                w.reshape(rows, 1, s.get(2)).batchMatMul(h.reshape(rows, s.get(2), -1));
        return layers.relativeOutput().apply(pass, sum.reshape(s.get(0), s.get(1), -1));
    }

    /** d = 2 (p - P): (B, K, N, 2) for places P (B, K, 2). */
    private NDArray relativeTo(NDArray places) {
        return doubled(positions.sub(places.expandDims(2)));
    }

    private static NDArray doubled(NDArray x) {
        return x.mul(Scalars.like(x, 2));
    }

    /** Without eps a slot may receive nothing at all: 0 / 1 instead of 0 / 0 then. */
    private static NDArray nonZero(NDArray total) {
        return Ops.maskedFill(total, total.eq(Scalars.like(total, 0)), 1);
    }
}
