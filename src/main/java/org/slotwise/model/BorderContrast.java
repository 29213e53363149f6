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
 * Which patches of a picture have other colours than its border, which is mostly ground, as in
 * saliency by a boundary prior (Wei et al., "Geodesic Saliency Using Background Priors", 2012).
 *
 * <pre>{@code
 * d = distance of a patch's colour to the second nearest along the border
 * u = min(1, d² / tolerance²), the lesser of the patches' own and of their means over 3 x 3
 * other = mean of u over 3 x 3 is above 1/2
 * }</pre>
 *
 * <p>A ground of several colours has each of them along the border, and mixtures of them in what is
 * averaged; an object has to differ from both.
 *
 * @param size height and width of a patch
 * @param around over how many patches, in height and width, colours of what is other are averaged;
 *     odd
 * @param tolerance from what distance on a colour is none of the border's
 */
record BorderContrast(int size, int around, double tolerance) {

    private static final int COLOURS = 3;

    /** About how many patches along the border are looked at. */
    private static final long LOOKED_AT = 128;

    /** A single patch of an object that touches the border speaks for nothing. */
    private static final int NEAREST = 2;

    /** Over how many patches, in height and width, the ground is averaged, and what is other. */
    private static final int NEAR = 3;

    private static final double HALF = 0.5;
    private static final double NOTHING = 1e-6;

    /**
     * What was seen, patches row by row.
     *
     * @param other (B, N): 1 where a patch differs from the border, 0 elsewhere
     * @param colours (B, N, 3), means over the patches around that differ
     * @param places (N, 2) in [0, 1]
     */
    record Seen(NDArray other, NDArray colours, NDArray places) {}

    /** From images (B, 3, H, W) in [0, 1]. */
    Seen of(NDArray images) {
        Shape patch = new Shape(size, size);
        NDArray own =
                size == 1
                        ? images
                        : Pool.avgPool2d(images, patch, patch, new Shape(0, 0), true, false);
        NDArray u = contrast(own).minimum(contrast(BoxMeans.of(own, NEAR))); // (B, 1, H, W)
        NDArray near = BoxMeans.of(u, NEAR);
        NDArray other = near.gt(Scalars.like(near, HALF)).toType(images.getDataType(), false);
        NDArray part = Ops.clampMin(BoxMeans.of(other, around), NOTHING);
        NDArray colours = BoxMeans.of(own.mul(other), around).div(part);
        Shape s = own.getShape();
        return new Seen(
                other.reshape(s.get(0), -1),
                colours.reshape(s.get(0), COLOURS, -1).swapAxes(1, 2),
                PositionGrid.like(images, s.get(2), s.get(3)));
    }

    /** u (B, 1, H, W) of colours (B, 3, H, W). */
    private NDArray contrast(NDArray maps) {
        Shape s = maps.getShape();
        NDArray colours = maps.reshape(s.get(0), COLOURS, -1).swapAxes(1, 2); // (B, N, 3)
        NDArray border = border(maps); // (B, 3, R)
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
        return u.reshape(s.get(0), 1, s.get(2), s.get(3));
    }

    /** Some colours of the first and last row and column, (B, 3, R). */
    private static NDArray border(NDArray maps) {
        long h = maps.getShape().get(2);
        long w = maps.getShape().get(3);
        long step = Math.max(1, 2 * (h + w) / LOOKED_AT);
        return NDArrays.concat(
                new NDList(
                        maps.get(":, :, 0, ::{}", step),
                        maps.get(":, :, -1, ::{}", step),
                        maps.get(":, :, ::{}, 0", step),
                        maps.get(":, :, ::{}, -1", step)),
                2);
    }
}
