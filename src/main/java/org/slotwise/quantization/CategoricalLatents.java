package org.slotwise.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.layer.GumbelSoftmax;

/**
 * The equations of {@link SlotQuantizer} for some slots. The latents' axis comes first, for the
 * products.
 */
final class CategoricalLatents {

    private final Shape slots; // (B, K, ...)
    private final NDArray e;

    /**
     * Latents of slots.
     *
     * @param slots a shape that begins with B and K
     * @param e the codebooks (L, M, E)
     */
    CategoricalLatents(Shape slots, NDArray e) {
        this.slots = slots;
        this.e = e;
    }

    private long latents() {
        return e.getShape().get(0);
    }

    private long codes() {
        return e.getShape().get(1);
    }

    /** logits[l, m] = s . W_l e[l, m], (L, B K, M), for s (B, K, D) and W (L, D, E). */
    NDArray logits(NDArray s, NDArray w) {
        NDArray rows = s.reshape(1, slots.get(0) * slots.get(1), slots.get(2));
        return rows.matMul(w).matMul(e.swapAxes(1, 2));
    }

    /** y_l = softmax((logits[l] + gumbel) / temperature), (L, B K, M). */
    NDArray sample(NDArray logits, @Nullable NDArray gumbel, double temperature) {
        NDArray noise =
                gumbel == null ? null : gumbel.reshape(-1, latents(), codes()).swapAxes(0, 1);
        return new GumbelSoftmax(temperature, false).sample(logits, noise, 2);
    }

    /**
     * Slots and codes of a sample y (L, B K, M), and the logits.
     *
     * @param hard whether slots are made of one code for each latent, with the gradient of y
     */
    NDList sampled(NDArray logits, NDArray y, boolean hard) {
        NDArray chosen = y.argMax(2); // (L, B K)
        NDArray weights = hard ? GumbelSoftmax.straightThrough(y, 2) : y;
        return quantized(weights.matMul(e), chosen, logits);
    }

    /** Slots and codes of the largest logits, and the logits. */
    NDList mostProbable(NDArray logits) {
        NDArray chosen = logits.argMax(2); // (L, B K)
        return quantized(lookUp(chosen), chosen, logits);
    }

    private NDList quantized(NDArray made, NDArray chosen, NDArray logits) {
        return new NDList(sideBySide(made), slotsFirst(chosen), slotsFirst(logits));
    }

    /** Slots (B, K, L E) of codes (B, K, L). */
    NDArray ofCodes(NDArray codes) {
        return sideBySide(lookUp(codes.reshape(-1, latents()).swapAxes(0, 1)));
    }

    /** e[l, chosen[l]], (L, R, E), for codes chosen (L, R). */
    private NDArray lookUp(NDArray chosen) {
        // The codebooks one below the other: code m of latent l is row l M + m.
        NDArray first = Ops.begins(chosen, (int) latents(), codes()).expandDims(1); // (L, 1)
        NDArray table = e.reshape(latents() * codes(), e.getShape().get(2));
        return Ops.rows(table, chosen.add(first));
    }

    /** (L, B K, E) to (B, K, L E). */
    private NDArray sideBySide(NDArray made) {
        long size = latents() * e.getShape().get(2);
        return made.swapAxes(0, 1).reshape(slots.get(0), slots.get(1), size);
    }

    /** (L, B K, ...) to (B, K, L, ...). */
    private NDArray slotsFirst(NDArray array) {
        Shape rest = array.getShape().slice(2);
        Shape shape = new Shape(slots.get(0), slots.get(1), latents()).addAll(rest);
        return array.swapAxes(0, 1).reshape(shape);
    }
}
