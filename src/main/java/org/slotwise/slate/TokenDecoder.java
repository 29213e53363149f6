package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Attention;
import org.slotwise.layer.LayerNorm;

/**
 * The transformer of SLATE: each place of a sequence sees itself, those before it, and a memory.
 *
 * <p>Source: Singh, Deng and Ahn, "Illiterate DALL-E Learns to Compose" (2022), section 3.2, in the
 * form of the authors' code; {@link Attention} without biases.
 *
 * <pre>{@code
 * for each of N blocks:
 *   u = LayerNorm(x)        x = (u in the first block, else x) + attention(u, u, causal)
 *   x = x + attention(LayerNorm(x), m)
 *   x = x + W2 relu(W1 LayerNorm(x) + b1) + b2              hidden size 4 D
 * y = LayerNorm(x)
 * }</pre>
 *
 * <ul>
 *   <li>x and y (B, t, D), memory m (B, K, D), of the parameters' type; t and K are free. m is not
 *       normalised.
 *   <li>The first block goes on from u, so that x itself is lost: this is what the authors' code
 *       does, and what its weights need.
 *   <li>Dropout, in training: on the attention's weights, on what each attention gives, and on what
 *       the perceptron gives. Masks can be given by name, {@link #dropoutShapes}.
 * </ul>
 *
 * <p>As a block on lists it takes x, m, and masks as arrays whose names are "dropout." and the name
 * of a mask.
 */
public final class TokenDecoder extends ConfiguredBlock {

    /** What stands before a mask's name in an {@link NDList}. */
    public static final String DROPOUT = "dropout.";

    private static final String INPUT = "input";
    private static final String MEMORY = "memory";

    private final int dim;
    private final SlateConfiguration.Transformer sizes;
    private final List<TokenDecoderBlock> blocks = new ArrayList<>();
    private final LayerNorm norm;

    /**
     * Creates the block.
     *
     * @param dim D, a multiple of the heads
     * @param sizes the other sizes
     * @throws IllegalArgumentException if D is no multiple of the heads
     */
    public TokenDecoder(int dim, SlateConfiguration.Transformer sizes) {
        sizes.checkDim(who(), dim);
        this.dim = dim;
        this.sizes = sizes;
        for (int i = 0; i < sizes.blocks(); i++) {
            Declarer block = declarer().under("blocks").under(Integer.toString(i));
            blocks.add(TokenDecoderBlock.of(block, dim, sizes.heads(), sizes.blocks(), i == 0));
        }
        norm = LayerNorm.of(declarer().under("layer_norm"), dim);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return INPUT;
    }

    /**
     * The dropout masks that a call uses.
     *
     * @param batch B
     * @param places t
     * @param memory K
     * @return their shapes by name, those of the original's modules
     * @throws IllegalArgumentException if a number is below 1
     */
    public Map<String, Shape> dropoutShapes(long batch, long places, long memory) {
        Check.atLeast(who(), "batch", batch, 1);
        Check.atLeast(who(), "places", places, 1);
        Check.atLeast(who(), "memory", memory, 1);
        Map<String, Shape> shapes = new LinkedHashMap<>();
        for (int i = 0; i < sizes.blocks(); i++) {
            TokenDecoderBlock.dropoutShapes(
                    "blocks." + i + '.', sizes.heads(), batch, places, memory, dim, shapes);
        }
        return shapes;
    }

    /**
     * Decodes a sequence.
     *
     * @param parameterStore where the parameters' values are
     * @param x (B, t, D)
     * @param memory (B, K, D)
     * @param dropout masks by name; those that are not there are drawn in training
     * @param training whether to drop elements and to record a graph for gradients
     * @return (B, t, D), owned by the manager of x
     * @throws IllegalArgumentException if an input has another shape or type, or a mask's name is
     *     none of {@link #dropoutShapes}
     */
    public NDArray decode(
            ParameterStore parameterStore,
            NDArray x,
            NDArray memory,
            Map<String, NDArray> dropout,
            boolean training) {
        Check.shape(who(), INPUT, x, "B", "t", dim);
        Check.floating(who(), INPUT, x.getDataType());
        Shape s = x.getShape();
        Check.shape(who(), MEMORY, memory, s.get(0), "K", dim);
        Check.sameTypeAndDevice(who(), MEMORY, memory, INPUT, x);
        Map<String, Shape> shapes = dropoutShapes(s.get(0), s.get(1), memory.getShape().get(1));
        DropoutMasks.check(who(), dropout, shapes, x);
        DropoutMasks masks = DropoutMasks.of(dropout, sizes.dropout(), training);
        return compute(
                        parameterStore,
                        x,
                        training,
                        pass -> new NDList(decode(pass, x, memory, masks)))
                .head();
    }

    /** Decodes a sequence in the call of the block that this is part of. */
    NDArray decode(Pass pass, NDArray x, NDArray memory, DropoutMasks masks) {
        NDArray y = x;
        for (int i = 0; i < blocks.size(); i++) {
            NDArray before = y;
            try (Scope scope = new Scope()) {
                DropoutMasks own = masks.under("blocks." + i);
                y = scope.keep(blocks.get(i).apply(pass, before, memory, own));
            }
            if (before != x) {
                before.close();
            }
        }
        return norm.apply(pass, y);
    }

    /** Keys and values of a memory (B, K, D), those of each block. */
    List<KeptKeys> keep(Pass pass, NDArray memory) {
        return blocks.stream().map(block -> block.keep(pass, memory)).toList();
    }

    /** Room for the keys and values of so many places, in each block. */
    List<KeptKeys> room(NDArray like, long batch, long places) {
        return blocks.stream()
                .map(block -> KeptKeys.room(like, batch, sizes.heads(), places, dim))
                .toList();
    }

    /** Decodes the next place alone, x (B, 1, D). */
    NDArray next(Pass pass, NDArray x, List<KeptKeys> places, List<KeptKeys> memory) {
        NDArray y = x;
        for (int i = 0; i < blocks.size(); i++) {
            y = blocks.get(i).next(pass, y, places.get(i), memory.get(i));
        }
        return norm.apply(pass, y);
    }

    /** The masks of a list, by their names; they are taken out of the others. */
    static Map<String, NDArray> masks(NDList inputs, NDList others) {
        Map<String, NDArray> masks = new LinkedHashMap<>();
        for (NDArray array : inputs) {
            String name = array.getName();
            if (name != null && name.startsWith(DROPOUT)) {
                masks.put(name.substring(DROPOUT.length()), array);
            } else {
                others.add(array);
            }
        }
        return masks;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDList arrays = new NDList();
        Map<String, NDArray> masks = masks(inputs, arrays);
        Check.option(
                arrays.size() == 2,
                who() + ": expected input and memory, got " + arrays.size() + " arrays");
        return new NDList(decode(parameterStore, arrays.get(0), arrays.get(1), masks, training));
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(who(), INPUT, inputShapes[0], "B", "t", dim);
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim).and("blocks", sizes.blocks()).and("heads", sizes.heads());
    }
}
