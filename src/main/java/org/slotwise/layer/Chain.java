package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.internal.Pass;

/**
 * Layers of which each takes what the one before it gave, after an activation. Of each only its
 * result lives on.
 */
record Chain(List<? extends Layer> layers, UnaryOperator<NDArray> activation) {

    /** All layers: the first takes x, which stays open. */
    NDArray apply(Pass pass, NDArray x) {
        return after(pass, layers.get(0).apply(pass, x), 1);
    }

    /** The layers from a number on, each after an activation. Closes z. */
    NDArray after(Pass pass, NDArray z, int first) {
        NDArray result = z;
        for (Layer layer : layers.subList(first, layers.size())) {
            try (NDArray x = activate(result)) {
                result = layer.apply(pass, x);
            }
        }
        return result;
    }

    /** The activation of z. Closes z. */
    NDArray activate(NDArray z) {
        NDArray x = activation.apply(z);
        if (x != z) {
            z.close();
        }
        return x;
    }
}
