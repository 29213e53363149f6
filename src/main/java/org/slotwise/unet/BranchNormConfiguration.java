package org.slotwise.unet;

import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The sizes of a {@link BranchNormUNet}.
 *
 * @param latents the channels of latents
 * @param channels c, of the first level; a multiple of 4, and 2 c, 3 c and 4 c are multiples of the
 *     size of a head
 * @param timeDim E, the size of the time's embedding
 * @param slotDim D, the size of a slot
 * @param headSize the size of a head
 * @param repeats how many times each transformer looks
 * @param dropout what part is dropped in residual blocks in training
 */
public record BranchNormConfiguration(
        int latents,
        int channels,
        int timeDim,
        int slotDim,
        int headSize,
        int repeats,
        double dropout) {

    private static final String WHO = "BranchNormConfiguration";

    /**
     * Creates a configuration.
     *
     * @param latents at least 1
     * @param channels a multiple of 4; twice, three and four times it multiples of headSize
     * @param timeDim at least 2
     * @param slotDim at least 1
     * @param headSize at least 1
     * @param repeats from 1 to 1,000
     * @param dropout at least 0 and below 1
     * @throws IllegalArgumentException if a number is out of range
     */
    public BranchNormConfiguration {
        Check.atLeast(WHO, "latents", latents, 1);
        Check.atLeast(WHO, "timeDim", timeDim, 2);
        Check.atLeast(WHO, "slotDim", slotDim, 1);
        Check.atLeast(WHO, "headSize", headSize, 1);
        Limits.count(WHO, "repeats", repeats, 1, Limits.LAYERS);
        Check.option(
                dropout >= 0 && dropout < 1,
                WHO + ": dropout must be at least 0 and below 1, got " + dropout);
        boolean heads = true;
        for (int level = 2; level <= 4; level++) {
            heads = heads && level * channels % headSize == 0;
        }
        Check.option(
                channels > 0 && channels <= 1 << 16 && channels % 4 == 0 && heads,
                WHO
                        + ": channels must be a multiple of 4, and twice, three and four times it of"
                        + " heads of "
                        + headSize
                        + ", got "
                        + channels);
    }

    /**
     * The authors' last sizes, on latents (3, 32, 32).
     *
     * @return a configuration of 127,927,299 parameters
     */
    public static BranchNormConfiguration col775() {
        return new BranchNormConfiguration(3, 64, 128, 64, 32, 6, 0.5);
    }
}
