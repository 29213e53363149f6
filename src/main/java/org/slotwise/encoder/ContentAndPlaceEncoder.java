package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.EvenSpacing;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Features of every stride-th pixel in each direction: what it sees around it, where it is, and
 * both together.
 *
 * <p>Source: own. Apart, so that a grouping can go by what things look like, or by where they are,
 * as the image demands; places as sines and cosines as in Tancik et al., "Fourier Features" (2020).
 *
 * <pre>{@code
 * c = Wc2 relu(Wc1 LayerNorm(three convolutions of the image))      48 numbers
 * p = Wp phi(2 place - 1)                                           16
 * j = Wj2 relu(Wj1 [c, p])                                          64
 * features = [c, p, j]
 * phi(t) = t, sin(k pi t / 2), cos(k pi t / 2)                      k = 1, 2
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W), of the parameters' type; in [0, 1].
 *   <li>features (B, N, 128), N = ceil(H / stride) ceil(W / stride); positions (N, 2), the centres
 *       of every stride-th pixel, in [0, 1].
 * </ul>
 *
 * <p>Parameters: {@code conv1} to {@code conv3}, of kernels 5, 3 and 3, {@code norm}, {@code
 * content1}, {@code content2}, {@code place}, {@code joint1}, {@code joint2}, each with {@code
 * weight} and {@code bias}. Convolutions start as PyTorch's do, linear maps from Xavier's uniform
 * values and zeros.
 */
public final class ContentAndPlaceEncoder extends EncoderBlock implements Scriptable {

    private static final int FEATURE_DIM = 128;
    private static final int CONTENT = 48;
    private static final int PLACE = 16;
    private static final int HIDDEN = 64;
    private static final int JOINT_HIDDEN = 96;
    private static final int FREQUENCIES = 2;

    /** Without a graph: what places are is settled, and maps are activated where they are. */
    private static final String INFERENCE =
            """
            def settled(self, like: Tensor, height: int, width: int) -> Tuple[Tensor, Tensor]:
              y = self.centres(like, torch.floordiv(torch.add(height, %2$s), %1$s), height)
              x = self.centres(like, torch.floordiv(torch.add(width, %2$s), %1$s), width)
              grid = [torch.size(y, 0), torch.size(x, 0)]
              y = torch.expand(torch.unsqueeze(y, 1), grid)
              x = torch.expand(torch.unsqueeze(x, 0), grid)
              positions = torch.reshape(torch.stack([y, x], 2), [-1, 2])
              t = torch.sub(torch.mul(positions, 2), 1)
              w = [self.waves(torch.slice(t, 1, 0, 1, 1)), self.waves(torch.slice(t, 1, 1, 2, 1))]
              return (positions, torch.cat(w, 1))
            def infer(self, images: Tensor, code: Tensor) -> Tensor:
              x = self.conv1.activated(images)
              x = self.conv3.activated(self.conv2.activated(x))
              x = self.norm.forward(torch.transpose(torch.flatten(x, 2), 1, 2))
              c = self.content2.forward(self.content1.activated(x))
              p = torch.unsqueeze(self.place.forward(code), 0)
              both = torch.cat([c, torch.expand(p, [torch.size(c, 0), -1, -1])], 2)
              return torch.cat([both, self.joint2.forward(self.joint1.activated(both))], 2)
            """;

    private final int stride;
    private final int channels;
    private final Convolution[] convolutions = new Convolution[3];
    private final Window[] windows = new Window[3];
    private final LayerNorm norm;
    private final Linear content1;
    private final Linear content2;
    private final Linear place;
    private final Linear joint1;
    private final Linear joint2;

    private ContentAndPlaceEncoder(Builder builder) {
        stride = builder.stride;
        channels = builder.channels;
        for (int i = 0; i < convolutions.length; i++) {
            windows[i] = Window.same(i == 0 ? 5 : 3).withStride(i == 0 ? stride : 1);
            int in = i == 0 ? FeatureMap.CHANNELS : channels;
            Initializer start = StartingValues.convolution(in, windows[i].kernel());
            Declarer own = declarer().under("conv" + (i + 1));
            convolutions[i] =
                    Convolution.of(own, in, channels, windows[i], start, start).channelsLast();
        }
        norm = LayerNorm.of(declarer().under("norm"), channels);
        content1 = linear("content1", channels, HIDDEN);
        content2 = linear("content2", HIDDEN, CONTENT);
        place = linear("place", 2 * FourierFeatures.count(FREQUENCIES), PLACE);
        joint1 = linear("joint1", CONTENT + PLACE, JOINT_HIDDEN);
        joint2 = linear("joint2", JOINT_HIDDEN, FEATURE_DIM - CONTENT - PLACE);
    }

    private Linear linear(String name, int in, int out) {
        return Linear.of(
                declarer().under(name), in, out, StartingValues.xavier(in, out), Initializer.ZEROS);
    }

    /** {@inheritDoc} */
    @Override
    public FeatureExtractorOutput extract(
            ParameterStore parameterStore, NDArray images, boolean training) {
        FeatureMap.checkImages(who(), images);
        NDList out =
                compute(
                        parameterStore,
                        images,
                        training,
                        pass -> {
                            NDArray positions = positions(images);
                            return new NDList(features(pass, images, positions), positions);
                        });
        return new FeatureExtractorOutput(out.get(0), out.get(1));
    }

