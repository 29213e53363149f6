package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * An explanation in the form that all models of this library give, so that {@code
 * org.slotwise.image} makes pictures, objects and JSON of it: slot 0 is the background, slot n the
 * n-th cell.
 *
 * <ul>
 *   <li>"masks" (B, 1 + N, S, S): what {@link RenderedScenes#masks} has, after the rest that they
 *       leave to the background. The largest is the segmentation of the original.
 *   <li>"objects" (B, 1 + N, 6 + Za): presence, width, height, centre right and down, depth, and
 *       the what-vector; 1, 1, 0, 0 and zeros for the background, whose presence is 1.
 *   <li>"reconstruction" (B, C, S, S), y.
 * </ul>
 */
public final class DiscoveredCells {

    /** The names that all models have for them. */
    static final String MASKS = "masks";

    static final String OBJECTS = "objects";
    static final String RECONSTRUCTION = "reconstruction";

    /** Presence, where, depth. */
    private static final int PLACED = 6;

    private DiscoveredCells() {}

    /**
     * Of an explanation.
     *
     * @param scenes the explanation
     * @return "masks", "objects" and "reconstruction", owned by the explanation's manager
     */
    public static NDList of(ExplainedScenes scenes) {
        try (Scope scope = new Scope()) {
            NDList found = found(scenes);
            scope.keep(found.get(0));
            scope.keep(found.get(1));
            return found;
        }
    }

    private static NDList found(ExplainedScenes scenes) {
        RenderedScenes drawn = scenes.rendered();
        NDArray masks = withBackground(drawn.masks());
        Cells cells = scenes.cells();
        NDArray presence = cells.presence();
        Shape s = presence.getShape();
        long batch = s.get(0);
        long n = s.get(2) * s.get(3);
        NDArray all =
                presence.concat(cells.where(), 1).concat(cells.depth(), 1).concat(cells.what(), 1);
        NDArray objects = Cells.rows(all).reshape(batch, n, all.getShape().get(1));
        NDArray ground = Scalars.full(objects, new Shape(batch, 1, 3), 1, all.getDataType());
        NDArray rest =
                Scalars.full(
                        objects,
                        new Shape(batch, 1, all.getShape().get(1) - 3),
                        0,
                        all.getDataType());
        NDArray found = ground.concat(rest, 2).concat(objects, 1);
        masks.setName(MASKS);
        found.setName(OBJECTS);
        NDArray picture = drawn.picture();
        picture.setName(RECONSTRUCTION);
        return new NDList(masks, found, picture);
    }

    /**
     * Masks of all classes: the background's first, which is what the others leave.
     *
     * @param masks (B, N, 1, S, S)
     * @return (B, 1 + N, S, S); the first is at least 0, though overlapping masks can sum to more
     *     than 1
     * @throws IllegalArgumentException if the masks have another shape, or are no floating numbers
     */
    public static NDArray withBackground(NDArray masks) {
        Check.shape("DiscoveredCells", MASKS, masks, "B", "N", 1, "S", "S");
        Check.floating("DiscoveredCells", MASKS, masks.getDataType());
        NDArray flat = masks.squeeze(2);
        NDArray left = Scalars.like(flat, 1).sub(flat.sum(new int[] {1}, true));
        return Ops.clampMin(left, 0).concat(flat, 1);
    }

    static Shape[] shapes(Shape images, GnmConfiguration sizes) {
        long batch = images.get(0);
        long slots = 1L + sizes.count();
        int size = sizes.picture().size();
        return new Shape[] {
            new Shape(batch, slots, size, size),
            new Shape(batch, slots, PLACED + (long) sizes.latents().what()),
            images
        };
    }
}
