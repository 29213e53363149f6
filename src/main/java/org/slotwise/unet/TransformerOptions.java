package org.slotwise.unet;

import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The transformers of a U-Net, by which places look at one another and at slots.
 *
 * @param slotDim D, the size of a slot
 * @param heads how many heads attention has
 * @param depth how many blocks each transformer has
 * @param linearProjection whether its first and last maps are declared as linear maps, not as
 *     convolutions; they compute the same
 * @param positions height and width of the latents whose places are told to attention, as in Latent
 *     Slot Diffusion; 0 for none, and then latents may be of any size
 */
public record TransformerOptions(
        int slotDim, Heads heads, int depth, boolean linearProjection, int positions) {

    /** What group normalisations of transformers add to the variance. */
    static final double EPS = 1e-6;

    /**
     * Creates options.
     *
     * @param slotDim at least 1
     * @param heads how many heads attention has
     * @param depth from 1 to 1,000
     * @param linearProjection whether projections are linear maps
     * @param positions height and width of the latents; 0 for none
     * @throws IllegalArgumentException if a number is out of range
     */
    public TransformerOptions {
        String who = "TransformerOptions";
        Check.atLeast(who, "slotDim", slotDim, 1);
        Limits.count(who, "depth", depth, 1, Limits.LAYERS);
        Limits.count(who, "positions", positions, 0, Limits.WINDOW);
    }

    /**
     * One block in each transformer, projections that are convolutions, no positions.
     *
     * @param slotDim at least 1
     * @param heads how many heads attention has
     * @return the options
     */
    public static TransformerOptions of(int slotDim, Heads heads) {
        return new TransformerOptions(slotDim, heads, 1, false, 0);
    }

    /**
     * The same with another depth.
     *
     * @param blocks from 1 to 1,000
     * @return the options
     */
    public TransformerOptions withDepth(int blocks) {
        return new TransformerOptions(slotDim, heads, blocks, linearProjection, positions);
    }

    /**
     * The same with positions.
     *
     * @param side height and width of the latents; 0 for none
     * @return the options
     */
    public TransformerOptions withPositions(int side) {
        return new TransformerOptions(slotDim, heads, depth, linearProjection, side);
    }
}
