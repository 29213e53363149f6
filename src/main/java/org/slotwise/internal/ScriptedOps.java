package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Operations of the engine that DJL does not reach, called through a {@link Script}. They are
 * differentiable.
 */
public final class ScriptedOps {

    private ScriptedOps() {}

    /** The script, loaded at the first use. */
    private static final class Loaded {
        static final Script SCRIPT =
                new Script(
                        """
                        def leaky_relu(self: __torch__.Script, x: Tensor, slope: Tensor) -> Tensor:
                          return torch.leaky_relu_(x, float(torch.select(slope, 0, 0)))
                        def relu(self: __torch__.Script, x: Tensor) -> Tensor:
                          return torch.relu_(x)
                        def group_norm(self: __torch__.Script,
                          x: Tensor,
                          gain: Tensor,
                          offset: Tensor,
                          setting: Tensor) -> Tensor:
                          groups = int(torch.select(setting, 0, 0))
                          eps = float(torch.select(setting, 0, 1))
                          return torch.group_norm(x, groups, gain, offset, eps, True)
                        """);

        static final ConcurrentMap<Double, NDArray> SLOPES = new ConcurrentHashMap<>();

        static final ConcurrentMap<Groups, NDArray> GROUPS = new ConcurrentHashMap<>();
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

    /**
     * The leaky ReLU in the array's own place, which saves an array as large: for values that
     * nobody else has seen, and that are not needed for gradients of what made them.
     *
     * @param x of any shape; of no use afterwards, and closed
     * @param slope of what is below zero, from 0 to 1; 0 for the ReLU
     * @return what was x
     */
    public static NDArray leakyReluInPlace(NDArray x, double slope) {
        NDArray y =
                slope == 0
                        ? call("relu", x)
                        : call(
                                "leaky_relu",
                                x,
                                Loaded.SLOPES.computeIfAbsent(slope, Script::constant));
        x.close();
        return y;
    }

    /** How many groups, and what is added to the variance. */
    private record Groups(int groups, double eps) {}

    private static NDArray call(String function, NDArray... arguments) {
        return Loaded.SCRIPT.call(function, arguments).singletonOrThrow();
    }
}