    private NDArray features(Pass pass, NDArray images, NDArray positions) {
        NDArray x = images;
        for (Convolution convolution : convolutions) {
            x = LeakyRelu.NONE.inPlace(convolution.apply(pass, x));
        }
        x = norm.apply(pass, FeatureMap.features(x)); // (B, N, C)
        NDArray c = content2.apply(pass, LeakyRelu.NONE.ofMap(pass, content1.apply(pass, x)));
        NDArray one = Scalars.like(positions, 1);
        NDArray t = positions.mul(Scalars.like(positions, 2)).sub(one);
        NDArray p = place.apply(pass, waves(t)).expandDims(0); // (1, N, 16)
        Shape s = c.getShape();
        NDArray both = NDArrays.concat(new NDList(c, p.broadcast(s.get(0), s.get(1), PLACE)), 2);
        NDArray j = joint2.apply(pass, LeakyRelu.NONE.ofMap(pass, joint1.apply(pass, both)));
        return NDArrays.concat(new NDList(both, j), 2);
    }

    /** phi of rows, then of columns, (N, 10). */
    private static NDArray waves(NDArray t) {
        NDList each = new NDList();
        for (int axis = 0; axis < 2; axis++) {
            each.add(FourierFeatures.of(t.get(":, {}:{}", axis, axis + 1), FREQUENCIES));
        }
        return NDArrays.concat(each, 1);
    }

    /** The centres of every stride-th pixel, (N, 2), row first. */
    private NDArray positions(NDArray images) {
        int rows = places(images.getShape().get(2));
        int columns = places(images.getShape().get(3));
        NDArray y = centres(images, rows, images.getShape().get(2));
        NDArray x = centres(images, columns, images.getShape().get(3));
        Shape grid = new Shape(rows, columns);
        return NDArrays.stack(
                        new NDList(
                                y.reshape(rows, 1).broadcast(grid),
                                x.reshape(1, columns).broadcast(grid)),
                        2)
                .reshape((long) rows * columns, 2);
    }

    private NDArray centres(NDArray images, int count, long size) {
        NDManager manager = images.getManager();
        return new EvenSpacing(0.5, stride, count, (double) size)
                .on(manager, images.getDevice(), images.getDataType());
    }

    private int places(long size) {
        return Math.toIntExact((size + stride - 1) / stride);
    }

    /** {@inheritDoc} */
    @Override
    public ScriptModule script() {
        ScriptModule.Builder module = ScriptModule.builder("ContentAndPlaceEncoder");
        for (int i = 0; i < convolutions.length; i++) {
            module.module("conv" + (i + 1), convolutions[i].script());
        }
        return module.module("norm", norm.script())
                .module("content1", content1.script())
                .module("content2", content2.script())
                .module("place", place.script())
                .module("joint1", joint1.script())
                .module("joint2", joint2.script())
                .setCode(
                        """
                        def forward(self, images: Tensor) -> Dict[str, Tensor]:
                          x = torch.relu(self.conv1.forward(images))
                          x = torch.relu(self.conv2.forward(x))
                          x = torch.relu(self.conv3.forward(x))
                          rows = self.centres(images, torch.size(x, 2), torch.size(images, 2))
                          columns = self.centres(images, torch.size(x, 3), torch.size(images, 3))
                          grid = [torch.size(x, 2), torch.size(x, 3)]
                          y = torch.expand(torch.unsqueeze(rows, 1), grid)
                          z = torch.expand(torch.unsqueeze(columns, 0), grid)
                          positions = torch.reshape(torch.stack([y, z], 2), [-1, 2])
                          x = self.norm.forward(torch.transpose(torch.flatten(x, 2), 1, 2))
                          c = self.content2.forward(torch.relu(self.content1.forward(x)))
                          t = torch.sub(torch.mul(positions, 2), 1)
                          w = [self.waves(torch.slice(t, 1, 0, 1, 1)), self.waves(torch.slice(t, 1, 1, 2, 1))]
                          p = torch.unsqueeze(self.place.forward(torch.cat(w, 1)), 0)
                          both = torch.cat([c, torch.expand(p, [torch.size(c, 0), -1, -1])], 2)
                          j = self.joint2.forward(torch.relu(self.joint1.forward(both)))
                          return {"features": torch.cat([both, j], 2), "positions": positions}
                        def centres(self, like: Tensor, count: int, size: int) -> Tensor:
                          i = torch.arange(0, count, 1, dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None)
                          return torch.div(torch.add(torch.mul(i, %s), 0.5), size)
                        """
                                        .formatted(stride)
                                + FourierFeatures.script("waves", FREQUENCIES))
                .optInference(INFERENCE.formatted(stride, stride - 1))
                .build();
    }

    /** {@inheritDoc} */
    @Override
    public int featureDim() {
        return FEATURE_DIM;
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape s = FeatureMap.checkImages(who(), inputShapes[0]);
        boolean known = s.get(2) >= 0 && s.get(3) >= 0;
        long n = known ? (long) places(s.get(2)) * places(s.get(3)) : -1;
        return new Shape[] {new Shape(s.get(0), n, FEATURE_DIM), new Shape(n, 2)};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("stride", stride).and("channels", channels);
    }

    /**
     * Starts the description of an encoder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link ContentAndPlaceEncoder}. */
    public static final class Builder {
        private int stride;
        private int channels;

        private Builder() {}

        /**
         * Sets every how many rows and columns there is a feature.
         *
         * @param stride from 1 to 4,096
         * @return this
         */
        public Builder setStride(int stride) {
            this.stride = stride;
            return this;
        }

        /**
         * Sets how many channels each convolution gives.
         *
         * @param channels at least 1; 48 in the models that come with the library
         * @return this
         */
        public Builder setChannels(int channels) {
            this.channels = channels;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public ContentAndPlaceEncoder build() {
            Limits.count("ContentAndPlaceEncoder", "stride", stride, 1, Limits.WINDOW);
            Check.atLeast("ContentAndPlaceEncoder", "channels", channels, 1);
            return new ContentAndPlaceEncoder(this);
        }
    }
}
