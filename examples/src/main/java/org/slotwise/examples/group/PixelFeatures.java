package org.slotwise.examples.group;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.grouping.FeatureExtractorOutput;

/**
 * What a pixel is to be grouped by: its colour and its place.
 *
 * <p>Colour is CIELAB (CIE 1976, white point D65), in which equal distances look about equally
 * different, divided by 100. Lightness counts for less than hue and chroma, so that an object's
 * light and dark side stay together.
 */
final class PixelFeatures {

    /** Lightness, green to red, blue to yellow, down, across. */
    static final int SIZE = 5;

    private static final float LIGHTNESS = 0.6f;

    /** From linear sRGB to XYZ, divided by the white point: each row sums to 1. */
    private static final float[] TO_XYZ = {
        0.433953f, 0.376219f, 0.189828f,
        0.212671f, 0.715160f, 0.072169f,
        0.017758f, 0.109477f, 0.872765f
    };

    /** From the cube roots of XYZ to L*, a*, b*; 16 is to be taken off L*. */
    private static final float[] TO_LAB = {
        0, 116, 0,
        500, -500, 0,
        0, 200, -200
    };

    private PixelFeatures() {}

    /**
     * The features of a picture's pixels, row by row.
     *
     * @param manager their owner
     * @param image the picture, of H x W = N pixels
     * @param positionWeight how much the way across the picture counts, in units of 100 of CIELAB
     * @return features (1, N, 5) and positions (N, 2), down and across, in [0, 1]
     */
    static FeatureExtractorOutput of(NDManager manager, Image image, double positionWeight) {
        NDArray lab = lab(manager, image).div(100).mul(scale(manager)); // (N, 3)
        NDArray positions = positions(manager, image); // (N, 2)
        // A step is as long down as across, whatever the picture's shape.
        int down = image.getHeight() - 1;
        int across = image.getWidth() - 1;
        NDArray steps = manager.create(new float[] {down, across});
        NDArray place =
                positions.mul(steps).mul(positionWeight / Math.max(1, Math.max(down, across)));
        NDArray features = NDArrays.concat(new NDList(lab, place), 1);
        return new FeatureExtractorOutput(features.expandDims(0), positions);
    }

    /**
     * The colours of a picture's pixels in CIELAB.
     *
     * @param manager the owner of the result
     * @param image the picture, of N pixels
     * @return (N, 3): L* in [0, 100], a* and b*
     */
    static NDArray lab(NDManager manager, Image image) {
        NDArray srgb = image.toNDArray(manager).toType(DataType.FLOAT32, false).div(255);
        NDArray linear =
                NDArrays.where(
                        srgb.lte(0.04045f),
                        srgb.div(12.92f),
                        srgb.add(0.055f).div(1.055f).pow(2.4f));
        NDArray xyz =
                linear.reshape(-1, 3).matMul(manager.create(TO_XYZ, new Shape(3, 3)).transpose());
        NDArray f =
                NDArrays.where(
                        xyz.gt(216 / 24389f), xyz.pow(1 / 3f), xyz.mul(841 / 108f).add(16 / 116f));
        return f.matMul(manager.create(TO_LAB, new Shape(3, 3)).transpose())
                .sub(manager.create(new float[] {16, 0, 0}));
    }

    private static NDArray scale(NDManager manager) {
        return manager.create(new float[] {LIGHTNESS, 1, 1});
    }

    private static NDArray positions(NDManager manager, Image image) {
        int h = image.getHeight();
        int w = image.getWidth();
        NDArray down = manager.linspace(0, 1, h).reshape(h, 1).broadcast(h, w);
        NDArray across = manager.linspace(0, 1, w).reshape(1, w).broadcast(h, w);
        return NDArrays.stack(new NDList(down, across), 2).reshape(-1, 2);
    }
}
