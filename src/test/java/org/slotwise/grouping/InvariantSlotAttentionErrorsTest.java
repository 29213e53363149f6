package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.LambdaBlock;
import ai.djl.training.ParameterStore;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;

/** Every error that {@link InvariantSlotAttention} promises, to the letter. */
@ExtendWith(OnDevice.class)
class InvariantSlotAttentionErrorsTest {

    private static final String WHO = "InvariantSlotAttention: ";

    private ParameterStore store;
    private InvariantSlotAttention block;
    private NDArray x;
    private NDArray p;
    private NDArray s;
    private NDArray where;

    private static InvariantSlotAttention.Builder small() {
        return InvariantSlotAttention.builder().setDim(6).setFeatureDim(5);
    }

    @BeforeEach
    void setUp(NDManager manager) {
        store = new ParameterStore(manager, false);
        block = small().build();
        block.initialize(manager, DataType.FLOAT32);
        x = normal(manager, 1, 2, 9, 5);
        p = normal(manager, 2, 9, 2);
        s = normal(manager, 3, 2, 3, 6);
        where = normal(manager, 4, 2, 3, 2);
    }

    private void refused(
            String message, NDArray features, NDArray positions, NDArray start, NDArray places) {
        assertRefused(
                WHO + message,
                () ->
                        block.group(
                                store,
                                new FeatureExtractorOutput(features, positions),
                                start,
                                places,
                                3,
                                false));
    }

    @Test
    void shapes(NDManager manager) {
        refused(
                "features must be (B, N, 5), got (2, 9, 4)",
                normal(manager, 1, 2, 9, 4),
                p,
                s,
                where);
        refused(
                "features must be (B, N, F), got those of videos (2, 3, 9, 5); group them frame by"
                        + " frame, see FeatureExtractorOutput.frames()",
                normal(manager, 1, 2, 3, 9, 5),
                p,
                s,
                where);
        refused("positions is missing", x, null, s, where);
        refused("positions must be (9, 2), got (9, 3)", x, normal(manager, 1, 9, 3), s, where);
        refused("conditioning is missing", x, p, null, where);
        refused(
                "conditioning must be (2, K, 6), got (2, 3, 7)",
                x,
                p,
                normal(manager, 1, 2, 3, 7),
                where);
        refused(
                "slot_positions must be (2, 3, 2), got (2, 4, 2)",
                x,
                p,
                s,
                normal(manager, 1, 2, 4, 2));
        refused(
                "features must be (B, N, 5), each size at least 1, got (0, 9, 5)",
                manager.zeros(new Shape(0, 9, 5)),
                p,
                s,
                where);
    }

    @Test
    void typesAndTimes(NDManager manager) {
        refused(
                "positions must be float32 as features, got float64",
                x,
                p.toType(DataType.FLOAT64, true),
                s,
                where);
        refused(
                "conditioning must be float32 as features, got float64",
                x,
                p,
                s.toType(DataType.FLOAT64, true),
                where);
        refused(
                "slot_positions must be float32 as features, got float64",
                x,
                p,
                s,
                where.toType(DataType.FLOAT64, true));
        refused(
                "features must be float32, float64 or float16, got int32",
                x.toType(DataType.INT32, true),
                p,
                s,
                where);
        assertRefused(
                WHO + "times must be at least 1, got 0",
                () -> block.group(store, new FeatureExtractorOutput(x, p), s, where, 0, false));
        assertRefused(
                WHO + "expected features, positions and conditioning, got 2",
                () -> block.getOutputShapes(new NDList(x, p).getShapes()));
        Shape places = p.getShape();
        assertRefused(
                WHO + "features must be (B, N, 5), got (2, 9, 4)",
                () ->
                        block.getOutputShapes(
                                new Shape[] {new Shape(2, 9, 4), places, s.getShape()}));
        assertRefused(
                WHO + "conditioning must be (2, K, 6), got (2, 3, 7)",
                () ->
                        block.getOutputShapes(
                                new Shape[] {x.getShape(), places, new Shape(2, 3, 7)}));
    }

    @Test
    void aFeedForwardThatChangesTheShape(NDManager manager) {
        block =
                small().optFeedForward(new LambdaBlock(in -> new NDList(in.head().get(":, 1:"))))
                        .build();
        block.initialize(manager, DataType.FLOAT32);
        refused("the feed-forward must give (2, 3, 6), got (2, 2, 6)", x, p, s, where);
    }

    @Test
    void options() {
        assertRefused(
                WHO + "dim must be at least 1, got 0",
                () -> InvariantSlotAttention.builder().setFeatureDim(1).build());
        assertRefused(
                WHO + "featureDim must be at least 1, got 0",
                () -> InvariantSlotAttention.builder().setDim(1).build());
        assertRefused(
                WHO + "iterations must be at least 1, got 0",
                () -> small().optIterations(0).build());
        assertRefused(
                WHO + "eps must be at least 0 and finite, got -1.0",
                () -> small().optEps(-1).build());
        assertRefused(
                WHO + "eps must be at least 0 and finite, got NaN",
                () -> small().optEps(Double.NaN).build());
        assertRefused(
                WHO + "relativeDim must be at least 1, got 0", () -> small().optRelativeDim(0));
        assertRefused(
                WHO + "frequencies must be at least 0, got -1",
                () -> small().optFrequencies(-1).build());
    }

    @Test
    void parametersOfOtherOptionsAreRefused(NDManager manager) {
        byte[] saved = BlockContract.save(block);
        String message = refusal(saved, small().optFrequencies(2).build(), manager);
        assertEquals(
                0,
                message.indexOf(
                        WHO
                                + "the block is InvariantSlotAttention(dim=6, featureDim=5,"
                                + " relativeDim=6, frequencies=2, feedForward=false), the"
                                + " parameters are of"),
                message);
    }
}
