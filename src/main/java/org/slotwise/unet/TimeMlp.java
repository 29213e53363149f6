package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Layer;
import org.slotwise.layer.Linear;

/**
 * The perceptron on a time's embedding.
 *
 * <pre>{@code
 * y = W2 silu(W1 x + b1) + b2
 * }</pre>
 */
record TimeMlp(Linear linear1, Linear linear2) implements Layer {

    /** Declares {@code linear_1} and {@code linear_2}. */
    static TimeMlp of(Declarer parameters, int in, int out) {
        return new TimeMlp(
                Linear.of(parameters.under("linear_1"), in, out),
                Linear.of(parameters.under("linear_2"), out, out));
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return linear2.apply(pass, FusedOps.silu(linear1.apply(pass, x)));
    }
}
