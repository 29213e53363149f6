package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Window;
import org.slotwise.position.PositionGrid;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * A residual network without its classifier.
 *
 * <p>Source: He et al., "Deep Residual Learning for Image Recognition" (2016). Parameters have the
 * names and shapes of torchvision's state dicts ({@code conv1.weight}, {@code bn1.running_mean},
 * {@code layer1.0.conv1.weight}, {@code layer2.0.downsample.0.weight}, ...), so that its weights
 * can be imported; of those, {@code fc.*}, the stages left out and {@code num_batches_tracked} have
 * no place here.
 *
 * <pre>{@code
 * x = maxPool3x3/2(relu(bn1(conv7x7/2(images))))
 * each block:  x = relu(f(x) + x)                  f: two or three convolutions
 *              x = relu(f(x) + bn(conv1x1 x))      where the size changes
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W), of the parameters' type; with imported weights normalised as those
 *       expect.
 *   <li>features (B, N, F): N = h w with h = ceil(H / 4) after the first stage, half of that after
 *       each further one; F the channels of the last stage used. Positions (N, 2).
 * </ul>
 *
 * <p>In training, batch normalisation uses the batch's statistics and updates the running ones, in
 * inference it uses the running ones. Convolutions start as torchvision's do: normal with deviation
 * sqrt(2 / (outputs of an input)).
 */
public final class ResNetEncoder extends ConvolutionalBlock implements Scriptable {

    private final ResNetArchitecture architecture;
    private final int stages;
    private final boolean fixedStatistics;
    private final NormalisedConvolution stem;
    private final List<ResidualBlock> blocks = new ArrayList<>();

    private ResNetEncoder(Builder builder, ResNetArchitecture architecture) {
        super(architecture.channels(builder.stages() - 1));
        this.architecture = architecture;
        stages = builder.stages();
        fixedStatistics = builder.fixedStatistics;
        int in = architecture.width();
        stem =
                NormalisedConvolution.of(
                        declarer().under("conv1"),
                        declarer().under("bn1"),
                        FeatureMap.CHANNELS,
                        in,
                        Window.same(7).withStride(2),
                        fixedStatistics);
        for (int stage = 0; stage < stages; stage++) {
            Declarer layer = declarer().under("layer" + (stage + 1));
            for (int i = 0; i < architecture.blocks().get(stage); i++) {
                Declarer block = layer.under(Integer.toString(i));
                int stride = stage > 0 && i == 0 ? 2 : 1;
                blocks.add(
                        new ResidualBlock(block, architecture, in, stage, stride, fixedStatistics));
                in = architecture.channels(stage);
            }
        }
    }

    @Override
    void check(NDArray images, boolean training) {
        Shape features = getOutputShapes(new Shape[] {images.getShape()})[0];
        Check.option(
                !training || fixedStatistics || features.get(0) * features.get(1) > 1,
                who()
                        + ": the batch's statistics need more than one value of each channel: use"
                        + " larger images or batches, fewer stages or fixed statistics; got features "
                        + features);
    }

    @Override
    NDArray features(Pass pass, NDArray images) {
        NDArray map = pooled(pass, images);
        for (ResidualBlock block : blocks) {
            try (NDArray x = map) {
                map = block.apply(pass, x);
            }
        }
        return FeatureMap.features(map);
    }

    /** maxPool3x3/2(relu(bn1(conv7x7/2(images)))). */
    private NDArray pooled(Pass pass, NDArray images) {
        try (NDArray x = LeakyRelu.NONE.inPlace(stem.apply(pass, images))) {
            return x.getNDArrayInternal()
                    .maxPool(new Shape(3, 3), new Shape(2, 2), new Shape(1, 1), false);
        }
    }

    /** Stem and pool have a stride of 2, and so has each stage after the first. */
    @Override
    long mapSize(long size) {
        return Window.same(1).withStride(2 << stages).places(size);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("architecture", architecture).and("stages", stages);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        ScriptModule.Builder module =
                ScriptModule.builder("ResNetEncoder")
                        .module("conv1", stem.convolution().script())
                        .module("bn1", stem.norm().script())
                        .module("grid", PositionGrid.script());
        StringBuilder code =
                new StringBuilder(
                        """
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          y = torch.relu(self.bn1.forward(self.conv1.forward(images)))
                          y = torch.max_pool2d(y, [3, 3], [2, 2], [1, 1])
                        """);
        Iterator<ResidualBlock> all = blocks.iterator();
        for (int stage = 0; stage < stages; stage++) {
            String name = "layer" + (stage + 1);
            module.module(name, stage(all, architecture.blocks().get(stage)));
            code.append("  y = self.").append(name).append(".forward(y)\n");
        }
        return module.setCode(code + FeatureMap.SCRIPT).build();
    }

    private static ScriptModule stage(Iterator<ResidualBlock> all, int count) {
        ScriptModule.Builder module = ScriptModule.builder("Sequential");
        StringBuilder code = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
        for (int i = 0; i < count; i++) {
            String name = Integer.toString(i);
            module.module(name, all.next().script());
            code.append("  x = ").append(ScriptModule.self(name)).append(".forward(x)\n");
        }
        return module.setCode(code + "  return x\n").build();
    }

    /**
     * Starts the description of an encoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link ResNetEncoder}. */
    public static final class Builder {
        private @Nullable ResNetArchitecture architecture;
        private @Nullable Integer stages;
        private boolean fixedStatistics;

        private Builder() {}

        /**
         * Sets the make of the network.
         *
         * @param architecture {@link ResNetArchitecture#resNet18()} for instance
         * @return this
         */
        public Builder setArchitecture(ResNetArchitecture architecture) {
            this.architecture = architecture;
            return this;
        }

        /**
         * Sets how many stages are used. Fewer stages leave more and smaller features: ResNet-18
         * gives features of size 64 at a quarter of the images' height and width after one stage,
         * of size 512 at a 32nd after four.
         *
         * @param stages from 1 to the architecture's; all of them if not set
         * @return this
         */
        public Builder optStages(int stages) {
            this.stages = stages;
            return this;
        }

        /**
         * Sets whether batch normalisation keeps to its running statistics in training too, as one
         * does with imported weights and small batches.
         *
         * @param fixedStatistics false if not set
         * @return this
         */
        public Builder optFixedStatistics(boolean fixedStatistics) {
            this.fixedStatistics = fixedStatistics;
            return this;
        }

        private int stages() {
            int all = architecture == null ? 0 : architecture.blocks().size();
            return stages == null ? all : stages;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if there is no architecture, or it has fewer stages
         */
        public ResNetEncoder build() {
            String who = "ResNetEncoder: ";
            if (architecture == null) {
                throw new IllegalArgumentException(who + "architecture is missing");
            }
            int all = architecture.blocks().size();
            Check.option(
                    stages() > 0 && stages() <= all,
                    who + "stages must be from 1 to " + all + ", got " + stages);
            return new ResNetEncoder(this, architecture);
        }
    }
}
