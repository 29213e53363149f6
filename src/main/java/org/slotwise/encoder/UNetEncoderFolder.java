package org.slotwise.encoder;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.unet.Heads;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.DiffusersFolder;

/**
 * The options of Latent Slot Diffusion's {@code UNetEncoder}, which are those of diffusers' {@code
 * UNet2DModel} and two more: from a folder, and for one.
 */
final class UNetEncoderFolder {

    private static final String KIND = "UNetEncoder";
    private static final String DOWN = "DownBlock2D";
    private static final String UP = "UpBlock2D";
    private static final String DEFAULT = "\"default\"";
    private static final String HEADS = "attention_head_dim";

    /** The side of the map for which the authors' are; of no meaning for what is computed. */
    private static final int SIDE = 64;

    private UNetEncoderFolder() {}

    /** The block, without weights. */
    static UNetEncoder read(DiffusersFolder folder) throws IOException {
        folder.requireKind(KIND);
        neutral(folder);
        List<Integer> widths = folder.integers("block_out_channels", List.of(224, 448, 672, 896));
        plain(folder, "down_block_types", DOWN, widths.size());
        plain(folder, "up_block_types", UP, widths.size());
        int groups = folder.integer("norm_num_groups", 32);
        folder.require("attn_norm_num_groups", Integer.toString(groups));
        UNetConfiguration sizes =
                new UNetConfiguration(
                        folder.integer("in_channels", 3),
                        folder.integer("out_channels", 3),
                        widths,
                        Collections.nCopies(widths.size(), false),
                        folder.integer("layers_per_block", 2),
                        new ResnetBlock.Options(
                                groups,
                                folder.number("norm_eps", 1e-5),
                                folder.number("dropout", 0),
                                false),
                        null,
                        folder.isNull(HEADS) ? Heads.count(1) : Heads.size(head(folder)),
                        new TimeEmbedding(
                                widths.get(0),
                                folder.flag("flip_sin_to_cos", true)
                                        ? TimeEmbedding.Order.COSINE_FIRST
                                        : TimeEmbedding.Order.SINE_FIRST,
                                folder.integer("freq_shift", 0)),
                        false);
        int patch = patch(folder);
        folder.refuseOthers();
        return new UNetEncoder(sizes, patch);
    }

    private static int head(DiffusersFolder folder) throws IOException {
        int size = folder.integer(HEADS, 8);
        if (size < 1) {
            throw new IOException(
                    folder.path() + ": " + HEADS + " must be at least 1, got " + size);
        }
        return size;
    }

    /** Options of which one value is supported, and those that change nothing. */
    private static void neutral(DiffusersFolder folder) throws IOException {
        folder.passOver(
                "_diffusers_version", "_name_or_path", "_commit_hash", "num_train_timesteps");
        if (folder.isNull("mid_block_type")) {
            throw new IOException(
                    folder.path()
                            + ": mid_block_type must be UNetMidBlock2D, got null: a network"
                            + " without a middle is not supported");
        }
        folder.require("mid_block_type", "\"UNetMidBlock2D\"");
        folder.require("add_attention", "true");
        folder.require("mid_block_scale_factor", "1");
        folder.require("downsample_padding", "1");
        folder.require("downsample_type", "\"conv\"");
        folder.require("upsample_type", "\"conv\"");
        folder.require("act_fn", "\"silu\"");
        folder.require("resnet_time_scale_shift", DEFAULT);
        folder.require("time_embedding_type", "\"positional\"");
        folder.require("input_channels", "3");
    }

    private static void plain(DiffusersFolder folder, String name, String type, int levels)
            throws IOException {
        List<String> expected = Collections.nCopies(levels, type);
        List<String> got = folder.texts(name, List.of());
        if (!got.equals(expected)) {
            throw new IOException(
                    folder.path() + ": " + name + " must be " + expected + ", got " + got);
        }
    }

    /** Kernel and stride of the first convolution. */
    private static int patch(DiffusersFolder folder) throws IOException {
        int images = folder.integer("input_resolution", 256);
        int map = folder.integer("sample_size", 0);
        if (map < 1 || images < map) {
            throw new IOException(
                    folder.path()
                            + ": sample_size must be at least 1 and at most input_resolution,"
                            + " which it divides, got "
                            + map
                            + " and "
                            + images);
        }
        return images / map;
    }

    /** What {@link #read} reads. */
    static Map<String, Object> options(UNetConfiguration sizes, int patch) {
        TimeEmbedding.Order order = sizes.time().order();
        Check.option(
                order != TimeEmbedding.Order.INTERLEAVED,
                KIND + ": diffusers has no embedding of times with sines and cosines in turn");
        Check.option(
                !sizes.residual().scaleShift(),
                KIND + ": diffusers has no normalised attention beside residual blocks that scale");
        int levels = sizes.widths().size();
        int wide = sizes.widths().get(levels - 1);
        Map<String, Object> options = new LinkedHashMap<>();
        options.put("_class_name", KIND);
        options.put("input_resolution", SIDE * patch);
        options.put("sample_size", SIDE);
        options.put("input_channels", FeatureMap.CHANNELS);
        options.put("in_channels", sizes.in());
        options.put("out_channels", sizes.out());
        options.put("block_out_channels", sizes.widths());
        options.put("down_block_types", Collections.nCopies(levels, DOWN));
        options.put("up_block_types", Collections.nCopies(levels, UP));
        options.put("layers_per_block", sizes.blocks());
        options.put("mid_block_scale_factor", 1);
        options.put("downsample_padding", 1);
        options.put("downsample_type", "conv");
        options.put("upsample_type", "conv");
        options.put("dropout", sizes.residual().dropout());
        options.put("act_fn", "silu");
        // Here it is the size of a head.
        Heads heads = sizes.middle();
        options.put(HEADS, heads.size() > 0 ? heads.size() : wide / heads.count());
        options.put("norm_num_groups", sizes.residual().groups());
        options.put("norm_eps", sizes.residual().eps());
        options.put("resnet_time_scale_shift", "default");
        options.put("add_attention", true);
        options.put("time_embedding_type", "positional");
        options.put("flip_sin_to_cos", order == TimeEmbedding.Order.COSINE_FIRST);
        options.put("freq_shift", sizes.time().shift());
        options.put("center_input_sample", false);
        return options;
    }
}
