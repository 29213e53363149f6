package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.pooling.Pool;
import org.slotwise.internal.BoxMeans;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.position.PositionGrid;

/**
 * How much the colours of patches differ from those along the border of their picture, which is
 * mostly ground, as in saliency by a boundary prior (Wei et al., "Geodesic Saliency Using
 * Background Priors", 2012).
 *
 * <pre>{@code
 * d = distance of a patch's smoothed colour to the second nearest along the border
 * u = min(1, d² / tolerance²)
 * feature = u [colour, placeWeight * place, 1/2]           6 numbers
 * }</pre>
 *
 * <p>So all ground is in one point, however many colours it has, and clusters part the rest.
 *
 * @param size height and width of a patch
 * @param around over how many patches, in height and width, colours are averaged; odd
 * @param placeWeight how much places count beside colours
 * @param tolerance from what distance on a colour is none of the border's
 */
record BorderContrast(int size, int around, double placeWeight, double tolerance) {

    private static final int COLOURS = 3;

    /** About how many patches along the border are looked at. */
    private static final long LOOKED_AT = 64;

    /** A single patch of an object that touches the border speaks for nothing. */
    private static final int NEAREST = 2;

    private static final double APART = 0.5;

    /**
     * What is clustered, and by how much it is none of the border's.
     *
     * @param features (B, N, 6)
     * @param contrast u (B, N)
     */
    record Seen(NDArray features, NDArray contrast) {}

    /** From images (B, 3, H, W), patches row by row. */
    Seen of(NDArray images) {
        Shape patch = new Shape(size, size);
        NDArray means =
                size == 1
                        ? images
                        : Pool.avgPool2d(images, patch, patch, new Shape(0, 0), true, false);
        NDArray smooth = BoxMeans.of(means, around);
        Shape s = smooth.getShape();
        NDArray colours = smooth.reshape(s.get(0), COLOURS, -1).swapAxes(1, 2); // (B, N, 3)
        NDArray border = border(smooth); // (B, 3, R)
        NDArray two = Scalars.like(colours, 2);
        NDArray squares =
                colours.square()
                        .sum(new int[] {2}, true)
                        .add(border.square().sum(new int[] {1}, true))
                        .sub(colours.matMul(border).mul(two)); // (B, N, R)
        int nearest = (int) Math.min(NEAREST, squares.getShape().get(2));
        NDArray near = squares.topK(nearest, 2, false, true).get(0).get(":, :, -1:");
        NDArray part = Ops.clampMin(near, 0).mul(Scalars.like(near, 1 / (tolerance * tolerance)));
        NDArray u = part.minimum(Scalars.like(part, 1)); // (B, N, 1)
        NDArray places =
                PositionGrid.like(images, s.get(2), s.get(3))
                        .mul(Scalars.like(images, placeWeight))
                        .expandDims(0)
                        .broadcast(s.get(0), colours.getShape().get(1), 2);
        NDArray apart = u.onesLike().mul(Scalars.like(u, APART));
        NDArray features = NDArrays.concat(new NDList(colours, places, apart), 2).mul(u);
        return new Seen(features, u.squeeze(2));
    }

    /** Some colours of the first and last row and column, (B, 3, R). */
    private static NDArray border(NDArray smooth) {
        long h = smooth.getShape().get(2);
        long w = smooth.getShape().get(3);
        long step = Math.max(1, 2 * (h + w) / LOOKED_AT);
        return NDArrays.concat(
                new NDList(
                        smooth.get(":, :, 0, ::{}", step),
                        smooth.get(":, :, -1, ::{}", step),
                        smooth.get(":, :, ::{}, 0", step),
                        smooth.get(":, :, ::{}, -1", step)),
                2);
    }
}
