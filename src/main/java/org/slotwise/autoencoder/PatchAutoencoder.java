package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.PixelShuffle;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.Window;

/**
 * A small autoencoder that trains in minutes on a processor: residual blocks on patches of pixels.
 *
 * <p>Ours, in the manner of Kingma and Welling, "Auto-Encoding Variational Bayes" (2014), of
 * residual blocks as in diffusers' autoencoders ({@link ResnetBlock}). Nothing is computed at an
 * image's full size, where most of the work of convolutions that halve and double it is: a patch's
 * pixels become the channels of one place ({@link PatchLatents}), and come back so.
 *
 * <pre>{@code
 * encoder: patches    conv k3, c    residual block, n times    silu(GN)    conv k1, 2 C: mean and log variance
 * decoder:            conv k3, c    residual block, n times    silu(GN)    conv k3, 3 r²    patches
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [-1, 1], H and W multiples of r; latents (B, C, H / r, W / r).
 *   <li>Train it by the squared error and a small multiple of {@link LatentDistribution#kl}.
 * </ul>
 *
 * <p>Parameters: {@code encoder.conv_in}, {@code encoder.resnets.i}, {@code encoder.conv_norm_out},
 * {@code encoder.conv_out}, and the same of {@code decoder}. Weights and biases of convolutions
 * start as PyTorch's Conv2d does.
 */
public final class PatchAutoencoder extends AutoencoderBlock {

    private static final int COLOURS = 3;
    private static final int GROUPS = 8;
    private static final double EPS = 1e-6;

    private final int channels;
    private final int blocks;
    private final PatchLatents patches;
    private final Way encoder;
    private final Way decoder;

    /**
     * Creates the block.
     *
     * @param patch r, height and width of a patch, from 1 to 4,096; 4 is meant
     * @param latentChannels C, at least 1
     * @param channels c, of all layers, a multiple of 8 up to 4,096; 64 is meant
     * @param blocks n, residual blocks each way, from 1 to 1,000
     * @param scale what latents are multiplied by before noise is added: 1 / their deviation, which
     *     is known after training
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PatchAutoencoder(int patch, int latentChannels, int channels, int blocks, double scale) {
        super(COLOURS, latentChannels, patch, scale);
        Limits.count(who(), "channels", channels, GROUPS, 4096);
        Check.option(
                channels % GROUPS == 0,
                who() + ": channels must be a multiple of " + GROUPS + ", got " + channels);
        Limits.count(who(), "blocks", blocks, 1, Limits.LAYERS);
        this.channels = channels;
        this.blocks = blocks;
        patches = new PatchLatents(COLOURS, patch);
        long pixels = patches.latentChannels();
        encoder =
                new Way(
                        declarer().under("encoder"),
                        pixels,
                        channels,
                        blocks,
                        2L * latentChannels,
                        Window.valid(1));
        decoder =
                new Way(
                        declarer().under("decoder"),
                        latentChannels,
                        channels,
                        blocks,
                        pixels,
                        Window.same(3));
    }

    @Override
    boolean isRandom() {
        return true;
    }

    @Override
    NDArray encoded(Pass pass, NDArray images) {
        NDArray h = patches.encoded(pass, images);
        return Scope.next(h, encoder.apply(pass, h));
    }

    @Override
    NDArray decoded(Pass pass, NDArray latents) {
        NDArray h = decoder.apply(pass, latents);
        return Scope.next(h, new PixelShuffle(factor()).shuffle(h));
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("patch", factor())
                .and("latentChannels", latentChannels())
                .and("channels", channels)
                .and("blocks", blocks);
    }

    /** What both ways are: a convolution, residual blocks, and a convolution. */
    private static final class Way {

        private final Convolution first;
        private final List<ResnetBlock> residual = new ArrayList<>();
        private final GroupNorm norm;
        private final Convolution last;

        Way(Declarer p, long in, int channels, int blocks, long out, Window window) {
            first = Convolution.of(p.under("conv_in"), in, channels, Window.same(3));
            for (int i = 0; i < blocks; i++) {
                residual.add(
                        new ResnetBlock(
                                p.under("resnets").under(Integer.toString(i)),
                                channels,
                                channels,
                                0,
                                ResnetBlock.Options.of(GROUPS, EPS),
                                ResnetBlock.Resize.SAME,
                                null));
            }
            norm = GroupNorm.of(p.under("conv_norm_out"), GROUPS, channels, EPS);
            last = Convolution.of(p.under("conv_out"), channels, out, window);
        }

        NDArray apply(Pass pass, NDArray x) {
            NDArray h = first.apply(pass, x);
            for (ResnetBlock block : residual) {
                h = Scope.next(h, block.apply(pass, h));
            }
            h = Scope.next(h, norm.activated(pass, h));
            return Scope.next(h, last.apply(pass, h));
        }
    }
}
