package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.initializer.Initializer;
import java.util.Map;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Attention;
import org.slotwise.layer.Dropout;
import org.slotwise.layer.DropoutMask;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/** One block of {@link TokenDecoder}: its equations, for a sequence and for its next place. */
record TokenDecoderBlock(
        boolean first,
        LayerNorm selfNorm,
        Attention self,
        LayerNorm crossNorm,
        Attention cross,
        LayerNorm mlpNorm,
        Linear hidden,
        Linear output) {

    /**
     * Declares a block.
     *
     * @param blocks N, by which starting values are scaled
     * @param first whether it is the first one
     */
    static TokenDecoderBlock of(
            Declarer parameters, int dim, int heads, int blocks, boolean first) {
        double gain = 1 / Math.sqrt(3.0 * blocks);
        Declarer ffn = parameters.under("ffn");
        Initializer kaiming = StartingValues.kaiming(dim);
        Initializer last = StartingValues.xavier(4L * dim, dim, gain);
        return new TokenDecoderBlock(
                first,
                LayerNorm.of(parameters.under("self_attn_layer_norm"), dim),
                attention(parameters.under("self_attn"), dim, heads, gain),
                LayerNorm.of(parameters.under("encoder_decoder_attn_layer_norm"), dim),
                attention(parameters.under("encoder_decoder_attn"), dim, heads, gain),
                LayerNorm.of(parameters.under("ffn_layer_norm"), dim),
                Linear.of(ffn.under("0"), dim, 4L * dim, kaiming, Initializer.ZEROS),
                Linear.of(ffn.under("2"), 4L * dim, dim, last, Initializer.ZEROS));
    }

    /** Four projections without biases. */
    static Attention attention(Declarer parameters, int dim, int heads, double gain) {
        Initializer xavier = StartingValues.xavier(dim, dim);
        Initializer last = StartingValues.xavier(dim, dim, gain);
        return new Attention(
                Linear.of(parameters.under("proj_q"), dim, dim, xavier, null),
                Linear.of(parameters.under("proj_k"), dim, dim, xavier, null),
                Linear.of(parameters.under("proj_v"), dim, dim, xavier, null),
                Linear.of(parameters.under("proj_o"), dim, dim, last, null),
                heads);
    }

    /** Of x (B, t, D), with a memory (B, K, D). */
    NDArray apply(Pass pass, NDArray x, NDArray memory, DropoutMasks masks) {
        NDArray u = selfNorm.apply(pass, x);
        // The first block goes on from its norm, not from what was normalised.
        NDArray y = first ? u : x;
        y = attend(pass, self, u, u, true, masks.under("self_attn")).addi(y);
        NDArray c = crossNorm.apply(pass, y);
        y = attend(pass, cross, c, memory, false, masks.under("encoder_decoder_attn")).addi(y);
        return masks.drop("ffn.3", perceptron(pass, y)).addi(y);
    }

    private static NDArray attend(
            Pass pass,
            Attention attention,
            NDArray x,
            NDArray memory,
            boolean causal,
            DropoutMasks masks) {
        DropoutMask given = masks.given("attn_dropout");
        Dropout drawn = masks.drawn();
        NDArray heard =
                given != null || drawn == null
                        ? attention.heard(pass, x, memory, causal, given)
                        : attention.heard(pass, x, memory, causal, drawn);
        return masks.drop("output_dropout", heard);
    }

    private NDArray perceptron(Pass pass, NDArray x) {
        NDArray h = LeakyRelu.NONE.ofMap(pass, hidden, mlpNorm.apply(pass, x));
        return output.apply(pass, h);
    }

    /** Keys and values of a memory (B, K, D). */
    KeptKeys keep(Pass pass, NDArray memory) {
        return KeptKeys.of(
                cross.key().apply(pass, memory), cross.value().apply(pass, memory), cross.heads());
    }

    /** Of the next place alone, x (B, 1, D): its keys and values join those that are kept. */
    NDArray next(Pass pass, NDArray x, KeptKeys places, KeptKeys memory) {
        NDArray u = selfNorm.apply(pass, x);
        NDArray y = first ? u : x;
        places.add(self.key().apply(pass, u), self.value().apply(pass, u));
        y = y.add(hear(pass, self, u, places));
        y = y.add(hear(pass, cross, crossNorm.apply(pass, y), memory));
        return y.add(perceptron(pass, y));
    }

    private static NDArray hear(Pass pass, Attention attention, NDArray x, KeptKeys kept) {
        return attention.output().apply(pass, kept.attend(attention.query().apply(pass, x)));
    }

    /** The shapes of masks, by their names within the block. */
    static void dropoutShapes(
            String prefix,
            int heads,
            long batch,
            long n,
            long memory,
            long dim,
            Map<String, Shape> shapes) {
        Shape sequence = new Shape(batch, n, dim);
        for (String part : new String[] {"self_attn", "encoder_decoder_attn"}) {
            long seen = part.equals("self_attn") ? n : memory;
            shapes.put(prefix + part + ".attn_dropout", new Shape(batch, heads, n, seen));
            shapes.put(prefix + part + ".output_dropout", sequence);
        }
        shapes.put(prefix + "ffn.3", sequence);
    }
}
