package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * What is in scenes, cell by cell: N = G G cells, row by row.
 *
 * @param rendered the scenes, drawn again
 * @param latents the distributions of what cells have
 * @param cells what they have: the most probable, or a draw
 */
public record ExplainedScenes(RenderedScenes rendered, CellLatents latents, Cells cells) {

    /** All arrays. */
    NDList arrays() {
        NDList all = rendered.arrays();
        all.addAll(latents.arrays());
        all.addAll(cells.arrays());
        return all;
    }
}
