package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.Layer;
import org.slotwise.layer.Upsample;
import org.slotwise.layer.Window;

/**
 * Latents to images.
 *
 * <pre>{@code
 * post_quant_conv   conv_in   middle   each level: residual blocks, twice the size   conv_out silu(GN)
 * }</pre>
 */
final class ImageDecoder implements Layer {

    private final Convolution quant;
    private final Convolution first;
    private final List<Layer> levels = new ArrayList<>();
    private final GroupNorm norm;
    private final Convolution last;

    /** Declares {@code decoder.*} and {@code post_quant_conv}. */
    ImageDecoder(Declarer parameters, AutoencoderSizes sizes) {
        Declarer p = parameters.under("decoder");
        List<Integer> widths = sizes.widths();
        int top = widths.size() - 1;
        int latents = sizes.latentChannels();
        int channels = widths.get(top);
        Window around = Window.same(3);
        Declarer before = parameters.under("post_quant_conv");
        quant = Convolution.of(before, latents, latents, Window.valid(1));
        first = Convolution.of(p.under("conv_in"), latents, channels, around);
        levels.addAll(Middle.layers(p.under("mid_block"), channels, sizes));
        for (int i = top; i >= 0; i--) {
            Declarer level = p.under("up_blocks").under(Integer.toString(top - i));
            for (int j = 0; j <= sizes.blocks(); j++) {
                levels.add(Middle.residual(level, j, channels, widths.get(i), sizes));
                channels = widths.get(i);
            }
            if (i > 0) {
                Declarer twice = level.under("upsamplers").under("0");
                levels.add(Upsample.of(twice, channels));
            }
        }
        norm = Middle.norm(p.under("conv_norm_out"), channels, sizes);
        last = Convolution.of(p.under("conv_out"), channels, sizes.imageChannels(), around);
    }

    @Override
    public NDArray apply(Pass pass, NDArray latents) {
        NDArray h = quant.apply(pass, latents);
        h = Scope.next(h, first.apply(pass, h));
        for (Layer layer : levels) {
            h = Scope.next(h, layer.apply(pass, h));
        }
        h = Scope.next(h, norm.activated(pass, h));
        return Scope.next(h, last.apply(pass, h));
    }
}
