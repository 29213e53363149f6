package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;

/**
 * What all cells have, drawn from {@link CellLatents}.
 *
 * @param presence z (B, 1, G, G), between 0 and 1: whether there is an object
 * @param where (B, 4, G, G): width and height as shares of the picture's, and the centre in
 *     coordinates from -1 to 1, right and down
 * @param whereDrawn (B, 4, G, G): what was drawn, of which {@code where} was made; no gradient
 *     flows
 * @param depth (B, 1, G, G): the smaller, the nearer
 * @param what (B, Za, G, G)
 */
public record Cells(
        NDArray presence, NDArray where, NDArray whereDrawn, NDArray depth, NDArray what) {

    /** (B, c, G, G) as rows, cell by cell: (B G G, c). */
    static NDArray rows(NDArray map) {
        Shape s = map.getShape();
        return map.transpose(0, 2, 3, 1).reshape(s.get(0) * s.get(2) * s.get(3), s.get(1));
    }

    /** All arrays. */
    NDList arrays() {
        return new NDList(presence, where, whereDrawn, depth, what);
    }
}
