package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Operations on maps and tokens that DJL lacks, each one call of the engine through a {@link
 * Script}. They are differentiable, and what is made on the way is freed at once.
 */
public final class FusedOps {

    private FusedOps() {}

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                new Script(
                        """
                        def silu(self: __torch__.Script, x: Tensor) -> Tensor:
                          return torch.silu(x)
                        def group_norm_silu(self: __torch__.Script,
                          x: Tensor,
                          gain: Tensor,
                          offset: Tensor,
                          setting: Tensor) -> Tensor:
                          groups = int(torch.select(setting, 0, 0))
                          eps = float(torch.select(setting, 0, 1))
                          return torch.silu(torch.group_norm(x, groups, gain, offset, eps, True))
                        def instance_norm(self: __torch__.Script,
                          x: Tensor,
                          setting: Tensor) -> Tensor:
                          eps = float(torch.select(setting, 0, 1))
                          n = None
                          return torch.instance_norm(x, n, n, n, n, True, 0.1, eps, True)
                        def attention(self: __torch__.Script,
                          q: Tensor,
                          k: Tensor,
                          v: Tensor,
                          setting: Tensor) -> Tensor:
                          h = int(torch.select(setting, 0, 0))
                          causal = bool(torch.select(setting, 0, 1))
                          b = torch.size(q, 0)
                          n = torch.size(q, 1)
                          m = torch.size(k, 1)
                          d = torch.size(q, 2)
                          e = torch.floordiv(d, h)
                          qs = torch.transpose(torch.reshape(q, [b, n, h, e]), 1, 2)
                          ks = torch.transpose(torch.reshape(k, [b, m, h, e]), 1, 2)
                          vs = torch.transpose(torch.reshape(v, [b, m, h, e]), 1, 2)
                          y = torch.scaled_dot_product_attention(qs, ks, vs, None, 0., causal)
                          return torch.reshape(torch.transpose(y, 1, 2), [b, n, d])
                        def attended(self: __torch__.Script,
                          q: Tensor,
                          k: Tensor,
                          setting: Tensor) -> Tensor:
                          h = int(torch.select(setting, 0, 0))
                          scale = float(torch.select(setting, 0, 1))
                          b = torch.size(q, 0)
                          n = torch.size(q, 1)
                          m = torch.size(k, 1)
                          e = torch.floordiv(torch.size(q, 2), h)
                          qs = torch.transpose(torch.reshape(q, [b, n, h, e]), 1, 2)
                          ks = torch.transpose(torch.reshape(k, [b, m, h, e]), 1, 2)
                          qk = torch.matmul(torch.mul(qs, scale), torch.transpose(ks, 2, 3))
                          a = torch.mean(torch.softmax(qk, -1), [1], False)
                          return torch.contiguous(torch.transpose(a, 1, 2))
                        def bilinear(self: __torch__.Script,
                          x: Tensor,
                          setting: Tensor) -> Tensor:
                          h = int(torch.select(setting, 0, 0))
                          w = int(torch.select(setting, 0, 1))
                          return torch.upsample_bilinear2d(x, [h, w], False, None, None)
                        def gated(self: __torch__.Script,
                          x: Tensor,
                          weight: Tensor,
                          bias: Tensor) -> Tensor:
                          a, b = torch.chunk(torch.linear(x, weight, bias), 2, -1)
                          return torch.mul(a, torch.gelu(b))
                        def tokens(self: __torch__.Script, x: Tensor) -> Tensor:
                          return torch.contiguous(torch.transpose(torch.flatten(x, 2), 1, 2))
                        def image(self: __torch__.Script, y: Tensor, like: Tensor) -> Tensor:
                          b = torch.size(y, 0)
                          c = torch.size(y, 2)
                          h = torch.size(like, 2)
                          w = torch.size(like, 3)
                          x = torch.reshape(torch.transpose(y, 1, 2), [b, c, h, w])
                          return torch.contiguous(x)
                        def double(self: __torch__.Script, x: Tensor) -> Tensor:
                          return torch.upsample_nearest2d(x, None, [2., 2.])
                        def halve(self: __torch__.Script, x: Tensor) -> Tensor:
                          return torch.avg_pool2d(x, [2, 2], [2, 2], [0, 0], False, True, None)
                        def pad_end(self: __torch__.Script, x: Tensor) -> Tensor:
                          return torch.constant_pad_nd(x, [0, 1, 0, 1], 0.)
                        """);

