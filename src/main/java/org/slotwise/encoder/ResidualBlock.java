package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Activation;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.BatchNorm;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Layer;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;

/**
 * A block of a residual network.
 *
 * <pre>{@code
 * y = relu(f(x) + x)                  f: convolutions, each normalised, with ReLUs between them
 * y = relu(f(x) + bn(conv1x1 x))      where the size changes
 * }</pre>
 */
final class ResidualBlock implements Layer {

    private final boolean fixedStatistics;
    private final Declarer parameters;
    private final List<Layer> convolutions = new ArrayList<>();
    private final Layer shortcut;

    /** Declares a block that takes some channels and gives those of a stage. */
    ResidualBlock(
            Declarer parameters,
            ResNetArchitecture architecture,
            int in,
            int stage,
            int stride,
            boolean fixedStatistics) {
        this.parameters = parameters;
        this.fixedStatistics = fixedStatistics;
        int width = architecture.width(stage);
        int out = architecture.channels(stage);
        if (architecture.bottleneck()) {
            add(in, width, 1, 1);
            add(width, width, 3, stride);
            add(width, out, 1, 1);
        } else {
            add(in, width, 3, stride);
            add(width, out, 3, 1);
        }
        Declarer downsample = parameters.under("downsample");
        shortcut =
                stride == 1 && in == out
                        ? Layer.NONE
                        : normalised(
                                downsample.under("0"),
                                downsample.under("1"),
                                in,
                                out,
                                Window.same(1).withStride(stride),
                                fixedStatistics);
    }

    private void add(int in, int out, int kernel, int stride) {
        int number = convolutions.size() + 1;
        convolutions.add(
                normalised(
                        parameters.under("conv" + number),
                        parameters.under("bn" + number),
                        in,
                        out,
                        Window.same(kernel).withStride(stride),
                        fixedStatistics));
    }

    /**
     * A convolution without bias and the batch normalisation after it. Starts as torchvision's:
     * normal with deviation sqrt(2 / (outputs of an input)).
     */
    static Layer normalised(
            Declarer convolution,
            Declarer norm,
            int in,
            int out,
            Window window,
            boolean fixedStatistics) {
        double outputs = (double) out * window.kernel() * window.kernel();
        var start = StartingValues.normal(Math.sqrt(2.0 / outputs));
        Convolution conv = Convolution.of(convolution, in, out, window, start, null);
        BatchNorm bn = BatchNorm.of(norm, out, fixedStatistics);
        return (pass, x) -> {
            try (NDArray y = conv.apply(pass, x)) {
                return bn.apply(pass, y);
            }
        };
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        try (Scope scope = new Scope()) {
            NDArray y = convolutions.get(0).apply(pass, x);
            for (Layer next : convolutions.subList(1, convolutions.size())) {
                y = next.apply(pass, Activation.relu(y));
            }
            return scope.keep(Activation.relu(y.add(shortcut.apply(pass, x))));
        }
    }
}
