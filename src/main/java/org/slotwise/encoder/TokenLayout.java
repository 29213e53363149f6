package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;

/**
 * How a network lays out what it finds in an image: features at h by w places, row by row, behind
 * tokens that belong to no place (class and registers).
 */
record TokenLayout(long height, long width, long prefix) {

    /** One place, the whole image. */
    static final TokenLayout WHOLE = new TokenLayout(1, 1, 0);

    private static final int VECTOR = 2;
    private static final int TOKENS = 3;
    private static final int MAP = 4;

    /** More tokens than any network puts before its patches. */
    private static final int MOST_PREFIX_TOKENS = 64;

    /** Whether an output can be laid out: tokens (B, N, F) or maps (B, F, h, w). */
    static boolean fits(Shape output) {
        return output.dimension() == TOKENS || output.dimension() == MAP;
    }

    /** Whether an output is one vector (B, F) for a whole image. */
    static boolean isVector(Shape output) {
        return output.dimension() == VECTOR;
    }

    /**
     * Lays an output out.
     *
     * @param output (B, N, F) or (B, F, h, w)
     * @param prefix how many tokens come before the patches, or null to find out
     * @return the layout, or null if N is not that of a grid of patches
     */
    static @Nullable TokenLayout of(
            Shape output, long imageHeight, long imageWidth, @Nullable Integer prefix) {
        if (output.dimension() == MAP) {
            return new TokenLayout(output.get(2), output.get(3), 0);
        }
        long n = output.get(1);
        if (prefix != null) {
            return ofPatches(n, prefix, imageHeight, imageWidth);
        }
        for (int p = 0; p <= MOST_PREFIX_TOKENS; p++) {
            TokenLayout layout = ofPatches(n, p, imageHeight, imageWidth);
            if (layout != null) {
                return layout;
            }
        }
        return null;
    }

    /** The grid of square patches that cover the image in n less prefix patches. */
    private static @Nullable TokenLayout ofPatches(long n, long prefix, long height, long width) {
        for (long patch = 1; patch <= Math.min(height, width); patch++) {
            boolean covers = height % patch == 0 && width % patch == 0;
            if (covers && height / patch * (width / patch) == n - prefix) {
                return new TokenLayout(height / patch, width / patch, prefix);
            }
        }
        return null;
    }

    long count() {
        return height * width;
    }

    /** The features (B, N, F) of tokens or maps; whatever is neither, as it is. */
    NDArray features(NDArray output) {
        Shape shape = output.getShape();
        if (shape.dimension() == MAP) {
            return FeatureMap.features(output);
        }
        boolean tokens = shape.dimension() == TOKENS && shape.get(1) == prefix + count();
        return tokens && prefix > 0 ? output.get(":, {}:", prefix) : output;
    }

    /** The shape that {@link #features} gives. */
    Shape features(Shape output) {
        long batch = output.dimension() == 0 ? 0 : output.get(0);
        if (output.dimension() == MAP) {
            return new Shape(batch, output.get(2) * output.get(3), output.get(1));
        }
        boolean tokens = output.dimension() == TOKENS && output.get(1) == prefix + count();
        return tokens ? new Shape(batch, count(), output.get(2)) : output;
    }
}
