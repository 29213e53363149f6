package org.slotwise.unet;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
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
    static final String HEADS = "attention_head_dim";
    private static final String MIDDLE = "mid_block_type";

    private final DiffusersFolder folder;

    UNetReader(DiffusersFolder folder) {
        this.folder = folder;
    }

    /** Of {@code UNet2DConditionModel}, with or without the positions of Latent Slot Diffusion. */
    UNetConfiguration told() throws IOException {
        boolean placed =
                folder.requireKind(WITHOUT_POSITIONS, WITH_POSITIONS).equals(WITH_POSITIONS);
        List<Integer> widths = widths(320, 640, 1280, 1280);
        List<Boolean> attention =
                attention(
                        widths.size(),
                        folder.texts(
                                "down_block_types",
                                List.of(
                                        ATTENTION_DOWN,
                                        ATTENTION_DOWN,
                                        ATTENTION_DOWN,
                                        PLAIN_DOWN)),
                        folder.texts(
                                "up_block_types",
                                List.of(PLAIN_UP, ATTENTION_UP, ATTENTION_UP, ATTENTION_UP)));
        middle("UNetMidBlock2DCrossAttn");
        folder.passOver("sample_size", "upcast_attention", "addition_embed_type_num_heads");
        folder.require("resnet_out_scale_factor", "1");
        folder.require("conv_in_kernel", "3");
        folder.require("conv_out_kernel", "3");
        folder.require("attention_type", "\"default\"");
        Heads heads = heads(widths, attention);
        TransformerOptions transformer =
                new TransformerOptions(
                        folder.integer("cross_attention_dim", 1280),
                        heads,
                        folder.integer("transformer_layers_per_block", 1),
                        folder.flag("use_linear_projection", false),
                        positions(placed ? "cartesian" : "none"));
        boolean scaleShift = folder.oneOf("resnet_time_scale_shift", "default", "scale_shift");
        return sizes(4, widths, attention, scaleShift, transformer, heads);
    }

    /** Of {@code UNet2DModel}, or of what is one and more. */
    UNetConfiguration plain() throws IOException {
        List<Integer> widths = widths(224, 448, 672, 896);
        plain("down_block_types", PLAIN_DOWN, widths.size());
        plain("up_block_types", PLAIN_UP, widths.size());
        middle("UNetMidBlock2D");
        folder.passOver("num_train_timesteps");
        folder.require("add_attention", "true");
        folder.require("downsample_type", "\"conv\"");
        folder.require("upsample_type", "\"conv\"");
        folder.require("resnet_time_scale_shift", "\"default\"");
        if (!folder.isNull("attn_norm_num_groups")) { // null: as many as the others have
            folder.require("attn_norm_num_groups", Integer.toString(groups()));
        }
        Heads heads = folder.isNull(HEADS) ? Heads.count(1) : Heads.size(head());
        return sizes(3, widths, Collections.nCopies(widths.size(), false), false, null, heads);
    }

    /** What both kinds have. */
    private UNetConfiguration sizes(
            int channels,
            List<Integer> widths,
            List<Boolean> attention,
            boolean scaleShift,
            @Nullable TransformerOptions transformer,
            Heads heads)
            throws IOException {
        folder.require("downsample_padding", "1");
        folder.require("mid_block_scale_factor", "1");
        folder.require("act_fn", "\"silu\"");
        folder.require("time_embedding_type", "\"positional\"");
        return new UNetConfiguration(
                folder.integer("in_channels", channels),
                folder.integer("out_channels", channels),
                widths,
                attention,
                folder.integer("layers_per_block", 2),
                new ResnetBlock.Options(
                        groups(),
                        folder.number("norm_eps", 1e-5),
                        folder.number("dropout", 0),
                        scaleShift),
                transformer,
                heads,
                new TimeEmbedding(
                        widths.get(0),
                        folder.flag("flip_sin_to_cos", true)
                                ? TimeEmbedding.Order.COSINE_FIRST
                                : TimeEmbedding.Order.SINE_FIRST,
                        folder.integer("freq_shift", 0)),
                false);
    }

    private List<Integer> widths(Integer... otherwise) throws IOException {
        List<Integer> widths = folder.integers("block_out_channels", List.of(otherwise));
        if (widths.isEmpty()) {
            throw wrong("block_out_channels must be at least one number, got []");
        }
        return widths;
    }

    private int groups() throws IOException {
        return folder.integer("norm_num_groups", 32);
    }

    private void middle(String type) throws IOException {
        if (folder.isNull(MIDDLE)) {
            throw wrong(
                    MIDDLE
                            + " must be "
                            + type
                            + ", got null: a network without a middle is not supported");
        }
        folder.require(MIDDLE, '"' + type + '"');
    }

    private void plain(String name, String type, int levels) throws IOException {
        List<String> expected = Collections.nCopies(levels, type);
        List<String> got = folder.texts(name, List.of());
        if (!got.equals(expected)) {
            throw wrong(name + " must be " + expected + ", got " + got);
        }
    }

    private List<Boolean> attention(int levels, List<String> down, List<String> upwards)
            throws IOException {
        List<String> up = new ArrayList<>(upwards);
        Collections.reverse(up);
        List<Boolean> attention = new ArrayList<>();
        List<String> mirrored = new ArrayList<>();
        for (String type : down) {
            if (!type.equals(PLAIN_DOWN) && !type.equals(ATTENTION_DOWN)) {
                throw wrong(
                        "down_block_types must be "
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
            throw wrong(
                    "block_out_channels, down_block_types and up_block_types must be of the same"
                            + " levels, got "
                            + levels
                            + ", "
                            + down
                            + " and, lowest last, "
                            + up);
        }
        return attention;
    }

    /** The size of a head; diffusers calls it so here, and the number of heads below. */
    private int head() throws IOException {
        int size = folder.integer(HEADS, 8);
        if (size < 1) {
            throw wrong(HEADS + " must be at least 1, got " + size);
        }
        return size;
    }

    /** diffusers calls the number of heads attention_head_dim. */
    private Heads heads(List<Integer> widths, List<Boolean> attention) throws IOException {
        List<Integer> named = folder.integers("num_attention_heads", List.of());
        List<Integer> old = folder.integers(HEADS, List.of(8));
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
            throw wrong(
                    HEADS
                            + " must be one number of heads, or for each level one such that all"
                            + " heads are of one size, got "
                            + counts);
        }
        return Heads.size(size);
    }

    private int positions(String usual) throws IOException {
        String type = folder.text("pos_type", usual);
        if (type.equals("none")) {
            return 0;
        }
        if (!type.equals("cartesian")) {
            throw wrong("pos_type must be none or cartesian, got " + type);
        }
        int side = folder.integer("sample_size", 0);
        if (side < 1) {
            throw wrong(
                    "sample_size must be there and at least 1 where there are positions, got "
                            + side);
        }
        return side;
    }

    private IOException wrong(String what) {
        return new IOException(folder.path() + ": " + what);
    }
}
