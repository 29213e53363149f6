package org.slotwise.internal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Large linear maps of float32 on a CPU, computed by oneDNN: as convolutions of one place by one,
 * whose gradients it computes as well.
 *
 * <p>The engine multiplies matrices with MKL, which uses the widest vectors of its own maker's CPUs
 * alone: on others that have them oneDNN takes half the time (docs/performance.md, "Linear maps").
 * Small products stay with MKL, since there the calls take longer than the numbers. On Intel's CPUs
 * all do. The system property {@code slotwise.onednn} says {@code true} or {@code false} instead.
 *
 * <p>The convolution is dilated, which for a kernel of one place changes nothing but that the
 * engine then leaves it to oneDNN, whatever the number of threads and images.
 */
public final class OneDnn {

    /** Products from which on a map goes to oneDNN, without a graph and with one. */
    private static final long MANY = 4_000_000;

    private static final long MANY_WITH_GRAPH = 8_000_000;

    /** Numbers above which the engine leaves convolutions of one image to oneDNN. */
    private static final long LEAST_INPUT = 20_480;

    private OneDnn() {}

    /** Found out at the first use. */
    private static final class Available {
        static final boolean HERE = isHere();

        private static boolean isHere() {
            String told = System.getProperty("slotwise.onednn");
            if (told != null) {
                return Boolean.parseBoolean(told);
            }
            String machine = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
            return (machine.equals("amd64") || machine.equals("x86_64"))
                    && Engine.getEngine("PyTorch").hasCapability("MKLDNN")
                    && Processor.isKnownNotIntel();
        }
    }

    /** The script, loaded at the first use. */
    private static final class Loaded {

        private static final String MAP =
                """
                def %1$s(self: __torch__.Script, x: Tensor, weight: Tensor%2$s) -> Tensor:
                  c = torch.size(weight, 1)
                  o = torch.size(weight, 0)
                  p = torch.permute(torch.reshape(x, [1, 1, -1, c]), [0, 3, 1, 2])
                  y = torch.conv2d(p, torch.reshape(weight, [o, c, 1, 1]), %3$s, [1, 1], [0, 0], [2, 2])
                  size = torch.size(x)
                  _0 = torch._set_item(size, -1, o)
                  return torch.reshape(torch.permute(%4$s, [0, 2, 3, 1]), size)
                """;

        static final Script SCRIPT =
                Script.plain(
                        function("map", "", "None", "y")
                                + function("map_bias", ", bias: Tensor", "bias", "y")
                                + function("relu", "", "None", "torch.relu_(y)")
                                + function(
                                        "relu_bias", ", bias: Tensor", "bias", "torch.relu_(y)"));

        private static String function(String... parts) {
            return MAP.formatted((Object[]) parts);
        }
    }

    /**
     * Whether a linear map goes to oneDNN.
     *
     * @param x (..., in)
     * @param weight (out, in)
     * @return whether {@link #linear} takes it
     */
    public static boolean takes(NDArray x, NDArray weight) {
        return x.getDataType() == DataType.FLOAT32
                && x.size() > LEAST_INPUT
                && x.size() * weight.getShape().get(0)
                        >= (NoGraph.isRecording() ? MANY_WITH_GRAPH : MANY)
                && Available.HERE
                && !x.getDevice().isGpu();
    }

    /**
     * x Wᵀ + b over the last axis.
     *
     * @param x (..., in)
     * @param weight (out, in)
     * @param bias (out), or null for none
     * @return (..., out)
     */
    public static NDArray linear(NDArray x, NDArray weight, @Nullable NDArray bias) {
        return call("map", x, weight, bias);
    }

    /**
     * relu(x Wᵀ + b), in one array.
     *
     * @param x (..., in)
     * @param weight (out, in)
     * @param bias (out), or null for none
     * @return (..., out)
     */
    public static NDArray linearRelu(NDArray x, NDArray weight, @Nullable NDArray bias) {
        return call("relu", x, weight, bias);
    }

    private static NDArray call(
            String function, NDArray x, NDArray weight, @Nullable NDArray bias) {
        return (bias == null
                        ? Loaded.SCRIPT.call(function, x, weight)
                        : Loaded.SCRIPT.call(function + "_bias", x, weight, bias))
                .singletonOrThrow();
    }
}
