package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/** From what was predicted to its loss, and back. */
final class WayBack {

    private WayBack() {}

    /**
     * Goes back from the loss of a prediction.
     *
     * @param predicted part of a graph, or trainable; its manager gets what is made on the way
     * @param loss of it, one number
     * @param backward goes back from that
     * @return the loss without a graph, owned by the same manager
     */
    static NDArray from(
            NDArray predicted, UnaryOperator<NDArray> loss, Consumer<NDArray> backward) {
        NDArray lost = loss.apply(predicted);
        lost.attach(predicted.getManager());
        backward.accept(lost);
        return lost.stopGradient();
    }
}
