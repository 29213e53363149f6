package org.slotwise.slate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.slate.SlateConfiguration.Slots;
import org.slotwise.slate.SlateConfiguration.Transformer;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What every block promises, of the parts and the whole; errors. */
@ExtendWith(OnDevice.class)
class SlateContractTest {

    private static NDArray named(String name, NDArray array) {
        array.setName(name);
        return array;
    }

    private static NDArray mask(NDManager manager, long seed, DataType type, long... shape) {
        NDArray uniform = Tensors.uniform(manager, seed, type, shape);
        return uniform.gt(0.1f).toType(type, false).mul(Scalars.like(uniform, 1 / 0.9));
    }

    @Test
    void autoEncoder(NDManager manager) {
        new BlockContract(
                        () -> new DiscreteVae(2, 5),
                        (m, type) ->
                                new NDList(
                                        Tensors.uniform(m, 1, type, 2, 2, 8, 12),
                                        named("gumbel", Tensors.normal(m, 2, type, 2, 5, 2, 3))))
                .check(manager);
    }

    @Test
    void transformer(NDManager manager) {
        new BlockContract(
                        () -> new TokenDecoder(6, new Transformer(2, 2, 0)),
                        (m, type) ->
                                new NDList(
                                        Tensors.normal(m, 1, type, 2, 5, 6),
                                        Tensors.normal(m, 2, type, 2, 3, 6)))
                .check(manager);
    }

    @Test
    void grouping(NDManager manager) {
        new BlockContract(
                        () -> new TokenGrouping(6, new Slots(3, 4, 2, 2, 5, false)),
                        (m, type) ->
                                new NDList(
                                        Tensors.normal(m, 1, type, 2, 7, 6),
                                        named("noise", Tensors.normal(m, 2, type, 2, 3, 4))))
                .check(manager);
    }

    static SlateConfiguration small(double dropout, boolean implicit) {
        return new SlateConfiguration(
                8, 2, 5, 6, new Transformer(2, 2, dropout), new Slots(3, 4, 2, 2, 5, implicit));
    }

    /** Images, decisive draws, and masks of all dropouts. */
    private static NDList inputs(NDManager m, DataType type) {
        NDList list = new NDList(Tensors.uniform(m, 1, type, 2, 2, 8, 8));
        list.add(named(SlateNoise.GUMBEL_CODES, Tensors.normal(m, 2, type, 2, 5, 2, 2)));
        NDArray draws = Tensors.normal(m, 3, type, 2, 5, 2, 2);
        list.add(named(SlateNoise.GUMBEL_TOKENS, draws.mul(Scalars.like(draws, 9)).duplicate()));
        list.add(named(SlateNoise.SLOT_NOISE, Tensors.normal(m, 4, type, 2, 3, 4)));
        long seed = 10;
        for (Map.Entry<String, Shape> entry :
                new Slate(small(0.1, false)).dropoutShapes(2).entrySet()) {
            NDArray mask = mask(m, seed++, type, entry.getValue().getShape());
            list.add(named(SlateNoise.DROPOUT + entry.getKey(), mask.duplicate()));
        }
        return list;
    }

    @Test
    void whole(NDManager manager) {
        new BlockContract(() -> new Slate(small(0.1, false)), SlateContractTest::inputs)
                .check(manager);
    }

    @Test
    void wholeWithoutGradientsThroughAllIterations(NDManager manager) {
        BlockContract contract =
                new BlockContract(() -> new Slate(small(0.1, true)), SlateContractTest::inputs);
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
    }

    @Test
    void temperatureOfListsCanBeSet(NDManager manager) {
        Slate slate = initialised(manager);
        ParameterStore store = new ParameterStore(manager, false);
        NDList in = inputs(manager, DataType.FLOAT32);
        float warm = slate.forward(store, in, false).get(SlateOutput.MSE).getFloat();
        assertEquals(warm, slate.forward(store, in, false).get(SlateOutput.MSE).getFloat());
        slate.setTemperature(0.1);
        assertNotEquals(warm, slate.forward(store, in, false).get(SlateOutput.MSE).getFloat());
        NDList images = new NDList(in.head(), named(DiscreteVae.GUMBEL, in.get(1).duplicate()));
        NDArray codes = slate.dvae().forward(store, images, false).get(DvaeOutput.CODES);
        slate.dvae().setTemperature(0.1);
        NDArray cold = slate.dvae().forward(store, images, false).get(DvaeOutput.CODES);
        assertTrue(cold.max().getFloat() > codes.max().getFloat());
    }

    private static Slate initialised(NDManager manager) {
        Slate slate = new Slate(small(0.1, false));
        slate.initialize(manager, DataType.FLOAT32, new Shape(2, 2, 8, 8));
        return slate;
    }

