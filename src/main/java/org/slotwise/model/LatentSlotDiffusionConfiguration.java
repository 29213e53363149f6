package org.slotwise.model;

import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.diffusion.Prediction;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.grouping.SteveOptions;
import org.slotwise.internal.Check;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.Limits;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.UNetConfiguration;

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
     * Latent Slot Diffusion's for MOVi-E: images of 256 x 256, 24 slots of size 192.
     *
     * @return a configuration
     */
    public static LatentSlotDiffusionConfiguration latentSlotDiffusion() {
        UNetEncoder backbone = UNetEncoder.latentSlotDiffusion();
        return ofSteve(
                256,
                SteveOptions.latentSlotDiffusion(),
                new EncoderConfiguration.UNet(backbone.sizes(), backbone.patch(), null),
                new LatentsConfiguration.Kl(AutoencoderSizes.stableDiffusion()),
                DiffusionConfiguration.latentSlotDiffusion(),
                new DenoiserConfiguration.UNet(UNetConfiguration.latentSlotDiffusion()));
    }

    /**
     * That of ris04hit's solution of COL775, at its last sizes: images of 128 x 128, 11 slots of
     * size 64. Where it learns slots with a broadcast decoder first, this has one of a colour for
     * each slot.
     *
     * @return a configuration
     */
    public static LatentSlotDiffusionConfiguration col775() {
        ObjectDiscoveryConfiguration discovery =
                new ObjectDiscoveryConfiguration(
                        128,
                        128,
                        ObjectDiscoveryConfiguration.Colours.FROM_0_TO_1,
                        11,
                        64,
                        new EncoderConfiguration.InstanceNorm(
                                64,
                                3,
                                new EncoderConfiguration.Perceptron(
                                        EncoderConfiguration.Positions.ADDED, true, 1e-5, 64, 64)),
                        new ConditioningConfiguration.Learnt(),
                        new GroupingConfiguration.SlotAttention(
                                3, 1, 64, 1e-8, 1e-5, false, 128, false, null, false),
                        new DecoderConfiguration.AttendedColour(8));
        return new LatentSlotDiffusionConfiguration(
                discovery,
                0,
                new LatentsConfiguration.Vq(AutoencoderSizes.slotDiffusion(), 4096),
                new DiffusionConfiguration(
                        DiffusionConfiguration.Schedule.LINEAR,
                        1000,
                        0.0015,
                        0.0195,
                        false,
                        Prediction.NOISE,
                        null),
                new DenoiserConfiguration.BranchNormUNet(BranchNormConfiguration.col775()));
    }

    /** Of Latent Slot Diffusion's make, at any sizes. */
    static LatentSlotDiffusionConfiguration ofSteve(
            int side,
            SteveOptions slots,
            EncoderConfiguration.UNet encoder,
            LatentsConfiguration latents,
            DiffusionConfiguration diffusion,
            DenoiserConfiguration denoiser) {
        ObjectDiscoveryConfiguration discovery =
                new ObjectDiscoveryConfiguration(
                        side,
                        side,
                        ObjectDiscoveryConfiguration.Colours.FROM_MINUS_1_TO_1,
                        slots.slots(),
                        slots.outDim(),
                        encoder,
                        new ConditioningConfiguration.None(),
                        new GroupingConfiguration.SteveSlotAttention(
                                slots.dim(),
                                slots.hidden(),
                                slots.iterations(),
                                slots.heads(),
                                slots.eps(),
                                slots.learntStarts(),
                                null),
                        new DecoderConfiguration.AttendedColour(encoder.patch()));
        return new LatentSlotDiffusionConfiguration(discovery, 0, latents, diffusion, denoiser);
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
