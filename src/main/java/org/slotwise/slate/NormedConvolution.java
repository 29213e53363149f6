package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;

/**
 * relu(GroupNorm(W * x)): a convolution without bias, and a normalisation of each image as a whole.
 */
record NormedConvolution(Convolution convolution, GroupNorm norm) implements Layer {

    /** Declares {@code m.weight}, {@code weight} and {@code bias}. */
    static NormedConvolution of(Declarer parameters, long in, long out, Window window) {
        long inputs = in * window.kernel() * window.kernel();
        return new NormedConvolution(
                Convolution.of(
                        parameters.under("m"),
                        in,
                        out,
                        window,
                        StartingValues.kaiming(inputs),
                        null),
                GroupNorm.of(parameters, 1, out));
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return LeakyRelu.NONE.inPlace(norm.apply(pass, convolution.apply(pass, x)));
    }
}
