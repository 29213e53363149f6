package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NormedOps;
import org.slotwise.internal.Pass;

/**
 * Channels become places: a map of more channels becomes a larger one, as with PyTorch's {@code
 * nn.PixelShuffle}.
 *
 * <p>Source: Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
 * Sub-Pixel Convolutional Neural Network" (2016).
 *
 * <pre>{@code
 * y[b, c, r i + u, r j + v] = x[b, r² c + r u + v, i, j]
 * }</pre>
 *
 * <p>x is (B, r² C, H, W), y (B, C, r H, r W).
 *
 * @param factor r, at least 1
 */
public record PixelShuffle(int factor) implements Layer {

    /**
     * Creates the layer.
     *
     * @param factor r, at least 1
     * @throws IllegalArgumentException if it is below 1
     */
    public PixelShuffle {
        Limits.count("PixelShuffle", "factor", factor, 1, Limits.WINDOW);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return shuffle(x);
    }

    /**
     * Shuffles.
     *
     * @param x (B, r² C, H, W)
     * @return (B, C, r H, r W)
     * @throws IllegalArgumentException if the channels are no multiple of r²
     */
    public NDArray shuffle(NDArray x) {
        Check.present("PixelShuffle", "maps", x);
        Shape s = x.getShape();
        int square = factor * factor;
        Check.option(
                s.dimension() == 4 && s.get(1) % square == 0,
                "PixelShuffle: maps must be (B, a multiple of " + square + ", H, W), got " + s);
        return NormedOps.pixelShuffle(x, factor);
    }
}
