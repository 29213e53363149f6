package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.position.PositionGrid;

/** What a convolutional network makes of images: a map (B, F, h, w), to be read row by row. */
final class FeatureMap {

    static final String IMAGES = "images";
    static final int CHANNELS = 3;

    /** Features and positions of a map y in TorchScript, for a module that has a grid. */
    static final String SCRIPT =
            """
              p = self.grid.forward(y, torch.size(y, 2), torch.size(y, 3))
              x = torch.transpose(torch.flatten(y, 2), 1, 2)
              return {"features": x, "positions": p}
            """;

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

    /** The positions (N, 2) of a map of h by w, in the images' manager and of their type. */
    static NDArray positions(NDArray images, long height, long width) {
        return PositionGrid.like(images, height, width);
    }
}
