package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.TimeEmbedding;

/**
 * The denoiser of a course's assignment on slot diffusion, as one of its solutions has it: four
 * levels, kernels of 5 x 5, many looks at the slots.
 *
 * <p>Source: the code of ris04hit/COL775, whose parameter names it uses. It differs from {@link
 * UNet} in each of its blocks: nothing goes around the first half of a residual block nor around a
 * transformer, whose normalisations come after the work; the time's embedding has no perceptron;
 * what was kept is joined in front; there is no silu before the last convolution.
 *
 * <pre>{@code
 * e = silu(sines(t))                    sine and cosine in turn
 * residual:      y = conv5 silu(GN(x)) + W e;   project(y) + conv5 dropout(silu(GN(y)))
 * transformer:   y + LN(attention(y, y)), y + LN(attention(y, s)), y + LN(W y), repeats times
 * }</pre>
 *
 * <p>latents (B, C, h, w) of the parameters' type, h and w multiples of 8; timesteps (B) int64;
 * slots (B, K, D); prediction of the latents' shape. Weights and biases start as PyTorch's do;
 * dropout is drawn with the engine's generator, in training alone.
 */
public final class BranchNormUNet extends DenoiserBlock {

    private static final int FACTOR = 8;

    private final BranchNormConfiguration sizes;
    private final TimeEmbedding times;
    private final BranchNormLayers layers;

    /**
     * Creates the block.
     *
     * @param sizes its sizes
     */
    public BranchNormUNet(BranchNormConfiguration sizes) {
        super(sizes.latents(), sizes.latents(), sizes.slotDim());
        this.sizes = sizes;
        times = new TimeEmbedding(sizes.timeDim(), TimeEmbedding.Order.INTERLEAVED, 0);
        layers = new BranchNormLayers(declarer(), sizes);
    }

    @Override
    NDArray equations(Pass pass, NDArray latents, NDArray t, Told told) {
        return layers.apply(pass, latents, FusedOps.silu(times.of(t)), told);
    }

    @Override
    void checkSize(Shape latents) {
        for (int axis = 2; axis < 4; axis++) {
            long size = latents.get(axis);
            Check.option(
                    size == -1 || size % FACTOR == 0,
                    who()
                            + ": height and width of latents must be multiples of "
                            + FACTOR
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
