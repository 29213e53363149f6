package org.slotwise.autoencoder;

import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The sizes of an autoencoder of residual blocks.
 *
 * @param imageChannels the channels of an image
 * @param latentChannels C, the channels of latents
 * @param widths the channels of each level; each is of half the size of the one before it
 * @param blocks how many residual blocks a level has in the encoder; one more in the decoder
 * @param groups of all group normalisations
 * @param scale what latents are multiplied by before noise is added
 */
public record AutoencoderSizes(
        int imageChannels,
        int latentChannels,
        List<Integer> widths,
        int blocks,
        int groups,
        double scale) {

    private static final String WHO = "AutoencoderSizes";

    /**
     * Creates sizes.
     *
     * @param imageChannels at least 1
     * @param latentChannels at least 1
     * @param widths from 1 to 16 levels, each width a multiple of the groups
     * @param blocks from 1 to 1,000
     * @param groups at least 1
     * @param scale above 0
     * @throws IllegalArgumentException if a number is out of range
     */
    public AutoencoderSizes {
        widths = List.copyOf(widths);
        Check.atLeast(WHO, "imageChannels", imageChannels, 1);
        Check.atLeast(WHO, "latentChannels", latentChannels, 1);
        Limits.count(WHO, "widths", widths.size(), 1, 16);
        Limits.count(WHO, "blocks", blocks, 1, Limits.LAYERS);
        Check.atLeast(WHO, "groups", groups, 1);
        Check.positive(WHO, "scale", scale);
        for (int width : widths) {
            Check.option(
                    width > 0 && width % groups == 0,
                    WHO + ": widths must be multiples of " + groups + " groups, got " + width);
        }
    }

    /** How many pixels a place of the latents has side by side. */
    int factor() {
        return 1 << (widths.size() - 1);
    }

    /**
     * Stable Diffusion's: latents of 4 channels and an eighth of the size.
     *
     * @return sizes of 83,653,863 parameters
     */
    public static AutoencoderSizes stableDiffusion() {
        return new AutoencoderSizes(3, 4, List.of(128, 256, 512, 512), 2, 32, 0.18215);
    }

    /**
     * SlotDiffusion's: latents of 3 channels and a quarter of the size.
     *
     * @return sizes of 13,857,886 parameters, with 4,096 codes
     */
    public static AutoencoderSizes slotDiffusion() {
        return new AutoencoderSizes(3, 3, List.of(64, 128, 256), 2, 32, 1);
    }
}
