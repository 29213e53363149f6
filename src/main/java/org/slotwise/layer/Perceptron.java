package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Linear maps with ReLUs between them: PyTorch's {@code nn.Sequential} of {@code Linear} and {@code
 * ReLU}, whose maps have the numbers 0, 2, 4 and so on.
 *
 * <pre>{@code
 * z = relu(W z + b)          for each map but the last
 * y = W z + b
 * }</pre>
 *
 * <p>x is (..., in), y (..., out). Weights and biases start as PyTorch's Linear does.
 */
public final class Perceptron implements Layer, Scriptable {

    private final Chain maps;

    private Perceptron(List<Linear> maps, UnaryOperator<NDArray> activation) {
        this.maps = new Chain(List.copyOf(maps), activation, false);
    }

    /**
     * A perceptron whose hidden layers are of one size.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param hidden the size of a hidden layer
     * @param hiddenLayers how many there are, from 0 to 1,000
     * @param out the size of an output
     * @return the layer
     */
    public static Perceptron of(
            Declarer parameters, long in, long hidden, int hiddenLayers, long out) {
        return of(parameters, in, hidden, hiddenLayers, out, LeakyRelu.NONE);
    }

    /**
     * The same with another activation than the ReLU.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param hidden the size of a hidden layer
     * @param hiddenLayers how many there are, from 0 to 1,000
     * @param out the size of an output
     * @param activation from an array to a new one of the same shape
     * @return the layer
     */
    public static Perceptron of(
            Declarer parameters,
            long in,
            long hidden,
            int hiddenLayers,
            long out,
            UnaryOperator<NDArray> activation) {
        Limits.count("Perceptron", "hiddenLayers", hiddenLayers, 0, Limits.LAYERS);
        List<Linear> maps = new ArrayList<>();
        for (int i = 0; i <= hiddenLayers; i++) {
            Declarer map = parameters.under(Integer.toString(2 * i));
            maps.add(Linear.of(map, i == 0 ? in : hidden, i < hiddenLayers ? hidden : out));
        }
        return new Perceptron(maps, activation);
    }

    /**
     * A perceptron of maps that are declared already, with a ReLU between each two.
     *
     * @param maps in their order; none only if it is used by {@link #applyToHidden} alone, which
     *     then gives back what it is given
     * @return the layer
     */
    public static Perceptron of(List<Linear> maps) {
        return new Perceptron(maps, LeakyRelu.NONE);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return maps.apply(pass, x);
    }

    /**
     * Computes the layer for an input that is a hidden layer's value already, before its ReLU: for
     * those that make the first hidden layer of several inputs.
     *
     * @param pass the call of the block
     * @param z (..., in), closed by this method: of no use afterwards
     * @return (..., out)
     */
    public NDArray applyToHidden(Pass pass, NDArray z) {
        return maps.after(pass, z, 0);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return maps.script("Perceptron", false);
    }
}
