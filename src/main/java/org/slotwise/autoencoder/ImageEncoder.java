package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Downsample;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.Layer;
import org.slotwise.layer.Window;

/**
 * Images to latents or moments.
 *
 * <pre>{@code
 * conv_in   each level: residual blocks, half the size   middle   conv_out silu(GN)   quant_conv
 * }</pre>
 */
final class ImageEncoder implements Layer {

    private final Convolution first;
    private final List<Layer> levels = new ArrayList<>();
    private final GroupNorm norm;
    private final Convolution last;
    private final Convolution quant;

    /** Declares {@code encoder.*} and {@code quant_conv}; out is C or 2 C. */
    ImageEncoder(Declarer parameters, AutoencoderSizes sizes, int out) {
        Declarer p = parameters.under("encoder");
        List<Integer> widths = sizes.widths();
        int channels = widths.get(0);
        Window around = Window.same(3);
        first = Convolution.of(p.under("conv_in"), sizes.imageChannels(), channels, around);
        for (int i = 0; i < widths.size(); i++) {
            Declarer level = p.under("down_blocks").under(Integer.toString(i));
            for (int j = 0; j < sizes.blocks(); j++) {
                levels.add(Middle.residual(level, j, channels, widths.get(i), sizes));
                channels = widths.get(i);
            }
            if (i < widths.size() - 1) {
                Declarer half = level.under("downsamplers").under("0");
                levels.add(Downsample.of(half, channels, true));
            }
        }
        levels.addAll(Middle.layers(p.under("mid_block"), channels, sizes));
        norm = Middle.norm(p.under("conv_norm_out"), channels, sizes);
        last = Convolution.of(p.under("conv_out"), channels, out, around);
        quant = Convolution.of(parameters.under("quant_conv"), out, out, Window.valid(1));
    }

    @Override
    public NDArray apply(Pass pass, NDArray images) {
        NDArray h = first.apply(pass, images);
        for (Layer layer : levels) {
            h = Scope.next(h, layer.apply(pass, h));
        }
        h = Scope.next(h, norm.activated(pass, h));
        h = Scope.next(h, last.apply(pass, h));
        return Scope.next(h, quant.apply(pass, h));
    }
}
