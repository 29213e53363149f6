package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SavedParameters.refusal;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Scalars;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Grouping from frame to frame. */
@ExtendWith(OnDevice.class)
class RecurrentGroupingTest {

    private static SlotAttention attention(int iterations) {
        return SlotAttention.builder().setDim(8).setFeatureDim(5).optIterations(iterations).build();
    }

    private static SlotPredictor predictor() {
        return SlotPredictor.builder().setDim(8).optHeads(2).build();
    }

    private static RecurrentGrouping.Builder recurrent() {
        return RecurrentGrouping.builder().setGrouping(attention(2)).optPredictor(predictor());
    }

    private static NDArray video(NDManager manager, DataType type) {
        return Tensors.normal(manager, 1, type, 2, 3, 6, 5);
    }

    private static NDArray start(NDManager manager, DataType type) {
        return Tensors.normal(manager, 2, type, 2, 4, 8);
    }

    private static RecurrentGrouping ready(RecurrentGrouping.Builder builder, NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        RecurrentGrouping block = builder.build();
        block.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 6, 5), new Shape(2, 4, 8));
        return block;
    }

    private static PerceptualGroupingOutput run(RecurrentGrouping block, NDManager manager) {
        return block.group(
                new ParameterStore(manager, false),
                new FeatureExtractorOutput(video(manager, DataType.FLOAT32)),
                start(manager, DataType.FLOAT32),
                false);
    }

    static Stream<Arguments> contracts() {
        return Stream.of(
                Arguments.of("with a predictor", (Supplier<Block>) () -> recurrent().build()),
                Arguments.of(
                        "two rounds first",
                        (Supplier<Block>)
                                () ->
                                        RecurrentGrouping.builder()
                                                .setGrouping(attention(1))
                                                .optRoundsOnFirstFrame(2)
                                                .build()));
    }

    /** Gradients through time among it: by finite differences, to all frames and to the start. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("contracts")
    void keepsTheContract(String name, Supplier<Block> block, NDManager manager) {
        new BlockContract(block, (m, type) -> new NDList(video(m, type), start(m, type)))
                .check(manager);
    }

    static Stream<ReferenceCase> predictors() {
        return ReferenceCase.of("transformer", "SlotPredictor");
    }

    @ParameterizedTest
    @MethodSource("predictors")
    void thePredictorIsPyTorchsLayer(ReferenceCase reference, NDManager manager) {
        SlotPredictor.Builder builder =
                SlotPredictor.builder()
                        .setDim(reference.integer("dim"))
                        .optHeads(reference.integer("heads"))
                        .optHidden(reference.integer("hidden"))
                        .optNormFirst(reference.flag("norm_first"));
        if (reference.option("layers") != null) {
            builder.optLayers(reference.integer("layers"));
        }
        SlotPredictor block = builder.build();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "output",
                                block.forward(store, new NDList(in.get("slots")), true).head()));
    }

    @Test
    void isTheLoopThatOneWouldWrite(NDManager manager) {
        RecurrentGrouping block = ready(recurrent(), manager);
        PerceptualGroupingOutput out = run(block, manager);
        assertEquals(new Shape(2, 3, 4, 8), out.objects().getShape());
        assertEquals(new Shape(2, 3, 4, 6), out.attributions().getShape());
        assertNull(out.isEmpty());
        ParameterStore store = new ParameterStore(manager, false);
        SlotAttention grouping = (SlotAttention) block.getChildren().valueAt(0);
        Block predictor = block.getChildren().valueAt(1);
        NDArray conditioning = start(manager, DataType.FLOAT32);
        for (int t = 0; t < 3; t++) {
            NDArray frame = video(manager, DataType.FLOAT32).get(":, {}", t);
            PerceptualGroupingOutput one =
                    grouping.group(store, new FeatureExtractorOutput(frame), conditioning, false);
            assertSame("objects " + t, one.objects(), out.objects().get(":, {}", t));
            assertSame("attributions", one.attributions(), out.attributions().get(":, {}", t));
            one.objects().setName(null);
            conditioning = predictor.forward(store, new NDList(one.objects()), false).head();
        }
    }

    @Test
    void roundsOnTheFirstFrameAreIterations(NDManager manager) {
        NDArray three =
                run(
                                ready(
                                        RecurrentGrouping.builder()
                                                .setGrouping(attention(1))
                                                .optRoundsOnFirstFrame(3),
                                        manager),
                                manager)
                        .objects();
        NDArray iterated =
                run(ready(RecurrentGrouping.builder().setGrouping(attention(3)), manager), manager)
                        .objects();
        assertClose("first", iterated.get(":, 0"), three.get(":, 0"), 1e-5);
        assertTrue(Tensors.largest(iterated.get(":, 1").sub(three.get(":, 1"))) > 1e-4);
    }

    @Test
    void thePredictorChangesLaterFramesOnly(NDManager manager) {
        NDArray with = run(ready(recurrent(), manager), manager).objects();
        NDArray without =
                run(ready(RecurrentGrouping.builder().setGrouping(attention(2)), manager), manager)
                        .objects();
        assertSame("first", with.get(":, 0"), without.get(":, 0"));
        assertTrue(Tensors.largest(with.get(":, 1").sub(without.get(":, 1"))) > 1e-4);
    }

    @Test
    void centresOfKMeansMoveWithTheFeatures(NDManager manager) {
        RecurrentGrouping block =
                RecurrentGrouping.builder()
                        .setGrouping(
                                KMeansGrouping.builder()
                                        .setSlots(2)
                                        .optL2Normalization(false)
                                        .build())
                        .build();
        // Two clusters on a line that pass each other's first places.
        float[] values = {0, 1, 10, 11, 4, 5, 14, 15, 8, 9, 18, 19};
        NDArray video = manager.create(values, new Shape(1, 3, 4, 1));
        PerceptualGroupingOutput out =
                block.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(video),
                        manager.create(new float[] {0, 10}, new Shape(1, 2, 1)),
                        false);
        assertSame(
                "centres",
                manager.create(new float[] {0.5f, 10.5f, 4.5f, 14.5f, 8.5f, 18.5f})
                        .reshape(1, 3, 2, 1),
                out.objects());
    }

    @Test
    void emptySlotsAndPositionsGoAlong(NDManager manager) {
        PerceptualGrouping grouping = new MovingAlong();
        RecurrentGrouping block = RecurrentGrouping.builder().setGrouping(grouping).build();
        NDArray positions = manager.ones(new Shape(6, 2));
        PerceptualGroupingOutput out =
                block.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(video(manager, DataType.FLOAT32), positions),
                        manager.zeros(new Shape(2, 4, 5)),
                        false);
        // One more at each frame, by the positions.
        for (int t = 0; t < 3; t++) {
            assertSame(
                    "frame " + t,
                    manager.full(new Shape(2, 4, 5), (float) t + 1),
                    out.objects().get(":, {}", t));
        }
        assertEquals(new Shape(2, 3, 4), out.isEmpty().getShape());
        assertNull(out.featureAttributions());
    }

    @Test
    void positionsAreToldByName(NDManager manager) {
        RecurrentGrouping block =
                RecurrentGrouping.builder().setGrouping(new MovingAlong()).build();
        NDList in =
                new FeatureExtractorOutput(
                                video(manager, DataType.FLOAT32), manager.ones(new Shape(6, 2)))
                        .toNDList();
        in.add(manager.zeros(new Shape(2, 4, 5))); // the third, without a name
        NDArray objects = block.forward(new ParameterStore(manager, false), in, false).head();
        NDArray last = objects.get(":, 2");
        assertSame("the third frame", manager.full(last.getShape(), 3f), last);
    }

    /** A block that takes the size of its inputs from the shape that it is initialised for. */
    @Test
    void aForeignPredictorIsInitialisedForSlots(NDManager manager) {
        Linear linear = Linear.builder().setUnits(8).build();
        RecurrentGrouping block =
                ready(
                        RecurrentGrouping.builder().setGrouping(attention(1)).optPredictor(linear),
                        manager);
        Shape weight = linear.getParameters().get("weight").getArray().getShape();
        assertEquals(new Shape(8, 8), weight);
        assertEquals(new Shape(2, 3, 4, 8), run(block, manager).objects().getShape());
    }

    private static String refusedParameters(NDManager manager, Block saved, Block other) {
        byte[] parameters = BlockContract.save(saved);
        return refusal(parameters, other, manager);
    }

    @Test
    void parametersOfAnotherConfiguration(NDManager manager) {
        RecurrentGrouping saved = ready(recurrent(), manager);
        RecurrentGrouping none = RecurrentGrouping.builder().setGrouping(attention(2)).build();
        assertEquals(
                "RecurrentGrouping: the block is RecurrentGrouping(grouping=SlotAttention,"
                        + " predictor=null), the parameters are of"
                        + " RecurrentGrouping(grouping=SlotAttention, predictor=SlotPredictor)",
                refusedParameters(manager, saved, none));
        SlotPredictor.Builder deeper = SlotPredictor.builder().setDim(8).optHeads(2).optLayers(2);
        SlotPredictor two = deeper.optNormFirst(true).build();
        two.initialize(manager, DataType.FLOAT32, new Shape(2, 4, 8));
        assertEquals(
                "SlotPredictor: the block is SlotPredictor(dim=8, layers=1, normFirst=false), the"
                        + " parameters are of SlotPredictor(dim=8, layers=2, normFirst=true)",
                refusedParameters(manager, two, predictor()));
    }

    /** Moves slots by the first position. */
    private static final class MovingAlong extends AbstractBlock implements PerceptualGrouping {

        @Override
        public PerceptualGroupingOutput group(
                ParameterStore store,
                FeatureExtractorOutput features,
                NDArray conditioning,
                boolean training) {
            NDArray objects = conditioning.add(features.positions().get(0, 0));
            return new PerceptualGroupingOutput(
                    objects, null, objects.get(":, :, 0").gt(Scalars.like(objects, 1)));
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            throw new AssertionError();
        }

        @Override
        public Shape[] getOutputShapes(Shape[] inputShapes) {
            throw new AssertionError();
        }
    }

    @Test
    void errors(NDManager manager) {
        String who = "RecurrentGrouping: ";
        assertRefused(who + "grouping is missing", () -> RecurrentGrouping.builder().build());
        assertRefused(
                who + "roundsOnFirstFrame must be at least 1, got 0",
                () -> recurrent().optRoundsOnFirstFrame(0).build());
        assertRefused(
                "SlotPredictor: dim must be a multiple of heads, got 0 and 4",
                () -> SlotPredictor.builder().build());
        assertRefused(
                "SlotPredictor: layers must be at least 1, got 0",
                () -> SlotPredictor.builder().setDim(8).optLayers(0).build());
        assertRefused(
                "SlotPredictor: hidden must be at least 1, got 0",
                () -> SlotPredictor.builder().setDim(8).optHidden(0).build());
        assertRefused(
                "SlotPredictor: slots must be (B, K, 8), got (2, 4, 6)",
                () -> predictor().getOutputShapes(new Shape[] {new Shape(2, 4, 6)}));
        RecurrentGrouping block = ready(recurrent(), manager);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray image = manager.zeros(new Shape(2, 6, 5));
        NDArray start = start(manager, DataType.FLOAT32);
        assertRefused(
                who + "features must be (B, T, N, F), got (2, 6, 5)",
                () -> block.group(store, new FeatureExtractorOutput(image), start, false));
        assertRefused(
                who + "features must be (B, T, N, F), got (2, 6, 5)",
                () -> block.getOutputShapes(new Shape[] {image.getShape(), start.getShape()}));
        NDArray whole = manager.zeros(new Shape(2, 3, 6, 5), DataType.INT32);
        assertRefused(
                who + "features must be float32, float64 or float16, got int32",
                () -> block.group(store, new FeatureExtractorOutput(whole), start, false));
        SlotPredictor ready = predictor();
        ready.initialize(manager, DataType.FLOAT32, start.getShape());
        assertRefused(
                "SlotPredictor: slots must be float32, float64 or float16, got int32",
                () ->
                        ready.forward(
                                store,
                                new NDList(manager.zeros(start.getShape(), DataType.INT32)),
                                false));
        NDArray none = manager.zeros(new Shape(2, 0, 6, 5));
        assertRefused(
                who + "features must be (B, T, N, F), each size at least 1, got (2, 0, 6, 5)",
                () -> block.group(store, new FeatureExtractorOutput(none), start, false));
        FeatureExtractorOutput video = new FeatureExtractorOutput(video(manager, DataType.FLOAT32));
        assertRefused(
                "SlotAttention: conditioning is missing: the slots' initial values, (B, K, D)",
                () -> block.group(store, video, null, false));
        SlotPredictor wrong = SlotPredictor.builder().setDim(4).optHeads(2).build();
        wrong.initialize(manager, DataType.FLOAT32, new Shape(2, 4, 4));
        assertRefused(
                "SlotPredictor: slots must be (B, K, 4), got (2, 4, 8)",
                () -> wrong.forward(store, new NDList(start), false));
        assertFalse(block.getParameters().isEmpty());
    }
}
