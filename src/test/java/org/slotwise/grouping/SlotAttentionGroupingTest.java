package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class SlotAttentionGroupingTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("SlotAttentionGrouping");
    }

    private static SlotAttentionGrouping build(ReferenceCase reference) {
        int dim = reference.integer("object_dim");
        int featureDim = reference.integer("feature_dim");
        SlotAttention.Builder attention =
                SlotAttention.builder().setDim(dim).setFeatureDim(featureDim);
        SlotAttentionGrouping.Builder builder =
                SlotAttentionGrouping.builder()
                        .setSlotAttention(
                                SlotAttentionReferenceTest.options(attention, reference, dim)
                                        .build())
                        .optEmptySlotForMasked(reference.flag("use_empty_slot_for_masked_slots"));
        JsonElement positional = reference.option("positional_embedding");
        if (positional != null) {
            JsonObject options = positional.getAsJsonObject();
            builder.optPositionalEmbedding(
                    SoftPositionEmbed.builder()
                            .setSpatialDims(options.get("n_spatial_dims").getAsInt())
                            .setFeatureDim(featureDim)
                            .optSaviStyle(options.get("savi_style").getAsBoolean())
                            .build());
        }
        return builder.build();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheReference(ReferenceCase reference, NDManager manager) {
        SlotAttentionGrouping block = build(reference);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    PerceptualGroupingOutput out =
                            block.group(
                                    store,
                                    new FeatureExtractorOutput(
                                            in.get("features"), in.get("positions")),
                                    in.get("conditioning"),
                                    in.get("slot_mask"),
                                    true);
                    if (in.containsKey("slot_mask")) {
                        Tensors.assertSame("empty", in.get("slot_mask"), out.isEmpty());
                    }
                    Map<String, NDArray> outputs = new LinkedHashMap<>();
                    outputs.put("objects", out.objects());
                    outputs.put("feature_attributions", out.attributions());
                    return outputs;
                });
    }

    private static SlotAttentionGrouping.Builder small() {
        return SlotAttentionGrouping.builder()
                .setSlotAttention(
                        SlotAttention.builder().setDim(6).setFeatureDim(5).optEps(1e-4).build());
    }

    private static SoftPositionEmbed embedding() {
        return SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(5).build();
    }

    private static NDList inputs(NDManager manager, DataType type) {
        NDArray mask = manager.create(new boolean[] {false, true, false, false, false, true});
        return new NDList(
                Tensors.normal(manager, 1, type, 2, 9, 5),
                Tensors.normal(manager, 3, type, 9, 2),
                Tensors.normal(manager, 2, type, 2, 3, 6),
                mask.reshape(new Shape(2, 3)));
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(
                        () ->
                                small().optPositionalEmbedding(embedding())
                                        .optEmptySlotForMasked(true)
                                        .build(),
                        SlotAttentionGroupingTest::inputs)
                .check(manager);
    }

    private static NDList run(SlotAttentionGrouping block, NDList in) {
        NDManager manager = in.head().getManager();
        manager.getEngine().setRandomSeed(5);
        block.initialize(manager, DataType.FLOAT32, in.getShapes());
        return block.forward(new ParameterStore(manager, false), in, false);
    }

    @Test
    void everyOptionChangesTheResult(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        NDList withoutPositions = new NDList(in.get(0), in.get(2), in.get(3));
        SlotAttentionGrouping without = small().build();
        NDArray plain = run(without, withoutPositions).get(0);
        SlotAttentionGrouping with = small().optEmptySlotForMasked(true).build();
        run(with, withoutPositions);
        StateDict.of(without).arrays().forEach((n, v) -> v.copyTo(StateDict.of(with).get(n)));
        NDArray empty =
                with.forward(new ParameterStore(manager, false), withoutPositions, false).get(0);
        assertClose("an unmasked slot", plain.get("0, 0"), empty.get("0, 0"), 0);
        assertTrue(Tensors.largest(plain.get("0, 1").sub(empty.get("0, 1"))) > 1e-3);
        assertClose("masked slots are all the same", empty.get("0, 1"), empty.get("1, 2"), 0);
        NDArray placed = run(small().optPositionalEmbedding(embedding()).build(), in).get(0);
        assertTrue(Tensors.largest(plain.sub(placed)) > 1e-3);
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        SlotAttentionGrouping plain = small().build();
        run(plain, new NDList(in.get(0), in.get(2), in.get(3)));
        String are =
                ", the parameters are of SlotAttentionGrouping(positionalEmbedding=false,"
                        + " emptySlotForMasked=false)";
        byte[] saved = BlockContract.save(plain);
        assertEquals(
                "SlotAttentionGrouping: the block is"
                        + " SlotAttentionGrouping(positionalEmbedding=true,"
                        + " emptySlotForMasked=false)"
                        + are,
                refusal(saved, small().optPositionalEmbedding(embedding()).build(), manager));
        assertEquals(
                "SlotAttentionGrouping: the block is"
                        + " SlotAttentionGrouping(positionalEmbedding=false,"
                        + " emptySlotForMasked=true)"
                        + are,
                refusal(saved, small().optEmptySlotForMasked(true).build(), manager));
    }

    /** As far from 0 as slots are: a mean square of 1 / D. */
    @Test
    void anEmptySlotStartsSmall(NDManager manager) {
        int dim = 4096;
        SlotAttentionGrouping block =
                SlotAttentionGrouping.builder()
                        .setSlotAttention(
                                SlotAttention.builder()
                                        .setDim(dim)
                                        .setFeatureDim(1)
                                        .optKvqDim(1)
                                        .build())
                        .optEmptySlotForMasked(true)
                        .build();
        assertEquals(dim, block.objectDim());
        block.initialize(manager, DataType.FLOAT32, new Shape(1, 2, 1), new Shape(1, 1, dim));
        double length = StateDict.of(block).get("empty_slot").square().sum().getFloat();
        assertEquals(1, length, 0.1);
    }

    /** An embedding may make features of another size; shapes are then those of what it makes. */
    @Test
    void anEmbeddingMayChangeTheSizeOfFeatures(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        Block beside =
                new AbstractBlock((byte) 1) {
                    @Override
                    protected NDList forwardInternal(
                            ParameterStore store,
                            NDList list,
                            boolean training,
                            PairList<String, Object> params) {
                        NDArray x = list.get(0);
                        NDArray places = list.get(1).expandDims(0);
                        return new NDList(x.concat(places.repeat(0, x.getShape().get(0)), 2));
                    }

                    @Override
                    public Shape[] getOutputShapes(Shape[] shapes) {
                        Shape x = shapes[0];
                        return new Shape[] {new Shape(x.get(0), x.get(1), x.get(2) + 2)};
                    }
                };
        SlotAttentionGrouping block = small().optPositionalEmbedding(beside).build();
        NDArray narrow = in.get(0).get(":, :, :3"); // with two coordinates 5, as it expects
        NDList list = new NDList(narrow, in.get(1), in.get(2), in.get(3));
        assertEquals(
                List.of(block.getOutputShapes(list.getShapes())),
                List.of(run(block, list).getShapes()));
        assertRefused(
                "SlotAttentionGrouping: positions are missing",
                () -> block.getOutputShapes(new Shape[] {narrow.getShape()}));
    }

    @Test
    void noInputIsChanged(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        NDList copies = new NDList();
        in.forEach(x -> copies.add(x.duplicate()));
        run(small().optPositionalEmbedding(embedding()).optEmptySlotForMasked(true).build(), in);
        for (int i = 0; i < in.size(); i++) {
            Tensors.assertSame("input " + i, copies.get(i), in.get(i));
            assertNull(in.get(i).getName(), "name of input " + i);
        }
    }

    @Test
    void composesWithOtherBlocksByName(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        NDArray conditioning = in.get(2);
        SequentialBlock model = new SequentialBlock();
        model.add(
                x -> {
                    NDList list =
                            new FeatureExtractorOutput(
                                            x.get(0), x.get(1), Map.of("more", x.get(0).square()))
                                    .toNDList();
                    conditioning.setName("conditioning");
                    list.add(conditioning);
                    return list;
                });
        model.add(small().optPositionalEmbedding(embedding()).build());
        model.initialize(manager, DataType.FLOAT32, in.get(0).getShape(), in.get(1).getShape());
        NDList out =
                model.forward(
                        new ParameterStore(manager, false),
                        new NDList(in.get(0), in.get(1)),
                        false);
        assertEquals(2, out.size());
        assertEquals(new Shape(2, 3, 6), out.get(0).getShape());
    }

    @Test
    void errors(NDManager manager) {
        assertRefused(
                "SlotAttentionGrouping: slotAttention must be set",
                () -> SlotAttentionGrouping.builder().build());
        NDList in = inputs(manager, DataType.FLOAT32);
        SlotAttentionGrouping block = small().optPositionalEmbedding(embedding()).build();
        block.initialize(manager, DataType.FLOAT32, in.getShapes());
        ParameterStore store = new ParameterStore(manager, false);
        assertRefused(
                "SlotAttentionGrouping: positions are missing: the positional embedding needs them",
                () -> block.group(store, new FeatureExtractorOutput(in.get(0)), in.get(2), false));
        assertRefused(
                "SlotAttentionGrouping: conditioning must be (2, K, 6), got (2, 9, 5)",
                () ->
                        block.group(
                                store,
                                new FeatureExtractorOutput(in.get(0), in.get(1)),
                                in.get(0),
                                false));
        assertRefused(
                "SlotAttentionGrouping: features must be (B, N, 5), got (2, 9, 4)",
                () ->
                        small().build()
                                .group(
                                        store,
                                        new FeatureExtractorOutput(
                                                Tensors.normal(manager, 1, 2, 9, 4)),
                                        in.get(2),
                                        false));
        assertRefused(
                "SlotAttentionGrouping: conditioning is missing",
                () -> small().build().getOutputShapes(new Shape[] {new Shape(2, 9, 5)}));
    }
}
