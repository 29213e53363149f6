package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.largest;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Ops;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;

/** The contract, the equations one by one, equivariance and options. */
@ExtendWith(OnDevice.class)
class InvariantSlotAttentionTest {

    private static InvariantSlotAttention.Builder small() {
        return InvariantSlotAttention.builder().setDim(6).setFeatureDim(5);
    }

    private static NDList inputs(NDManager manager, DataType type) {
        return new NDList(
                normal(manager, 1, type, 2, 9, 5),
                uniform(manager, 2, type, 9, 2),
                normal(manager, 3, type, 2, 3, 6),
                uniform(manager, 4, type, 2, 3, 2));
    }

    private static InvariantSlotAttention initialised(
            NDManager manager, InvariantSlotAttention.Builder builder, DataType type) {
        manager.getEngine().setRandomSeed(5);
        InvariantSlotAttention block = builder.build();
        block.initialize(manager, type);
        // Zeros would hide what slopes and biases do.
        long seed = 50;
        for (String name : List.of("to_direction.weight", "to_scale.weight")) {
            NDArray array = block.getParameters().get(name).getArray();
            Ops.overwrite(array, normal(manager, seed++, type, array.getShape().getShape()));
        }
        return block;
    }

    private static PositionedSlots group(
            NDManager manager, InvariantSlotAttention block, NDList in) {
        return block.group(
                new ParameterStore(manager, false),
                new FeatureExtractorOutput(in.get(0), in.get(1)),
                in.get(2),
                in.get(3),
                3,
                false);
    }

