package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scope;
import org.slotwise.position.PositionGrid;

/** What a convolutional network makes of images: a map (B, F, h, w), to be read row by row. */
final class FeatureMap {

    static final String IMAGES = "images";
    static final int CHANNELS = 3;

    private FeatureMap() {}

    /** Requires images (B, 3, H, W) of a type that the blocks compute in. */
    static void checkImages(String who, NDArray images) {
        Check.shape(who, IMAGES, images, "B", CHANNELS, "H", "W");
        Check.floating(who, IMAGES, images.getDataType());
    }

    /** Requires the shape of images (B, 3, H, W), where -1 is an unknown size. */
    static Shape checkImages(String who, Shape images) {
        Check.shape(who, IMAGES, images, "B", CHANNELS, "H", "W");
        return images;
    }

    /** The features (B, N, F) of a map (B, F, h, w). */
    static NDArray features(NDArray map) {
        Shape s = map.getShape();
        return map.reshape(s.get(0), s.get(1), s.get(2) * s.get(3)).swapAxes(1, 2);
    }

    /** Keeps features from a scope for the manager of the images, with positions of h by w. */
    static FeatureExtractorOutput keep(
            Scope scope, NDArray features, long height, long width, NDArray images) {
        NDManager owner = images.getManager();
        NDArray positions =
                PositionGrid.of(owner, images.getDataType(), height, width)
                        .toDevice(images.getDevice(), false); // (N, 2)
        return new FeatureExtractorOutput(
                scope.keep(features, owner), scope.keep(positions, owner));
    }

    /** The shapes of features and positions for a map of h by w, where -1 is an unknown size. */
    static Shape[] shapes(long batch, long height, long width, int featureDim) {
        long n = height < 0 || width < 0 ? -1 : height * width;
        return new Shape[] {new Shape(batch, n, featureDim), new Shape(n, 2)};
    }

    /** The size of a map after a stride: how many steps it takes to cross the size. */
    static long strided(long size, int stride) {
        return size < 0 ? size : (size + stride - 1) / stride;
    }
}
