package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.PixelShuffle;

/**
 * Pixels as latents: those of a patch become the channels of one place. Nothing is learnt, and
 * nothing lost.
 *
 * <pre>{@code
 * z[b, r² c + r u + v, i, j] = x[b, c, r i + u, r j + v]
 * }</pre>
 *
 * <p>As PyTorch's {@code nn.PixelUnshuffle}. images (B, C, H, W), H and W multiples of r; latents
 * (B, r² C, H / r, W / r). A network narrower than a patch cannot pass its noise on: let it predict
 * the latents, not the noise.
 */
public final class PatchLatents extends AutoencoderBlock {

    private final int channels;
    private final int patch;

    /**
     * Creates the block.
     *
     * @param channels C, of an image, at least 1
     * @param patch r, height and width of a patch, from 1 to 4,096
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PatchLatents(int channels, int patch) {
        super(channels, places(channels, patch), patch, 1);
        this.channels = channels;
        this.patch = patch;
    }

    private static int places(int channels, int patch) {
        String who = "PatchLatents";
        Limits.count(who, "channels", channels, 1, Limits.WINDOW);
        Limits.count(who, "patch", patch, 1, Limits.WINDOW);
        Limits.numbers(who, "a patch", channels, patch, patch);
        return channels * patch * patch;
    }

    @Override
    boolean isRandom() {
        return false;
    }

    @Override
    NDArray encoded(Pass pass, NDArray images) {
        Shape s = images.getShape();
        long h = s.get(2) / patch;
        long w = s.get(3) / patch;
        return images.reshape(s.get(0), channels, h, patch, w, patch)
                .transpose(0, 1, 3, 5, 2, 4)
                .reshape(s.get(0), latentChannels(), h, w);
    }

    @Override
    NDArray decoded(Pass pass, NDArray latents) {
        return new PixelShuffle(patch).shuffle(latents);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("channels", channels).and("patch", patch);
    }
}
