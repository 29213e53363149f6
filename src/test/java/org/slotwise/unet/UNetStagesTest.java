package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.internal.Gradients;
import org.slotwise.internal.Ops;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.testing.Garbage;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

/** A training step in stages has the gradients of a graph of the whole network. */
@ExtendWith(OnDevice.class)
class UNetStagesTest {

    private static final int SLOT_DIM = 5;

    /** Networks that are cut at different places. */
    private enum Network {
        EVERYWHERE(1, 4, DataType.FLOAT32),
        TWO_BLOCKS_A_TRANSFORMER(2, 4, DataType.FLOAT32),
        FIRST_LEVEL_ALONE(1, 4, DataType.FLOAT32),
        LAST_LEVEL_ALONE(1, 4, DataType.FLOAT64),
        WITH_POSITIONS(1, 8, DataType.FLOAT32),
        THREE_LEVELS(1, 8, DataType.FLOAT64),
        TIME_SCALES(1, 4, DataType.FLOAT32),
        LARGE_MAPS(1, 16, DataType.FLOAT32);

        final int depth;
        final int side;
        final DataType type;

        Network(int depth, int side, DataType type) {
            this.depth = depth;
            this.side = side;
            this.type = type;
        }

        UNet make(NDManager manager) {
            TransformerOptions transformer =
                    TransformerOptions.of(SLOT_DIM, Heads.count(2)).withDepth(depth);
            UNetConfiguration.Builder sizes =
                    UNetConfiguration.builder().setChannels(2, 2).setWidths(4, 6).optGroups(2);
            switch (this) {
                case FIRST_LEVEL_ALONE -> sizes.optAttention(true, false);
                case LAST_LEVEL_ALONE -> sizes.optAttention(false, true);
                case WITH_POSITIONS -> transformer = transformer.withPositions(side);
                case THREE_LEVELS -> sizes.setWidths(4, 6, 4).optBlocks(2);
                case TIME_SCALES -> sizes.optResidual(new ResnetBlock.Options(2, 1e-5, 0, true));
                case LARGE_MAPS -> sizes.setWidths(64, 64); // of oneDNN, where it is
                default -> {
                    // as it is
                }
            }
            UNet unet = new UNet(sizes.setTransformer(transformer).build());
            manager.getEngine().setRandomSeed(3);
            unet.initialize(manager, type, new Shape(1, 2, side, side));
            double most = this == LARGE_MAPS ? 0.1 : 0.7;
            unet.getParameters()
                    .values()
                    .forEach(
                            p -> {
                                Shape shape = p.getArray().getShape();
                                NDArray value = manager.randomUniform(-1, 1, shape);
                                Ops.overwrite(p.getArray(), value.mul(most).toType(type, false));
                            });
            return unet;
        }
    }

    /** A step: what its loss is, and what has gradients then. */
    private record Step(double loss, Map<String, NDArray> gradients) {}

