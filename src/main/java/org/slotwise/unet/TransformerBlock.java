package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GeGlu;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeanAttention;
import org.slotwise.layer.Linear;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A block of a {@link SpatialTransformer}: tokens look at one another, then at slots.
 *
 * <pre>{@code
 * n = LN1(y) + P1        u = y + self-attention(n)
 * n = LN2(u) + P2        v = u + attention(n, s)
 * z = v + W geglu(LN3(v)) + b
 * }</pre>
 *
 * <p>y and z are (B, N, C), s (B, K, D); hidden size 4 C; P are positions, if there are any.
 */
record TransformerBlock(
        LayerNorm norm1,
        Layer positions1,
        LeanAttention self,
        LayerNorm norm2,
        Layer positions2,
        LeanAttention cross,
        LayerNorm norm3,
        GeGlu gate,
        Linear output)
        implements Scriptable {

    /** Declares a block by the names of diffusers; side is that of the map, for positions. */
    static TransformerBlock of(
            Declarer parameters, int channels, TransformerOptions options, int side) {
        Declarer ff = parameters.under("ff").under("net");
        Declarer attn1 = parameters.under("attn1");
        Declarer attn2 = parameters.under("attn2");
        int heads = options.heads().at(channels);
        return new TransformerBlock(
                LayerNorm.of(parameters.under("norm1"), channels),
                positions(attn1, channels, side),
                attention(attn1, channels, channels, heads),
                LayerNorm.of(parameters.under("norm2"), channels),
                positions(attn2, channels, side),
                attention(attn2, channels, options.slotDim(), heads),
                LayerNorm.of(parameters.under("norm3"), channels),
                GeGlu.of(ff.under("0"), channels, 4L * channels),
                Linear.of(ff.under("2"), 4L * channels, channels));
    }

    private static Layer positions(Declarer parameters, int channels, int side) {
        return side == 0
                ? Layer.NONE
                : new CartesianPositions(parameters.under("pos_emb").under("1"), side, channels);
    }

    /** Queries, keys and values without biases. */
    static LeanAttention attention(Declarer parameters, int channels, int memory, int heads) {
        return new LeanAttention(
                Linear.of(parameters.under("to_q"), channels, channels, false),
                Linear.of(parameters.under("to_k"), memory, channels, false),
                Linear.of(parameters.under("to_v"), memory, channels, false),
                Linear.of(parameters.under("to_out").under("0"), channels, channels),
                heads);
    }

    /** Of tokens y (B, N, C) and slots (B, K, D): a new array. */
    NDArray apply(Pass pass, NDArray y, Told told) {
        NDArray slots = told.slots();
        try (Scope scope = new Scope()) {
            NDArray n = norm1.apply(pass, y);
            n = Scope.next(n, positions1.apply(pass, n));
            NDArray u = Scope.next(n, self.apply(pass, n)).addi(y);

            n = norm2.apply(pass, u);
            n = Scope.next(n, positions2.apply(pass, n));
            NDArray seeing = n;
            told.show(() -> cross.weights(pass, seeing, slots));
            NDArray v = Scope.next(n, cross.attend(pass, n, slots)).addi(u);
            u.close();

            n = norm3.apply(pass, v);
            n = Scope.next(n, gate.apply(pass, n));
            return scope.keep(Scope.next(n, output.apply(pass, n)).addi(v));
        }
    }

    @Override
    public ScriptModule script() {
        return TransformerBlockScript.of(this);
    }
}
