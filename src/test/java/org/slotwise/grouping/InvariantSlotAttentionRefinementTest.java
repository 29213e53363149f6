package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;

/** Slots that start from what another grouping found, some of them empty. */
@ExtendWith(OnDevice.class)
class InvariantSlotAttentionRefinementTest {

    /**
     * Takes features, positions, conditioning and attributions; the last slot of image 0 is empty.
     */
    private static final class Refining extends AbstractBlock {
        private final InvariantSlotAttention attention;

        Refining(boolean implicit) {
            attention =
                    addChildBlock(
                            "attention",
                            InvariantSlotAttention.builder()
                                    .setDim(6)
                                    .setFeatureDim(5)
                                    .optEps(1e-4)
                                    .optImplicitDifferentiation(implicit)
                                    .build());
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList in,
                boolean training,
                PairList<String, Object> params) {
            try (NDManager own = in.head().getManager().newSubManager()) {
                PositionedSlots out =
                        refine(store, attention, in, lastOfFirstEmpty(own), 3, training);
                NDList list = out.toNDList();
                list.remove(out.isEmpty()); // not a number
                out.isEmpty().close();
                return list;
            }
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            attention.initialize(manager, type);
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            return attention.getOutputShapes(inputShapes);
        }
    }

    /**
     * In the engine's memory: a graph may not refer to a buffer of Java that is freed before it.
     */
    private static NDArray lastOfFirstEmpty(NDManager manager) {
        boolean[] empty = {false, false, true, false, false, false};
        try (NDArray buffer = manager.create(empty, new Shape(2, 3))) {
            return buffer.duplicate();
        }
    }

    private static NDList inputs(NDManager manager, DataType type) {
        return new NDList(
                normal(manager, 1, type, 2, 9, 5),
                uniform(manager, 2, type, 9, 2),
                normal(manager, 3, type, 2, 3, 6),
                uniform(manager, 4, type, 2, 3, 9));
    }

    private static PositionedSlots refine(
            ParameterStore store,
            InvariantSlotAttention block,
            NDList in,
            NDArray isEmpty,
            int times,
            boolean training) {
        return block.refine(
                store,
                new FeatureExtractorOutput(in.get(0), in.get(1)),
                in.get(2),
                new PerceptualGroupingOutput(in.get(2), in.get(3), isEmpty),
                times,
                training);
    }

    private static InvariantSlotAttention block(NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(5);
        InvariantSlotAttention block =
                InvariantSlotAttention.builder().setDim(6).setFeatureDim(5).build();
        block.initialize(manager, type);
        return block;
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(() -> new Refining(false), InvariantSlotAttentionRefinementTest::inputs)
                .check(manager);
    }

    @Test
    void implicitDifferentiationKeepsTheRestOfTheContract(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> new Refining(true), InvariantSlotAttentionRefinementTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
    }

    /** The first iteration's attention is the guess, and its centroids are where slots are. */
    @Test
    void startsFromTheGuess(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        PositionedSlots out = refine(new ParameterStore(manager, false), block, in, null, 1, false);
        assertClose("attention", in.get(3), out.attributions(), 0);
        assertNotSame(in.get(3), out.attributions());
        assertNull(in.get(3).getName());
        assertNull(out.isEmpty());
        NDArray w = in.get(3).add(1e-8);
        w = w.div(w.sum(new int[] {2}, true));
        assertClose("centroids", w.matMul(in.get(1)), out.positions(), 1e-12);
    }

    /** After a first iteration from the guess, the others are those from positions. */
    @Test
    void goesOnAsFromPositions(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        PositionedSlots one = refine(store, block, in, null, 1, false);
        PositionedSlots three = refine(store, block, in, null, 3, false);
        PositionedSlots twoMore =
                block.group(
                        store,
                        new FeatureExtractorOutput(in.get(0), in.get(1)),
                        one.objects(),
                        one.positions(),
                        2,
                        false);
        assertClose("objects", twoMore.objects(), three.objects(), 1e-12);
        assertClose("positions", twoMore.positions(), three.positions(), 1e-12);
    }

    /** An empty slot changes nothing for the others: they are as if it were not there. */
    @Test
    void emptySlotsTakeNoPart(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray empty = lastOfFirstEmpty(manager);
        PositionedSlots out = refine(store, block, in, empty, 3, false);
        NDList two =
                new NDList(in.get(0), in.get(1), in.get(2).get(":, :2"), in.get(3).get(":, :2"));
        PositionedSlots without = refine(store, block, two, null, 3, false);
        assertClose("the others", without.objects().get("0"), out.objects().get("0, :2"), 1e-12);
        assertEquals(0, out.attributions().get("0, 2").abs().sum().getDouble());
        assertTrue(out.attributions().get("1, 2").sum().getDouble() > 0);
        assertTrue(out.isEmpty().contentEquals(empty));
        assertNotSame(empty, out.isEmpty());
        assertTrue(out.grouping().isEmpty().contentEquals(empty));
    }

