package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * What stands between the maps of a network whose layers are activated before they are normalised,
 * and in the cells of a recurrent one, each one call of the engine. They are differentiable, and
 * run as they are written ({@link Script#plain}). Activations take the place of what they are of,
 * of which no gradient needs the values.
 */
public final class NormedOps {

    private NormedOps() {}

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                Script.plain(
                        """
                        def shuffle(self: __torch__.Script,
                          x: Tensor,
                          factor: Tensor) -> Tensor:
                          return torch.pixel_shuffle(x, int(factor))
                        def channels(self: __torch__.Script,
                          x: Tensor,
                          gain: Tensor,
                          offset: Tensor,
                          setting: Tensor) -> Tensor:
                          factor, groups, eps = torch.unbind(setting, 0)
                          f = int(factor)
                          if torch.gt(f, 1):
                            y = torch.pixel_shuffle(x, f)
                          else:
                            y = x
                          return torch.group_norm(torch.elu_(y), int(groups), gain, offset, float(eps), True)
                        def last(self: __torch__.Script,
                          x: Tensor,
                          gain: Tensor,
                          offset: Tensor,
                          eps: Tensor) -> Tensor:
                          return torch.layer_norm(torch.elu_(x), [torch.size(x, -1)], gain, offset, float(eps))
                        def remember(self: __torch__.Script,
                          gates: Tensor,
                          cell: Tensor) -> Tuple[Tensor, Tensor]:
                          i, f, o, n = torch.chunk(gates, 4, 1)
                          c = torch.add(torch.mul(torch.sigmoid(f), cell), torch.mul(torch.sigmoid(i), torch.tanh(n)))
                          return (torch.mul(torch.sigmoid(o), torch.tanh(c)), c)
                        """);

        static final ConcurrentMap<Setting, NDArray> SETTINGS = new ConcurrentHashMap<>();
    }

    /** Small numbers that a function is given. */
    private record Setting(int factor, int groups, double eps) {

        NDArray array() {
            return Loaded.SETTINGS.computeIfAbsent(
                    this, s -> Script.constant(s.factor, s.groups, s.eps));
        }
    }

    private record One(double value) {
        static final ConcurrentMap<One, NDArray> ALL = new ConcurrentHashMap<>();

        NDArray array() {
            return ALL.computeIfAbsent(this, one -> Script.constant(one.value));
        }
    }

    /**
     * Makes places of channels, as PyTorch's {@code pixel_shuffle}.
     *
     * @param x (B, r² C, H, W)
     * @param factor r
     * @return (B, C, r H, r W)
     */
    public static NDArray pixelShuffle(NDArray x, int factor) {
        return call("shuffle", x, new One(factor).array());
    }

    /**
     * Makes places of channels, takes the CELU, and normalises each image's groups of channels.
     *
     * @param x (B, r² C, H, W), of no use afterwards: it may have been overwritten
     * @param factor r; 1 to leave places as they are
     * @param groups of how many channels each; C is a multiple of them
     * @param gain (C)
     * @param offset (C)
     * @param eps what is added to the variance
     * @return (B, C, r H, r W)
     */
    public static NDArray celuGroupNorm(
            NDArray x, int factor, int groups, NDArray gain, NDArray offset, double eps) {
        return call("channels", x, gain, offset, new Setting(factor, groups, eps).array());
    }

    /**
     * Takes the CELU, and normalises the last axis.
     *
     * @param x (..., D), of no use afterwards: it has been overwritten
     * @param gain (D)
     * @param offset (D)
     * @param eps what is added to the variance
     * @return (..., D)
     */
    public static NDArray celuLayerNorm(NDArray x, NDArray gain, NDArray offset, double eps) {
        return call("last", x, gain, offset, new One(eps).array());
    }

    /**
     * What a long short-term memory makes of its gates.
     *
     * <pre>{@code
     * i, f, o, n = gates;   c' = sigmoid(f) c + sigmoid(i) tanh(n);   h' = sigmoid(o) tanh(c')
     * }</pre>
     *
     * @param gates (B, 4 D, ...)
     * @param cell c, (B, D, ...)
     * @return h' and c'
     */
    public static NDArray[] remember(NDArray gates, NDArray cell) {
        return Loaded.SCRIPT.call("remember", gates, cell).toArray(new NDArray[0]);
    }

    private static NDArray call(String function, NDArray... arguments) {
        return Loaded.SCRIPT.call(function, arguments).singletonOrThrow();
    }
}
