package org.slotwise.benchmark;

import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Locale;
import java.util.function.IntUnaryOperator;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNetConfiguration;

/** The U-Nets that {@link DiffusionSpeed} measures. */
enum DenoiserSize {
    /** The network of the test "unet_tiny". */
    TINY(8, 8, 5, 10, 4, w -> 2, new boolean[] {true, false}, 8, 12),
    /** The network of the shipped model. */
    SMALL(8, 8, 5, 64, 8, w -> w / 16, new boolean[] {true, true}, 32, 64),
    /** As wide as the seed's, with transformers at both levels. */
    WIDE(8, 16, 5, 64, 32, w -> w / 32, new boolean[] {true, true}, 64, 128);

    private final int batch;
    private final int side;
    private final int slots;
    private final int slotDim;
    private final int groups;

    @SuppressWarnings("ImmutableEnumChecker") // functions of numbers alone
    private final IntUnaryOperator heads;

    @SuppressWarnings("ImmutableEnumChecker") // a record of unmodifiable lists
    private final UNetConfiguration sizes;

    DenoiserSize(
            int batch,
            int side,
            int slots,
            int slotDim,
            int groups,
            IntUnaryOperator heads,
            boolean[] attention,
            int... widths) {
        this.batch = batch;
        this.side = side;
        this.slots = slots;
        this.slotDim = slotDim;
        this.groups = groups;
        this.heads = heads;
        sizes =
                UNetConfiguration.builder()
                        .setChannels(4, 4)
                        .setWidths(widths)
                        .setTransformer(TransformerOptions.of(slotDim, headsOfAll(heads, widths)))
                        .optAttention(attention)
                        .optGroups(groups)
                        .build();
    }

    /** All widths have as many heads, or heads as large. */
    private static Heads headsOfAll(IntUnaryOperator heads, int... widths) {
        int first = heads.applyAsInt(widths[0]);
        return first == heads.applyAsInt(widths[1])
                ? Heads.count(first)
                : Heads.size(widths[0] / first);
    }

    int heads(int width) {
        return heads.applyAsInt(width);
    }

    UNetConfiguration sizes() {
        return sizes;
    }

    Shape latents() {
        return new Shape(batch, 4, side, side);
    }

    Shape slots() {
        return new Shape(batch, slots, slotDim);
    }

    @Override
    public String toString() {
        return String.format(
                "%s %s of %s", name().toLowerCase(Locale.ROOT), sizes.widths(), latents());
    }

    /** What the Python peer is told. */
    JsonObject json() {
        JsonObject json = new JsonObject();
        JsonArray widths = new JsonArray();
        JsonArray attention = new JsonArray();
        JsonObject counts = new JsonObject();
        sizes.widths().forEach(widths::add);
        sizes.attention().forEach(attention::add);
        for (int width : sizes.widths()) {
            counts.addProperty(Integer.toString(width), heads(width));
        }
        json.add("widths", widths);
        json.add("attention", attention);
        json.add("heads", counts);
        json.addProperty("channels", sizes.in());
        json.addProperty("blocks", sizes.blocks());
        json.addProperty("groups", groups);
        json.addProperty("slot", slotDim);
        return json;
    }
}
