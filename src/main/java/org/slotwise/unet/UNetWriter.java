package org.slotwise.unet;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slotwise.internal.Check;
import org.slotwise.layer.TimeEmbedding;

/** The options of diffusers from the sizes of a U-Net: what {@link UNetReader} reads. */
final class UNetWriter {

    private UNetWriter() {}

    /** Those of a network that is told slots. */
    static Map<String, Object> options(UNetConfiguration sizes) {
        TransformerOptions transformer = Objects.requireNonNull(sizes.transformer());
        TimeEmbedding.Order order = sizes.time().order();
        Check.option(
                order != TimeEmbedding.Order.INTERLEAVED,
                "UNet: diffusers has no embedding of times with sines and cosines in turn");
        boolean placed = transformer.positions() > 0;
        Map<String, Object> options = new LinkedHashMap<>();
        options.put(
                "_class_name", placed ? UNetReader.WITH_POSITIONS : UNetReader.WITHOUT_POSITIONS);
        if (placed) {
            options.put("pos_type", "cartesian");
            options.put("sample_size", transformer.positions());
        }
        options.put("in_channels", sizes.in());
        options.put("out_channels", sizes.out());
        options.put("block_out_channels", sizes.widths());
        options.put(
                "down_block_types",
                types(sizes.attention(), UNetReader.ATTENTION_DOWN, UNetReader.PLAIN_DOWN));
        options.put("mid_block_type", "UNetMidBlock2DCrossAttn");
        List<String> up = types(sizes.attention(), UNetReader.ATTENTION_UP, UNetReader.PLAIN_UP);
        Collections.reverse(up);
        options.put("up_block_types", up);
        options.put("layers_per_block", sizes.blocks());
        options.put("downsample_padding", 1);
        options.put("mid_block_scale_factor", 1);
        options.put("act_fn", "silu");
        options.put("dropout", sizes.residual().dropout());
        options.put("norm_num_groups", sizes.residual().groups());
        options.put("norm_eps", sizes.residual().eps());
        options.put(
                "resnet_time_scale_shift",
                sizes.residual().scaleShift() ? "scale_shift" : "default");
        options.put("cross_attention_dim", transformer.slotDim());
        options.put("transformer_layers_per_block", transformer.depth());
        // diffusers calls the number of heads so.
        options.put("attention_head_dim", heads(sizes, transformer.heads()));
        options.put("use_linear_projection", transformer.linearProjection());
        options.put("flip_sin_to_cos", order == TimeEmbedding.Order.COSINE_FIRST);
        options.put("freq_shift", sizes.time().shift());
        options.put("center_input_sample", false);
        return options;
    }

    private static List<String> types(List<Boolean> attention, String with, String without) {
        List<String> types = new ArrayList<>();
        attention.forEach(level -> types.add(level ? with : without));
        return types;
    }

    /** One number for all levels, or one for each; where a level has no attention, any. */
    private static Object heads(UNetConfiguration sizes, Heads heads) {
        if (heads.count() > 0) {
            return heads.count();
        }
        List<Integer> counts = new ArrayList<>();
        sizes.widths().forEach(width -> counts.add(Math.max(1, width / heads.size())));
        return counts;
    }
}
