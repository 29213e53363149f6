package org.slotwise.autoencoder;

import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.ImageAttention;
import org.slotwise.layer.Layer;
import org.slotwise.layer.ResnetBlock;

/** What encoder and decoder have in common: residual blocks without a time, and their middle. */
final class Middle {

    private static final double EPS = 1e-6;

    private Middle() {}

    /** Residual block, attention with one head, residual block. */
    static List<Layer> layers(Declarer p, int channels, AutoencoderSizes sizes) {
        Declarer attention = p.under("attentions").under("0");
        return List.of(
                residual(p, 0, channels, channels, sizes),
                ImageAttention.of(attention, channels, sizes.groups(), EPS, 1),
                residual(p, 1, channels, channels, sizes));
    }

    static Layer residual(Declarer p, int number, int in, int out, AutoencoderSizes sizes) {
        return new ResnetBlock(
                p.under("resnets").under(Integer.toString(number)),
                in,
                out,
                0,
                ResnetBlock.Options.of(sizes.groups(), EPS),
                ResnetBlock.Resize.SAME,
                null);
    }

    static GroupNorm norm(Declarer p, int channels, AutoencoderSizes sizes) {
        return GroupNorm.of(p, sizes.groups(), channels, EPS);
    }
}
