package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions over height and width, plain and transposed. They are differentiable.
 *
 * <p>On a CPU, in float32, transposed convolutions, and plain ones that ask for it, work on maps in
 * which the channels of a place lie side by side in memory ("channels last"): the engine is faster
 * so. What comes out lies so too, and activations and sums of it, so that only the first of several
 * convolutions moves anything. Shapes are as ever, and whoever reads an array gets it row by row.
 */
public final class Convolutions {

    private static final String WHO = "convTranspose2d";

    private Convolutions() {}

    /** The scripts, loaded at the first use; geometry is (stride, padding, output padding). */
    private static final class Loaded {
        static final Script AS_IT_IS = script("x");
        static final Script CHANNELS_LAST = script("torch.contiguous(x, memory_format=2)");
        static final ConcurrentMap<Geometry, NDArray> GEOMETRIES = new ConcurrentHashMap<>();

        private static Script script(String x) {
            return new Script(
                    function("conv", false, "torch.conv2d(%s, weight, %s, [s, s], [p, p])", x)
                            + function(
                                    "conv_transpose",
                                    true,
                                    "torch.conv_transpose2d(%s, weight, %s, [s, s], [p, p], [o, o])",
                                    x));
        }

        /** A function without a bias, and one with. */
        private static String function(String name, boolean padded, String call, String x) {
            StringBuilder both = new StringBuilder();
            for (boolean bias : new boolean[] {false, true}) {
                both.append("def ").append(name).append(bias ? "_bias" : "");
                both.append("(self: __torch__.Script, x: Tensor, weight: Tensor, ");
                both.append(bias ? "bias: Tensor, " : "").append("geometry: Tensor) -> Tensor:\n");
                both.append("  s = int(torch.select(geometry, 0, 0))\n");
                both.append("  p = int(torch.select(geometry, 0, 1))\n");
                both.append(padded ? "  o = int(torch.select(geometry, 0, 2))\n" : "");
                both.append("  return ").append(call.formatted(x, bias ? "bias" : "None"));
                both.append('\n');
            }
            return both.toString();
        }
    }

    /**
     * Convolution of maps as they lie in memory, with the same geometry in height and width.
     *
     * @param x (B, C, H, W)
     * @param weight (O, C, kernel height, kernel width)
     * @param bias (O), or null for none
     * @param stride at least 1
     * @param padding how many zeros are put at each side, at least 0
     * @return (B, O, H', W')
     */
    public static NDArray conv2d(
            NDArray x, NDArray weight, @Nullable NDArray bias, int stride, int padding) {
        return x.getNDArrayInternal()
                .convolution(
                        x,
                        weight,
                        bias,
                        new Shape(stride, stride),
                        new Shape(padding, padding),
                        new Shape(1, 1),
                        1)
                .head();
    }

    /**
     * {@link #conv2d} with channels last, where that is faster: for convolutions between which are
     * activations alone. With group normalisations or tokens between them it costs more than it
     * gives (docs/performance.md).
     *
     * @param x (B, C, H, W)
     * @param weight (O, C, kernel height, kernel width)
     * @param bias (O), or null for none
     * @param stride at least 1
     * @param padding how many zeros are put at each side, at least 0
     * @return (B, O, H', W')
     */
    public static NDArray conv2dChannelsLast(
            NDArray x, NDArray weight, @Nullable NDArray bias, int stride, int padding) {
        return isFasterChannelsLast(x)
                ? call("conv", x, weight, bias, new Geometry(stride, padding, 0))
                : conv2d(x, weight, bias, stride, padding);
    }

    /**
     * Transposed convolution, with the same geometry in height and width.
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
        if (bias != null) {
            Check.shape(WHO, "bias", bias, weight.getShape().get(1));
            Check.sameTypeAndDevice(WHO, "bias", bias, "x", x);
        }
        return call("conv_transpose", x, weight, bias, geometry);
    }

    private static boolean isFasterChannelsLast(NDArray x) {
        return x.getDataType() == DataType.FLOAT32 && !x.getDevice().isGpu();
    }

    private static NDArray call(
            String function, NDArray x, NDArray weight, @Nullable NDArray bias, Geometry geometry) {
        Script script = isFasterChannelsLast(x) ? Loaded.CHANNELS_LAST : Loaded.AS_IT_IS;
        return (bias == null
                        ? script.call(function, x, weight, geometry.array())
                        : script.call(function + "_bias", x, weight, bias, geometry.array()))
                .singletonOrThrow();
    }

    /** Stride, padding and output padding, which plain convolutions do not have. */
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
}
