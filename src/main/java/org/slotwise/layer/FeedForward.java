package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scope;

/**
 * The residual two-layer perceptron that Slot Attention applies to each slot after its GRU.
 *
 * <p>Source: Locatello et al. (2020), Algorithm 1, line 10; in the form of OCLF's {@code
 * build_two_layer_mlp(initial_layer_norm=True, residual=True)}.
 *
 * <pre>{@code
 * s + W2 relu(W1 LayerNorm(s) + b1) + b2
 * }</pre>
 *
 * <p>s is (..., D) of the parameters' type, and so is the result; W1 is (hidden, D), W2 (D,
 * hidden). Weights start as PyTorch's Linear does, biases at 0.
 */
public final class FeedForward extends ConfiguredBlock {

    private final int dim;
    private final int hidden;
    private final double normEps;
    private final Parameter gain;
    private final Parameter offset;
    private final Parameter weight1;
    private final Parameter bias1;
    private final Parameter weight2;
    private final Parameter bias2;

    /**
     * Creates the block.
     *
     * @param dim the size of a slot, D, at least 1
     * @param hidden the size of the hidden layer, at least 1
     * @throws IllegalArgumentException if a size is below 1
     */
    public FeedForward(int dim, int hidden) {
        this(dim, hidden, Ops.LAYER_NORM_EPS);
    }

    /**
     * Creates the block with another eps of its layer normalisation than PyTorch's 1e-5.
     *
     * @param dim the size of a slot, D, at least 1
     * @param hidden the size of the hidden layer, at least 1
     * @param normEps what is added to the variance, above 0; 1e-3 in Keras
     * @throws IllegalArgumentException if a size is below 1, or normEps out of range
     */
    public FeedForward(int dim, int hidden, double normEps) {
        Check.option(dim > 0, "FeedForward: dim must be at least 1, got " + dim);
        Check.option(hidden > 0, "FeedForward: hidden must be at least 1, got " + hidden);
        Check.option(
                normEps > 0 && normEps < Double.POSITIVE_INFINITY,
                "FeedForward: normEps must be above 0 and finite, got " + normEps);
        this.normEps = normEps;
        this.dim = dim;
        this.hidden = hidden;
        gain = declare("module.0.weight", Parameter.Type.GAMMA, Initializer.ONES, dim);
        offset = declare("module.0.bias", Parameter.Type.BETA, Initializer.ZEROS, dim);
        weight1 = weight("module.1.weight", hidden, dim);
        bias1 = declare("module.1.bias", Parameter.Type.BIAS, Initializer.ZEROS, hidden);
        weight2 = weight("module.3.weight", dim, hidden);
        bias2 = declare("module.3.bias", Parameter.Type.BIAS, Initializer.ZEROS, dim);
    }

    private Parameter weight(String name, long out, long in) {
        return declare(name, Parameter.Type.WEIGHT, StartingValues.linear(in), out, in);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList forwardInternal(
            ParameterStore parameterStore,
            NDList inputs,
            boolean training,
            @Nullable PairList<String, Object> params) {
        NDArray s = inputs.singletonOrThrow();
        getOutputShapes(new Shape[] {s.getShape()});
        NDArray g = value(parameterStore, gain, s, training);
        NDArray o = value(parameterStore, offset, s, training);
        NDArray w1 = value(parameterStore, weight1, s, training);
        NDArray b1 = value(parameterStore, bias1, s, training);
        NDArray w2 = value(parameterStore, weight2, s, training);
        NDArray b2 = value(parameterStore, bias2, s, training);
        return NoGraph.unless(
                training,
                () -> {
                    try (Scope scope = new Scope()) {
                        NDArray h =
                                Activation.relu(
                                        Ops.linear(Ops.layerNorm(s, g, o, normEps), w1, b1));
                        return new NDList(scope.keep(s.add(Ops.linear(h, w2, b2)), s.getManager()));
                    }
                });
    }

    /** {@inheritDoc} */
    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape shape = inputShapes[0];
        int rank = shape.dimension();
        if (rank == 0 || (shape.get(rank - 1) != dim && shape.get(rank - 1) != -1)) {
            throw new IllegalArgumentException(
                    who() + ": slots must be (..., " + dim + "), got " + shape);
        }
        return new Shape[] {shape};
    }

    /** {@inheritDoc} */
    @Override
    protected Map<String, Object> configuration() {
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("dim", dim);
        options.put("hidden", hidden);
        return options;
    }
}
