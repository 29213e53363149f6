package org.slotwise.unet;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.LeanAttention;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/**
 * PyTorch's {@code nn.MultiheadAttention} by its names, to itself or to a memory of another size,
 * whose weights are not kept.
 *
 * <p>To itself {@code in_proj_weight} (3 C, C); to a memory {@code q_proj_weight} (C, C), {@code
 * k_proj_weight} and {@code v_proj_weight} (C, D). Both: {@code in_proj_bias} (3 C), {@code
 * out_proj}.
 */
final class PackedAttention {

    private final int heads;
    private final @Nullable Parameter all;
    private final Parameter[] each;
    private final Parameter bias;
    private final Linear output;

    private PackedAttention(
            int heads, @Nullable Parameter all, Parameter[] each, Parameter bias, Linear output) {
        this.heads = heads;
        this.all = all;
        this.each = each;
        this.bias = bias;
        this.output = output;
    }

    /** Attention to itself. */
    static PackedAttention toItself(Declarer p, int channels, int heads) {
        Parameter all =
                p.weight(
                        "in_proj_weight",
                        StartingValues.xavier(channels, 3L * channels),
                        3L * channels,
                        channels);
        return new PackedAttention(
                heads, all, new Parameter[0], bias(p, channels), out(p, channels));
    }

    /** Attention to a memory. */
    static PackedAttention toMemory(Declarer p, int channels, int memory, int heads) {
        Initializer same = StartingValues.xavier(channels, channels);
        Initializer other = StartingValues.xavier(memory, channels);
        Parameter[] each = {
            p.weight("q_proj_weight", same, channels, channels),
            p.weight("k_proj_weight", other, channels, memory),
            p.weight("v_proj_weight", other, channels, memory)
        };
        return new PackedAttention(heads, null, each, bias(p, channels), out(p, channels));
    }

    private static Parameter bias(Declarer p, int channels) {
        return p.bias("in_proj_bias", Initializer.ZEROS, 3L * channels);
    }

    private static Linear out(Declarer p, int channels) {
        Initializer start = StartingValues.linear(channels);
        return Linear.of(p.under("out_proj"), channels, channels, start, Initializer.ZEROS);
    }

    /** Of x (B, N, C) and a memory (B, M, D), which is x itself for attention to itself. */
    NDArray attend(Pass pass, NDArray x, NDArray memory) {
        try (Scope scope = new Scope()) {
            NDList qkv =
                    all == null
                            ? projected(pass, x, memory, memory)
                            : Ops.linear(x, pass.value(all), pass.value(bias)).split(3, 2);
            NDArray heard = LeanAttention.heard(qkv.get(0), qkv.get(1), qkv.get(2), heads);
            return scope.keep(output.apply(pass, heard));
        }
    }

    /** The weights of attention to a memory, means over the heads: (B, M, N), a new array. */
    NDArray weights(Pass pass, NDArray x, NDArray memory) {
        try (Scope scope = new Scope()) {
            NDList qk = projected(pass, x, memory);
            return scope.keep(LeanAttention.weights(qk.get(0), qk.get(1), heads));
        }
    }

    /** Queries, keys, values of as many arrays. */
    private NDList projected(Pass pass, NDArray... arrays) {
        NDList biases = pass.value(bias).split(3, 0);
        NDList made = new NDList();
        for (int i = 0; i < arrays.length; i++) {
            made.add(Ops.linear(arrays[i], pass.value(each[i]), biases.get(i)));
        }
        return made;
    }
}