    private static Step step(
            UNet unet,
            NDManager manager,
            int side,
            int batch,
            boolean stages,
            Predicate<String> learns) {
        DataType type = unet.getParameters().valueAt(0).getArray().getDataType();
        NDArray z = normal(manager, 1, type, batch, 2, side, side);
        NDArray target = normal(manager, 2, type, batch, 2, side, side);
        NDArray values = normal(manager, 4, type, batch, 3, SLOT_DIM);
        long[] t = new long[batch];
        for (int i = 0; i < batch; i++) {
            t[i] = 37L * i;
        }
        NDArray times = manager.create(t);
        ParameterStore store = new ParameterStore(manager, false);
        Map<String, NDArray> all = new TreeMap<>();
        StateDict.parameters(unet).forEach((name, p) -> all.put(name, p.getArray()));
        all.put("slots", values);
        all.forEach((name, value) -> value.setRequiresGradient(learns.test(name)));
        double loss;
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray slots = learns.test("slots") ? values.square() : values;
            if (stages) {
                int before = manager.getManagedArrays().size();
                NDArray value =
                        unet.inStages(
                                store,
                                z,
                                times,
                                slots,
                                predicted -> predicted.sub(target).square().mean(),
                                lost -> {
                                    Garbage.collect();
                                    collector.backward(lost);
                                });
                loss = Tensors.doubles(value)[0];
                value.close();
                // A collector leaves an array beside what it is given to go back from.
                assertTrue(manager.getManagedArrays().size() <= before + 2, "arrays left behind");
            } else {
                NDArray predicted = unet.predict(store, z, times, slots, true);
                NDArray value = predicted.sub(target).square().mean();
                loss = Tensors.doubles(value)[0];
                collector.backward(value);
            }
        }
        Map<String, NDArray> gradients = new TreeMap<>();
        all.forEach(
                (name, value) -> {
                    if (learns.test(name)) {
                        try (NDArray gradient = value.getGradient()) {
                            NDArray copy = gradient.duplicate();
                            gradient.subi(copy);
                            gradients.put(name, copy);
                        }
                    }
                });
        return new Step(loss, gradients);
    }

    private static void assertSame(Step expected, Step actual, double tolerance) {
        assertEquals(expected.loss(), actual.loss(), tolerance * expected.loss());
        double largest =
                expected.gradients().values().stream()
                        .mapToDouble(Tensors::largest)
                        .max()
                        .orElseThrow();
        assertTrue(largest > 0);
        expected.gradients()
                .forEach(
                        (name, g) ->
                                assertClose(
                                        name, g, actual.gradients().get(name), tolerance, largest));
    }

    private static double tolerance(Network network) {
        return network.type == DataType.FLOAT64 ? 1e-12 : 1e-5;
    }

    @ParameterizedTest
    @EnumSource
    void gradientsAreThoseOfTheWholeGraph(Network network, NDManager manager) {
        UNet unet = network.make(manager);
        int batch = network == Network.LARGE_MAPS ? 4 : 3;
        Step whole = step(unet, manager, network.side, batch, false, name -> true);
        Step stages = step(unet, manager, network.side, batch, true, name -> true);
        assertSame(whole, stages, tolerance(network));
        assertSame(whole, step(unet, manager, network.side, batch, true, name -> true), 1e-5);
    }

    @ParameterizedTest
    @EnumSource
    void onePicture(Network network, NDManager manager) {
        UNet unet = network.make(manager);
        Step whole = step(unet, manager, network.side, 1, false, name -> true);
        assertSame(
                whole,
                step(unet, manager, network.side, 1, true, name -> true),
                tolerance(network));
    }

    /** Which of them may learn is each one's own affair. */
    @Test
    void whatIsFrozenGetsNothing(NDManager manager) {
        UNet unet = Network.TWO_BLOCKS_A_TRANSFORMER.make(manager);
        for (String learning :
                new String[] {"slots", "ff.net", "norm3.bias", "time_embedding", "conv_in", "up"}) {
            Predicate<String> learns = name -> name.contains(learning);
            Step whole = step(unet, manager, 4, 2, false, learns);
            assertSame(whole, step(unet, manager, 4, 2, true, learns), 1e-5);
        }
    }

    /** Gradients add up, as those of any backward pass. */
    @Test
    void gradientsAreAddedToWhatIsThere(NDManager manager) {
        UNet unet = Network.EVERYWHERE.make(manager);
        NDArray bias = StateDict.parameters(unet).get("conv_out.bias").getArray();
        NDArray z = normal(manager, 1, 2, 2, 4, 4);
        NDArray slots = normal(manager, 2, 2, 3, SLOT_DIM);
        NDArray times = manager.create(new long[] {1, 2});
        ParameterStore store = new ParameterStore(manager, false);
        float[] once = new float[0];
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            for (int i = 0; i < 2; i++) {
                unet.inStages(store, z, times, slots, NDArray::sum, collector::backward);
                once = i == 0 ? bias.getGradient().toFloatArray() : once;
            }
        }
        assertClose("twice", manager.create(once).mul(2), bias.getGradient(), 1e-5);
    }

    @Test
    void aWayBackMayGoNowhere(NDManager manager) {
        UNet unet = Network.EVERYWHERE.make(manager);
        NDArray z = normal(manager, 1, 2, 2, 4, 4);
        NDArray slots = normal(manager, 2, 2, 3, SLOT_DIM);
        NDArray times = manager.create(new long[] {1, 2});
        ParameterStore store = new ParameterStore(manager, false);
        NDArray bias = StateDict.parameters(unet).get("conv_out.bias").getArray();
        bias.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            unet.inStages(store, z, times, slots, NDArray::sum, lost -> {}).close();
            assertNull(Gradients.of(bias));
            unet.inStages(store, z, times, slots, NDArray::sum, collector::backward).close();
            assertNotNull(Gradients.of(bias));
        }
    }

    /** A large network takes its steps in stages by itself, where there is a graph to go back. */
    @Test
    void largeNetworksTakeStagesByThemselves(NDManager manager) {
        UNet unet = Network.LARGE_MAPS.make(manager);
        NDArray z = normal(manager, 1, 4, 2, 16, 16);
        NDArray slots = normal(manager, 2, 4, 3, SLOT_DIM);
        NDArray times = manager.create(new long[] {1, 2, 3, 4});
        ParameterStore store = new ParameterStore(manager, false);
        NDArray bias = StateDict.parameters(unet).get("conv_in.bias").getArray();
        UnaryOperator<NDArray> loss = predicted -> predicted.square().mean();
        NDArray none = unet.backward(store, z, times, slots, loss, lost -> {});
        float[] whole;
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(loss.apply(unet.predict(store, z, times, slots, true)));
            whole = bias.getGradient().toFloatArray();
        }
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray lost = unet.backward(store, z, times, slots, loss, collector::backward);
            assertClose("loss", none, lost, 1e-5);
        }
        // Added to those of before.
        assertClose("gradient", manager.create(whole).mul(2), bias.getGradient(), 1e-4);
    }

    /** What a loss of somebody's own throws comes out, and the next step is as ever. */
    @Test
    void aLossMayFail(NDManager manager) {
        UNet unet = Network.EVERYWHERE.make(manager);
        Step whole = step(unet, manager, 4, 2, false, name -> true);
        NDArray z = normal(manager, 1, 2, 2, 4, 4);
        NDArray slots = normal(manager, 2, 2, 3, SLOT_DIM);
        NDArray times = manager.create(new long[] {1, 2});
        ParameterStore store = new ParameterStore(manager, false);
        int before = manager.getManagedArrays().size();
        assertThrows(
                IllegalStateException.class,
                () ->
                        unet.inStages(
                                store,
                                z,
                                times,
                                slots,
                                predicted -> {
                                    throw new IllegalStateException("mine");
                                },
                                lost -> {}));
        assertEquals(before, manager.getManagedArrays().size());
        assertSame(whole, step(unet, manager, 4, 2, true, name -> true), 1e-5);
    }
}
