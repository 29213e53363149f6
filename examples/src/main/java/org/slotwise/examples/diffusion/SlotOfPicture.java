package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.List;

/**
 * A slot of one of several pictures.
 *
 * @param picture its picture, from 0
 * @param slot its number among those of the picture, from 0
 */
record SlotOfPicture(int picture, int slot) {

    /** Slots (1, n, D) of slots (B, K, D). */
    static NDArray all(NDArray slots, List<SlotOfPicture> chosen) {
        NDList list = new NDList();
        chosen.forEach(one -> list.add(slots.get(one.picture()).get(one.slot())));
        return NDArrays.stack(list).expandDims(0);
    }
}
