package org.slotwise.conditioning;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Blocks;
import ai.djl.nn.ParallelBlock;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What all conditionings promise, and how each of them starts. */
@ExtendWith(OnDevice.class)
class ConditioningTest {

    /** Builds one of the conditionings, with 4 slots of size 6. */
    enum Kind {
        RANDOM,
        LEARNT,
        SLOTWISE;

        Conditioning build() {
            return switch (this) {
                case RANDOM -> RandomConditioning.builder().setDim(6).setSlots(4).build();
                case LEARNT -> LearntConditioning.builder().setDim(6).setSlots(4).build();
                case SLOTWISE -> SlotwiseLearntConditioning.builder().setDim(6).setSlots(4).build();
            };
        }

        Conditioning initialised(NDManager manager, DataType type) {
            Conditioning block = build();
            block.initialize(manager, type, new Shape(-1));
            return block;
        }

        String who() {
            return build().getClass().getSimpleName();
        }
    }

    static Stream<Kind> kinds() {
        return Stream.of(Kind.values());
    }

    private static ParameterStore store(NDManager manager) {
        return new ParameterStore(manager, false);
    }

    private static NDArray named(String name, NDArray array) {
        array.setName(name);
        return array;
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void keepsTheContract(Kind kind, NDManager manager) {
        new BlockContract(
                        kind::build,
                        (m, type) ->
                                new NDList(
                                        Tensors.normal(m, 1, type, 3, 9, 5),
                                        named(
                                                Conditioning.NOISE,
                                                Tensors.normal(m, 2, type, 3, 4, 6))))
                .check(manager);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void givesEachImageAndSlotAVector(Kind kind, NDManager manager) {
        for (DataType type :
                new DataType[] {DataType.FLOAT32, DataType.FLOAT64, DataType.FLOAT16}) {
            Conditioning block = kind.initialised(manager, type);
            for (long[] size : new long[][] {{1, 1}, {5, 4}, {2, 3}}) {
                NDArray sample = block.sample(store(manager), manager, size[0], size[1], false);
                assertEquals(new Shape(size[0], size[1], 6), sample.getShape());
                assertEquals(type, sample.getDataType());
                assertEquals(OnDevice.device(), sample.getDevice());
                assertTrue(Tensors.largest(sample) > 0);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void leavesNothingButTheResult(Kind kind, NDManager manager) {
        Conditioning block = kind.initialised(manager, DataType.FLOAT32);
        for (boolean training : new boolean[] {false, true}) {
            try (NDManager owner = manager.newSubManager()) {
                NDArray sample = block.sample(store(manager), owner, 2, 3, training);
                assertEquals(1, owner.getManagedArrays().size());
                assertEquals(owner, sample.getManager());
            }
        }
    }

    /** The first array, the one named "features", or the noise says how many images there are. */
    @ParameterizedTest
    @MethodSource("kinds")
    void takesTheBatchFromAnyArray(Kind kind, NDManager manager) {
        Conditioning block = kind.initialised(manager, DataType.FLOAT32);
        ParameterStore store = store(manager);
        NDArray pixels = manager.zeros(new Shape(3, 8, 8, 3), DataType.UINT8);
        NDList out = block.forward(store, new NDList(pixels), false);
        assertEquals(new Shape(3, 4, 6), out.singletonOrThrow().getShape());
        assertEquals(Conditioning.CONDITIONING, out.head().getName());
        assertEquals(new Shape(3, 4, 6), block.getOutputShapes(new Shape[] {pixels.getShape()})[0]);

        NDArray positions = named("positions", manager.zeros(new Shape(9, 2)));
        NDArray features = named("features", manager.zeros(new Shape(5, 9, 2)));
        NDList extracted = new NDList(positions, features);
        assertEquals(new Shape(5, 4, 6), block.forward(store, extracted, false).get(0).getShape());

        NDArray noise = named(Conditioning.NOISE, Tensors.normal(manager, 1, 2, 3, 6));
        NDArray drawn = block.forward(store, new NDList(noise), false).head();
        assertSame("noise alone", block.sample(store, noise, false), drawn);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void goesWithDjlsBlocks(Kind kind, NDManager manager) {
        SequentialBlock model =
                new SequentialBlock()
                        .add(
                                new ParallelBlock(
                                                lists ->
                                                        new NDList(lists.get(0))
                                                                .addAll(lists.get(1)))
                                        .addAll(Blocks.identityBlock(), kind.build()))
                        .add(SlotAttention.builder().setDim(6).setFeatureDim(5).build());
        NDArray features = Tensors.normal(manager, 1, 2, 9, 5);
        model.initialize(manager, DataType.FLOAT32, features.getShape());
        NDList out = model.forward(store(manager), new NDList(features), false);
        assertEquals(new Shape(2, 4, 6), out.get(0).getShape());
    }

    /** mu + exp(logsigma) noise, with parameters that tell each apart. */
    @Test
    void followsItsEquation(NDManager manager) {
        Conditioning block = Kind.SLOTWISE.initialised(manager, DataType.FLOAT32);
        NDArray mu = block.getDirectParameters().get("slots_mu").getArray();
        NDArray logSigma = block.getDirectParameters().get("slots_logsigma").getArray();
        NDArray noise = Tensors.normal(manager, 3, 2, 3, 6);
        NDArray expected = mu.get(":, :3").add(logSigma.get(":, :3").exp().mul(noise));
        assertClose("slotwise", expected, block.sample(store(manager), noise, false), 1e-6);
    }

    @Test
    void fewerLearntSlotsAreTheFirst(NDManager manager) {
        Conditioning block = Kind.LEARNT.initialised(manager, DataType.FLOAT32);
        NDArray all = block.sample(store(manager), manager, 2, 4, false);
        NDArray some = block.sample(store(manager), manager, 2, 3, false);
        assertSame("first slots", all.get(":, :3"), some);
        assertSame("one for all images", all.get(0), all.get(1));
    }

    /** Changing the result does not change the parameter. */
    @Test
    void learntSlotsAreCopied(NDManager manager) {
        Conditioning block = Kind.LEARNT.initialised(manager, DataType.FLOAT32);
        NDArray before = block.sample(store(manager), manager, 1, 4, false);
        NDArray changed = block.sample(store(manager), manager, 1, 4, false);
        assertNotSame(before, changed);
        changed.addi(manager.ones(changed.getShape()));
        assertSame("parameter", before, block.sample(store(manager), manager, 1, 4, false));
    }

    /** Also after DJL has unfrozen all parameters, to train a model that was loaded. */
    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void learnsWhatIsToBeLearnt(boolean mean, boolean deviation, NDManager manager) {
        Conditioning block =
                RandomConditioning.builder()
                        .setDim(6)
                        .setSlots(4)
                        .optLearnMean(mean)
                        .optLearnDeviation(deviation)
                        .build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        NDArray mu = block.getDirectParameters().get("slots_mu").getArray();
        NDArray logSigma = block.getDirectParameters().get("slots_logsigma").getArray();
        assertEquals(mean, mu.hasGradient());
        assertEquals(deviation, logSigma.hasGradient());

        block.freezeParameters(false);
        NDArray weight = manager.ones(new Shape(1));
        weight.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray slots = block.sample(store(manager), manager, 2, 4, true);
            collector.backward(slots.mul(weight).square().sum());
        }
        assertEquals(mean, Tensors.largest(mu.getGradient()) > 0);
        assertEquals(deviation, Tensors.largest(logSigma.getGradient()) > 0);
    }

    @Test
    void startsAsTheReference(NDManager manager) {
        double xavier = Math.sqrt(3.0 / 500);
        Conditioning random = RandomConditioning.builder().setDim(500).setSlots(2).build();
        random.initialize(manager, DataType.FLOAT32, new Shape(-1));
        assertUniform(xavier, random.getDirectParameters().get("slots_mu").getArray());
        assertUniform(xavier, random.getDirectParameters().get("slots_logsigma").getArray());

        Conditioning learnt = LearntConditioning.builder().setDim(500).setSlots(4).build();
        learnt.initialize(manager, DataType.FLOAT32, new Shape(-1));
        assertStandardNormal(learnt.getDirectParameters().get("slots").getArray());

        Conditioning slotwise =
                SlotwiseLearntConditioning.builder().setDim(500).setSlots(4).build();
        slotwise.initialize(manager, DataType.FLOAT32, new Shape(-1));
        assertStandardNormal(slotwise.getDirectParameters().get("slots_mu").getArray());
        assertUniform(
                Math.sqrt(6.0 / (5 * 500)),
                slotwise.getDirectParameters().get("slots_logsigma").getArray());
    }

    private static void assertUniform(double bound, NDArray array) {
        double largest = Tensors.largest(array);
        assertTrue(largest <= bound && largest > 0.97 * bound, largest + " beside " + bound);
        double mean = Math.abs(array.mean().getFloat());
        assertTrue(mean < 0.15 * bound, "mean " + mean);
    }

    static void assertStandardNormal(NDArray array) {
        double mean = array.mean().getFloat();
        double square = array.square().mean().getFloat();
        assertEquals(0, mean, 0.1);
        assertEquals(1, square, 0.15);
        assertTrue(Tensors.largest(array) > 2.5);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void refusesWhatItCannotUse(Kind kind, NDManager manager) {
        Conditioning block = kind.initialised(manager, DataType.FLOAT32);
        ParameterStore store = store(manager);
        String who = kind.who();
        String slots = kind == Kind.RANDOM ? "must be at least 1" : "must be 1 to 4";
        assertRefused(
                who + ": batch must be at least 1, got 0",
                () -> block.sample(store, manager, 0, 2, false));
        assertRefused(
                who + ": slots " + slots + ", got 0",
                () -> block.sample(store, manager, 1, 0, false));
        assertRefused(
                who + ": noise must be (B, K, 6), got (2, 4, 5)",
                () -> block.sample(store, manager.zeros(new Shape(2, 4, 5)), false));
        assertRefused(
                who + ": noise must be (B, K, 6), each size at least 1, got (2, 0, 6)",
                () -> block.sample(store, manager.create(new Shape(2, 0, 6)), false));
        assertRefused(
                who + ": noise must be float32 as the block's parameters, got float64",
                () ->
                        block.sample(
                                store, manager.zeros(new Shape(2, 4, 6), DataType.FLOAT64), false));
        assertRefused(
                "ConditioningBlock.sample: noise must not be null",
                () -> block.sample(store, (NDArray) null, false));
        Device elsewhere = Device.of("elsewhere", 1);
        assertRefused(
                who
                        + ": manager and inputs must be on a device of the parameter store ("
                        + OnDevice.device()
                        + "), got "
                        + elsewhere,
                () ->
                        block.sample(
                                store,
                                FakeArray.on(elsewhere, manager.zeros(new Shape(2, 4, 6))),
                                false));

        assertRefused(
                who + ": features is missing", () -> block.forward(store, new NDList(), false));
        NDArray noise = named(Conditioning.NOISE, manager.zeros(new Shape(2, 4, 6)));
        assertRefused(
                who + ": noise must be (3, K, 6), got (2, 4, 6)",
                () ->
                        block.forward(
                                store, new NDList(manager.zeros(new Shape(3, 5)), noise), false));
        assertRefused(
                who + ": inputs must have the batch as their first size, got ()",
                () -> block.forward(store, new NDList(manager.zeros(new Shape())), false));
        assertRefused(
                who + ": batch must be at least 1, got 0",
                () -> block.forward(store, new NDList(manager.create(new Shape(0, 5))), false));
    }

    @Test
    void refusesMoreSlotsThanItHas(NDManager manager) {
        for (Kind kind : new Kind[] {Kind.LEARNT, Kind.SLOTWISE}) {
            Conditioning block = kind.initialised(manager, DataType.FLOAT32);
            String message = kind.who() + ": slots must be 1 to 4, got 5";
            assertRefused(message, () -> block.sample(store(manager), manager, 2, 5, false));
            assertRefused(
                    message,
                    () -> block.sample(store(manager), manager.zeros(new Shape(2, 5, 6)), false));
        }
        Conditioning random = Kind.RANDOM.initialised(manager, DataType.FLOAT32);
        assertEquals(
                new Shape(2, 5, 6), random.sample(store(manager), manager, 2, 5, false).getShape());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void mustBeInitialised(Kind kind, NDManager manager) {
        String message =
                assertThrows(
                                IllegalStateException.class,
                                () -> kind.build().sample(store(manager), manager, 2, 3, true))
                        .getMessage();
        assertEquals(
                kind.who() + ": initialize the block, or load its parameters, before it is used",
                message);
    }

    @Test
    void refusesSizesBelowOne() {
        assertRefused(
                "RandomConditioning: dim must be at least 1, got 0",
                () -> RandomConditioning.builder().setSlots(2).build());
        assertRefused(
                "RandomConditioning: slots must be at least 1, got 0",
                () -> RandomConditioning.builder().setDim(2).build());
        assertRefused(
                "LearntConditioning: dim must be at least 1, got -1",
                () -> LearntConditioning.builder().setDim(-1).setSlots(2).build());
        assertRefused(
                "LearntConditioning: slots must be at least 1, got 0",
                () -> LearntConditioning.builder().setDim(2).build());
        assertRefused(
                "SlotwiseLearntConditioning: dim must be at least 1, got 0",
                () -> SlotwiseLearntConditioning.builder().setSlots(2).build());
        assertRefused(
                "SlotwiseLearntConditioning: slots must be at least 1, got -3",
                () -> SlotwiseLearntConditioning.builder().setDim(2).setSlots(-3).build());
    }
}
