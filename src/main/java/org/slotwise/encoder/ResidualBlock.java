package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Window;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A block of a residual network.
 *
 * <pre>{@code
 * y = relu(f(x) + x)                  f: convolutions, each normalised, with ReLUs between them
 * y = relu(f(x) + bn(conv1x1 x))      where the size changes
 * }</pre>
 */
final class ResidualBlock implements Layer, Scriptable {

    private final boolean fixedStatistics;
    private final Declarer parameters;
    private final List<NormalisedConvolution> convolutions = new ArrayList<>();
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
                        : NormalisedConvolution.of(
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
                NormalisedConvolution.of(
                        parameters.under("conv" + number),
                        parameters.under("bn" + number),
                        in,
                        out,
                        Window.same(kernel).withStride(stride),
                        fixedStatistics));
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        try (Scope scope = new Scope()) {
            NDArray y = convolutions.get(0).apply(pass, x);
            for (NormalisedConvolution next : convolutions.subList(1, convolutions.size())) {
                y = next.apply(pass, LeakyRelu.NONE.inPlace(y));
            }
            return scope.keep(LeakyRelu.NONE.inPlace(y.add(shortcut.apply(pass, x))));
        }
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        ScriptModule.Builder module = ScriptModule.builder("ResidualBlock");
        StringBuilder code =
                new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n  y = x\n");
        for (int i = 0; i < convolutions.size(); i++) {
            int number = i + 1;
            module.module("conv" + number, convolutions.get(i).convolution().script());
            module.module("bn" + number, convolutions.get(i).norm().script());
            String in = i == 0 ? "y" : "torch.relu(y)";
            code.append("  y = self.bn").append(number).append(".forward(self.conv");
            code.append(number).append(".forward(").append(in).append("))\n");
        }
        String around = "x";
        if (shortcut instanceof NormalisedConvolution downsample) {
            around = "self.downsample.forward(x)";
            module.module(
                    "downsample",
                    ScriptModule.builder("Sequential")
                            .module("0", downsample.convolution().script())
                            .module("1", downsample.norm().script())
                            .setCode(
                                    """
                                    def forward(self, x: Tensor) -> Tensor:
                                      return getattr(self, "1").forward(getattr(self, "0").forward(x))
                                    """)
                            .build());
        }
        code.append("  return torch.relu(torch.add(y, ").append(around).append("))\n");
        return module.setCode(code.toString()).build();
    }
}
