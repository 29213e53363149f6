package org.slotwise.slate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.slate.SlateConfiguration.Slots;
import org.slotwise.slate.SlateConfiguration.Transformer;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Pictures of slots. */
@ExtendWith(OnDevice.class)
class SlateGenerationTest {

    private static Slate slate(
            NDManager manager, DataType type, int size, int vocabulary, int blocks, int heads) {
        manager.getEngine().setRandomSeed(3);
        Slate slate =
                new Slate(
                        new SlateConfiguration(
                                size,
                                3,
                                vocabulary,
                                16,
                                new Transformer(blocks, heads, 0.1),
                                new Slots(3, 8, 2, 1, 8, false)));
        slate.initialize(manager, type, new Shape(1, 3, size, size));
        return slate;
    }

    /**
     * Kept keys and values give what the whole prefix gives. In float64: nothing hangs on rounding.
     */
    @ParameterizedTest
    @CsvSource({
        "8, 7, 0, 2, 1, 3",
        "8, 7, 1, 1, 2, 1",
        "16, 11, 2, 4, 1, 5",
        "16, 30, 3, 8, 3, 2",
        "24, 20, 2, 2, 2, 9"
    })
    void tokensAreThoseOfTheWholePrefix(
            int size,
            int vocabulary,
            int blocks,
            int heads,
            int batch,
            int count,
            NDManager manager) {
        Slate slate = slate(manager, DataType.FLOAT64, size, vocabulary, blocks, heads);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = Tensors.normal(manager, 5, DataType.FLOAT64, batch, count, 8);
        GeneratedPictures made = slate.generate(store, slots);
        int places = slate.sizes().tokens();
        assertEquals(new Shape(batch, 3, size, size), made.pictures().getShape());
        long[] expected = new long[batch * places];
        for (int n = 1; n <= places; n++) {
            long[] prefix = new long[batch * n];
            for (int b = 0; b < batch; b++) {
                System.arraycopy(expected, b * places, prefix, b * n, n);
            }
            NDArray logits =
                    slate.predict(store, slots, manager.create(prefix, new Shape(batch, n)));
            long[] last = logits.get(":, -1").argMax(1).toLongArray();
            for (int b = 0; b < batch; b++) {
                expected[b * places + n - 1] = last[b];
            }
        }
        assertArrayEquals(expected, made.tokens().toLongArray());
        assertTrue(blocks == 0 || Arrays.stream(expected).distinct().count() > 1, "dull");
    }

    @Test
    void orderOfSlotsMakesNoDifference(NDManager manager) {
        Slate slate = slate(manager, DataType.FLOAT64, 16, 20, 2, 4);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = Tensors.normal(manager, 5, DataType.FLOAT64, 2, 4, 8);
        GeneratedPictures made = slate.generate(store, slots);
        GeneratedPictures turned = slate.generate(store, slots.flip(1));
        assertArrayEquals(made.tokens().toLongArray(), turned.tokens().toLongArray());
        assertClose("pictures", made.pictures(), turned.pictures(), 1e-10);
        // A picture alone, and other slots.
        GeneratedPictures alone = slate.generate(store, slots.get("1:2"));
        assertArrayEquals(
                made.tokens().get("1").toLongArray(), alone.tokens().get("0").toLongArray());
    }

    @Test
    void samplingRepeatsBySeed(NDManager manager) {
        Slate slate = slate(manager, DataType.FLOAT32, 16, 20, 2, 4);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray slots = Tensors.normal(manager, 5, 2, 4, 8);
        long[] certain = slate.generate(store, slots).tokens().toLongArray();
        long[] once = tokens(slate, store, slots, TokenSampling.ofAll(1, 7));
        assertArrayEquals(once, tokens(slate, store, slots, TokenSampling.ofAll(1, 7)));
        assertTrue(!Arrays.equals(once, tokens(slate, store, slots, TokenSampling.ofAll(1, 8))));
        assertTrue(!Arrays.equals(once, certain));
        assertTrue(!Arrays.equals(once, tokens(slate, store, slots, new TokenSampling(1, 3, 7))));
        assertTrue(!Arrays.equals(once, tokens(slate, store, slots, TokenSampling.ofAll(0.5, 7))));
        assertArrayEquals(
                certain, tokens(slate, store, slots, new TokenSampling(1, 1, 7)), "top 1");
        assertArrayEquals(
                certain, tokens(slate, store, slots, TokenSampling.ofAll(1e-9, 7)), "cold");
        long[] first = tokens(slate, store, slots.get("0:1"), TokenSampling.ofAll(1, 7));
        assertArrayEquals(Arrays.copyOf(once, first.length), first, "a picture alone");
    }

