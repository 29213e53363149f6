package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Self-attention of all places of a map, with a way around it, as in the middle of autoencoders and
 * of unconditional U-Nets: {@code Attention} of diffusers with a group normalisation.
 *
 * <pre>{@code
 * y = x + image(Wo attention(Wq u, Wk u, Wv u))            u = tokens(GN(x))
 * }</pre>
 *
 * <p>x and y are (B, C, h, w); {@code group_norm}, {@code to_q}, {@code to_k}, {@code to_v} and
 * {@code to_out.0}, all with biases.
 *
 * @param norm GN
 * @param attention the rest
 */
public record ImageAttention(GroupNorm norm, LeanAttention attention) implements Layer, Scriptable {

    /**
     * A layer that starts as PyTorch's do.
     *
     * @param parameters declares under the layer's name
     * @param channels C, a multiple of groups and heads
     * @param groups of the normalisation
     * @param eps what is added to the variance
     * @param heads H
     * @return the layer
     */
    public static ImageAttention of(
            Declarer parameters, long channels, int groups, double eps, int heads) {
        return new ImageAttention(
                GroupNorm.of(parameters.under("group_norm"), groups, channels, eps),
                new LeanAttention(
                        Linear.of(parameters.under("to_q"), channels, channels),
                        Linear.of(parameters.under("to_k"), channels, channels),
                        Linear.of(parameters.under("to_v"), channels, channels),
                        Linear.of(parameters.under("to_out").under("0"), channels, channels),
                        heads));
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("ImageAttention", "input", x, "B", "C", "h", "w");
        try (Scope scope = new Scope()) {
            NDArray normed = norm.apply(pass, x);
            NDArray u = Scope.next(normed, FusedOps.tokens(normed));
            NDArray y = attention.apply(pass, u);
            return scope.keep(x.add(image(y, x.getShape())));
        }
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        return attention
                .scripted("ImageAttention")
                .module("group_norm", norm.script())
                .setCode(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          n = torch.flatten(self.group_norm.forward(x), 2)
                          u = torch.flatten(torch.transpose(n, 1, 2), 0, 1)
                          batch = torch.size(x, 0)
                          y = torch.view(self.attend(u, u, batch), [batch, -1, torch.size(x, 1)])
                          return torch.add(x, torch.view(torch.transpose(y, 1, 2), torch.size(x)))
                        """
                                + attention.methods("attend"))
                .build();
    }

    /**
     * Tokens as a map again.
     *
     * @param tokens (B, h w, C)
     * @param like a shape whose last two sizes are h and w
     * @return (B, C, h, w), a view
     */
    public static NDArray image(NDArray tokens, Shape like) {
        Check.shape("ImageAttention", "tokens", tokens, "B", "N", "C");
        Shape s = tokens.getShape();
        Check.option(
                like.dimension() == 4 && like.get(2) * like.get(3) == s.get(1),
                "ImageAttention: like must be (B, C, h, w) with h w = "
                        + s.get(1)
                        + ", got "
                        + like);
        return tokens.swapAxes(1, 2).reshape(s.get(0), s.get(2), like.get(2), like.get(3));
    }
}
