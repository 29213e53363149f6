package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Activation;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;

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
public final class Perceptron implements Layer {

    private final List<Linear> maps;

    private Perceptron(List<Linear> maps) {
        this.maps = maps;
    }

    /**
     * A perceptron whose hidden layers are of one size.
     *
     * @param parameters declares under the layer's name
     * @param in the size of an input
     * @param hidden the size of a hidden layer
     * @param hiddenLayers how many there are, at least 0
     * @param out the size of an output
     * @return the layer
     */
    public static Perceptron of(
            Declarer parameters, long in, long hidden, int hiddenLayers, long out) {
        List<Linear> maps = new ArrayList<>();
        for (int i = 0; i <= hiddenLayers; i++) {
            Declarer map = parameters.under(Integer.toString(2 * i));
            maps.add(Linear.of(map, i == 0 ? in : hidden, i < hiddenLayers ? hidden : out));
        }
        return new Perceptron(maps);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return after(pass, maps.get(0).apply(pass, x), 1);
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
        return after(pass, z, 0);
    }

    /** The maps from a number on, each after a ReLU. Of each only its result lives on. */
    private NDArray after(Pass pass, NDArray z, int first) {
        NDArray result = z;
        for (Linear map : maps.subList(first, maps.size())) {
            try (NDArray x = Activation.relu(result)) {
                result.close();
                result = map.apply(pass, x);
            }
        }
        return result;
    }
}