    @Test
    void allSlotsMayBeEmpty(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT32);
        NDList in = inputs(manager, DataType.FLOAT32);
        NDArray all = manager.ones(new Shape(2, 3), DataType.BOOLEAN);
        PositionedSlots out = refine(new ParameterStore(manager, false), block, in, all, 3, false);
        assertFalse(out.objects().isNaN().any().getBoolean());
        assertEquals(0, out.attributions().abs().sum().getFloat());
    }

    /** Traced, iterations are taken one by one; otherwise all in one call. */
    @Test
    void theTraceBeginsWithTheGuess(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        AttentionTrace<PositionedSlots> trace =
                block.traceRefinement(
                        store,
                        new FeatureExtractorOutput(in.get(0), in.get(1)),
                        in.get(2),
                        new PerceptualGroupingOutput(in.get(2), in.get(3), null),
                        3);
        PositionedSlots out = refine(store, block, in, null, 3, false);
        assertEquals(new Shape(2, 3, 3, 9), trace.attentions().getShape());
        assertClose("first", in.get(3), trace.attentions().get(":, 0"), 0);
        assertClose("last", out.attributions(), trace.attentions().get(":, 2"), 1e-12);
        assertClose("objects", out.objects(), trace.result().objects(), 1e-12);
    }

    @Test
    void inputsAreChecked(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT32);
        NDList in = inputs(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        String who = "InvariantSlotAttention: ";
        NDList fewer = new NDList(in.get(0), in.get(1), in.get(2), in.get(3).get(":, :2"));
        assertRefused(
                who + "feature_attributions must be (2, 3, 9), got (2, 2, 9)",
                () -> refine(store, block, fewer, null, 3, false));
        assertRefused(
                who + "is_empty must be (2, 3), got (2, 2)",
                () ->
                        refine(
                                store,
                                block,
                                in,
                                manager.zeros(new Shape(2, 2), DataType.BOOLEAN),
                                3,
                                false));
        assertRefused(
                who + "is_empty must be boolean, got int32",
                () ->
                        refine(
                                store,
                                block,
                                in,
                                manager.zeros(new Shape(2, 3), DataType.INT32),
                                3,
                                false));
        assertRefused(
                who + "times must be at least 1, got 0",
                () -> refine(store, block, in, null, 0, false));
    }

    /** What comes of a guess alone may be changed in place. */
    @Test
    void theGuessIsCopied(NDManager manager) {
        InvariantSlotAttention block = block(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        NDArray before = in.get(3).duplicate();
        PositionedSlots out = refine(new ParameterStore(manager, false), block, in, null, 1, false);
        out.attributions().addi(out.attributions());
        assertClose("the guess", before, in.get(3), 0);
    }

    @Test
    void aGuessAloneIsTheAttentionImplicitlyToo(NDManager manager) {
        manager.getEngine().setRandomSeed(5);
        InvariantSlotAttention implicit =
                InvariantSlotAttention.builder()
                        .setDim(6)
                        .setFeatureDim(5)
                        .optImplicitDifferentiation(true)
                        .build();
        implicit.initialize(manager, DataType.FLOAT64);
        InvariantSlotAttention plain = block(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        PositionedSlots expected = refine(store, plain, in, null, 1, false);
        PositionedSlots out = refine(store, implicit, in, null, 1, true);
        assertClose("attention", in.get(3), out.attributions(), 0);
        assertClose("objects", expected.objects(), out.objects(), 1e-12);
    }

    /** Without eps an empty slot receives nothing: 0 / 0 would be its place. */
    @Test
    void anEmptySlotWithoutEpsIsAtTheOrigin(NDManager manager) {
        InvariantSlotAttention block =
                InvariantSlotAttention.builder().setDim(6).setFeatureDim(5).optEps(0).build();
        block.initialize(manager, DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray empty = lastOfFirstEmpty(manager);
        PositionedSlots together = refine(store, block, in, empty, 3, false);
        PositionedSlots oneByOne =
                block.traceRefinement(
                                store,
                                new FeatureExtractorOutput(in.get(0), in.get(1)),
                                in.get(2),
                                new PerceptualGroupingOutput(in.get(2), in.get(3), empty),
                                3)
                        .result();
        for (PositionedSlots out : new PositionedSlots[] {together, oneByOne}) {
            NDArray where = out.positions().get("0, 2");
            assertClose("place", where.zerosLike(), where, 1e-12);
            assertTrue(Double.isFinite(largest(out.objects())));
        }
        assertClose("objects", oneByOne.objects(), together.objects(), 1e-12);
    }
}
