package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LeakyRelu;
import org.slotwise.layer.Window;

/**
 * Residual blocks with instance normalisation: the backbone of {@link SlotAttentionEncoder} in a
 * course's assignment on slot attention, as one of its solutions has it.
 *
 * <p>Source: the code of ris04hit/COL775, whose parameter names it uses; instance normalisation:
 * Ulyanov et al., "Instance Normalization: The Missing Ingredient for Fast Stylization" (2016).
 *
 * <pre>{@code
 * x = relu(conv5 image)
 * halvings times:   x = R(x) with stride 2,   x = R(x)           then once more x = R(x)
 * R(x) = relu(IN(conv5 relu(IN(conv5 x))) + shortcut(x))         shortcut: conv5 with stride 2, else x
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W), of the parameters' type.
 *   <li>features (B, N, F), each halving rounded up; positions (N, 2).
 *   <li>IN: each channel of each image by its own mean and biased variance, without parameters.
 * </ul>
 *
 * <p>Weights and biases start as PyTorch's Conv2d does.
 */
public final class InstanceNormEncoder extends ConvolutionalBlock {

    private static final double EPS = 1e-5;
    private static final Window AROUND = Window.same(5);

    private final int channels;
    private final int halvings;
    private final Convolution first;
    private final List<Residual> blocks = new ArrayList<>();

    /**
     * Creates the block.
     *
     * @param channels F, at least 1; 64 in the original
     * @param halvings how often the size is halved, from 0 to 16; 3 in the original
     * @throws IllegalArgumentException if a number is out of range
     */
    public InstanceNormEncoder(int channels, int halvings) {
        super(channels);
        Check.atLeast(who(), "channels", channels, 1);
        Limits.count(who(), "halvings", halvings, 0, 16);
        this.channels = channels;
        this.halvings = halvings;
        Declarer cnn = declarer().under("cnn");
        first = Convolution.of(cnn.under("0"), FeatureMap.CHANNELS, channels, AROUND);
        for (int i = 0; i <= 2 * halvings; i++) {
            boolean half = i % 2 == 0 && i < 2 * halvings;
            blocks.add(Residual.of(cnn.under(Integer.toString(i + 2)), channels, half));
        }
    }

    /** A residual block. */
    private record Residual(Convolution conv1, Convolution conv2, Layer shortcut) implements Layer {

        static Residual of(Declarer p, int channels, boolean half) {
            Window window = half ? AROUND.withStride(2) : AROUND;
            return new Residual(
                    Convolution.of(p.under("conv1"), channels, channels, window),
                    Convolution.of(p.under("conv2"), channels, channels, AROUND),
                    half
                            ? Convolution.of(p.under("conv_project"), channels, channels, window)
                            : Layer.NONE);
        }

        @Override
        public NDArray apply(Pass pass, NDArray x) {
            try (Scope scope = new Scope()) {
                NDArray h = conv1.apply(pass, x);
                h = Scope.next(h, FusedOps.instanceNorm(h, EPS));
                h = LeakyRelu.NONE.inPlace(h);
                h = Scope.next(h, conv2.apply(pass, h));
                h = Scope.next(h, FusedOps.instanceNorm(h, EPS));
                return scope.keep(LeakyRelu.NONE.inPlace(h.add(shortcut.apply(pass, x))));
            }
        }
    }

    @Override
    NDArray features(Pass pass, NDArray images) {
        NDArray x = first.apply(pass, images);
        x = LeakyRelu.NONE.inPlace(x);
        for (Residual block : blocks) {
            x = Scope.next(x, block.apply(pass, x));
        }
        return FeatureMap.features(x);
    }

    @Override
    long mapSize(long size) {
        long s = size;
        for (int i = 0; i < halvings; i++) {
            s = AROUND.withStride(2).places(s);
        }
        return s;
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("channels", channels).and("halvings", halvings);
    }
}