    @Test
    void refusesWhatDoesNotFit(NDManager manager) {
        Slate slate = initialised(manager);
        ParameterStore store = new ParameterStore(manager, false);
        GumbelSoftmax soft = new GumbelSoftmax(1, false);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 2, 8, 8);
        NDArray large = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 2, 8, 12);
        assertRefused(
                "Slate: images must be (B, 2, 8, 8), got (2, 2, 8, 12)",
                () -> slate.step(store, large, soft, SlateNoise.drawn(), true));
        assertRefused(
                "Slate: images must be (B, 2, 8, 8), got (2, 2, 8, 12)",
                () -> slate.encode(store, large, null));
        NDArray few = Tensors.normal(manager, 1, 2, 4, 2, 2);
        assertRefused(
                "Slate: gumbel_tokens must be (2, 5, 2, 2), got (2, 4, 2, 2)",
                () ->
                        slate.step(
                                store,
                                images,
                                soft,
                                new SlateNoise(null, few, null, Map.of()),
                                true));
        IllegalArgumentException unknown =
                assertThrows(
                        IllegalArgumentException.class,
                        () ->
                                slate.step(
                                        store,
                                        images,
                                        soft,
                                        new SlateNoise(null, null, null, Map.of("x", few)),
                                        true));
        assertEquals(
                "Slate: dropout masks must be among [positional_encoder.dropout,",
                unknown.getMessage().substring(0, 63));
        NDArray narrow = Tensors.normal(manager, 1, 2, 3, 5);
        assertRefused(
                "Slate: slots must be (B, K, 4), got (2, 3, 5)",
                () -> slate.generate(store, narrow));
        NDArray slots = Tensors.normal(manager, 1, 2, 3, 4);
        NDArray exact = Tensors.normal(manager, 1, DataType.FLOAT64, 2, 3, 4);
        assertRefused(
                "Slate: slots must be float32 as the block's parameters, got float64",
                () -> slate.generate(store, exact));
        assertRefused(
                "DiscreteVae: codes must be float32 as the block's parameters, got float64",
                () ->
                        slate.dvae()
                                .decode(
                                        store,
                                        Tensors.normal(manager, 1, DataType.FLOAT64, 2, 5, 2, 2),
                                        false));
        assertRefused(
                "Slate: no SlotChoice[picture=2, slot=0] among slots (2, 3, 4)",
                () -> slate.compose(slots, List.of(new SlotChoice(2, 0))));
        assertRefused(
                "Slate: the prompt must have at least one slot",
                () -> slate.compose(slots, List.of()));
        NDArray tokens = manager.zeros(new Shape(2, 5), DataType.INT64);
        assertRefused(
                "Slate: tokens must be at most 4 a picture, got 5",
                () -> slate.predict(store, slots, tokens));
        assertRefused(
                "DiscreteVae: height and width must be multiples of 4, got (2, 2, 8, 6)",
                () ->
                        slate.dvae()
                                .tokens(
                                        store,
                                        Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 2, 8, 6)));
        assertRefused(
                "Slate: temperature must be above 0 and finite, got 0.0",
                () -> slate.setTemperature(0));
        assertRefused(
                "DiscreteVae: temperature must be above 0 and finite, got -1.0",
                () -> slate.dvae().setTemperature(-1));
    }

    @Test
    void refusesSizesThatDoNotFit() {
        Transformer transformer = new Transformer(2, 2, 0.1);
        Slots slots = new Slots(3, 4, 2, 2, 5, false);
        assertRefused(
                "SlateConfiguration: imageSize must be a multiple of 4, got 30",
                () -> new SlateConfiguration(30, 3, 5, 6, transformer, slots));
        assertRefused(
                "SlateConfiguration: dim must be a multiple of 2 heads, got 7",
                () -> new SlateConfiguration(32, 3, 5, 7, transformer, slots));
        assertRefused(
                "SlateConfiguration: vocabulary must be at least 2, got 1",
                () -> new SlateConfiguration(32, 3, 1, 6, transformer, slots));
        assertRefused(
                "SlateConfiguration.Slots: dim must be a multiple of 3 heads, got 4",
                () -> new Slots(3, 4, 2, 3, 5, false));
        assertRefused(
                "SlateConfiguration.Transformer: dropout must be at least 0 and below 1, got 1.0",
                () -> new Transformer(2, 2, 1));
        assertRefused(
                "TokenSampling: topK must be at least 1, got 0", () -> new TokenSampling(1, 0, 0));
        assertRefused("SlotChoice: slot must be at least 0, got -1", () -> new SlotChoice(0, -1));
    }

    @Test
    void refusesParametersOfOtherSizes(NDManager manager) {
        byte[] saved = BlockContract.save(initialised(manager));
        SlateConfiguration other =
                new SlateConfiguration(
                        8, 2, 5, 6, new Transformer(2, 3, 0), new Slots(3, 4, 2, 2, 5, false));
        assertThrows(
                MalformedModelException.class,
                () ->
                        new Slate(other)
                                .loadParameters(
                                        manager,
                                        new DataInputStream(new ByteArrayInputStream(saved))));
    }
}
