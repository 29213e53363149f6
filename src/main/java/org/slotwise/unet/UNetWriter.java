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
    static Map<String, Object> told(UNetConfiguration sizes) {
        TransformerOptions transformer = Objects.requireNonNull(sizes.transformer());
        boolean placed = transformer.positions() > 0;
        Map<String, Object> options = new LinkedHashMap<>();
        options.put(
                "_class_name", placed ? UNetReader.WITH_POSITIONS : UNetReader.WITHOUT_POSITIONS);
        if (placed) {
            options.put("pos_type", "cartesian");
            options.put("sample_size", transformer.positions());
        }
        options.putAll(shared("UNet", sizes));
        options.put(
                "down_block_types",
                types(sizes.attention(), UNetReader.ATTENTION_DOWN, UNetReader.PLAIN_DOWN));
        options.put("mid_block_type", "UNetMidBlock2DCrossAttn");
        List<String> up = types(sizes.attention(), UNetReader.ATTENTION_UP, UNetReader.PLAIN_UP);
        Collections.reverse(up);
        options.put("up_block_types", up);
        options.put(
                "resnet_time_scale_shift",
                sizes.residual().scaleShift() ? "scale_shift" : "default");
        options.put("cross_attention_dim", transformer.slotDim());
        options.put("transformer_layers_per_block", transformer.depth());
        // diffusers calls the number of heads so.
        options.put(UNetReader.HEADS, heads(sizes, transformer.heads()));
        options.put("use_linear_projection", transformer.linearProjection());
        return options;
    }

    /** Those of {@code UNet2DModel}, without the name of the class. */
    static Map<String, Object> plain(String who, UNetConfiguration sizes) {
        Check.option(
                sizes.transformer() == null, who + ": sizes must have no transformer: no slots");
        Check.option(
                !sizes.residual().scaleShift(),
                who + ": diffusers has no normalised attention beside residual blocks that scale");
        int levels = sizes.widths().size();
        Map<String, Object> options = shared(who, sizes);
        options.put("down_block_types", Collections.nCopies(levels, UNetReader.PLAIN_DOWN));
        options.put("up_block_types", Collections.nCopies(levels, UNetReader.PLAIN_UP));
        options.put("downsample_type", "conv");
        options.put("upsample_type", "conv");
        // Here it is the size of a head.
        Heads heads = sizes.middle();
        int wide = sizes.widths().get(levels - 1);
        options.put(UNetReader.HEADS, heads.size() > 0 ? heads.size() : wide / heads.count());
        options.put("resnet_time_scale_shift", "default");
        options.put("add_attention", true);
        return options;
    }

    /** What both kinds have. */
    private static Map<String, Object> shared(String who, UNetConfiguration sizes) {
        TimeEmbedding.Order order = sizes.time().order();
        Check.option(
                order != TimeEmbedding.Order.INTERLEAVED,
                who + ": diffusers has no embedding of times with sines and cosines in turn");
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("in_channels", sizes.in());
        options.put("out_channels", sizes.out());
        options.put("block_out_channels", sizes.widths());
        options.put("layers_per_block", sizes.blocks());
        options.put("downsample_padding", 1);
        options.put("mid_block_scale_factor", 1);
        options.put("act_fn", "silu");
        options.put("dropout", sizes.residual().dropout());
        options.put("norm_num_groups", sizes.residual().groups());
        options.put("norm_eps", sizes.residual().eps());
        options.put("time_embedding_type", "positional");
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
