package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Gradients;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.LoadedByType;
import org.slotwise.torchscript.LoadedScript;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;
import org.slotwise.weights.DiffusersExport;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.DiffusionLayouts;
import org.slotwise.weights.StateDict;

/**
 * The denoiser of latent diffusion: a U-Net whose places look at slots.
 *
 * <p>Source: Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (2022),
 * in the form of {@code UNet2DConditionModel} of diffusers, whose parameter names it uses; told
 * slots as in Jiang et al., "Object-Centric Slot Diffusion" (2023), and Wu et al., "SlotDiffusion"
 * (2023), whose networks are this one at other sizes.
 *
 * <pre>{@code
 * e = W2 silu(W1 sines(t))
 * each level on the way down:  (residual block on e, transformer on slots) times blocks, half the size
 * middle:                      residual block, transformer, residual block
 * each level on the way up:    (join with what was kept, residual block, transformer), twice the size
 * prediction = conv(silu(GN(h)))
 * }</pre>
 *
 * <ul>
 *   <li>latents z_t (B, C, h, w) of the parameters' type; h and w are multiples of 2 to the number
 *       of levels less 1 (the originals round where they are not), and of the size that positions
 *       are of, if there are positions.
 *   <li>timesteps (B) int64; slots (B, K, D), of any number. Their order makes no difference.
 *   <li>prediction (B, C', h, w).
 * </ul>
 *
 * <p>Weights and biases start as PyTorch's do, or with zeros in the last layers ({@link
 * UNetConfiguration#zeroStart}). Dropout is drawn with the engine's generator, in training alone.
 */
public final class UNet extends DenoiserBlock implements Scriptable {

    /** Numbers of the first map from which on a training step is taken in stages. */
    static final int WORTH_STAGES = 1 << 16;

    private final UNetConfiguration sizes;
    private final UNetLayers layers;
    private final LoadedByType whole = LoadedByType.of(this::script);

    /**
     * Creates the block.
     *
     * @param sizes its sizes
     * @throws IllegalArgumentException if they have no transformer: such a network sees no slots
     */
    public UNet(UNetConfiguration sizes) {
        super(sizes.in(), sizes.out(), slotDim(sizes));
        this.sizes = sizes;
        layers = new UNetLayers(declarer(), sizes);
    }

    /**
     * Reads a network that diffusers wrote, {@code UNet2DConditionModel} or Latent Slot Diffusion's
     * {@code UNet2DConditionModelWithPos}.
     *
     * @param folder its folder, with {@code config.json} and the weights
     * @param manager the owner of the parameters, which are float32
     * @return the network, ready for use
     * @throws IOException if a file is missing or damaged, or has options that are not supported,
     *     which it names
     */
    public static UNet read(Path folder, NDManager manager) throws IOException {
        DiffusersFolder options = DiffusersFolder.open(folder);
        UNet unet;
        try {
            unet = new UNet(new UNetReader(options).told());
            options.refuseOthers();
        } catch (IllegalArgumentException e) {
            throw new IOException(options.path() + ": " + e.getMessage(), e);
        }
        int side = unet.sizes.factor();
        Shape latents = new Shape(1, unet.sizes.in(), side, side);
        options.loadInto(unet, DiffusionLayouts.diffusers(), manager, latents);
        return unet;
    }

    /**
     * Writes the network as diffusers does: a folder with {@code config.json} and the weights,
     * which {@link #read} and diffusers' {@code UNet2DConditionModel.from_pretrained} read; with
     * positions it is Latent Slot Diffusion's {@code UNet2DConditionModelWithPos}, which diffusers
     * alone lacks. How the network started, {@link UNetConfiguration#zeroStart}, is not written.
     * What is there is replaced when the new one is whole.
     *
     * @param folder where to; its parent must be there
     * @throws IOException if it cannot be written, or there is something else of this name
     * @throws IllegalArgumentException if times are embedded in a way that diffusers lacks
     * @throws IllegalStateException if the network is not initialised
     */
    public void write(Path folder) throws IOException {
        DiffusersExport.write(folder, UNetWriter.told(sizes), StateDict.of(this));
    }