        static final ConcurrentMap<Setting, NDArray> SETTINGS = new ConcurrentHashMap<>();
    }

    /** Small numbers that a function is given. */
    private record Setting(double count, double eps) {

        NDArray array() {
            return Loaded.SETTINGS.computeIfAbsent(this, s -> Script.constant(s.count, s.eps));
        }
    }

    /**
     * x times its logistic function. (DJL's own is unsafe: docs/djl.md.)
     *
     * @param x any array
     * @return an array of x's shape
     */
    public static NDArray silu(NDArray x) {
        return call("silu", x);
    }

    /**
     * {@link #silu} of {@link ScriptedOps#groupNorm}.
     *
     * @param x (B, C, ...)
     * @param groups C is a multiple of them
     * @param gain (C)
     * @param offset (C)
     * @param eps what is added to the variance
     * @return an array of x's shape
     */
    public static NDArray groupNormSilu(
            NDArray x, int groups, NDArray gain, NDArray offset, double eps) {
        return call("group_norm_silu", x, gain, offset, new Setting(groups, eps).array());
    }

    /**
     * Normalises each channel of each image by its own mean and biased variance.
     *
     * @param x (B, C, h, w)
     * @param eps what is added to the variance
     * @return (B, C, h, w)
     */
    public static NDArray instanceNorm(NDArray x, double eps) {
        return call("instance_norm", x, new Setting(0, eps).array());
    }

    /**
     * Scaled dot-product attention of several heads, which are slices of the last axis. The weights
     * are not kept: neither in memory nor for the gradient.
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, M, D)
     * @param v values (B, M, D)
     * @param heads H
     * @param causal whether a place sees only itself and those before it; N = M then
     * @return (B, N, D)
     */
    public static NDArray attention(NDArray q, NDArray k, NDArray v, int heads, boolean causal) {
        return call("attention", q, k, v, new Setting(heads, causal ? 1 : 0).array());
    }

    /**
     * The weights of {@link #attention}, means over the heads.
     *
     * @param q queries (B, N, D), D a multiple of the heads
     * @param k keys (B, M, D)
     * @param heads H
     * @return (B, M, N), sums over M are 1
     */
    public static NDArray attended(NDArray q, NDArray k, int heads) {
        double scale = 1 / Math.sqrt((double) q.getShape().get(2) / heads);
        return call("attended", q, k, new Setting(heads, scale).array());
    }

    /**
     * Maps of another size, bilinear between the centres of places, as PyTorch's {@code
     * interpolate} without {@code align_corners}.
     *
     * @param x (B, C, h, w)
     * @param height the new height
     * @param width the new width
     * @return (B, C, height, width)
     */
    public static NDArray bilinear(NDArray x, int height, int width) {
        return call("bilinear", x, new Setting(height, width).array());
    }

    /**
     * A linear map, half of which is a gate: a gelu(b) of [a, b] = W x + c.
     *
     * @param x (..., in)
     * @param weight (2 out, in)
     * @param bias (2 out)
     * @return (..., out)
     */
    public static NDArray gated(NDArray x, NDArray weight, NDArray bias) {
        return call("gated", x, weight, bias);
    }

    /**
     * The places of maps as tokens, row by row.
     *
     * @param x (B, C, h, w)
     * @return (B, h w, C), not a view
     */
    public static NDArray tokens(NDArray x) {
        return call("tokens", x);
    }

    /**
     * Tokens as maps again.
     *
     * @param tokens (B, h w, C)
     * @param like a map whose height and width are h and w
     * @return (B, C, h, w), not a view
     */
    public static NDArray image(NDArray tokens, NDArray like) {
        return call("image", tokens, like);
    }

    /**
     * Maps of twice the size: each place four times.
     *
     * @param x (B, C, h, w)
     * @return (B, C, 2 h, 2 w)
     */
    public static NDArray twice(NDArray x) {
        return call("double", x);
    }

    /**
     * Maps of half the size: means of 2 x 2 places.
     *
     * @param x (B, C, h, w), both even
     * @return (B, C, h / 2, w / 2)
     */
    public static NDArray half(NDArray x) {
        return call("halve", x);
    }

    /**
     * Maps with a row of zeros below and a column of zeros at the right.
     *
     * @param x (B, C, h, w)
     * @return (B, C, h + 1, w + 1)
     */
    public static NDArray padEnd(NDArray x) {
        return call("pad_end", x);
    }

    private static NDArray call(String function, NDArray... arguments) {
        return Loaded.SCRIPT.call(function, arguments).singletonOrThrow();
    }
}
