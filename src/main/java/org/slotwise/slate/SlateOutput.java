package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * What a step of {@link Slate} gives.
 *
 * @param crossEntropy (), of the transformer's predictions, summed over a picture's tokens, mean of
 *     the batch; has gradients for all but the discrete auto-encoder
 * @param mse (), the squared error of the auto-encoder before clamping, summed over a picture, mean
 *     of the batch; has gradients for the auto-encoder alone
 * @param reconstruction (B, C, S, S), by the auto-encoder, clamped to [0, 1]
 * @param slots (B, K, E)
 * @param attention (B, K, L), sums to 1 over slots
 * @param tokens (B, L) int64, those that were sampled
 */
public record SlateOutput(
        NDArray crossEntropy,
        NDArray mse,
        NDArray reconstruction,
        NDArray slots,
        NDArray attention,
        NDArray tokens) {

    /** The name of the cross entropy in an {@link NDList}. */
    public static final String CROSS_ENTROPY = "cross_entropy";

    /** The name of the squared error in an {@link NDList}. */
    public static final String MSE = "mse";

    /** The name of the reconstruction in an {@link NDList}. */
    public static final String RECONSTRUCTION = "reconstruction";

    /** The name of the slots in an {@link NDList}. */
    public static final String SLOTS = "slots";

    /** The name of the attention in an {@link NDList}. */
    public static final String ATTENTION = "attention";

    /** The name of the tokens in an {@link NDList}. */
    public static final String TOKENS = "tokens";

    /** In the order of a list. */
    static SlateOutput of(NDList list) {
        return new SlateOutput(
                list.get(0), list.get(1), list.get(2), list.get(3), list.get(4), list.get(5));
    }

    /** The shapes of a list, for images of a shape that the sizes allow. */
    static Shape[] shapes(SlateConfiguration sizes, Shape images) {
        long batch = images.get(0);
        SlateConfiguration.Slots slots = sizes.slots();
        return new Shape[] {
            new Shape(),
            new Shape(),
            images,
            new Shape(batch, slots.count(), slots.dim()),
            new Shape(batch, slots.count(), sizes.tokens()),
            new Shape(batch, sizes.tokens())
        };
    }

    /**
     * What is minimised: cross entropy and squared error, each with weight 1.
     *
     * @return ()
     */
    public NDArray loss() {
        return crossEntropy.add(mse);
    }

    /**
     * What each slot attends to, the rest in white.
     *
     * @param images (B, C, S, S), in [0, 1], those of the step
     * @return image A + 1 - A, (B, K, C, S, S), A being a slot's attention to the pixel's token;
     *     owned by the images' manager
     */
    public NDArray attended(NDArray images) {
        return attended(images, attention);
    }

    /**
     * What each slot attends to, the rest in white.
     *
     * @param images (B, C, S, S), in [0, 1]
     * @param attention (B, K, L), of {@link EncodedPictures} for instance
     * @return image A + 1 - A, (B, K, C, S, S); owned by the images' manager
     * @throws IllegalArgumentException if the attention is not of such images
     */
    public static NDArray attended(NDArray images, NDArray attention) {
        String who = "SlateOutput";
        Check.shape(who, "images", images, "B", "C", "S", "S");
        Shape s = images.getShape();
        int patch = SlateConfiguration.PATCH;
        long h = s.get(2) / patch;
        long w = s.get(3) / patch;
        Check.shape(who, ATTENTION, attention, s.get(0), "K", h * w);
        long slots = attention.getShape().get(1);
        try (Scope scope = new Scope()) {
            NDArray a =
                    attention
                            .reshape(s.get(0), slots, 1, h, 1, w, 1)
                            .broadcast(s.get(0), slots, 1, h, patch, w, patch)
                            .reshape(s.get(0), slots, 1, s.get(2), s.get(3));
            NDArray one = Scalars.like(images, 1);
            // 1 + A (image - 1)
            NDArray below = images.expandDims(1).sub(one);
            return scope.keep(a.mul(below).add(one), images.getManager());
        }
    }

    /**
     * Converts to the form in which DJL's blocks pass arrays on. Sets the arrays' names.
     *
     * @return "cross_entropy", "mse", "reconstruction", "slots", "attention" and "tokens"
     */
    public NDList toNDList() {
        crossEntropy.setName(CROSS_ENTROPY);
        mse.setName(MSE);
        reconstruction.setName(RECONSTRUCTION);
        slots.setName(SLOTS);
        attention.setName(ATTENTION);
        tokens.setName(TOKENS);
        return new NDList(crossEntropy, mse, reconstruction, slots, attention, tokens);
    }
}
