package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;

/**
 * One call of the engine gives what the operations one by one give, gradients too: in inference of
 * so many features that the call is not small ({@link SlotAttentionLoops}).
 */
@ExtendWith(OnDevice.class)
class SlotAttentionStepsTest {

    private static final int MANY = 45_000;

    private static SlotAttention.Builder builder(boolean fed, double eps, boolean implicit) {
        SlotAttention.Builder builder =
                SlotAttention.builder()
                        .setDim(6)
                        .setFeatureDim(5)
                        .optKvqDim(8)
                        .optNormEps(1e-3)
                        .optEps(eps)
                        .optImplicitDifferentiation(implicit);
        return fed ? builder.optFeedForward(new FeedForward(6, 9, 1e-2)) : builder;
    }

    private static SlotAttention initialised(
            SlotAttention.Builder builder, NDManager manager, DataType type) {
        manager.getEngine().setRandomSeed(3);
        SlotAttention block = builder.build();
        block.initialize(manager, type, new Shape(2, MANY, 5), new Shape(2, 3, 6));
        // Gains, offsets and biases that start at one and nothing would hide a mistake.
        int seed = 10;
        for (Parameter parameter : block.getParameters().values()) {
            NDArray value = parameter.getArray();
            value.addi(normal(manager, seed++, type, value.getShape().getShape()).mul(0.1f));
        }
        return block;
    }

    @ParameterizedTest
    @CsvSource({
        "false, 1e-8, false, FLOAT32",
        "true, 1e-8, false, FLOAT32",
        "true, 0, false, FLOAT32",
        "false, 0.5, true, FLOAT32",
        "true, 1e-8, true, FLOAT64",
        "true, 1e-8, false, FLOAT64"
    })
    void oneCallGivesWhatManyGive(
            boolean fed, double eps, boolean implicit, DataType type, NDManager manager) {
        NDArray x = normal(manager, 1, type, 2, MANY, 5);
        NDArray s = normal(manager, 2, type, 2, 3, 6);
        ParameterStore store = new ParameterStore(manager, false);
        PerceptualGroupingOutput expected =
                initialised(
                                builder(fed, eps, implicit).attendedBy(AttendedFeatures::of),
                                manager,
                                type)
                        .group(store, new FeatureExtractorOutput(x), s, false);
        SlotAttention block = initialised(builder(fed, eps, implicit), manager, type);
        assertFalse(block.steps() == null || block.steps().loops().fit(x, s, 3));
        PerceptualGroupingOutput found =
                block.group(store, new FeatureExtractorOutput(x), s, false);
        double tolerance = type == DataType.FLOAT64 ? 1e-12 : 1e-5;
        assertClose("slots", expected.objects(), found.objects(), tolerance);
        assertClose("attention", expected.attributions(), found.attributions(), tolerance);
    }

    /** What the one call does not know is computed by operations one by one, biases and all. */
    @Test
    void othersAreNotTakenInOneCall(NDManager manager) {
        NDArray x = normal(manager, 1, 2, MANY, 5);
        NDArray s = normal(manager, 2, 2, 3, 6);
        ParameterStore store = new ParameterStore(manager, false);
        List<UnaryOperator<SlotAttention.Builder>> others =
                List.of(
                        b -> b.optProjectionBias(true),
                        b -> b.optHeads(2),
                        b ->
                                b.optKvqDim(6)
                                        .optVariant(
                                                SlotAttentionVariant.PAPER.without(
                                                        SlotAttentionVariant.Part.GRU)),
                        b ->
                                b.optFeedForward(
                                        new SequentialBlock().add(new FeedForward(6, 9, 1e-2))));
        for (UnaryOperator<SlotAttention.Builder> other : others) {
            SlotAttention.Builder plain =
                    other.apply(builder(false, 1e-8, false)).attendedBy(AttendedFeatures::of);
            NDArray expected =
                    initialised(plain, manager, DataType.FLOAT32)
                            .group(store, new FeatureExtractorOutput(x), s, false)
                            .objects();
            NDArray found =
                    initialised(other.apply(builder(false, 1e-8, false)), manager, DataType.FLOAT32)
                            .group(store, new FeatureExtractorOutput(x), s, false)
                            .objects();
            assertClose("slots", expected, found, 1e-5);
        }
    }

    @Test
    void weightsThatHaveChangedAreSeen(NDManager manager) {
        SlotAttention block = initialised(builder(true, 1e-8, false), manager, DataType.FLOAT32);
        NDArray x = normal(manager, 1, 2, MANY, 5);
        NDArray s = normal(manager, 2, 2, 3, 6);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray before = block.group(store, new FeatureExtractorOutput(x), s, false).objects();
        block.getParameters().values().forEach(p -> p.getArray().muli(1.5f));
        NDArray after = block.group(store, new FeatureExtractorOutput(x), s, false).objects();
        assertTrue(after.sub(before).abs().max().getFloat() > 1e-2);
    }

