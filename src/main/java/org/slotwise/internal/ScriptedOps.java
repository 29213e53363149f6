package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Operations of the engine that DJL does not reach, called through a {@link Script}. They are
 * differentiable.
 */
public final class ScriptedOps {

    private static final String WHO = "convTranspose2d";

    private ScriptedOps() {}

    /** The script, loaded at the first use; geometry is (stride, padding, output padding). */
    private static final class Loaded {
        static final Script SCRIPT =
                new Script(
                        """
                        def conv_transpose2d(self: __torch__.Script,
                          x: Tensor,
                          weight: Tensor,
                          geometry: Tensor) -> Tensor:
                          s = int(torch.select(geometry, 0, 0))
                          p = int(torch.select(geometry, 0, 1))
                          o = int(torch.select(geometry, 0, 2))
                          return torch.conv_transpose2d(x, weight, None, [s, s], [p, p], [o, o])
                        def conv_transpose2d_bias(self: __torch__.Script,
                          x: Tensor,
                          weight: Tensor,
                          bias: Tensor,
                          geometry: Tensor) -> Tensor:
                          s = int(torch.select(geometry, 0, 0))
                          p = int(torch.select(geometry, 0, 1))
                          o = int(torch.select(geometry, 0, 2))
                          return torch.conv_transpose2d(x, weight, bias, [s, s], [p, p], [o, o])
                        def group_norm(self: __torch__.Script,
                          x: Tensor,
                          gain: Tensor,
                          offset: Tensor,
                          setting: Tensor) -> Tensor:
                          groups = int(torch.select(setting, 0, 0))
                          eps = float(torch.select(setting, 0, 1))
                          return torch.group_norm(x, groups, gain, offset, eps, True)
                        """);

        static final ConcurrentMap<Geometry, NDArray> GEOMETRIES = new ConcurrentHashMap<>();

        static final ConcurrentMap<Groups, NDArray> GROUPS = new ConcurrentHashMap<>();
    }

    /**
     * Transposed convolution over height and width, with the same geometry in both.
     *
     * <pre>{@code
     * y[b, o, s i - p + u, s j - p + v] += x[b, c, i, j] weight[c, o, u, v]      (+ bias[o])
     * }</pre>
     *
     * @param x (B, C, H, W)
     * @param weight (C, O, kernel height, kernel width)
     * @param bias (O), or null for none
     * @param stride s, at least 1
     * @param padding p, how much is cut off at each side, at least 0
     * @param outputPadding how much is added below and to the right, at least 0 and below the
     *     stride
     * @return (B, O, H', W') with H' = (H - 1) s - 2 p + kernel height + output padding, and W'
     *     likewise; owned by x's manager
     * @throws IllegalArgumentException if shapes, types or devices do not agree, or nothing would
     *     be left
     */
    public static NDArray convTranspose2d(
            NDArray x,
            NDArray weight,
            @Nullable NDArray bias,
            int stride,
            int padding,
            int outputPadding) {
        Geometry geometry = new Geometry(stride, padding, outputPadding);
        Check.shape(WHO, "x", x, "B", "C", "H", "W");
        Check.shape(WHO, "weight", weight, x.getShape().get(1), "O", "kernel", "kernel");
        Check.sameTypeAndDevice(WHO, "weight", weight, "x", x);
        for (int axis = 2; axis < 4; axis++) {
            long size = geometry.size(x.getShape().get(axis), weight.getShape().get(axis));
            Check.option(size > 0, WHO + ": output size must be at least 1, got " + size);
        }
        if (bias == null) {
            return call("conv_transpose2d", x, weight, geometry.array());
        }
        Check.shape(WHO, "bias", bias, weight.getShape().get(1));
        Check.sameTypeAndDevice(WHO, "bias", bias, "x", x);
        return call("conv_transpose2d_bias", x, weight, bias, geometry.array());
    }

    /**
     * Normalises the channels of each image group by group, then scales and moves each channel.
     *
     * @param x (B, C, ...)
     * @param groups of how many channels each; C is a multiple of them
     * @param gain (C)
     * @param offset (C)
     * @param eps what is added to the variance
     * @return an array of x's shape
     * @throws IllegalArgumentException if x has another number of channels
     */
    public static NDArray groupNorm(
            NDArray x, int groups, NDArray gain, NDArray offset, double eps) {
        long channels = gain.size();
        Check.option(
                x.getShape().dimension() > 1 && x.getShape().get(1) == channels,
                "groupNorm: x must be (B, " + channels + ", ...), got " + x.getShape());
        NDArray setting =
                Loaded.GROUPS.computeIfAbsent(
                        new Groups(groups, eps), g -> Script.constant(g.groups, g.eps));
        return call("group_norm", x, gain, offset, setting);
    }

    /** How many groups, and what is added to the variance. */
    private record Groups(int groups, double eps) {}

    /** Stride, padding and output padding of a transposed convolution. */
    private record Geometry(int stride, int padding, int outputPadding) {

        Geometry {
            Check.option(stride > 0, WHO + ": stride must be at least 1, got " + stride);
            Check.option(padding >= 0, WHO + ": padding must be at least 0, got " + padding);
            Check.option(
                    outputPadding >= 0 && outputPadding < stride,
                    WHO
                            + ": output padding must be at least 0 and below the stride, got "
                            + outputPadding
                            + " and "
                            + stride);
        }

        long size(long input, long kernel) {
            return (input - 1) * stride - 2L * padding + kernel + outputPadding;
        }

        NDArray array() {
            return Loaded.GEOMETRIES.computeIfAbsent(
                    this, g -> Script.constant(g.stride, g.padding, g.outputPadding));
        }
    }

    private static NDArray call(String function, NDArray... arguments) {
        return Loaded.SCRIPT.call(function, arguments).singletonOrThrow();
    }
}