    private static int slotDim(UNetConfiguration sizes) {
        TransformerOptions transformer = sizes.transformer();
        if (transformer == null) {
            throw new IllegalArgumentException("UNet: sizes must have a transformer");
        }
        return transformer.slotDim();
    }

    /**
     * Its sizes.
     *
     * @return as it was made
     */
    public UNetConfiguration sizes() {
        return sizes;
    }

    @Override
    NDArray equations(Pass pass, NDArray latents, NDArray times, Told told) {
        // What is in between is seen, or drawn, where each layer is a call.
        boolean seen = told.maps() != null || (pass.training() && sizes.residual().dropout() > 0);
        LoadedScript script = whole.of(latents);
        if (seen || !script.fits(pass, latents)) {
            return layers.apply(pass, latents, times, told);
        }
        return script.call("forward", latents, times, told.slots()).head();
    }

    /** Below, calls for the stages cost more time than what they save is worth. */
    private boolean isWorthStages(Shape latents) {
        long places = latents.get(0) * latents.get(2) * latents.get(3);
        return places * sizes.widths().get(0) >= WORTH_STAGES;
    }

    /**
     * In stages, where the network is large, and one call of the engine otherwise: what the
     * feed-forward parts keep for it is half of what a graph would ({@link UNetStages}).
     * {@inheritDoc}
     */
    @Override
    public NDArray backward(
            ParameterStore store,
            NDArray latents,
            NDArray timesteps,
            NDArray slots,
            UnaryOperator<NDArray> loss,
            Consumer<NDArray> backward) {
        check(latents, timesteps, slots);
        return NoGraph.isRecording() && isWorthStages(latents.getShape())
                ? inStages(store, latents, timesteps, slots, loss, backward)
                : super.backward(store, latents, timesteps, slots, loss, backward);
    }

    /** {@link #backward} in stages for networks of any size. */
    NDArray inStages(
            ParameterStore store,
            NDArray latents,
            NDArray timesteps,
            NDArray slots,
            UnaryOperator<NDArray> loss,
            Consumer<NDArray> backward) {
        LoadedScript script = whole.of(latents);
        NDList state =
                compute(
                        store,
                        latents,
                        true,
                        pass ->
                                sizes.residual().dropout() == 0 && script.fits(pass, latents)
                                        ? script.call(
                                                "begin", latents, times(timesteps, latents), slots)
                                        : new NDList());
        if (state.isEmpty()) {
            return super.backward(store, latents, timesteps, slots, loss, backward);
        }
        try (NDManager own = latents.getManager().newSubManager()) {
            state.attach(own);
            NDArray predicted = state.get(0).stopGradient();
            predicted.attach(own);
            predicted.setRequiresGradient(true);
            NDArray value = WayBack.from(predicted, loss, backward);
            NDArray gradient = Gradients.of(predicted);
            if (gradient != null) { // else it was not gone back from
                gradient.attach(own);
                script.call("back", state, gradient).attach(own);
            }
            value.attach(latents.getManager());
            return value;
        }
    }

    @Override
    @Nullable ToldDenoiser toldAtOnce(Pass pass, NDArray slots, int... times) {
        LoadedScript script = whole.of(slots);
        return script.fits(pass, slots) ? new ToldUNet(this, script, slots, times) : null;
    }

    /** Its {@code forward} takes latents, times and slots. {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return layers.script();
    }

    @Override
    void checkSize(Shape latents) {
        int factor = sizes.factor();
        TransformerOptions transformer = sizes.transformer();
        long side = transformer == null ? 0 : transformer.positions();
        if (side > 0) {
            Check.shape(who(), LATENTS, latents, "B", sizes.in(), side, side);
        }
        for (int axis = 2; axis < 4; axis++) {
            long size = latents.get(axis);
            Check.option(
                    size == -1 || size % factor == 0,
                    who()
                            + ": height and width of latents must be multiples of "
                            + factor
                            + ", got "
                            + latents);
        }
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("sizes", sizes);
    }
}
