package org.slotwise.autoencoder;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The options of diffusers from the sizes of an autoencoder: what {@link AutoencoderReader} reads.
 */
final class AutoencoderWriter {

    private AutoencoderWriter() {}

    /** What all kinds have; those of one kind are put behind them. */
    static Map<String, Object> options(String kind, AutoencoderSizes sizes) {
        int levels = sizes.widths().size();
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("_class_name", kind);
        options.put("in_channels", sizes.imageChannels());
        options.put("out_channels", sizes.imageChannels());
        options.put("down_block_types", Collections.nCopies(levels, AutoencoderReader.DOWN));
        options.put("up_block_types", Collections.nCopies(levels, AutoencoderReader.UP));
        options.put("block_out_channels", sizes.widths());
        options.put("layers_per_block", sizes.blocks());
        options.put("act_fn", "silu");
        options.put("latent_channels", sizes.latentChannels());
        options.put("norm_num_groups", sizes.groups());
        options.put("scaling_factor", sizes.scale());
        options.put("mid_block_add_attention", true);
        return options;
    }
}
