package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.BatchNorm;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Layer;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;

/** A convolution without bias and the batch normalisation after it. */
record NormalisedConvolution(Convolution convolution, BatchNorm norm) implements Layer {

    /** Starts as torchvision's: normal with deviation sqrt(2 / (outputs of an input)). */
    static NormalisedConvolution of(
            Declarer convolution,
            Declarer norm,
            int in,
            int out,
            Window window,
            boolean fixedStatistics) {
        double outputs = (double) out * window.kernel() * window.kernel();
        var start = StartingValues.normal(Math.sqrt(2.0 / outputs));
        return new NormalisedConvolution(
                Convolution.of(convolution, in, out, window, start, null),
                BatchNorm.of(norm, out, fixedStatistics));
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        try (NDArray y = convolution.apply(pass, x)) {
            return norm.apply(pass, y);
        }
    }
}
