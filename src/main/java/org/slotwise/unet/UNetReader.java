package org.slotwise.unet;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.weights.DiffusersFolder;

/** The sizes of a U-Net from the options of diffusers. */
final class UNetReader {

    static final String WITHOUT_POSITIONS = "UNet2DConditionModel";
    static final String WITH_POSITIONS = "UNet2DConditionModelWithPos";
    static final String PLAIN_DOWN = "DownBlock2D";
    static final String PLAIN_UP = "UpBlock2D";
    static final String ATTENTION_DOWN = "CrossAttnDownBlock2D";
    static final String ATTENTION_UP = "CrossAttnUpBlock2D";

    private final DiffusersFolder folder;

    UNetReader(DiffusersFolder folder) {
        this.folder = folder;
    }

    /** Of {@code UNet2DConditionModel}, with or without the positions of Latent Slot Diffusion. */
    UNetConfiguration read() throws IOException {
        folder.requireKind(WITHOUT_POSITIONS, WITH_POSITIONS);
        List<Integer> widths = folder.integers("block_out_channels", List.of(320, 640, 1280, 1280));
        List<Boolean> attention = attention(widths.size());
        neutral();
        ResnetBlock.Options residual =
                new ResnetBlock.Options(
                        folder.integer("norm_num_groups", 32),
                        folder.number("norm_eps", 1e-5),
                        folder.number("dropout", 0),
                        folder.oneOf("resnet_time_scale_shift", "default", "scale_shift"));
        TransformerOptions transformer =
                new TransformerOptions(
                        folder.integer("cross_attention_dim", 1280),
                        heads(widths, attention),
                        folder.integer("transformer_layers_per_block", 1),
                        folder.flag("use_linear_projection", false),
                        positions());
        UNetConfiguration sizes =
                new UNetConfiguration(
                        folder.integer("in_channels", 4),
                        folder.integer("out_channels", 4),
                        widths,
                        attention,
                        folder.integer("layers_per_block", 2),
                        residual,
                        transformer,
                        transformer.heads(),
                        new TimeEmbedding(
                                widths.get(0),
                                folder.flag("flip_sin_to_cos", true)
                                        ? TimeEmbedding.Order.COSINE_FIRST
                                        : TimeEmbedding.Order.SINE_FIRST,
                                folder.integer("freq_shift", 0)),
                        false);
        folder.refuseOthers();
        return sizes;
    }

    /** Options of which one value is supported, and those that change nothing. */
    private void neutral() throws IOException {
        folder.passOver(
                "_diffusers_version",
                "_name_or_path",
                "_commit_hash",
                "sample_size",
                "upcast_attention",
                "addition_embed_type_num_heads");
        folder.require("mid_block_type", "\"UNetMidBlock2DCrossAttn\"");
        folder.require("downsample_padding", "1");
        folder.require("mid_block_scale_factor", "1");
        folder.require("act_fn", "\"silu\"");
        folder.require("resnet_out_scale_factor", "1");
        folder.require("time_embedding_type", "\"positional\"");
        folder.require("conv_in_kernel", "3");
        folder.require("conv_out_kernel", "3");
        folder.require("attention_type", "\"default\"");
    }

    private List<Boolean> attention(int levels) throws IOException {
        List<String> down =
                folder.texts(
                        "down_block_types",
                        List.of(ATTENTION_DOWN, ATTENTION_DOWN, ATTENTION_DOWN, PLAIN_DOWN));
        List<String> up =
                new ArrayList<>(
                        folder.texts(
                                "up_block_types",
                                List.of(PLAIN_UP, ATTENTION_UP, ATTENTION_UP, ATTENTION_UP)));
        Collections.reverse(up);
        List<Boolean> attention = new ArrayList<>();
        List<String> mirrored = new ArrayList<>();
        for (String type : down) {
            if (!type.equals(PLAIN_DOWN) && !type.equals(ATTENTION_DOWN)) {
                throw new IOException(
                        folder.path()
                                + ": down_block_types must be "
                                + PLAIN_DOWN
                                + " or "
                                + ATTENTION_DOWN
                                + ", got "
                                + type);
            }
            attention.add(type.equals(ATTENTION_DOWN));
            mirrored.add(type.equals(ATTENTION_DOWN) ? ATTENTION_UP : PLAIN_UP);
        }
        if (!mirrored.equals(up) || down.size() != levels) {
            throw new IOException(
                    folder.path()
                            + ": block_out_channels, down_block_types and up_block_types must be of"
                            + " the same levels, got "
                            + levels
                            + ", "
                            + down
                            + " and, lowest last, "
                            + up);
        }
        return attention;
    }

    /** diffusers calls the number of heads attention_head_dim. */
    private Heads heads(List<Integer> widths, List<Boolean> attention) throws IOException {
        List<Integer> named = folder.integers("num_attention_heads", List.of());
        List<Integer> old = folder.integers("attention_head_dim", List.of(8));
        List<Integer> counts = named.isEmpty() ? old : named;
        if (counts.size() == 1 && counts.get(0) > 0) {
            return Heads.count(counts.get(0));
        }
        int last = widths.size() - 1;
        boolean bySize = counts.size() == widths.size() && counts.get(last) > 0;
        int size = bySize ? widths.get(last) / counts.get(last) : 0;
        for (int i = 0; bySize && i <= last; i++) {
            // The middle has the heads of the last level.
            boolean counted = attention.get(i) || i == last;
            bySize = !counted || widths.get(i) == (long) size * counts.get(i);
        }
        if (!bySize) {
            throw new IOException(
                    folder.path()
                            + ": attention_head_dim must be one number of heads, or for each level"
                            + " one such that all heads are of one size, got "
                            + counts);
        }
        return Heads.size(size);
    }

    private int positions() throws IOException {
        String type = folder.text("pos_type", "none");
        if (type.equals("none")) {
            return 0;
        }
        if (!type.equals("cartesian")) {
            throw new IOException(
                    folder.path() + ": pos_type must be none or cartesian, got " + type);
        }
        return folder.integer("sample_size", 32);
    }
}