    @Test
    void trainingHasGradientsAndTheSameValues(NDManager manager) {
        SlotAttention block = initialised(builder(true, 1e-8, false), manager, DataType.FLOAT32);
        NDArray x = normal(manager, 1, 2, MANY, 5);
        NDArray s = normal(manager, 2, 2, 3, 6);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray inference = block.group(store, new FeatureExtractorOutput(x), s, false).objects();
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray trained = block.group(store, new FeatureExtractorOutput(x), s, true).objects();
            assertClose("slots", inference, trained, 1e-5);
            collector.backward(trained.sum());
        }
        for (Parameter parameter : block.getParameters().values()) {
            assertTrue(parameter.getArray().hasGradient(), parameter.getName());
        }
    }

    /** In training a small call is one of the engine as well; 12 images of MANY are some groups. */
    @ParameterizedTest
    @CsvSource({
        "1, 30, false, 1e-8, false, 3, FLOAT32",
        "1, 30, true, 1e-8, false, 1, FLOAT64",
        "3, 31, true, 0.5, false, 3, FLOAT64",
        "3, 1, true, 1e-8, false, 3, FLOAT64",
        "3, 40, true, 1e-8, true, 3, FLOAT64",
        "2, 400, true, 1e-8, true, 2, FLOAT32",
        "12, 45000, true, 1e-8, false, 2, FLOAT32"
    })
    void gradientsAreThoseOfManyCalls(
            int images,
            int features,
            boolean fed,
            double eps,
            boolean implicit,
            int iterations,
            DataType type,
            NDManager manager) {
        NDArray[] in = {
            normal(manager, 1, type, images, features, 5), normal(manager, 2, type, images, 3, 6)
        };
        UnaryOperator<SlotAttention.Builder> trained =
                b -> b.optIterations(5).optTrainingIterations(iterations);
        NDList expected =
                gradients(
                        initialised(
                                trained.apply(builder(fed, eps, implicit))
                                        .attendedBy(AttendedFeatures::of),
                                manager,
                                type),
                        in);
        SlotAttention block =
                initialised(trained.apply(builder(fed, eps, implicit)), manager, type);
        NDList found = gradients(block, in);
        double tolerance = type == DataType.FLOAT64 ? 1e-11 : 2e-4;
        assertEquals(expected.size(), found.size());
        for (int i = 0; i < expected.size(); i++) {
            // An offset that a softmax does not see has no gradient but for rounding.
            assertClose("array " + i, expected.get(i), found.get(i), tolerance, 1);
        }
    }

    /**
     * A training that goes on in another process takes the same steps: first calls are as later.
     */
    @Test
    void everyCallGivesTheSameBits(NDManager manager) {
        NDArray x = normal(manager, 1, 2, 30, 5);
        NDArray start = normal(manager, 2, 2, 3, 6);
        SlotAttention block = initialised(builder(true, 1e-8, true), manager, DataType.FLOAT32);
        NDArray many = normal(manager, 1, 2, MANY, 5);
        ParameterStore store = new ParameterStore(manager, false);
        NDList first = null;
        NDArray predicted = null;
        for (int i = 0; i < 5; i++) {
            if (i > 0) {
                // They are added to what is there.
                block.getParameters().values().forEach(p -> p.getArray().getGradient().muli(0));
            }
            NDList found = gradients(block, x, start);
            NDArray slots =
                    block.group(store, new FeatureExtractorOutput(many), start, false).objects();
            first = first == null ? found : first;
            predicted = predicted == null ? slots : predicted;
            assertSame("slots", predicted, slots);
            for (int j = 0; j < found.size(); j++) {
                assertSame("array " + j, first.get(j), found.get(j));
            }
        }
    }

    /** Without eps a slot that no feature goes to gets nothing: its gradients are numbers. */
    @Test
    void gradientsOfASlotThatReceivesNothing(NDManager manager) {
        SlotAttention block = initialised(builder(true, 0, false), manager, DataType.FLOAT32);
        block.getParameters().get("to_q.weight").getArray().muli(1e4f);
        NDArray x = normal(manager, 1, 1, 1, 5);
        NDList found = gradients(block, x, normal(manager, 2, 1, 3, 6));
        boolean nothing = found.get(1).sum(new int[] {2}).eq(0).any().getBoolean();
        assertTrue(nothing, "no slot without features in this test");
        for (NDArray array : found) {
            assertFalse(array.isNaN().any().getBoolean());
        }
    }

    /** Another image's NaN does not reach slots, nor gradients of features. */
    @Test
    void imagesAreApartInGradients(NDManager manager) {
        SlotAttention block = initialised(builder(true, 1e-8, false), manager, DataType.FLOAT64);
        NDArray x = normal(manager, 1, DataType.FLOAT64, 2, 9, 5);
        NDArray start = normal(manager, 2, DataType.FLOAT64, 2, 3, 6);
        NDList expected = gradients(block, x.get("1:"), start.get("1:"));
        NDArray spoilt = x.duplicate();
        spoilt.set(new NDIndex("0, 4, 2"), Float.NaN);
        NDList found = gradients(block, spoilt, start);
        assertTrue(found.get(0).get(0).isNaN().all().getBoolean());
        for (int i : new int[] {0, 1, 2, 3}) {
            assertClose("array " + i, expected.get(i), found.get(i).get("1:"), 1e-12);
        }
    }

    /** Slots, attention, gradients of features and start, and of all parameters in order. */
    private static NDList gradients(SlotAttention block, NDArray... in) {
        NDArray x = in[0].duplicate();
        NDArray start = in[1].duplicate();
        x.setRequiresGradient(true);
        start.setRequiresGradient(true);
        ParameterStore store = new ParameterStore(x.getManager(), false);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            PerceptualGroupingOutput out =
                    block.group(store, new FeatureExtractorOutput(x), start, true);
            NDArray weights = weights(out.objects());
            NDArray more = weights(out.attributions());
            NDList all = new NDList(out.objects().duplicate(), out.attributions().duplicate());
            collector.backward(
                    out.objects().mul(weights).sum().add(out.attributions().mul(more).sum()));
            all.add(x.getGradient());
            all.add(start.getGradient());
            block.getParameters()
                    .values()
                    .forEach(p -> all.add(p.getArray().getGradient().duplicate()));
            return all;
        }
    }

    /** The same for all images. */
    private static NDArray weights(NDArray like) {
        Shape shape = like.getShape();
        return normal(like.getManager(), 5, like.getDataType(), 1, shape.get(1), shape.get(2));
    }
}
