package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import java.util.Objects;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A linear map with a gate.
 *
 * <p>Source: Shazeer, "GLU Variants Improve Transformer" (2020), equation 5; in the form of the
 * library diffusers, whose parameters are {@code proj.weight} and {@code proj.bias}.
 *
 * <pre>{@code
 * [a, b] = W x + c            y = a gelu(b)
 * }</pre>
 *
 * <p>x is (..., in), y (..., out); W is (2 out, in), gelu the exact one.
 */
public final class GeGlu implements Layer, Scriptable {

    private final long in;
    private final Linear projection;

    private GeGlu(long in, Linear projection) {
        this.in = in;
        this.projection = projection;
    }

    /**
     * A layer that starts as PyTorch's Linear does.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param out the size of an output
     * @return the layer
     */
    public static GeGlu of(Declarer parameters, long in, long out) {
        return new GeGlu(in, Linear.of(parameters.under("proj"), in, 2 * out));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.last("GeGlu", "input", x, in);
        return FusedOps.gated(
                x, projection.weight(pass), Objects.requireNonNull(projection.bias(pass)));
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("GEGLU")
                .module("proj", projection.script())
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          a, b = torch.chunk(self.proj.forward(x), 2, -1)
                          return torch.mul(a, torch.gelu(b))
                        """)
                .build();
    }
}