    private static long[] tokens(
            Slate slate, ParameterStore store, NDArray slots, TokenSampling sampling) {
        return slate.generate(store, slots, sampling).tokens().toLongArray();
    }

    /** Frequencies of many draws. */
    @Test
    void drawsFromTheDistribution() {
        double[] logits = {0, Math.log(2), Math.log(5), -40};
        int[] counts = new int[4];
        int n = 8000;
        for (int i = 0; i < n; i++) {
            counts[TokenSampling.ofAll(1, 0).draw(logits, (i + 0.5) / n)]++;
        }
        assertArrayEquals(new int[] {1000, 2000, 5000, 0}, counts);
        int[] cool = new int[4];
        for (int i = 0; i < n; i++) {
            cool[new TokenSampling(0.5, 2, 0).draw(logits, (i + 0.5) / n)]++;
        }
        assertEquals(0, cool[0]);
        assertEquals(n * 4.0 / 29, cool[1], 1.0);
    }

    @Test
    void slotsOfSeveralPicturesMakeAPrompt(NDManager manager) {
        Slate slate = slate(manager, DataType.FLOAT32, 16, 20, 2, 4);
        NDArray slots = Tensors.normal(manager, 5, 3, 4, 8);
        int before = manager.getManagedArrays().size();
        NDArray prompt =
                slate.compose(
                        slots,
                        List.of(new SlotChoice(0, 1), new SlotChoice(2, 3), new SlotChoice(2, 0)));
        assertEquals(before + 1, manager.getManagedArrays().size());
        assertEquals(new Shape(1, 3, 8), prompt.getShape());
        assertArrayEquals(doubles(slots.get(2).get(3)), doubles(prompt.get(0).get(1)));
        ParameterStore store = new ParameterStore(manager, false);
        assertEquals(new Shape(1, 3, 16, 16), slate.generate(store, prompt).pictures().getShape());
    }

    @Test
    void leavesNothingBehind(NDManager manager) {
        Slate slate = slate(manager, DataType.FLOAT32, 16, 20, 2, 4);
        try (NDManager inputs = manager.newSubManager()) {
            NDArray images = Tensors.uniform(inputs, 1, DataType.FLOAT32, 2, 3, 16, 16);
            NDArray slots = Tensors.normal(inputs, 5, 2, 4, 8);
            ParameterStore store = new ParameterStore(manager, false);
            int before = inputs.getManagedArrays().size();
            int parameters = manager.getManagedArrays().size();
            slate.generate(store, slots);
            assertEquals(before + 2, inputs.getManagedArrays().size(), "generate");
            slate.generate(store, slots, TokenSampling.ofAll(1, 0));
            assertEquals(before + 4, inputs.getManagedArrays().size(), "sampled");
            slate.reconstruct(store, images, null);
            assertEquals(before + 6, inputs.getManagedArrays().size(), "reconstruct");
            EncodedPictures encoded = slate.encode(store, images, null);
            assertEquals(before + 9, inputs.getManagedArrays().size(), "encode");
            SlateOutput.attended(images, encoded.attention());
            assertEquals(before + 10, inputs.getManagedArrays().size(), "attended");
            assertEquals(parameters + 10, manager.getManagedArrays().size(), "all managers");
        }
    }

    /** The sum over places of -log p is what a step's loss is made of. */
    @Test
    void crossEntropyIsThatOfThePredictions(NDManager manager) {
        Slate slate = slate(manager, DataType.FLOAT64, 16, 20, 2, 4);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT64, 2, 3, 16, 16);
        SlateOutput out =
                slate.step(store, images, new GumbelSoftmax(1, true), SlateNoise.drawn(), false);
        NDArray own = slate.crossEntropy(store, out.slots(), out.tokens());
        assertEquals(new Shape(2), own.getShape());
        assertClose("mean", out.crossEntropy(), own.mean(), 1e-10);
        NDArray foreign = slate.crossEntropy(store, out.slots().flip(0), out.tokens());
        assertTrue(doubles(foreign)[0] != doubles(own)[0]);
    }
}
