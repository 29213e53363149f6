package org.slotwise.unet;

import org.slotwise.layer.Layer;
import org.slotwise.layer.LeanAttention;
import org.slotwise.torchscript.ScriptModule;

/**
 * The equations of a {@link TransformerBlock} in TorchScript, on tokens (B N, C) and slots (B K,
 * D).
 *
 * <p>What follows from slots and weights alone is made by {@code tell}: one weight W for queries,
 * keys and values of self-attention, and slots as they are met by tokens, before queries are made
 * and after the output's map:
 *
 * <pre>{@code
 * A = Wq' (Wk s) / sqrt(D / H)        B = Wo (Wv s) + bo / H            for each head
 * v = u + sum over heads and slots of  softmax(A n) B
 * }</pre>
 */
final class TransformerBlockScript {

    private static final String CODE =
            """
            def forward(self, y: Tensor, slots: Tensor, batch: int) -> Tensor:
              v = self.seen(y, slots, batch)
              return self.ff.plus(self.norm3.forward(v), v)
            def seen(self, y: Tensor, slots: Tensor, batch: int) -> Tensor:
              u = self.self_attention(y, self.queries_keys_values(), batch)
              n = NORMED2
              return torch.add(self.attn2.forward(n, slots, batch), u)
            def queries_keys_values(self) -> Tensor:
              return torch.cat([self.attn1.to_q.weight, self.attn1.to_k.weight, self.attn1.to_v.weight], 0)
            def self_attention(self, y: Tensor, w: Tensor, batch: int) -> Tensor:
              n = NORMED1
              places = torch.floordiv(torch.size(y, 0), batch)
              qkv = torch.view(self.product.forward(n, w), [batch, places, 3, HEADS, -1])
              q, k, v = torch.unbind(torch.permute(qkv, [2, 0, 3, 1, 4]))
              heard = torch.transpose(torch.scaled_dot_product_attention(q, k, v), 1, 2)
              return getattr(self.attn1.to_out, "0").plus(torch.reshape(heard, torch.size(y)), y)
            def tell(self, slots: Tensor, batch: int) -> List[Tensor]:
              out = getattr(self.attn2.to_out, "0")
              k = self.by_heads(self.attn2.to_k.forward(slots))
              scale = torch.pow(torch.size(k, 2), -0.5)
              q = torch.view(self.attn2.to_q.weight, [HEADS, torch.size(k, 2), -1])
              a = torch.bmm(torch.mul(k, scale), q)
              v = self.by_heads(self.attn2.to_v.forward(slots))
              o = torch.permute(torch.view(out.weight, [-1, HEADS, torch.size(v, 2)]), [1, 2, 0])
              b = torch.add(torch.bmm(v, o), torch.div(out.bias, HEADS))
              return [self.queries_keys_values(), self.by_pictures(a, batch), self.by_pictures(b, batch)]
            def by_heads(self, x: Tensor) -> Tensor:
              return torch.transpose(torch.view(x, [torch.size(x, 0), HEADS, -1]), 0, 1)
            def by_pictures(self, x: Tensor, batch: int) -> Tensor:
              y = torch.transpose(torch.view(x, [HEADS, batch, -1, torch.size(x, 2)]), 0, 1)
              return torch.reshape(y, [batch, -1, torch.size(x, 2)])
            def told(self, y: Tensor, told: List[Tensor], batch: int) -> Tensor:
              u = self.self_attention(y, told[0], batch)
              n = NORMED2
              places = torch.floordiv(torch.size(y, 0), batch)
              seen = torch.transpose(torch.view(n, [batch, places, -1]), 1, 2)
              scores = torch.view(torch.bmm(told[1], seen), [batch, HEADS, -1, places])
              a = torch.view(torch.softmax(scores, 2), [batch, -1, places])
              w = torch.baddbmm(torch.view(u, [batch, places, -1]), torch.transpose(a, 1, 2), told[2])
              x = torch.flatten(w, 0, 1)
              return self.ff.plus(self.norm3.forward(x), x)
            """;

    private TransformerBlockScript() {}

    /** The module of a block. */
    static ScriptModule of(TransformerBlock block) {
        ScriptModule product =
                ScriptModule.builder("Product")
                        .setCode(
                                """
                                def forward(self, x: Tensor, weight: Tensor) -> Tensor:
                                  return torch.linear(x, weight)
                                """)
                        .build();
        String heads = Integer.toString(block.cross().heads());
        return ScriptModule.builder("TransformerBlock")
                .module("norm1", block.norm1().script())
                .module("attn1", attention(block.self(), block.positions1()))
                .module("norm2", block.norm2().script())
                .module("attn2", attention(block.cross(), block.positions2()))
                .module("norm3", block.norm3().script())
                .module("ff", feedForward(block))
                .module("product", product)
                .module("rows", FeedForwardScript.rows())
                .setCode(
                        CODE.replace("NORMED1", normed(1, "y", block.positions1()))
                                        .replace("NORMED2", normed(2, "u", block.positions2()))
                                        .replace("HEADS", heads)
                                + FeedForwardScript.code())
                .build();
    }

    /** Without the dropout that diffusers has between them under "1". */
    private static ScriptModule feedForward(TransformerBlock block) {
        ScriptModule net =
                ScriptModule.builder("ModuleList")
                        .module("0", block.gate().script())
                        .module("2", block.output().script())
                        .setCode("")
                        .build();
        return ScriptModule.builder("FeedForward")
                .module("net", net)
                .setCode(
                        """
                        def plus(self, x: Tensor, y: Tensor) -> Tensor:
                          return getattr(self.net, "2").plus(getattr(self.net, "0").forward(x), y)
                        """)
                .build();
    }

    private static String normed(int number, String x, Layer positions) {
        String normed = "self.norm" + number + ".forward(" + x + ")";
        return positions == Layer.NONE
                ? normed
                : "getattr(self.attn" + number + ".pos_emb, \"1\").forward(" + normed + ")";
    }

    private static ScriptModule attention(LeanAttention attention, Layer positions) {
        if (positions == Layer.NONE) {
            return attention.script();
        }
        ScriptModule pair =
                ScriptModule.builder("ModuleList")
                        .module("1", ScriptModule.of("TransformerBlock", positions))
                        .setCode("")
                        .build();
        return attention.script().with("pos_emb", pair);
    }
}
