package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
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
 * Inference in one call of the engine gives what the operations one by one give: of so many
 * features that the call is not small ({@link SlotAttentionLoops}).
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
        assertFalse(block.steps() == null || block.steps().loops().fit(x, s));
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
}
