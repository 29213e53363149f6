package org.slotwise.decoder;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.normal;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.weights.StateDict;

@ExtendWith(OnDevice.class)
class PropertyDecoderTest {

    private static PropertyDecoder.Builder decoder() {
        return PropertyDecoder.builder().setSlotDim(6).setProperties(5).optHidden(7);
    }

    private static PropertyDecoder ready(NDManager manager) {
        PropertyDecoder decoder = decoder().build();
        decoder.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 6));
        return decoder;
    }

    @Test
    void keepsTheContract(NDManager manager) {
        new BlockContract(
                        () -> decoder().build(),
                        (m, type) -> new NDList(normal(m, 1, type, 2, 3, 6)))
                .check(manager);
    }

    @Test
    void isThePerceptronOfThePaper(NDManager manager) {
        PropertyDecoder decoder = ready(manager);
        NDArray slots = normal(manager, 3, 2, 3, 6);
        NDArray[] w = new NDArray[4];
        String[] names = {"mlp.0.weight", "mlp.0.bias", "mlp.2.weight", "mlp.2.bias"};
        try (StateDict weights = StateDict.of(decoder)) {
            assertArrayEquals(names, weights.names().toArray());
            for (int i = 0; i < w.length; i++) {
                w[i] = weights.get(names[i]).duplicate();
                w[i].attach(manager);
            }
        }
        NDArray h = slots.reshape(6, 6).matMul(w[0].transpose()).add(w[1]).maximum(0);
        NDArray z = h.matMul(w[2].transpose()).add(w[3]);
        NDArray expected = z.neg().exp().add(1).pow(-1).reshape(2, 3, 5);
        NDArray got = decoder.decode(new ParameterStore(manager, false), slots, false);
        assertClose("properties", expected, got, 1e-6);
        for (double value : Tensors.doubles(got)) {
            assertTrue(value > 0 && value < 1);
        }
    }

    @Test
    void attributesAreProbabilities(NDManager manager) {
        // Numbers 1 and 2 are one attribute, 3 another of a single value.
        PropertyDecoder.Builder described = decoder().optAttributes(1, List.of(2, 1));
        new BlockContract(described::build, (m, type) -> new NDList(normal(m, 1, type, 2, 3, 6)))
                .check(manager);
        PropertyDecoder plain = ready(manager);
        PropertyDecoder decoder = described.build();
        decoder.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 6));
        try (StateDict weights = StateDict.of(plain)) {
            weights.loadInto(decoder);
        }
        NDArray slots = normal(manager, 3, 2, 3, 6);
        ParameterStore store = new ParameterStore(manager, false);
        double[] sigmoids = Tensors.doubles(plain.decode(store, slots, false));
        double[] got = Tensors.doubles(decoder.decode(store, slots, false));
        for (int at = 0; at < got.length; at += 5) {
            double first = sigmoids[at + 1] / (1 - sigmoids[at + 1]); // exp of what passes
            double second = sigmoids[at + 2] / (1 - sigmoids[at + 2]);
            assertEquals(sigmoids[at], got[at], 1e-6);
            assertEquals(first / (first + second), got[at + 1], 1e-5);
            assertEquals(second / (first + second), got[at + 2], 1e-5);
            assertEquals(1, got[at + 3], 1e-6);
            assertEquals(sigmoids[at + 4], got[at + 4], 1e-6);
        }
        // Also where nothing is left on either side.
        PropertyDecoder all =
                PropertyDecoder.builder()
                        .setSlotDim(6)
                        .setProperties(5)
                        .optAttributes(0, List.of(5))
                        .build();
        all.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 6));
        assertClose(
                "sums",
                manager.ones(new Shape(2, 3)),
                all.decode(store, slots, false).sum(new int[] {2}),
                1e-6);
        assertRefused(
                "PropertyDecoder: the attributes [2, 3] from 1 on do not fit into 5 properties",
                () -> decoder().optAttributes(1, List.of(2, 3)).build());
        assertRefused(
                "PropertyDecoder: the attributes [2] from -1 on do not fit into 5 properties",
                () -> decoder().optAttributes(-1, List.of(2)).build());
        assertRefused(
                "PropertyDecoder: an attribute's number of values must be at least 1, got 0",
                () -> decoder().optAttributes(0, List.of(0)).build());
    }

    @Test
    void slotsDoNotDependOnEachOther(NDManager manager) {
        PropertyDecoder decoder = ready(manager);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = normal(manager, 3, 2, 3, 6);
        NDArray order = manager.create(new long[] {2, 0, 1});
        assertClose(
                "moved",
                decoder.decode(store, slots, false).get(":, {}", order),
                decoder.decode(store, slots.get(":, {}", order), false),
                1e-6);
    }

    @Test
    void optionsAndErrors(NDManager manager) throws Exception {
        assertEquals(
                64 * 6 + 64 + 64 * 19 + 19,
                parameters(PropertyDecoder.builder().setSlotDim(6).setProperties(19), manager));
        assertEquals(7 * 6 + 7 + 7 * 5 + 5, parameters(decoder(), manager));
        for (var builder :
                List.of(
                        decoder().setSlotDim(0),
                        decoder().setProperties(0),
                        decoder().optHidden(0),
                        PropertyDecoder.builder())) {
            assertThrows(IllegalArgumentException.class, builder::build);
        }
        assertRefused(
                "PropertyDecoder: hidden must be at least 1, got -2",
                () -> decoder().optHidden(-2).build());
        PropertyDecoder decoder = ready(manager);
        ParameterStore store = new ParameterStore(manager, false);
        assertRefused(
                "PropertyDecoder: slots must be (B, K, 6), got (2, 3, 7)",
                () -> decoder.decode(store, normal(manager, 1, 2, 3, 7), false));
        assertRefused(
                "PropertyDecoder: slots must be float32 as the block's parameters, got float64",
                () -> decoder.decode(store, normal(manager, 1, DataType.FLOAT64, 2, 3, 6), false));
        assertThrows(
                IllegalStateException.class,
                () -> decoder().build().decode(store, normal(manager, 1, 2, 3, 6), false));
        byte[] saved = BlockContract.save(decoder);
        MalformedModelException e =
                assertThrows(
                        MalformedModelException.class,
                        () ->
                                decoder()
                                        .optHidden(8)
                                        .build()
                                        .loadParameters(
                                                manager,
                                                new DataInputStream(
                                                        new ByteArrayInputStream(saved))));
        assertTrue(e.getMessage().contains("hidden=7"), e.getMessage());
    }

    private static long parameters(PropertyDecoder.Builder builder, NDManager manager) {
        PropertyDecoder decoder = builder.build();
        decoder.initialize(manager, DataType.FLOAT32, new Shape(1, 1, 6));
        return decoder.getParameters().values().stream().mapToLong(p -> p.getArray().size()).sum();
    }
}
