package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.List;
import java.util.Objects;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

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
public final class FeedForward extends ConfiguredBlock implements Scriptable {

    private final int dim;
    private final int hidden;
    private final LayerNorm norm;
    private final Linear linear1;
    private final Linear linear2;

    /**
     * Creates the block.
     *
     * @param dim the size of a slot, D, at least 1
     * @param hidden the size of the hidden layer, at least 1
     * @throws IllegalArgumentException if a size is below 1
     */
    public FeedForward(int dim, int hidden) {
        this(dim, hidden, LayerNorm.EPS);
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
        Check.atLeast("FeedForward", "dim", dim, 1);
        Check.atLeast("FeedForward", "hidden", hidden, 1);
        Limits.normEps("FeedForward", "normEps", normEps);
        this.dim = dim;
        this.hidden = hidden;
        Declarer module = declarer().under("module");
        norm = LayerNorm.of(module.under("0"), dim, normEps);
        linear1 = linear(module.under("1"), dim, hidden);
        linear2 = linear(module.under("3"), hidden, dim);
    }

    private static Linear linear(Declarer parameters, int in, int out) {
        return Linear.of(parameters, in, out, StartingValues.linear(in), Initializer.ZEROS);
    }

    /**
     * The values of what the block learns, for those who compute it with others in one call.
     *
     * @param pass the call of the block
     * @return gain and offset of the normalisation (D), W1, b1, W2, b2
     */
    public NDList values(Pass pass) {
        NDList values = norm.values(pass);
        for (Linear map : List.of(linear1, linear2)) {
            values.add(map.weight(pass));
            values.add(Objects.requireNonNull(map.bias(pass)));
        }
        return values;
    }

    /**
     * The size of the hidden layer.
     *
     * @return at least 1
     */
    public int hidden() {
        return hidden;
    }

    /**
     * What the normalisation adds to the variance.
     *
     * @return above 0
     */
    public double normEps() {
        return norm.eps();
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray s = Inputs.only(who(), "slots", inputs);
        outputShapes(new Shape[] {s.getShape()});
        Check.floating(who(), "slots", s.getDataType());
        return compute(
                parameterStore,
                s,
                training,
                pass -> {
                    NDArray h =
                            LeakyRelu.NONE.ofMap(pass, linear1.apply(pass, norm.apply(pass, s)));
                    return new NDList(s.add(linear2.apply(pass, h)));
                });
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
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
    protected Options configuration() {
        return Options.of("dim", dim).and("hidden", hidden);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        ScriptModule module =
                ScriptModule.builder("Sequential")
                        .module("0", norm.script())
                        .module("1", linear1.script())
                        .module("3", linear2.script())
                        .setCode(
                                """
                                def forward(self, s: Tensor) -> Tensor:
                                  h = getattr(self, "1").forward(getattr(self, "0").forward(s))
                                  return getattr(self, "3").forward(torch.relu(h))
                                """)
                        .build();
        return ScriptModule.builder("FeedForward")
                .module("module", module)
                .setCode(
                        """
                        def forward(self, s: Tensor) -> Tensor:
                          return torch.add(s, self.module.forward(s))
                        """)
                .optInference(
                        """
                        def norm(self, s: Tensor) -> Tensor:
                          return getattr(self.module, "0").forward(s)
                        def maps(self) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
                          m = getattr(self.module, "1")
                          n = getattr(self.module, "3")
                          return (torch.t(m.weight), m.bias, torch.t(n.weight), n.bias)
                        """)
                .build();
    }
}
