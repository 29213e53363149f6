package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;

/**
 * What slots have of a picture, where that lies and how far it extends: Gaussians over places, by
 * masks.
 *
 * <pre>{@code
 * share = mean over places of m      mean = E p      variance = E p² - mean² + LEAST_VARIANCE
 * }</pre>
 *
 * <p>E is the mean over places weighed by a slot's mask m.
 *
 * @param share (B, K, 1)
 * @param y the mean row (B, K, 1), places in [0, 1]
 * @param x the mean column
 * @param yy the variance of rows
 * @param xx the variance of columns
 * @param xy their covariance
 */
public record PlaceMoments(
        NDArray share, NDArray y, NDArray x, NDArray yy, NDArray xx, NDArray xy) {

    /** The square of a fiftieth of the picture: a slot of a single place has this extent. */
    private static final double LEAST_VARIANCE = 4e-4;

    /** Of a slot that has less than this part of a picture the place is not known. */
    private static final double LEAST_SHARE = 2.5e-7;

    /**
     * The moments of places that are weighed.
     *
     * @param places (N, 2) in [0, 1]
     * @return 1, y, x, y², x², xy of each: (6, N)
     */
    public static NDArray table(NDArray places) {
        NDArray y = places.get(":, 0:1");
        NDArray x = places.get(":, 1:2");
        return NDArrays.concat(new NDList(y.onesLike(), y, x, y.square(), x.square(), y.mul(x)), 1)
                .swapAxes(0, 1);
    }

    /**
     * The same of a grid's places, from 0 to 1 along each axis.
     *
     * @param like an array of the type, device and manager
     * @param height how many rows
     * @param width how many columns
     * @return (6, height width), row by row
     */
    public static NDArray table(NDArray like, long height, long width) {
        NDArray y = axis(like, height).reshape(height, 1, 1).broadcast(height, width, 1);
        NDArray x = axis(like, width).reshape(1, width, 1).broadcast(height, width, 1);
        return table(y.concat(x, 2).reshape(height * width, 2));
    }

    private static NDArray axis(NDArray like, long size) {
        int count = Math.toIntExact(size);
        return new EvenSpacing(0, 1, count, Math.max(count - 1, 1))
                .on(like.getManager(), like.getDevice(), like.getDataType());
    }

    /**
     * Those of masks.
     *
     * @param masks (B, K, N), at least 0
     * @param table of {@link #table}
     * @return the moments
     */
    public static PlaceMoments of(NDArray masks, NDArray table) {
        double n = (double) masks.getShape().get(2);
        NDArray sums = masks.matMul(table.swapAxes(0, 1)).mul(Scalars.like(masks, 1 / n));
        NDArray share = Ops.clampMin(sums.get(":, :, 0:1"), LEAST_SHARE);
        NDArray y = sums.get(":, :, 1:2").div(share);
        NDArray x = sums.get(":, :, 2:3").div(share);
        NDArray least = Scalars.like(masks, LEAST_VARIANCE);
        // What is rounded away must not make a variance negative.
        NDArray yy = Ops.clampMin(sums.get(":, :, 3:4").div(share).sub(y.square()), 0).add(least);
        NDArray xx = Ops.clampMin(sums.get(":, :, 4:5").div(share).sub(x.square()), 0).add(least);
        NDArray xy = sums.get(":, :, 5:6").div(share).sub(y.mul(x));
        return new PlaceMoments(share, y, x, yy, xx, xy);
    }

    /**
     * The determinant of the covariances.
     *
     * @return (B, K, 1)
     */
    public NDArray determinant() {
        double least = LEAST_VARIANCE * LEAST_VARIANCE;
        return Ops.clampMin(yy.mul(xx).sub(xy.square()), least);
    }

    /**
     * The logarithms of the Gaussians' densities, where 1 is a density that is the same all over
     * the picture.
     *
     * @param table of {@link #table}
     * @return (B, K, N)
     */
    public NDArray logDensity(NDArray table) {
        NDArray det = determinant();
        NDArray half = Scalars.like(det, 0.5);
        // -1/2 (p - mean)' C (p - mean), C = [a, c; c, b], in powers of y and x
        NDArray a = xx.div(det);
        NDArray b = yy.div(det);
        NDArray c = xy.neg().div(det);
        NDArray atY = a.mul(y).add(c.mul(x));
        NDArray atX = c.mul(y).add(b.mul(x));
        NDArray constant =
                y.mul(atY)
                        .add(x.mul(atX))
                        .mul(half)
                        .add(det.log().mul(half))
                        .add(Scalars.like(det, Math.log(2 * Math.PI)))
                        .neg();
        NDArray powers =
                NDArrays.concat(
                        new NDList(
                                constant, atY, atX, a.mul(half).neg(), b.mul(half).neg(), c.neg()),
                        2);
        return powers.matMul(table);
    }
}
