package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/**
 * Groups the tokens of a picture into slots: a perceptron on tokens, slots that start at random,
 * and Slot Attention.
 *
 * <p>Source: Locatello et al., "Object-Centric Learning with Slot Attention" (2020), Algorithm 1,
 * in the form of the code of Singh, Deng and Ahn, "Illiterate DALL-E Learns to Compose" (2022).
 *
 * <pre>{@code
 * x = M2 relu(M1 LayerNorm(x) + c1) + c2
 * s = mu + exp(logSigma) noise                     noise ~ N(0, 1)
 * x = LayerNorm(x);  k = Wk x / sqrt(E / R);  v = Wv x
 * T times:
 *   a = softmax over heads and slots together of  (Wq LayerNorm(s)) . k
 *   w = (a + 1e-8) / sum over tokens of (a + 1e-8);   u = sum over tokens of  w v
 *   s = GRU(u, s);   s = s + P2 relu(P1 LayerNorm(s) + p1) + p2
 * }</pre>
 *
 * <ul>
 *   <li>tokens x (B, L, D) and noise (B, K, E), of the parameters' type; L and K are free.
 *   <li>objects (B, K, E); attributions (B, K, L), the last a summed over heads, so that its sum
 *       over slots is 1.
 * </ul>
 *
 * <p>With implicit differentiation T iterations record no graph and one more follows; the start
 * then gets no gradient. Other than in {@code grouping.SlotAttention} attributions are summed over
 * heads, not averaged; parameters start as in the authors' code.
 *
 * <p>As a block on lists it takes tokens and, by the name "noise", the noise.
 */
public final class TokenGrouping extends ConfiguredBlock {

    /** The name of the noise in an {@link NDList}. */
    public static final String NOISE = "noise";

    private static final String TOKENS = "tokens";

    private final int dim;
    private final SlateConfiguration.Slots sizes;
    private final Parameter mean;
    private final Parameter logDeviation;
    private final LayerNorm norm;
    private final Linear hidden;
    private final Linear output;
    private final TokenSlotAttention attention;

    /**
     * Creates the block.
     *
     * @param dim D, at least 1
     * @param sizes those of slot attention
     * @throws IllegalArgumentException if D is below 1
     */
    public TokenGrouping(int dim, SlateConfiguration.Slots sizes) {
        Check.atLeast(who(), "dim", dim, 1);
        this.dim = dim;
        this.sizes = sizes;
        Declarer own = declarer();
        Initializer start = StartingValues.xavier(sizes.dim(), sizes.dim());
        mean = own.other("slot_mu", start, true, 1, 1, sizes.dim());
        logDeviation = own.other("slot_log_sigma", start, true, 1, 1, sizes.dim());
        norm = LayerNorm.of(own.under("layer_norm"), dim);
        Declarer mlp = own.under("mlp");
        Initializer zeros = Initializer.ZEROS;
        hidden = Linear.of(mlp.under("0"), dim, dim, StartingValues.kaiming(dim), zeros);
        output = Linear.of(mlp.under("2"), dim, dim, StartingValues.xavier(dim, dim), zeros);
        attention = TokenSlotAttention.of(own.under("slot_attention"), dim, sizes);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return TOKENS;
    }

    /**
     * Groups.
     *
     * @param parameterStore where the parameters' values are
     * @param tokens (B, L, D)
     * @param noise draws from the standard normal distribution, (B, K, E); null to draw them with
     *     the engine's generator, K being the configured number
     * @param training whether to record a graph for gradients
     * @return objects (B, K, E) and attributions (B, K, L), owned by the tokens' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            NDArray tokens,
            @Nullable NDArray noise,
            boolean training) {
        Check.shape(who(), TOKENS, tokens, "B", "L", dim);
        Check.floating(who(), TOKENS, tokens.getDataType());
        if (noise != null) {
            Check.shape(who(), NOISE, noise, tokens.getShape().get(0), "K", sizes.dim());
            Check.sameTypeAndDevice(who(), NOISE, noise, TOKENS, tokens);
        }
        NDList out = compute(parameterStore, tokens, training, pass -> group(pass, tokens, noise));
        return new PerceptualGroupingOutput(out.get(0), out.get(1), null);
    }

    /** Objects and attributions, in the call of the block that this is part of. */
    NDList group(Pass pass, NDArray tokens, @Nullable NDArray noise) {
        NDArray h = LeakyRelu.NONE.ofMap(pass, hidden, norm.apply(pass, tokens));
        NDArray x = output.apply(pass, h);
        Shape shape = new Shape(tokens.getShape().get(0), sizes.count(), sizes.dim());
        NDArray draws =
                noise == null
                        ? Ops.normal(
                                tokens.getManager(),
                                tokens.getDevice(),
                                shape,
                                tokens.getDataType())
                        : noise;
        NDArray start = draws.mul(pass.value(logDeviation).exp()).add(pass.value(mean));
        return attention.iterate(pass, x, start);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray noise = null;
        NDArray tokens = null;
        for (NDArray array : inputs) {
            if (NOISE.equals(array.getName())) {
                noise = array;
            } else if (tokens == null) {
                tokens = array;
            }
        }
        NDArray x = Check.present(who(), TOKENS, tokens);
        return group(parameterStore, x, noise, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        Check.shape(who(), TOKENS, x, "B", "L", dim);
        return new Shape[] {
            new Shape(x.get(0), sizes.count(), sizes.dim()),
            new Shape(x.get(0), sizes.count(), x.get(1))
        };
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim)
                .and("slotDim", sizes.dim())
                .and("heads", sizes.heads())
                .and("hidden", sizes.hidden());
    }
}
