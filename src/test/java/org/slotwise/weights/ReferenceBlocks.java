package org.slotwise.weights;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.conditioning.SlotwiseLearntConditioning;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.layer.FeedForward;
import org.slotwise.position.PositionGrid;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Every block that has parameters: by reference case, and as examples with inputs. */
final class ReferenceBlocks {

    static final List<String> KINDS =
            List.of(
                    "SlotAttention",
                    "SlotAttentionGrouping",
                    "StickBreakingGrouping",
                    "RandomConditioning",
                    "LearntConditioning",
                    "SlotwiseLearntConditioning",
                    "SoftPositionEmbed");

    private ReferenceBlocks() {}

    /** The block of a case, as far as parameters go. */
    static Block build(String kind, ReferenceCase c) {
        return switch (kind) {
            case "SlotAttention" -> slotAttention(c, c.integer("dim"));
            case "SlotAttentionGrouping" -> {
                SlotAttentionGrouping.Builder builder =
                        SlotAttentionGrouping.builder()
                                .setSlotAttention(slotAttention(c, c.integer("object_dim")))
                                .optEmptySlotForMasked(c.flag("use_empty_slot_for_masked_slots"));
                if (c.option("positional_embedding") != null) {
                    JsonObject options = c.option("positional_embedding").getAsJsonObject();
                    builder.optPositionalEmbedding(
                            position(
                                    options.get("n_spatial_dims").getAsInt(),
                                    c.integer("feature_dim"),
                                    options.get("savi_style").getAsBoolean()));
                }
                yield builder.build();
            }
            case "StickBreakingGrouping" ->
                    StickBreakingGrouping.builder()
                            .setObjectDim(c.integer("object_dim"))
                            .setFeatureDim(c.integer("feature_dim"))
                            .setSlots(c.integer("n_slots"))
                            .optInputLayerNorm(c.flag("use_input_layernorm"))
                            .build();
            case "RandomConditioning" ->
                    RandomConditioning.builder()
                            .setDim(c.integer("object_dim"))
                            .setSlots(c.integer("n_slots"))
                            .build();
            case "LearntConditioning" ->
                    LearntConditioning.builder()
                            .setDim(c.integer("object_dim"))
                            .setSlots(c.integer("n_slots"))
                            .build();
            case "SlotwiseLearntConditioning" ->
                    SlotwiseLearntConditioning.builder()
                            .setDim(c.integer("object_dim"))
                            .setSlots(c.integer("n_slots"))
                            .build();
            case "SoftPositionEmbed" ->
                    position(
                            c.integer("n_spatial_dims"),
                            c.integer("feature_dim"),
                            c.flag("savi_style"));
            default -> throw new AssertionError(c.toString());
        };
    }

    private static SlotAttention slotAttention(ReferenceCase c, int dim) {
        SlotAttention.Builder builder =
                SlotAttention.builder()
                        .setDim(dim)
                        .setFeatureDim(c.integer("feature_dim"))
                        .optProjectionBias(c.flag("use_projection_bias"));
        if (c.option("kvq_dim") != null) {
            builder.optKvqDim(c.integer("kvq_dim"));
        }
        if (c.option("ff_mlp") != null) {
            JsonObject options = c.option("ff_mlp").getAsJsonObject();
            builder.optFeedForward(new FeedForward(dim, options.get("hidden_dim").getAsInt()));
        }
        return builder.build();
    }

    private static SoftPositionEmbed position(int spatialDims, int featureDim, boolean saviStyle) {
        return SoftPositionEmbed.builder()
                .setSpatialDims(spatialDims)
                .setFeatureDim(featureDim)
                .optSaviStyle(saviStyle)
                .build();
    }

    /** A block and inputs for it. */
    record Example(String name, Supplier<Block> build, Function<NDManager, NDList> makeInputs) {

        Block block() {
            return build.get();
        }

        NDList inputs(NDManager manager) {
            return makeInputs.apply(manager);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static List<Example> examples() {
        Function<NDManager, NDList> grouped =
                m -> new NDList(Tensors.normal(m, 1, 2, 6, 5), Tensors.normal(m, 2, 2, 3, 4));
        Function<NDManager, NDList> noise =
                m -> {
                    NDList list = new NDList(Tensors.normal(m, 1, 2, 3, 4));
                    list.head().setName("noise");
                    return list;
                };
        Supplier<SlotAttention.Builder> attention =
                () -> SlotAttention.builder().setDim(4).setFeatureDim(5);
        return List.of(
                new Example("SlotAttention", () -> attention.get().build(), grouped),
                new Example(
                        "SlotAttention with everything",
                        () ->
                                attention
                                        .get()
                                        .optHeads(2)
                                        .optKvqDim(6)
                                        .optProjectionBias(true)
                                        .optFeedForward(new FeedForward(4, 7))
                                        .build(),
                        grouped),
                new Example(
                        "SlotAttentionGrouping",
                        () ->
                                SlotAttentionGrouping.builder()
                                        .setSlotAttention(attention.get().build())
                                        .optPositionalEmbedding(position(2, 5, false))
                                        .optEmptySlotForMasked(true)
                                        .build(),
                        m ->
                                new NDList(
                                        Tensors.normal(m, 1, 2, 6, 5),
                                        PositionGrid.of(m, DataType.FLOAT32, 2, 3),
                                        Tensors.normal(m, 2, 2, 3, 4))),
                new Example(
                        "StickBreakingGrouping",
                        () ->
                                StickBreakingGrouping.builder()
                                        .setObjectDim(3)
                                        .setFeatureDim(5)
                                        .setSlots(2)
                                        .optInputLayerNorm(true)
                                        .build(),
                        m ->
                                new NDList(
                                        Tensors.normal(m, 1, 2, 6, 5),
                                        m.full(new Shape(2, 6), 0.5f))),
                new Example(
                        "FeedForward",
                        () -> new FeedForward(4, 7),
                        m -> new NDList(Tensors.normal(m, 1, 2, 4))),
                new Example(
                        "RandomConditioning",
                        () -> RandomConditioning.builder().setDim(4).setSlots(3).build(),
                        noise),
                new Example(
                        "LearntConditioning",
                        () -> LearntConditioning.builder().setDim(4).setSlots(3).build(),
                        noise),
                new Example(
                        "SlotwiseLearntConditioning",
                        () -> SlotwiseLearntConditioning.builder().setDim(4).setSlots(3).build(),
                        noise),
                new Example(
                        "SoftPositionEmbed",
                        () -> position(2, 5, true),
                        m ->
                                new NDList(
                                        Tensors.normal(m, 1, 2, 6, 5),
                                        PositionGrid.of(m, DataType.FLOAT32, 2, 3))),
                new Example(
                        "SequentialBlock",
                        StateDictTest::sequential,
                        m -> new NDList(Tensors.normal(m, 1, 5, 4))));
    }
}
