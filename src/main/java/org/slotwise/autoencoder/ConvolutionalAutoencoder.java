package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Window;

/**
 * A small autoencoder that trains in minutes on a processor: four convolutions down, five up.
 *
 * <p>Ours, in the manner of Kingma and Welling, "Auto-Encoding Variational Bayes" (2014).
 *
 * <pre>{@code
 * encoder: conv k3 s2, c     conv k3 s2, 2c     conv k3, 2c          silu after each
 *          conv k1, 2 C: mean and log variance
 * decoder: conv k3, 2c       conv k3, 2c        twice                silu after each
 *          conv k3, c        twice  conv k3, c                       silu after each
 *          conv k3, 3
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [-1, 1], H and W multiples of 4; latents (B, C, H / 4, W / 4).
 *   <li>Train it by the squared error and a small multiple of {@link LatentDistribution#kl}.
 * </ul>
 *
 * <p>Parameters: {@code encoder.i} and {@code decoder.i}, counted from 0. Weights and biases start
 * as PyTorch's Conv2d does.
 */
public final class ConvolutionalAutoencoder extends AutoencoderBlock {

    private static final int COLOURS = 3;
    private static final int FACTOR = 4;
    private static final Window AROUND = Window.same(3);

    private final int channels;
    private final Convolution[] encoder;
    private final Convolution[] decoder;

    /**
     * Creates the block.
     *
     * @param latentChannels C, at least 1
     * @param channels c, of the first layer, at least 1; 32 is meant
     * @param scale what latents are multiplied by before noise is added: 1 / their deviation, which
     *     is known after training
     * @throws IllegalArgumentException if a number is out of its range
     */
    public ConvolutionalAutoencoder(int latentChannels, int channels, double scale) {
        super(COLOURS, latentChannels, FACTOR, scale);
        Limits.count(who(), "channels", channels, 1, 4096);
        this.channels = channels;
        int wide = 2 * channels;
        Declarer e = declarer().under("encoder");
        encoder =
                new Convolution[] {
                    Convolution.of(e.under("0"), COLOURS, channels, AROUND.withStride(2)),
                    Convolution.of(e.under("1"), channels, wide, AROUND.withStride(2)),
                    Convolution.of(e.under("2"), wide, wide, AROUND),
                    Convolution.of(e.under("3"), wide, 2L * latentChannels, Window.valid(1))
                };
        Declarer d = declarer().under("decoder");
        decoder =
                new Convolution[] {
                    Convolution.of(d.under("0"), latentChannels, wide, AROUND),
                    Convolution.of(d.under("1"), wide, wide, AROUND),
                    Convolution.of(d.under("2"), wide, channels, AROUND),
                    Convolution.of(d.under("3"), channels, channels, AROUND),
                    Convolution.of(d.under("4"), channels, COLOURS, AROUND)
                };
    }

    @Override
    boolean isRandom() {
        return true;
    }

    @Override
    NDArray encoded(Pass pass, NDArray images) {
        NDArray h = encoder[0].apply(pass, images);
        for (int i = 1; i < encoder.length; i++) {
            h = Scope.next(h, FusedOps.silu(h));
            h = Scope.next(h, encoder[i].apply(pass, h));
        }
        return h;
    }

    @Override
    NDArray decoded(Pass pass, NDArray latents) {
        NDArray h = decoder[0].apply(pass, latents);
        for (int i = 1; i < decoder.length; i++) {
            h = Scope.next(h, FusedOps.silu(h));
            if (i == 2 || i == 3) {
                h = Scope.next(h, FusedOps.twice(h));
            }
            h = Scope.next(h, decoder[i].apply(pass, h));
        }
        return h;
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("latentChannels", latentChannels()).and("channels", channels);
    }
}
