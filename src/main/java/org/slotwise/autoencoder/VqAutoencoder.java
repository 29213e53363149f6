package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.weights.DiffusersExport;
import org.slotwise.weights.StateDict;

/**
 * The autoencoder of latent diffusion whose decoder takes codes: SlotDiffusion's.
 *
 * <p>Source: Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (2022),
 * section 3.1; in the form of SlotDiffusion (Wu et al. 2023). Its parameters have the names of
 * diffusers' {@code VQModel}; {@code org.slotwise.weights.DiffusionLayouts} reads and writes
 * SlotDiffusion's own.
 *
 * <pre>{@code
 * z = quant_conv(encoder(image))                  not quantised: this is what diffusion works on
 * k = argmin |z - e_k|²      q = z + stop(e_k - z)
 * image = decoder(post_quant_conv(q))
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [-1, 1], H and W multiples of 2 to the number of levels less 1.
 *   <li>latents (B, C, h, w); {@link #decode} quantises them first.
 * </ul>
 *
 * <p>Weights and biases start as PyTorch's do, codes uniformly in ±1 / their number.
 */
public final class VqAutoencoder extends AutoencoderBlock {

    private static final String KIND = "VQModel";

    private final AutoencoderSizes sizes;
    private final int codes;
    private final ImageEncoder encoder;
    private final NearestCode nearest;
    private final ImageDecoder decoder;

    /**
     * Creates the block.
     *
     * @param sizes its sizes
     * @param codes how many codes there are, at least 2; 4,096 in SlotDiffusion
     * @throws IllegalArgumentException if there are fewer codes
     */
    public VqAutoencoder(AutoencoderSizes sizes, int codes) {
        super(sizes.imageChannels(), sizes.latentChannels(), sizes.factor(), sizes.scale());
        Check.atLeast(who(), "codes", codes, 2);
        this.sizes = sizes;
        this.codes = codes;
        encoder = new ImageEncoder(declarer(), sizes, sizes.latentChannels());
        nearest = new NearestCode(declarer().under("quantize"), codes, sizes.latentChannels());
        decoder = new ImageDecoder(declarer(), sizes);
    }

    /**
     * Reads a network that diffusers wrote, {@code VQModel}.
     *
     * @param folder its folder, with {@code config.json} and the weights
     * @param manager the owner of the parameters, which are float32
     * @return the network, ready for use
     * @throws IOException if a file is missing or damaged, or has options that are not supported,
     *     which it names
     */
    public static VqAutoencoder read(Path folder, NDManager manager) throws IOException {
        return AutoencoderReader.read(
                folder,
                manager,
                options -> {
                    AutoencoderSizes sizes = AutoencoderReader.sizes(options, KIND, 3);
                    options.require("norm_type", "\"group\"");
                    if (!options.isNull("vq_embed_dim")) { // null: as many as latents have
                        options.require("vq_embed_dim", Integer.toString(sizes.latentChannels()));
                    }
                    return new VqAutoencoder(sizes, options.integer("num_vq_embeddings", 256));
                });
    }

    /**
     * Writes the network as diffusers does: a folder with {@code config.json} and the weights,
     * which {@link #read} and diffusers' {@code VQModel.from_pretrained} read. What is there is
     * replaced when the new one is whole.
     *
     * @param folder where to; its parent must be there
     * @throws IOException if it cannot be written, or there is something else of this name
     * @throws IllegalStateException if the network is not initialised
     */
    public void write(Path folder) throws IOException {
        Map<String, Object> options = AutoencoderWriter.options(KIND, sizes);
        options.put("norm_type", "group");
        options.put("vq_embed_dim", sizes.latentChannels());
        options.put("num_vq_embeddings", codes);
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
        return false;
    }

    @Override
    NDArray encoded(Pass pass, NDArray images) {
        return encoder.apply(pass, images);
    }

    @Override
    NDArray decoded(Pass pass, NDArray latents) {
        NDList found = nearest.quantize(pass, latents);
        return decoder.apply(pass, found.head());
    }

    /**
     * Replaces each place of latents by the nearest code.
     *
     * @param store where the parameters' values are
     * @param latents (B, C, h, w)
     * @param training whether to record a graph for gradients
     * @return latents, codes and loss, owned by the latents' manager
     * @throws IllegalArgumentException if the latents have another shape or type
     */
    public QuantizedLatents quantize(ParameterStore store, NDArray latents, boolean training) {
        checkLatents(latents);
        NDList out = compute(store, latents, training, pass -> nearest.quantize(pass, latents));
        return new QuantizedLatents(out.get(0), out.get(1), out.get(2));
    }

    /**
     * Decodes latents that are quantised already.
     *
     * @param store where the parameters' values are
     * @param latents (B, C, h, w), those of {@link #quantize}
     * @param training whether to record a graph for gradients
     * @return images (B, 3, H, W), not bounded, owned by the latents' manager
     * @throws IllegalArgumentException if the latents have another shape or type
     */
    public NDArray decodeQuantized(ParameterStore store, NDArray latents, boolean training) {
        checkLatents(latents);
        return compute(store, latents, training, pass -> new NDList(decoder.apply(pass, latents)))
                .head();
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("sizes", sizes).and("codes", codes);
    }
}
