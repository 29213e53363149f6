package org.slotwise.unet;

import org.slotwise.layer.LayerNorm;
import org.slotwise.torchscript.ScriptModule;

/**
 * The feed-forward part of a {@link TransformerBlock} in TorchScript without a graph, and its
 * gradients written out.
 *
 * <pre>{@code
 * n = LN(v)    [a, b] = W1 n + c1    z = v + W2 (a gelu(b)) + c2
 * }</pre>
 *
 * <p>A graph would keep v, n, a, b, gelu(b) and their product, 18 numbers for each of v's; this
 * keeps v, n, a and b, 10, and computes the others once more.
 */
final class FeedForwardScript {

    /** How many arrays {@code feed} gives to be kept, after its value. */
    static final int KEPT = 4;

    private static final String CODE =
            """
            def feed(self, v: Tensor) -> List[Tensor]:
              x = torch.detach(v)
              gate = getattr(self.ff.net, "0").proj
              out = getattr(self.ff.net, "2")
              o = torch.detach(self.norm3.weight)
              n, mean, rstd = torch.native_layer_norm(x, torch.size(o), o, torch.detach(self.norm3.bias), EPS)
              p = self.rows.forward(n, torch.detach(gate.weight), torch.detach(gate.bias))
              a, b = torch.chunk(p, 2, -1)
              m = torch.mul_(torch.gelu(b), a)
              z = self.rows.plus(m, torch.detach(out.weight), torch.detach(out.bias), x)
              return [z, n, p, mean, rstd]
            def back(self, v: Tensor, d: Tensor, n: Tensor, p: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
              x = torch.detach(v)
              gate = getattr(self.ff.net, "0").proj
              out = getattr(self.ff.net, "2")
              o = torch.detach(self.norm3.weight)
              c = torch.detach(self.norm3.bias)
              a, b = torch.chunk(p, 2, -1)
              g = torch.gelu(b)
              dm, dw2, dc2 = self.rows.back(torch.mul(g, a), torch.detach(out.weight), d)
              e = torch.mul(dm, a)
              _0 = torch.mul(dm, g, out=a)
              _1 = torch.gelu_backward(e, b, approximate="none", grad_input=b)
              dn, dw1, dc1 = self.rows.back(n, torch.detach(gate.weight), p)
              nothing = torch.empty([0], dtype=ops.prim.dtype(p))
              _2 = [torch.set_(p, nothing), torch.set_(n, nothing)]
              dv, do, dc = torch.native_layer_norm_backward(dn, x, torch.size(o), mean, rstd, o, c, [True, True, True])
              _3 = self.give([out.weight, out.bias, gate.weight, gate.bias, self.norm3.weight, self.norm3.bias], [dw2, dc2, dw1, dc1, do, dc])
              return torch.add_(dv, d)
            def give(self, weights: List[Tensor], gradients: List[Tensor]) -> int:
              for i in range(torch.len(weights)):
                if ops.prim.requires_grad(weights[i]):
                  _0 = torch.autograd.backward([weights[i]], annotate(List[Optional[Tensor]], [gradients[i]]))
              return 0
            """
                    .replace("EPS", Double.toString(LayerNorm.EPS));

    private FeedForwardScript() {}

    /** The methods {@code feed} and {@code back} of a block, whose module has {@link #rows}. */
    static String code() {
        return CODE;
    }

    /** Linear maps of rows with weights that are given, without a graph, and their gradients. */
    static ScriptModule rows() {
        return ScriptModule.builder("RowMaps")
                .setCode(
                        """
                        def forward(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
                          return torch.linear(x, weight, bias)
                        def plus(self, x: Tensor, weight: Tensor, bias: Tensor, y: Tensor) -> Tensor:
                          return torch.add_(torch.linear(x, weight, bias), y)
                        def back(self, x: Tensor, weight: Tensor, gradient: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
                          w = torch.mm(torch.t(gradient), x)
                          return (torch.mm(gradient, weight), w, torch.sum(gradient, [0]))
                        """)
                .build();
    }
}
