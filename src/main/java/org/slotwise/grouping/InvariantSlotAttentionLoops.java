package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.Idle;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Workers;
import org.slotwise.layer.FeedForward;

/**
 * All iterations of {@link InvariantSlotAttention} without a graph as loops of Java's own, image by
 * image, for one or a few small ones in float32 on a CPU: there the engine's operations, some
 * forty-five an iteration on a few hundred or thousand numbers each, take longer to call than to
 * compute.
 *
 * <p>What is written to is kept for the next call, never what the block has learnt, which may have
 * changed.
 */
final class InvariantSlotAttentionLoops {

    /** Products up to which a call is small. */
    private static final double FEW_PRODUCTS = 4e7;

    /** What a block has learnt is read in each call. */
    private static final long FEW_WEIGHTS = 300_000;

    /** Numbers of an image, which are kept for the next one. */
    private static final long SMALL_IMAGE = 400_000;

    private final InvariantSlotAttentionLayers layers;
    private final @Nullable FeedForward feedForward;
    private final double eps;
    private final int frequencies;
    private final Idle<InvariantSlotAttentionMaps> idleMaps = new Idle<>();
    private final Idle<InvariantSlotAttentionImage> idleImages = new Idle<>();

    InvariantSlotAttentionLoops(
            InvariantSlotAttentionLayers layers,
            @Nullable FeedForward feedForward,
            double eps,
            int frequencies) {
        this.layers = layers;
        this.feedForward = feedForward;
        this.eps = eps;
        this.frequencies = frequencies;
    }

    /**
     * Whether a call is small, and of what the loops can read.
     *
     * @param like of the features' type, where they are
     * @param features (B, N, F)
     * @param start of slots, (B, K, D)
     * @param r the size of the layer of relative features
     * @param times how many iterations
     */
    boolean fit(NDArray like, Shape features, Shape start, int r, int times) {
        return ArrayMemory.suitsLoops(like)
                && isSmall(features, start, r, times)
                && !NoGraph.isRecording();
    }

    private boolean isSmall(Shape features, Shape start, double r, double times) {
        double n = features.get(1);
        double f = features.get(2);
        double d = start.get(2);
        double slots = (double) start.get(0) * start.get(1);
        double weights = d * (d + f + r + 9 + 6 * d + 2.0 * hidden());
        double products = n * (d + f + 2 * r) + weights;
        return times * slots * products <= FEW_PRODUCTS
                && weights <= FEW_WEIGHTS
                && n * (d + f + 3 * r) <= SMALL_IMAGE;
    }

    private int hidden() {
        return feedForward == null ? 0 : feedForward.hidden();
    }

    /**
     * Iterates.
     *
     * @param laid keys (B, D, N), normalised features (B, N, F) and Wr x + br (B, N, R)
     * @param positions (N, 2)
     * @param start slots (B, K, D), and their positions (B, K, 2) or the first attention (B, K, N)
     * @param guessed whether the start has the first attention
     * @param slotMask empty slots (B, K); null for none
     * @param times how many iterations
     * @return slots, positions, the attention (B, K, N) that led to them
     */
    NDList take(
            Pass pass,
            NDList laid,
            NDArray positions,
            NDList start,
            boolean guessed,
            @Nullable NDArray slotMask,
            int times) {
        Shape s = start.head().getShape();
        int b = Math.toIntExact(s.get(0));
        int k = Math.toIntExact(s.get(1));
        int n = Math.toIntExact(positions.getShape().get(0));
        int f = Math.toIntExact(laid.get(1).getShape().get(2));
        int r = Math.toIntExact(laid.get(2).getShape().get(2));
        int d = Math.toIntExact(s.get(2));
        InvariantSlotAttentionMaps maps =
                idleMaps.take(
                        idle -> true,
                        () -> new InvariantSlotAttentionMaps(f, d, r, frequencies, hidden()));
        maps.read(pass, layers, feedForward);
        InvariantSlotAttentionImage.Images all =
                new InvariantSlotAttentionImage.Images(
                        laid,
                        ArrayMemory.numbers(positions),
                        guessed ? ArrayMemory.numbers(start.get(1)) : null,
                        slotMask == null ? null : slotMask.toBooleanArray(),
                        ArrayMemory.numbers(start.get(0)),
                        guessed ? new float[b * k * 2] : ArrayMemory.numbers(start.get(1)),
                        new float[b * k * n]);
        each(maps, all, b, n, k, times);
        idleMaps.give(maps);
        NDManager owner = laid.head().getManager();
        return new NDList(
                owner.create(all.slots, s),
                owner.create(all.slotPositions, new Shape(b, k, 2)),
                owner.create(all.attention, new Shape(b, k, n)));
    }

    private void each(
            InvariantSlotAttentionMaps maps,
            InvariantSlotAttentionImage.Images all,
            int images,
            int n,
            int k,
            int times) {
        Workers.each(
                images,
                () ->
                        i -> {
                            InvariantSlotAttentionImage image = image(maps, n, k);
                            image.iterate(maps, all, i, times);
                            idleImages.give(image);
                        });
    }

    private InvariantSlotAttentionImage image(InvariantSlotAttentionMaps maps, int n, int k) {
        return idleImages.take(
                idle -> idle.isOf(n, k),
                () ->
                        new InvariantSlotAttentionImage(
                                maps,
                                n,
                                k,
                                eps,
                                layers.slotNorm().eps(),
                                feedForward == null ? 0 : feedForward.normEps()));
    }
}
