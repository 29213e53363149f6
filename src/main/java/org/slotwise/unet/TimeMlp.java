package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Layer;
import org.slotwise.layer.Linear;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * The perceptron on a time's embedding.
 *
 * <pre>{@code
 * y = W2 silu(W1 x + b1) + b2
 * }</pre>
 */
record TimeMlp(Linear linear1, Linear linear2) implements Layer, Scriptable {

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

    @Override
    public ScriptModule script() {
        return ScriptModule.builder("TimestepEmbedding")
                .module("linear_1", linear1.script())
                .module("linear_2", linear2.script())
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return self.linear_2.forward(torch.silu(self.linear_1.forward(x)))
                        """)
                .build();
    }
}
