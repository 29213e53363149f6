package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;

/**
 * Scenes that were drawn of cells.
 *
 * @param picture y (B, C, H, W), not bounded
 * @param foreground (B, C, H, W), what objects give to it
 * @param alpha A (B, 1, H, W), how much of each pixel is the objects'
 * @param masks (B, N, 1, H, W), the alpha of each cell's object where it was pasted, times its
 *     presence; they overlap
 * @param background (B, C, H, W)
 */
public record RenderedScenes(
        NDArray picture, NDArray foreground, NDArray alpha, NDArray masks, NDArray background) {

    static RenderedScenes of(NDList list, NDArray background) {
        Shape s = background.getShape();
        NDArray masks = list.get(3).reshape(s.get(0), -1, 1, s.get(2), s.get(3));
        return new RenderedScenes(list.get(0), list.get(1), list.get(2), masks, background);
    }

    /** All arrays. */
    NDList arrays() {
        return new NDList(picture, foreground, alpha, masks, background);
    }
}
