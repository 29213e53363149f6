package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * {@link Attention} of many places, whose weights nobody looks at: they are not kept, so that
 * memory grows with the places, not with their square.
 *
 * <pre>{@code
 * q = Wq x          k = Wk m          v = Wv m
 * y = Wo attention(q, k, v)
 * }</pre>
 *
 * <p>x is (B, N, D), m is (B, M, D').
 *
 * @param query Wq, from D to a multiple of the heads
 * @param key Wk, from D' to the same
 * @param value Wv, from D' to the same
 * @param output Wo, from that to the size of y
 * @param heads H
 */
public record LeanAttention(Layer query, Layer key, Layer value, Layer output, int heads)
        implements Layer, Scriptable {

    private static final String WHO = "LeanAttention";

    /** Self-attention. {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        return attend(pass, x, x);
    }

    /**
     * Attends.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @param memory (B, M, D')
     * @return y (B, N, size of the output), a new array
     */
    public NDArray attend(Pass pass, NDArray x, NDArray memory) {
        Check.shape(WHO, "input", x, "B", "N", "D");
        Check.shape(WHO, "memory", memory, x.getShape().get(0), "M", "D'");
        try (Scope scope = new Scope()) {
            NDArray heard =
                    heard(
                            query.apply(pass, x),
                            key.apply(pass, memory),
                            value.apply(pass, memory),
                            heads);
            return scope.keep(output.apply(pass, heard));
        }
    }

    /**
     * How much places attend to what is in memory: the weights of {@link #attend}, for whoever
     * looks at them after all. Queries and keys are computed anew.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @param memory (B, M, D')
     * @return means over the heads (B, M, N), whose sums over M are 1, a new array
     */
    public NDArray weights(Pass pass, NDArray x, NDArray memory) {
        Check.shape(WHO, "input", x, "B", "N", "D");
        Check.shape(WHO, "memory", memory, x.getShape().get(0), "M", "D'");
        try (Scope scope = new Scope()) {
            return scope.keep(weights(query.apply(pass, x), key.apply(pass, memory), heads));
        }
    }

    /**
     * How much is attended to, once queries and keys are there.
     *
     * @param q (B, N, D), D a multiple of the heads
     * @param k (B, M, D)
     * @param heads H
     * @return means over the heads (B, M, N), whose sums over M are 1
     * @throws IllegalArgumentException if the shapes do not agree
     */
    public static NDArray weights(NDArray q, NDArray k, int heads) {
        check(q, k, heads);
        return FusedOps.attended(q, k, heads);
    }

    /**
     * What is heard, once queries, keys and values are there.
     *
     * @param q (B, N, D), D a multiple of the heads
     * @param k (B, M, D)
     * @param v (B, M, D)
     * @param heads H
     * @return (B, N, D)
     * @throws IllegalArgumentException if the shapes do not agree
     */
    public static NDArray heard(NDArray q, NDArray k, NDArray v, int heads) {
        check(q, k, heads);
        Check.shape(WHO, "values", v, q.getShape().get(0), k.getShape().get(1), q.size(2));
        Check.sameTypeAndDevice(WHO, "values", v, "queries", q);
        return FusedOps.attention(q, k, v, heads, false);
    }

    /**
     * Projections are called {@code to_q}, {@code to_k}, {@code to_v} and {@code to_out.0}, as in
     * diffusers. {@code forward} takes x (B N, D), m (B M, D') and B. {@inheritDoc}
     */
    @Override
    public ScriptModule script() {
        return scripted("Attention").setCode(methods("forward")).build();
    }

    /** The projections, in a module to come. */
    ScriptModule.Builder scripted(String type) {
        return ScriptModule.builder(type)
                .module("to_q", ScriptModule.of(WHO, query))
                .module("to_k", ScriptModule.of(WHO, key))
                .module("to_v", ScriptModule.of(WHO, value))
                .module("to_out", ScriptModule.list(List.of(ScriptModule.of(WHO, output))));
    }

    /** The equations, under a name. */
    String methods(String name) {
        return """
        def %s(self, x: Tensor, memory: Tensor, batch: int) -> Tensor:
          q = self.by_heads(self.to_q.forward(x), batch)
          k = self.by_heads(self.to_k.forward(memory), batch)
          v = self.by_heads(self.to_v.forward(memory), batch)
          y = torch.transpose(torch.scaled_dot_product_attention(q, k, v), 1, 2)
          return getattr(self.to_out, "0").forward(torch.reshape(y, [torch.size(x, 0), -1]))
        def by_heads(self, x: Tensor, batch: int) -> Tensor:
          places = torch.floordiv(torch.size(x, 0), batch)
          return torch.transpose(torch.view(x, [batch, places, %s, -1]), 1, 2)
        """
                .formatted(name, heads);
    }

    private static void check(NDArray q, NDArray k, int heads) {
        Check.shape(WHO, "queries", q, "B", "N", "D");
        Check.floating(WHO, "queries", q.getDataType());
        Check.atLeast(WHO, "heads", heads, 1);
        Shape s = q.getShape();
        Check.option(
                s.get(2) % heads == 0,
                WHO + ": D must be a multiple of heads, got " + s.get(2) + " and " + heads);
        Check.shape(WHO, "keys", k, s.get(0), "M", s.get(2));
        Check.sameTypeAndDevice(WHO, "keys", k, "queries", q);
    }
}
