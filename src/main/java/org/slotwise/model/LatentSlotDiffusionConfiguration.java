package org.slotwise.model;

import org.slotwise.internal.Check;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.Limits;

/**
 * Everything that a {@link LatentSlotDiffusion} is made from. It is saved with the weights, as
 * JSON.
 *
 * @param discovery what finds slots, and the decoder by which they can be learnt first
 * @param positionFrequencies where slots have positions, as those of {@code InvariantSlotAttention}
 *     do: how many frequencies of each coordinate are joined to them; 0 for the coordinates alone
 * @param latents what is diffused: what an autoencoder makes of images, or their pixels
 * @param diffusion how latents are noised
 * @param denoiser the network
 */
public record LatentSlotDiffusionConfiguration(
        ObjectDiscoveryConfiguration discovery,
        int positionFrequencies,
        LatentsConfiguration latents,
        DiffusionConfiguration diffusion,
        DenoiserConfiguration denoiser) {

    private static final String WHO = "LatentSlotDiffusionConfiguration";

    /**
     * Creates the configuration.
     *
     * @param discovery what finds slots
     * @param positionFrequencies at least 0; 0 where slots have no positions
     * @param latents what is diffused
     * @param diffusion how latents are noised
     * @param denoiser the network
     * @throws IllegalArgumentException if the number is out of its range
     */
    public LatentSlotDiffusionConfiguration {
        Limits.count(WHO, "positionFrequencies", positionFrequencies, 0, Limits.LAYERS);
        Check.option(
                positionFrequencies == 0 || positioned(discovery),
                WHO
                        + ": positionFrequencies must be 0 where slots have no positions, got "
                        + positionFrequencies);
    }

    private static boolean positioned(ObjectDiscoveryConfiguration discovery) {
        return discovery.grouping() instanceof GroupingConfiguration.InvariantSlotAttention;
    }

    /**
     * The size of a slot, as pictures are made of it.
     *
     * @return D: that of the grouping's slots, and of the positions that are joined to them
     */
    public int slotDim() {
        return slotDim(discovery, positionFrequencies);
    }

    /**
     * The size of a slot, as pictures would be made of it: what a denoiser has to take.
     *
     * @param discovery what finds slots
     * @param positionFrequencies how many frequencies of each coordinate are joined to them, where
     *     they have positions
     * @return D
     */
    public static int slotDim(ObjectDiscoveryConfiguration discovery, int positionFrequencies) {
        int own = discovery.slotDim();
        return positioned(discovery) ? own + 2 * FourierFeatures.count(positionFrequencies) : own;
    }

    /**
     * As JSON: an object with "format" and "version", and a field for each component; a part has
     * its "kind" first.
     *
     * @return the text, over several lines
     */
    public String toJson() {
        return ConfigurationJson.DIFFUSION.write(this);
    }

    /**
     * Reads what {@link #toJson} wrote.
     *
     * @param json the text
     * @return the configuration
     * @throws IllegalArgumentException if it is not such JSON: the message names the field that is
     *     missing, unknown, twice there, or of a wrong type or range, by its path
     */
    public static LatentSlotDiffusionConfiguration fromJson(String json) {
        return ConfigurationJson.DIFFUSION.read(json);
    }
}