    static Stream<Arguments> configurations() {
        Supplier<Block> plain = () -> small().optEps(1e-4).build();
        Supplier<Block> everything =
                () ->
                        small().optEps(1e-3)
                                .optIterations(2)
                                .optRelativeDim(7)
                                .optFrequencies(1)
                                .optFeedForward(new FeedForward(6, 7))
                                .build();
        Supplier<Block> noEps = () -> small().optEps(0).optFrequencies(0).build();
        return Stream.of(
                Arguments.of("plain", plain),
                Arguments.of("everything", everything),
                Arguments.of("no eps", noEps));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("configurations")
    void keepsTheContract(String name, Supplier<Block> block, NDManager manager) {
        new BlockContract(block, InvariantSlotAttentionTest::inputs).check(manager);
    }

    /** Implicit differentiation is no true gradient: finite differences do not apply. */
    @Test
    void implicitDifferentiationKeepsTheRestOfTheContract(NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> small().optImplicitDifferentiation(true).build(),
                        InvariantSlotAttentionTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
    }

    @Test
    void attentionSumsToOneAndPositionsAreItsCentroids(NDManager manager) {
        InvariantSlotAttention block = initialised(manager, small(), DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        PositionedSlots slots = group(manager, block, in);
        NDArray a = slots.attributions();
        assertClose(
                "sum over slots",
                manager.ones(new Shape(2, 9), DataType.FLOAT64),
                a.sum(new int[] {1}),
                1e-12);
        NDArray w = a.add(1e-8);
        w = w.div(w.sum(new int[] {2}, true));
        assertClose("centroids", w.matMul(in.get(1)), slots.positions(), 1e-12);
    }

    /** What a slot says does not depend on where things are. */
    @Test
    void movesWithTheImage(NDManager manager) {
        InvariantSlotAttention block = initialised(manager, small(), DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        PositionedSlots here = group(manager, block, in);
        NDArray by = manager.create(new double[] {0.3, -0.2});
        NDList moved = new NDList(in.get(0), in.get(1).add(by), in.get(2), in.get(3).add(by));
        PositionedSlots there = group(manager, block, moved);
        assertClose("objects", here.objects(), there.objects(), 1e-9);
        assertClose("attributions", here.attributions(), there.attributions(), 1e-9);
        assertClose("positions", here.positions().add(by), there.positions(), 1e-9);

        // The features alone moved, the start not: that is another thing.
        NDList apart = new NDList(in.get(0), in.get(1).add(by), in.get(2), in.get(3));
        differ(here.objects(), group(manager, block, apart).objects());
    }

    @Test
    void ordersDoNotMatter(NDManager manager) {
        InvariantSlotAttention block = initialised(manager, small(), DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        PositionedSlots plain = group(manager, block, in);
        NDArray features = manager.create(new long[] {4, 0, 8, 2, 1, 3, 7, 6, 5});
        NDArray slots = manager.create(new long[] {2, 0, 1});
        NDList turned =
                new NDList(
                        in.get(0).get(":, {}", features),
                        in.get(1).get("{}", features),
                        in.get(2).get(":, {}", slots),
                        in.get(3).get(":, {}", slots));
        PositionedSlots other = group(manager, block, turned);
        assertClose("objects", plain.objects().get(":, {}", slots), other.objects(), 1e-9);
        assertClose("positions", plain.positions().get(":, {}", slots), other.positions(), 1e-9);
        NDList first = new NDList();
        for (int i = 0; i < 4; i++) {
            first.add(i == 1 ? in.get(i) : in.get(i).get("0:1"));
        }
        assertClose(
                "an image alone",
                plain.objects().get("0:1"),
                group(manager, block, first).objects(),
                1e-9);
    }

    @Test
    void aSlotOfNearPlaceTakesMore(NDManager manager) {
        // Equal slots and equal features: nothing but places can tell them apart.
        manager.getEngine().setRandomSeed(5);
        InvariantSlotAttention block = small().build();
        block.initialize(manager, DataType.FLOAT64);
        NDList in =
                new NDList(
                        manager.ones(new Shape(1, 2, 5), DataType.FLOAT64),
                        manager.create(new double[][] {{0.2, 0.5}, {0.8, 0.5}}),
                        manager.ones(new Shape(1, 2, 6), DataType.FLOAT64),
                        manager.create(new double[] {0.1, 0.5, 0.9, 0.5}).reshape(1, 2, 2));
        double[] a =
                doubles(
                        block.group(
                                        new ParameterStore(manager, false),
                                        new FeatureExtractorOutput(in.get(0), in.get(1)),
                                        in.get(2),
                                        in.get(3),
                                        1,
                                        false)
                                .attributions());
        assertTrue(a[0] > 0.6 && a[3] > 0.6, Arrays.toString(a));
    }

    static Stream<Arguments> options() {
        UnaryOperator<InvariantSlotAttention.Builder> eps = b -> b.optEps(0.5);
        UnaryOperator<InvariantSlotAttention.Builder> relative = b -> b.optRelativeDim(3);
        UnaryOperator<InvariantSlotAttention.Builder> frequencies = b -> b.optFrequencies(1);
        UnaryOperator<InvariantSlotAttention.Builder> fed =
                b -> b.optFeedForward(new FeedForward(6, 4));
        return Stream.of(
                Arguments.of("eps", eps),
                Arguments.of("relativeDim", relative),
                Arguments.of("frequencies", frequencies),
                Arguments.of("feedForward", fed));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("options")
    void optionsChangeTheResult(
            String name, UnaryOperator<InvariantSlotAttention.Builder> option, NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT64);
        NDArray plain =
                group(manager, initialised(manager, small(), DataType.FLOAT64), in).objects();
        InvariantSlotAttention other =
                initialised(manager, option.apply(small()), DataType.FLOAT64);
        differ(plain, group(manager, other, in).objects());
    }

    @Test
    void iterationsAreThoseOfTheBlockOrOfTheCall(NDManager manager) {
        InvariantSlotAttention two =
                initialised(manager, small().optIterations(2), DataType.FLOAT64);
        NDList in = inputs(manager, DataType.FLOAT64);
        ParameterStore store = new ParameterStore(manager, false);
        NDList byBlock = two.forward(store, in, false);
        FeatureExtractorOutput features = new FeatureExtractorOutput(in.get(0), in.get(1));
        PositionedSlots byCall = two.group(store, features, in.get(2), in.get(3), 2, false);
        assertClose("objects", byCall.objects(), byBlock.get(0), 0);
        assertClose("positions", byCall.positions(), byBlock.get("slot_positions"), 0);
        differ(
                byCall.objects(),
                two.group(store, features, in.get(2), in.get(3), 3, false).objects());
    }

    @Test
    void implicitDifferentiationTellsTheStartNothing(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT32);
        for (int times : new int[] {1, 3}) {
            for (boolean implicit : new boolean[] {false, true}) {
                InvariantSlotAttention block =
                        initialised(
                                manager,
                                small().optImplicitDifferentiation(implicit),
                                DataType.FLOAT32);
                in.forEach(array -> array.setRequiresGradient(true));
                NDArray objects;
                try (GradientCollector collector =
                        Engine.getEngine("PyTorch").newGradientCollector()) {
                    objects =
                            block.group(
                                            new ParameterStore(manager, false),
                                            new FeatureExtractorOutput(in.get(0), in.get(1)),
                                            in.get(2),
                                            in.get(3),
                                            times,
                                            true)
                                    .objects();
                    collector.backward(objects.square().sum());
                }
                double start = in.get(2).getGradient().abs().sum().getFloat();
                double where = in.get(3).getGradient().abs().sum().getFloat();
                double features = in.get(0).getGradient().abs().sum().getFloat();
                assertTrue(features > 0);
                assertEquals(implicit, start == 0, "start after " + times + ": " + start);
                assertEquals(implicit, where == 0, "places after " + times + ": " + where);
                in = inputs(manager, DataType.FLOAT32);
            }
        }
    }

    /** As if the last iteration were the only one, from where those before it ended. */
    @Test
    void implicitGradientsAreThoseOfTheLastIteration(NDManager manager) {
        NDList in = inputs(manager, DataType.FLOAT64);
        InvariantSlotAttention whole =
                initialised(manager, small().optImplicitDifferentiation(true), DataType.FLOAT64);
        NDArray all = gradientOfFeatures(manager, whole, in, 3);
        InvariantSlotAttention plain = initialised(manager, small(), DataType.FLOAT64);
        PositionedSlots two =
                plain.trace(
                                new ParameterStore(manager, false),
                                new FeatureExtractorOutput(in.get(0), in.get(1)),
                                in.get(2),
                                in.get(3),
                                2)
                        .result();
        NDList rest = new NDList(in.get(0), in.get(1), two.objects(), two.positions());
        NDArray last = gradientOfFeatures(manager, plain, rest, 1);
        assertClose("gradient of the features", last, all, 1e-12);
        for (String name : whole.getParameters().keys()) {
            assertClose(
                    name,
                    plain.getParameters().get(name).getArray().getGradient(),
                    whole.getParameters().get(name).getArray().getGradient(),
                    1e-12);
        }
    }

    private static NDArray gradientOfFeatures(
            NDManager manager, InvariantSlotAttention block, NDList in, int times) {
        NDArray x = in.get(0).duplicate();
        x.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            PositionedSlots out =
                    block.group(
                            new ParameterStore(manager, false),
                            new FeatureExtractorOutput(x, in.get(1)),
                            in.get(2),
                            in.get(3),
                            times,
                            true);
            NDArray objects = out.objects();
            collector.backward(
                    objects.square()
                            .sum()
                            .add(out.positions().sum())
                            .add(out.attributions().square().sum()));
        }
        return x.getGradient();
    }

    @Test
    void drawsTheStartIfThereIsNone(NDManager manager) {
        InvariantSlotAttention block = initialised(manager, small(), DataType.FLOAT32);
        NDList in = inputs(manager, DataType.FLOAT32);
        ParameterStore store = new ParameterStore(manager, false);
        FeatureExtractorOutput features = new FeatureExtractorOutput(in.get(0), in.get(1));
        manager.getEngine().setRandomSeed(1);
        PerceptualGroupingOutput first = block.group(store, features, in.get(2), false);
        PerceptualGroupingOutput second = block.group(store, features, in.get(2), false);
        differ(first.objects(), second.objects());
        manager.getEngine().setRandomSeed(1);
        PerceptualGroupingOutput again = block.group(store, features, in.get(2), false);
        assertClose("the same seed", first.objects(), again.objects(), 0);
        assertNull(first.isEmpty());
    }

    @Test
    void positionsAreNotTakenForAttributions(NDManager manager) {
        InvariantSlotAttention block = initialised(manager, small(), DataType.FLOAT32);
        NDList out =
                block.forward(
                        new ParameterStore(manager, false),
                        inputs(manager, DataType.FLOAT32),
                        false);
        assertEquals(
                List.of("objects", "feature_attributions", "slot_positions"),
                out.stream().map(NDArray::getName).toList());
        PerceptualGroupingOutput read = PerceptualGroupingOutput.from(out);
        assertSame(out.get(0), read.objects());
        assertSame(out.get(1), read.attributions());
        assertThrows(
                IllegalArgumentException.class,
                () -> new PositionedSlots(out.get(0), null, out.get(1), null));
    }

    @Test
    void nanStaysInItsImage(NDManager manager) {
        InvariantSlotAttention block = initialised(manager, small(), DataType.FLOAT32);
        NDList in = inputs(manager, DataType.FLOAT32);
        PositionedSlots plain = group(manager, block, in);
        in.get(0).set(new ai.djl.ndarray.index.NDIndex("0, 0, 0"), Float.NaN);
        PositionedSlots other = group(manager, block, in);
        assertClose("other image", plain.objects().get("1"), other.objects().get("1"), 1e-6);
        assertTrue(other.objects().get("0").isNaN().all().getBoolean());
    }

    private static void differ(NDArray a, NDArray b) {
        assertNotEquals(Arrays.toString(doubles(a)), Arrays.toString(doubles(b)));
    }

    /** At first all slots see about as far as each other. */
    @Test
    void widthsStartWithinTheirBound(NDManager manager) {
        double bound = 0.1 * Math.sqrt(6.0 / 21);
        double most = 0;
        for (int seed = 0; seed < 20; seed++) {
            manager.getEngine().setRandomSeed(seed);
            InvariantSlotAttention block =
                    InvariantSlotAttention.builder().setDim(20).setFeatureDim(5).build();
            block.initialize(manager, DataType.FLOAT32);
            NDArray scale = block.getParameters().get("to_scale.weight").getArray();
            most = Math.max(most, largest(scale));
        }
        assertEquals(bound, most, 0.03 * bound);
        assertTrue(most <= bound * (1 + 1e-6), "within");
    }
}
