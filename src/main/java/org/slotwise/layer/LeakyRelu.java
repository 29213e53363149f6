package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Activation;
import org.slotwise.internal.Check;
import org.slotwise.internal.OneDnn;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.ScriptedOps;
import org.slotwise.torchscript.ScriptedActivation;

/**
 * The ReLU with a slope for what is below zero.
 *
 * <p>Source: Maas et al., "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (2013);
 * PyTorch's {@code nn.LeakyReLU}, whose slope is 0.01 if not set.
 *
 * <pre>{@code
 * y = max(x, 0) + slope min(x, 0)
 * }</pre>
 *
 * <p>With a slope of 0 it is the ReLU itself.
 *
 * @param slope from 0 to 1
 */
public record LeakyRelu(double slope) implements ScriptedActivation {

    /** The ReLU: a slope of 0. */
    public static final LeakyRelu NONE = new LeakyRelu(0);

    /**
     * Creates the activation.
     *
     * @param slope from 0 to 1
     * @throws IllegalArgumentException if the slope is out of its range
     */
    public LeakyRelu {
        Check.option(
                slope >= 0 && slope <= 1, "LeakyRelu: slope must be from 0 to 1, got " + slope);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(NDArray x) {
        Check.floating("LeakyRelu", "x", Check.present("LeakyRelu", "x", x).getDataType());
        return slope == 0 ? Activation.relu(x) : Ops.leakyRelu(x, slope);
    }

    /**
     * The activation in the array's own place, which saves an array as large.
     *
     * @param x what nobody else has seen, fresh from a layer whose gradients need its inputs alone,
     *     a convolution for instance; of no use afterwards, and closed
     * @return what was x
     */
    public NDArray inPlace(NDArray x) {
        Check.floating("LeakyRelu", "x", Check.present("LeakyRelu", "x", x).getDataType());
        return ScriptedOps.leakyReluInPlace(x, slope);
    }

    /**
     * The activation of what a linear map gives, in the array's own place where no graph is
     * recorded. (The engine gives a view there, of which it would copy gradients.)
     *
     * @param pass the call of the block
     * @param x what nobody else has seen; of no use afterwards, and closed
     * @return an array of x's shape
     */
    public NDArray ofMap(Pass pass, NDArray x) {
        if (!pass.training()) {
            return inPlace(x);
        }
        try (x) {
            return apply(x);
        }
    }

    /**
     * The activation of a linear map, in the place of what the map gives, with a graph or without:
     * x is mapped as a matrix, of which the engine gives no view.
     *
     * @param pass the call of the block
     * @param map the map
     * @param x (..., in)
     * @return (..., out)
     */
    public NDArray ofMap(Pass pass, Linear map, NDArray x) {
        if (slope == 0 && OneDnn.takes(x, map.weight(pass))) {
            return OneDnn.linearRelu(x, map.weight(pass), map.bias(pass));
        }
        long[] shape = x.getShape().getShape().clone();
        int last = shape.length - 1;
        NDArray y = inPlace(map.apply(pass, x.reshape(x.size() / shape[last], shape[last])));
        shape[last] = y.getShape().get(1);
        return y.reshape(shape);
    }

    /** {@inheritDoc} */
    @Override
    public String script(String x) {
        return slope == 0 ? "torch.relu(" + x + ")" : "torch.leaky_relu(" + x + ", " + slope + ")";
    }
}
