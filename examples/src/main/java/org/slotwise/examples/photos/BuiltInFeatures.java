package org.slotwise.examples.photos;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.pooling.Pool;
import org.slotwise.position.PositionGrid;

/**
 * Features of a small convolutional network whose filters are fixed: for each patch its brightness
 * and its two hues, smoothed but not across edges, how strong edges of four directions are around
 * it, and its place.
 *
 * <p>Hues are differences of colours divided by brightness, so that light and shade on a thing
 * change them little. Smoothing is the bilateral filter of Tomasi and Manduchi (1998): the mean of
 * the patches around, of which those of like colour count.
 *
 * @param size the height and width of the images, a multiple of the patches'
 */
record BuiltInFeatures(int size) implements PhotoFeatures {

    /** The height and width of a patch. */
    static final int PATCH = 8;

    /** How much a feature counts beside a hue; a place is the way across an image. */
    private static final double BRIGHTNESS = 0.7;

    private static final double TEXTURE = 0.3;
    private static final double PLACE = 0.1;

    /** What is added to three times the brightness, since the hues of dark pixels are noise. */
    private static final double DARK = 0.15;

    private static final int SMOOTHINGS = 4;
    private static final int AROUND = 5;

    /** Patches whose colours differ by more than this count little for each other. */
    private static final double ALIKE = 0.12;

    /** Changes to the right, downwards, and along both diagonals. */
    private static final float[] EDGES = {
        0, 0, 0, -1, 0, 1, 0, 0, 0, //
        0, -1, 0, 0, 0, 0, 0, 1, 0, //
        0, -0.7f, 0, -0.7f, 0, 0.7f, 0, 0.7f, 0, //
        0, 0.7f, 0, -0.7f, 0, 0.7f, 0, -0.7f, 0
    };

    private static final int DIRECTIONS = 4;

    @Override
    public NDArray extract(NDArray images) {
        NDArray r = images.get(":, 0:1");
        NDArray g = images.get(":, 1:2");
        NDArray b = images.get(":, 2:");
        NDArray sum = r.add(g).add(b);
        NDArray light = sum.div(3);
        NDArray scale = sum.add(DARK).div(2);
        NDArray redGreen = r.sub(g).div(scale);
        NDArray blueYellow = b.sub(r.add(g).div(2)).div(scale);
        NDArray colours =
                patches(
                        NDArrays.concat(
                                new NDList(light.mul(BRIGHTNESS), redGreen, blueYellow), 1));
        for (int i = 0; i < SMOOTHINGS; i++) {
            colours = smoothed(colours);
        }
        NDArray edges = around(patches(edges(light))).add(1e-4).sqrt().mul(TEXTURE);
        NDArray features = NDArrays.concat(new NDList(colours, edges), 1); // (B, 7, h, w)
        long batch = images.getShape().get(0);
        NDArray rows = features.reshape(batch, features.getShape().get(1), -1).swapAxes(1, 2);
        NDArray places =
                PositionGrid.of(images.getManager(), DataType.FLOAT32, grid(), grid())
                        .toDevice(images.getDevice(), false)
                        .mul(PLACE);
        return NDArrays.concat(
                new NDList(rows, places.expandDims(0).broadcast(batch, (long) grid() * grid(), 2)),
                2);
    }

    private static NDArray patches(NDArray map) {
        Shape patch = new Shape(PATCH, PATCH);
        return Pool.avgPool2d(map, patch, patch, new Shape(0, 0), false, false);
    }

    /** The mean of the patches around each. */
    private static NDArray around(NDArray map) {
        int margin = AROUND / 2;
        return Pool.avgPool2d(
                map,
                new Shape(AROUND, AROUND),
                new Shape(1, 1),
                new Shape(margin, margin),
                false,
                false);
    }

    /** How much brightness changes in each direction, (B, 4, H, W). The border repeats itself. */
    private static NDArray edges(NDArray light) {
        NDArray wide = NDArrays.concat(new NDList(light.get(":, :, :1"), light), 2);
        wide = NDArrays.concat(new NDList(wide, light.get(":, :, -1:")), 2);
        NDArray left = wide.get(":, :, :, :1");
        NDArray right = wide.get(":, :, :, -1:");
        NDArray whole = NDArrays.concat(new NDList(left, wide, right), 3);
        NDArray filters = constant(light, EDGES, new Shape(DIRECTIONS, 1, 3, 3));
        return Conv2d.conv2d(whole, filters).head().abs();
    }

    /** The mean of the patches around each that are of like colour, of (B, C, h, w). */
    private static NDArray smoothed(NDArray map) {
        Shape shape = map.getShape();
        long channels = shape.get(1);
        int count = AROUND * AROUND;
        NDArray near =
                neighbours(map.reshape(-1, 1, shape.get(2), shape.get(3)))
                        .reshape(shape.get(0), channels, count, shape.get(2), shape.get(3));
        NDArray inside = neighbours(map.get(":1, :1").onesLike()).expandDims(0);
        NDArray apart = near.sub(map.expandDims(2)).square().sum(new int[] {1}, true);
        NDArray weights = apart.div(-2 * ALIKE * ALIKE).exp().mul(inside);
        return near.mul(weights).sum(new int[] {2}).div(weights.sum(new int[] {2}));
    }

    /** The patches around each of (B, 1, h, w), as channels; 0 outside of the image. */
    private static NDArray neighbours(NDArray map) {
        int count = AROUND * AROUND;
        float[] one = new float[count * count];
        for (int i = 0; i < count; i++) {
            one[i * count + i] = 1;
        }
        Shape margin = new Shape(AROUND / 2, AROUND / 2);
        return Conv2d.conv2d(
                        map,
                        constant(map, one, new Shape(count, 1, AROUND, AROUND)),
                        null,
                        new Shape(1, 1),
                        margin)
                .head();
    }

    private static NDArray constant(NDArray like, float[] values, Shape shape) {
        NDManager manager = like.getManager();
        return manager.create(values, shape).toDevice(like.getDevice(), false);
    }

    @Override
    public int grid() {
        return size / PATCH;
    }

    @Override
    public String description() {
        return "BuiltInFeatures 1, patches of " + PATCH + ", images of " + size;
    }

    @Override
    public void close() {
        // There is nothing to free.
    }
}
