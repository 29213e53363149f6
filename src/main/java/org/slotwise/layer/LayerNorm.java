package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NormedOps;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Layer normalisation over the last axis, as PyTorch's {@code nn.LayerNorm}.
 *
 * <p>Source: Ba, Kiros and Hinton, "Layer Normalization" (2016).
 *
 * <pre>{@code
 * y = (x - mean x) / sqrt(var x + eps) * g + o        mean and variance over the last axis
 * }</pre>
 *
 * <p>x and y are (..., D); g is {@code weight} (D), o is {@code bias} (D).
 */
public final class LayerNorm implements Layer, Scriptable {

    /** What PyTorch adds to the variance, if not told otherwise. */
    public static final double EPS = Ops.LAYER_NORM_EPS;

    private final long size;
    private final Parameter gain;
    private final Parameter offset;
    private final double eps;

    private LayerNorm(long size, Parameter gain, Parameter offset, double eps) {
        this.size = size;
        this.gain = gain;
        this.offset = offset;
        this.eps = eps;
    }

    /**
     * A normalisation with PyTorch's eps of 1e-5.
     *
     * @param parameters declares under the layer's name
     * @param size D
     * @return the layer
     */
    public static LayerNorm of(Declarer parameters, long size) {
        return of(parameters, size, EPS);
    }

    /**
     * A normalisation with another eps.
     *
     * @param parameters declares under the layer's name
     * @param size D
     * @param eps what is added to the variance, above 0
     * @return the layer
     */
    public static LayerNorm of(Declarer parameters, long size, double eps) {
        Limits.normEps("LayerNorm", "eps", eps);
        return new LayerNorm(
                size, parameters.gain("weight", size), parameters.offset("bias", size), eps);
    }

    /**
     * The values of gain and offset, for those who compute the layer with others in one call.
     *
     * @param pass the call of the block
     * @return (D) each
     */
    public NDList values(Pass pass) {
        return new NDList(pass.value(gain), pass.value(offset));
    }

    /**
     * What is added to the variance.
     *
     * @return above 0
     */
    public double eps() {
        return eps;
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.last("LayerNorm", "input", x, size);
        return Ops.layerNorm(x, pass.value(gain), pass.value(offset), eps);
    }

    /**
     * Normalises the CELU, with an alpha of 1, of an array that nothing else needs: it is
     * overwritten.
     */
    NDArray ofActivated(Pass pass, NDArray x) {
        Check.last("LayerNorm", "input", x, size);
        return NormedOps.celuLayerNorm(x, pass.value(gain), pass.value(offset), eps);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return ScriptModule.builder("LayerNorm")
                .parameter("weight", gain)
                .parameter("bias", offset)
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return torch.layer_norm(x, [%s], self.weight, self.bias, %s)
                        """
                                .formatted(size, eps))
                .build();
    }
}
