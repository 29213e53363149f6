package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.weights.DiffusersExport;
import org.slotwise.weights.StateDict;

/**
 * The autoencoder of latent diffusion whose latents are normally distributed: Stable Diffusion's.
 *
 * <p>Source: Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (2022),
 * section 3.1; in the form of {@code AutoencoderKL} of diffusers, whose parameter names it uses.
 *
 * <pre>{@code
 * encoder: conv, each level: residual blocks, half the size;  residual, attention, residual;  conv
 * mean, logvar = quant_conv(encoder(image))
 * image = decoder(post_quant_conv(z)):  the same the other way round
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [-1, 1], H and W multiples of 2 to the number of levels less 1 (the
 *       original rounds where they are not).
 *   <li>latents (B, C, h, w). Diffusion works on scale z.
 * </ul>
 *
 * <p>Weights and biases start as PyTorch's do.
 */
public final class AutoencoderKl extends AutoencoderBlock {

    private static final String KIND = "AutoencoderKL";

    private final AutoencoderSizes sizes;
    private final ImageEncoder encoder;
    private final ImageDecoder decoder;

    /**
     * Creates the block.
     *
     * @param sizes its sizes
     */
    public AutoencoderKl(AutoencoderSizes sizes) {
        super(sizes.imageChannels(), sizes.latentChannels(), sizes.factor(), sizes.scale());
        this.sizes = sizes;
        encoder = new ImageEncoder(declarer(), sizes, 2 * sizes.latentChannels());
        decoder = new ImageDecoder(declarer(), sizes);
    }

    /**
     * Reads a network that diffusers wrote, {@code AutoencoderKL}.
     *
     * @param folder its folder, with {@code config.json} and the weights
     * @param manager the owner of the parameters, which are float32
     * @return the network, ready for use
     * @throws IOException if a file is missing or damaged, or has options that are not supported,
     *     which it names
     */
    public static AutoencoderKl read(Path folder, NDManager manager) throws IOException {
        return AutoencoderReader.read(
                folder,
                manager,
                options -> {
                    options.require("use_quant_conv", "true");
                    options.require("use_post_quant_conv", "true");
                    return new AutoencoderKl(AutoencoderReader.sizes(options, KIND, 4));
                });
    }

    /**
     * Writes the network as diffusers does: a folder with {@code config.json} and the weights,
     * which {@link #read} and diffusers' {@code AutoencoderKL.from_pretrained} read. What is there
     * is replaced when the new one is whole.
     *
     * @param folder where to; its parent must be there
     * @throws IOException if it cannot be written, or there is something else of this name
     * @throws IllegalStateException if the network is not initialised
     */
    public void write(Path folder) throws IOException {
        write(folder, sizes.scale());
    }

    /**
     * The same where latents came to be multiplied by another number than the sizes say.
     *
     * @param folder where to; its parent must be there
     * @param scale what latents are multiplied by, above 0
     * @throws IOException if it cannot be written, or there is something else of this name
     * @throws IllegalArgumentException if the scale is not above 0
     * @throws IllegalStateException if the network is not initialised
     */
    public void write(Path folder, double scale) throws IOException {
        Check.positive(who(), "scale", scale);
        Map<String, Object> options = AutoencoderWriter.options(KIND, sizes);
        options.put("scaling_factor", scale);
        options.put("use_quant_conv", true);
        options.put("use_post_quant_conv", true);
        DiffusersExport.write(folder, options, StateDict.of(this));
    }

    /**
     * Its sizes.
     *
     * @return as it was made
     */
    public AutoencoderSizes sizes() {
        return sizes;
    }

    @Override
    boolean isRandom() {
        return true;
    }

    @Override
    NDArray encoded(Pass pass, NDArray images) {
        return encoder.apply(pass, images);
    }

    @Override
    NDArray decoded(Pass pass, NDArray latents) {
        return decoder.apply(pass, latents);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("sizes", sizes);
    }
}
