package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Operations of the engine that DJL does not reach, called through a small TorchScript module.
 *
 * <p>The module is written and loaded at the first use, once for the process. It has no parameters,
 * so it belongs to no device, and may be called from several threads at once. Operations are
 * differentiable; whether a graph is recorded is decided as for every other operation (see {@link
 * NoGraph}).
 */
public final class ScriptedOps {

    private static final String WHO = "convTranspose2d";

    /** What {@code torch.jit.save} would write; geometry is (stride, padding, output padding). */
    private static final String SOURCE =
            """
            class ScriptedOps(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool
              def conv_transpose2d(self: __torch__.ScriptedOps,
                x: Tensor,
                weight: Tensor,
                geometry: Tensor) -> Tensor:
                s = int(torch.select(geometry, 0, 0))
                p = int(torch.select(geometry, 0, 1))
                o = int(torch.select(geometry, 0, 2))
                return torch.conv_transpose2d(x, weight, None, [s, s], [p, p], [o, o])
              def conv_transpose2d_bias(self: __torch__.ScriptedOps,
                x: Tensor,
                weight: Tensor,
                bias: Tensor,
                geometry: Tensor) -> Tensor:
                s = int(torch.select(geometry, 0, 0))
                p = int(torch.select(geometry, 0, 1))
                o = int(torch.select(geometry, 0, 2))
                return torch.conv_transpose2d(x, weight, bias, [s, s], [p, p], [o, o])
            """;

    private ScriptedOps() {}

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
            return Loaded.GEOMETRIES.computeIfAbsent(this, Loaded::array);
        }
    }

    /**
     * Calls a method of the module. Arrays with names would be taken for entries of lists and
     * dictionaries ("conv.weight" for entry "weight" of "conv"), so nameless views stand in for
     * them.
     */
    private static NDArray call(String method, NDArray... arguments) {
        List<NDArray> views = new ArrayList<>(arguments.length);
        try {
            NDList list = new NDList(arguments.length + 1);
            for (NDArray argument : arguments) {
                NDArray array = argument;
                if (argument.getName() != null) {
                    array = argument.reshape(argument.getShape());
                    views.add(array);
                }
                list.add(array);
            }
            list.add(Loaded.METHODS.computeIfAbsent(method, Loaded::method));
            // "Training" here means: not in the engine's inference mode, whose results can never
            // take part in a graph. It does not turn the recording of graphs on.
            return IValueUtils.forward(Loaded.MODULE, list, true).singletonOrThrow();
        } finally {
            views.forEach(NDArray::close);
        }
    }

    /** The module and the arrays that go with its calls. They live as long as the process. */
    private static final class Loaded {
        private static final NDManager OWNER = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        private static final PtSymbolBlock MODULE = load();
        private static final ConcurrentMap<String, NDArray> METHODS = new ConcurrentHashMap<>();
        private static final ConcurrentMap<Geometry, NDArray> GEOMETRIES =
                new ConcurrentHashMap<>();

        static PtSymbolBlock load() {
            byte[] archive = TorchScriptArchive.of("ScriptedOps", SOURCE);
            try {
                return JniUtils.loadModule(
                        (PtNDManager) OWNER, new ByteArrayInputStream(archive), true, false);
            } catch (IOException e) {
                throw new UncheckedIOException("reading from memory", e);
            }
        }

        /** An array whose name tells the engine which method to call. */
        static NDArray method(String name) {
            NDArray tag = kept(OWNER.create(0));
            tag.setName("module_method:" + name);
            return tag;
        }

        static NDArray array(Geometry g) {
            return kept(OWNER.create(new long[] {g.stride, g.padding, g.outputPadding}));
        }

        /** Takes an array out of a scope that happens to be open in this thread. */
        private static NDArray kept(NDArray array) {
            NDScope.unregister(array);
            return array;
        }
    }
}
