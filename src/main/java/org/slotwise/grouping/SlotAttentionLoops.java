package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.FloatBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ArrayMemory;
import org.slotwise.internal.Idle;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Workers;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;

/**
 * All iterations of Slot Attention without a graph as loops of Java's own, image by image, for one
 * or a few small ones in float32 on a CPU: there the engine's operations, some twenty an iteration
 * on a few hundred numbers each, take longer to call than to compute.
 *
 * <p>The operations are those of {@link AbsorbedFeatures}; exponentials and means are computed in
 * float64. What is written to is kept for the next call, never what the block has learnt, which may
 * have changed.
 */
final class SlotAttentionLoops {

    /** Products of features and slots up to which a call is small. */
    private static final long FEW_PRODUCTS = 4_000_000;

    /** What a block has learnt is read in each call. */
    private static final long FEW_WEIGHTS = 300_000;

    /** Numbers of an image that stay in a cache, twice. */
    private static final long SMALL_IMAGE = 200_000;

    private final SlotAttentionLayers layers;
    private final @Nullable FeedForward feedForward;
    private final SlotAttentionImage.Settings settings;
    private final Idle<SlotAttentionMaps> idleMaps = new Idle<>();
    private final Idle<SlotAttentionImage> idleImages = new Idle<>();

    SlotAttentionLoops(SlotAttentionLayers layers, @Nullable FeedForward feedForward, double eps) {
        this.layers = layers;
        this.feedForward = feedForward;
        settings =
                new SlotAttentionImage.Settings(
                        eps,
                        Math.sqrt(1 / (double) layers.kvqDim()),
                        ((LayerNorm) layers.inputNorm()).eps(),
                        ((LayerNorm) layers.slotNorm()).eps(),
                        feedForward == null ? 0 : feedForward.normEps());
    }

    /** Whether a call is small, and of what the loops can read. */
    boolean fit(NDArray features, NDArray start, int times) {
        return ArrayMemory.suitsLoops(features)
                && isSmall(features.getShape(), start.getShape(), times)
                && !NoGraph.isRecording();
    }

    private boolean isSmall(Shape features, Shape start, int times) {
        double n = features.get(1);
        double f = features.get(2);
        double k = start.get(1);
        double d = start.get(2);
        double c = layers.kvqDim();
        double slots = features.get(0) * k;
        double hidden = feedForward == null ? 0 : feedForward.hidden();
        double weights = c * (d + 2 * f) + 3 * d * (c + d) + 2 * d * hidden;
        double products = times * slots * (2 * n * f + weights);
        return products <= FEW_PRODUCTS && weights <= FEW_WEIGHTS && n * f <= SMALL_IMAGE;
    }

    /** As {@link SlotAttentionSteps#take}. */
    NDList take(Pass pass, NDArray features, NDArray start, int times) {
        int f = Math.toIntExact(features.getShape().get(2));
        int d = Math.toIntExact(start.getShape().get(2));
        int hidden = feedForward == null ? 0 : feedForward.hidden();
        SlotAttentionMaps maps =
                idleMaps.take(
                        idle -> true, () -> new SlotAttentionMaps(f, d, layers.kvqDim(), hidden));
        read(pass, maps);
        NDList out = iterate(maps, features, start, times);
        idleMaps.give(maps);
        return out;
    }

    private void read(Pass pass, SlotAttentionMaps maps) {
        NDList norms = ((LayerNorm) layers.inputNorm()).values(pass);
        norms.addAll(((LayerNorm) layers.slotNorm()).values(pass));
        maps.read(
                norms,
                ((Linear) layers.query()).weight(pass),
                Objects.requireNonNull(layers.key()).weight(pass),
                Objects.requireNonNull(layers.value()).weight(pass),
                Objects.requireNonNull(layers.gru()).values(pass),
                feedForward == null ? new NDList() : feedForward.values(pass));
    }

    private NDList iterate(SlotAttentionMaps maps, NDArray features, NDArray start, int times) {
        Shape s = start.getShape();
        int images = Math.toIntExact(s.get(0));
        int k = Math.toIntExact(s.get(1));
        int n = Math.toIntExact(features.getShape().get(1));
        float[] slots = ArrayMemory.numbers(start);
        float[] attention = new float[images * k * n];
        FloatBuffer numbers = ArrayMemory.floats(features);
        Workers.each(
                images,
                () ->
                        b -> {
                            SlotAttentionImage image = image(maps, n, k);
                            image.iterate(maps, numbers.duplicate(), b, times, slots, attention);
                            idleImages.give(image);
                        });
        NDManager owner = features.getManager();
        return new NDList(owner.create(slots, s), owner.create(attention, new Shape(images, k, n)));
    }

    private SlotAttentionImage image(SlotAttentionMaps maps, int n, int k) {
        return idleImages.take(
                idle -> idle.isOf(n, k), () -> new SlotAttentionImage(maps, n, k, settings));
    }
}
