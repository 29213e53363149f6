package org.slotwise.position;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class SoftPositionEmbedTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("SoftPositionEmbed");
    }

    private static SoftPositionEmbed build(boolean saviStyle) {
        return SoftPositionEmbed.builder()
                .setSpatialDims(2)
                .setFeatureDim(5)
                .optSaviStyle(saviStyle)
                .build();
    }

    private static SoftPositionEmbed initialised(NDManager manager, boolean saviStyle) {
        SoftPositionEmbed block = build(saviStyle);
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        return block;
    }

    private static NDArray named(String name, NDArray array) {
        array.setName(name);
        return array;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        SoftPositionEmbed block =
                SoftPositionEmbed.builder()
                        .setSpatialDims(reference.integer("n_spatial_dims"))
                        .setFeatureDim(reference.integer("feature_dim"))
                        .optSaviStyle(reference.flag("savi_style"))
                        .build();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "features",
                                block.embed(store, in.get("features"), in.get("positions"), true)));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsTheContract(boolean saviStyle, NDManager manager) {
        new BlockContract(
                        () -> build(saviStyle),
                        (m, type) ->
                                new NDList(
                                        Tensors.normal(m, 1, type, 3, 6, 5),
                                        Tensors.normal(m, 2, type, 6, 2)))
                .check(manager);
    }

    @Test
    void tellsInputsApart(NDManager manager) {
        SoftPositionEmbed block = initialised(manager, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = Tensors.normal(manager, 1, 2, 6, 5);
        NDArray p = PositionGrid.of(manager, DataType.FLOAT32, 2, 3);
        NDArray expected = block.embed(store, x, p, false);
        NDList inOrder = block.forward(store, new NDList(x, p), false);
        assertSame("in order", expected, inOrder.singletonOrThrow());
        assertEquals("features", inOrder.head().getName());

        NDArray conditioning = named("conditioning", manager.zeros(new Shape(2, 3, 4)));
        NDArray aux = named("aux_features.layer2", manager.zeros(new Shape(2, 6, 9)));
        NDArray positions = named("positions", p);
        NDList swapped = new NDList(aux, positions, conditioning, x);
        assertSame("by name", expected, block.forward(store, swapped, false).head());
        NDList named = new NDList(positions, named("features", x));
        assertSame("both by name", expected, block.forward(store, named, false).head());
    }

    @Test
    void embedsWithinSlotAttentionGrouping(NDManager manager) {
        SlotAttentionGrouping grouping =
                SlotAttentionGrouping.builder()
                        .setSlotAttention(
                                SlotAttention.builder().setDim(4).setFeatureDim(5).build())
                        .optPositionalEmbedding(build(true))
                        .build();
        NDList in =
                new NDList(
                        Tensors.normal(manager, 1, 2, 6, 5),
                        PositionGrid.of(manager, DataType.FLOAT32, 2, 3),
                        Tensors.normal(manager, 2, 2, 3, 4));
        grouping.initialize(manager, DataType.FLOAT32, in.getShapes());
        NDList out = grouping.forward(new ParameterStore(manager, false), in, false);
        assertEquals(new Shape(2, 3, 4), out.head().getShape());
    }

    @Test
    void startsAsPyTorchsLinear(NDManager manager) {
        SoftPositionEmbed block =
                SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(500).build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        for (String name : new String[] {"dense.weight", "dense.bias"}) {
            NDArray value = block.getDirectParameters().get(name).getArray();
            double largest = Tensors.largest(value);
            assertTrue(largest <= 0.5 && largest > 0.48, name + " goes to " + largest);
        }
    }

    @Test
    void aLargeBatchOrASinglePosition(NDManager manager) {
        SoftPositionEmbed block = initialised(manager, false);
        ParameterStore store = new ParameterStore(manager, false);
        for (long[] size : new long[][] {{1, 1}, {64, 4}}) {
            NDArray x = manager.zeros(new Shape(size[0], size[1], 5));
            NDArray p = PositionGrid.of(manager, DataType.FLOAT32, size[1], 1);
            NDArray out = block.embed(store, x, p, false);
            assertEquals(x.getShape(), out.getShape());
            assertSame("the same for all images", out.get(0), out.get(size[0] - 1));
        }
    }

    @Test
    void refusesWhatDoesNotFit(NDManager manager) {
        SoftPositionEmbed block = initialised(manager, false);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray x = manager.zeros(new Shape(2, 6, 5));
        NDArray p = manager.zeros(new Shape(6, 2));
        String who = "SoftPositionEmbed: ";
        assertRefused(
                who + "features must be (B, N, 5), got (2, 6, 4)",
                () -> block.embed(store, manager.zeros(new Shape(2, 6, 4)), p, false));
        assertRefused(
                who + "features must be (B, N, 5), each size at least 1, got (0, 6, 5)",
                () -> block.embed(store, manager.create(new Shape(0, 6, 5)), p, false));
        assertRefused(
                who + "positions must be (6, 2), got (5, 2)",
                () -> block.embed(store, x, manager.zeros(new Shape(5, 2)), false));
        assertRefused(
                who + "positions must be (6, 2), got (6, 3)",
                () -> block.embed(store, x, manager.zeros(new Shape(6, 3)), false));
        assertRefused(who + "positions is missing", () -> block.embed(store, x, null, false));
        assertRefused(
                who + "positions must be float32 as features, got float64",
                () -> block.embed(store, x, p.toType(DataType.FLOAT64, true), false));
        assertRefused(
                who + "features must be float32 as the block's parameters, got float64",
                () ->
                        block.embed(
                                store,
                                x.toType(DataType.FLOAT64, true),
                                p.toType(DataType.FLOAT64, true),
                                false));
        Device elsewhere = Device.of("elsewhere", 1);
        assertRefused(
                who + "positions must be on " + x.getDevice() + " as features, got " + elsewhere,
                () -> block.embed(store, x, FakeArray.on(elsewhere, p), false));
        assertRefused(who + "features is missing", () -> block.forward(store, new NDList(), false));
        assertRefused(
                who + "positions is missing", () -> block.forward(store, new NDList(x), false));
        assertRefused(
                who + "expected features and positions, got 3 arrays",
                () -> block.forward(store, new NDList(x, p, p.add(1)), false));
        assertRefused(
                who + "two inputs are named positions",
                () ->
                        block.forward(
                                store,
                                new NDList(x, named("positions", p), named("positions", p.add(1))),
                                false));
    }

    @Test
    void refusesSizesBelowOne() {
        assertRefused(
                "SoftPositionEmbed: spatialDims must be at least 1, got 0",
                () -> SoftPositionEmbed.builder().setFeatureDim(3).build());
        assertRefused(
                "SoftPositionEmbed: featureDim must be at least 1, got -1",
                () -> SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(-1).build());
    }

    @Test
    void refusesParametersOfAnotherStyle(NDManager manager) {
        byte[] saved = BlockContract.save(initialised(manager, false));
        String message = refusal(saved, build(true), manager);
        assertTrue(message.contains("saviStyle=true"), message);
        assertTrue(message.contains("saviStyle=false"), message);
    }
}
