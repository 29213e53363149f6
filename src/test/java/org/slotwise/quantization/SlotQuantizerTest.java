package org.slotwise.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.BlockContract;
import org.slotwise.testing.FakeArray;
import org.slotwise.testing.FiniteDifferences;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class SlotQuantizerTest {

    private static final long B = 2;
    private static final long K = 3;
    private static final int L = 4;
    private static final int M = 5;

    private static SlotQuantizer.Builder small() {
        return SlotQuantizer.builder().setDim(8).setCodes(M);
    }

    private static SlotQuantizer initialised(SlotQuantizer.Builder builder, NDManager manager) {
        manager.getEngine().setRandomSeed(3);
        SlotQuantizer block = builder.build();
        block.initialize(manager, DataType.FLOAT32, new Shape(-1));
        return block;
    }

    private static NDArray slots(NDManager manager) {
        return Tensors.normal(manager, 1, B, K, 8);
    }

    private static NDArray gumbel(NDManager manager, DataType type) {
        return Tensors.normal(manager, 2, type, B, K, L, M);
    }

    private static ParameterStore store(NDManager manager) {
        return new ParameterStore(manager, false);
    }

    private static QuantizedSlots sample(
            SlotQuantizer block, NDArray slots, NDArray gumbel, double temperature) {
        return block.quantize(store(slots.getManager()), slots, gumbel, temperature, true);
    }

    /** In training it samples, in inference not: finite differences are checked below. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsTheContract(boolean straightThrough, NDManager manager) {
        BlockContract contract =
                new BlockContract(
                        () -> small().optStraightThrough(straightThrough).build(),
                        (m, type) -> {
                            NDArray gumbel = gumbel(m, type);
                            gumbel.setName("gumbel");
                            return new NDList(Tensors.normal(m, 1, type, B, K, 8), gumbel);
                        });
        contract.gradientsSurviveGarbageCollection(manager);
        contract.leavesNothingButOutputs(manager);
        contract.recordsNoGraphInInference(manager);
        contract.isTheSameAfterSaveAndLoad(manager);
        contract.isTheSameThroughAStateDict(manager);
        contract.worksInFloat16(manager);
    }

    @Test
    void gradientsAgreeWithFiniteDifferences(NDManager manager) {
        SlotQuantizer block = small().build();
        block.initialize(manager, DataType.FLOAT64, new Shape(-1));
        NDArray g = gumbel(manager, DataType.FLOAT64);
        NDArray cotangent = Tensors.normal(manager, 5, DataType.FLOAT64, B, K, 8);
        FiniteDifferences.check(
                manager,
                in -> {
                    QuantizedSlots out = sample(block, in[0], in[1], 0.8);
                    return out.slots().mul(cotangent).sum().add(out.logits().square().sum());
                },
                Tensors.normal(manager, 1, DataType.FLOAT64, B, K, 8),
                g);
    }

    @Test
    void inferenceTakesTheMostProbableCodes(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        QuantizedSlots out = block.quantize(store(manager), slots(manager), false);
        assertEquals(new Shape(B, K, 8), out.slots().getShape());
        assertEquals(new Shape(B, K, L), out.codes().getShape());
        assertEquals(new Shape(B, K, L, M), out.logits().getShape());
        assertEquals(DataType.INT64, out.codes().getDataType());
        assertSame("codes", out.logits().argMax(3), out.codes());
        NDArray e = block.getDirectParameters().get("codebooks").getArray();
        for (int l = 0; l < L; l++) {
            long code = out.codes().getLong(1, 2, l);
            NDArray part = out.slots().get("1, 2, " + (2 * l) + ":" + (2 * l + 2));
            assertSame("latent " + l, e.get(l, code), part);
        }
        assertSame("decoded", out.slots(), block.decode(store(manager), out.codes(), false));
        Shape[] announced = block.getOutputShapes(new Shape[] {new Shape(B, K, 8)});
        NDList list = block.forward(store(manager), new NDList(slots(manager)), false);
        for (int i = 0; i < 3; i++) {
            assertEquals(list.get(i).getShape(), announced[i]);
        }
        assertEquals(
                List.of("slots", "codes", "logits"), list.stream().map(NDArray::getName).toList());
    }

    /** One latent of one slot gets another code: all else is the same to the bit. */
    @Test
    void editingOneLatentOfOneSlotLeavesAllElse(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        QuantizedSlots out = block.quantize(store(manager), slots(manager), false);
        NDArray kept = out.codes().duplicate();
        long code = (out.codes().getLong(1, 2, 3) + 1) % M;
        try (NDManager own = manager.newSubManager()) {
            NDArray mine = out.codes().duplicate();
            mine.attach(own);
            NDArray edited = block.edited(mine, 1, 2, 3, code);
            assertEquals(2, own.getManagedArrays().size(), "nothing but the edited codes");
            assertSame("what came in", kept, mine);
            NDArray slots = block.decode(store(manager), edited, false);
            assertEquals(3, own.getManagedArrays().size(), "nothing but the slots");
            assertEquals(code, edited.getLong(1, 2, 3));
            NDArray differs = slots.sub(out.slots()).abs();
            assertTrue(Tensors.largest(differs.get("1, 2, 6:8")) > 0);
            differs.set(new NDIndex("1, 2, 6:8"), 0);
            assertEquals(0, Tensors.largest(differs));
            NDArray back = block.edited(edited, 1, 2, 3, kept.getLong(1, 2, 3));
            assertSame("back", out.slots(), block.decode(store(manager), back, false));
        }
    }

    @Test
    void temperaturesSharpenTheSample(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        NDArray s = slots(manager);
        NDArray g = gumbel(manager, DataType.FLOAT32);
        QuantizedSlots cold = sample(block, s, g, 1e-3);
        assertClose("cold", block.decode(store(manager), cold.codes(), false), cold.slots(), 1e-3);
        QuantizedSlots hot = sample(block, s, g, 1e4);
        NDArray e = block.getDirectParameters().get("codebooks").getArray();
        NDArray mean = e.mean(new int[] {1}).reshape(1, 1, 8).broadcast(new Shape(B, K, 8));
        assertClose("hot", mean, hot.slots(), 1e-2);
        assertSame("codes do not depend on it", cold.codes(), hot.codes());
        block.setTemperature(1e4);
        assertEquals(1e4, block.temperature());
        NDArray named = g.duplicate();
        named.setName(SlotQuantizer.GUMBEL);
        NDList byList = block.forward(store(manager), new NDList(s, named), true);
        assertSame("the block's own", hot.slots(), byList.get(0));
        SlotQuantizer built = initialised(small().optTemperature(1e4), manager);
        NDList asBuilt = built.forward(store(manager), new NDList(s, named), true);
        assertSame("as built", hot.slots(), asBuilt.get(0));
    }

    @Test
    void straightThroughGivesCodesAndTheGradientOfTheSample(NDManager manager) {
        NDArray g = gumbel(manager, DataType.FLOAT32);
        NDArray[] gradients = new NDArray[2];
        NDArray cotangent = Tensors.normal(manager, 5, B, K, 8);
        for (boolean straight : new boolean[] {false, true}) {
            SlotQuantizer block = initialised(small().optStraightThrough(straight), manager);
            NDArray s = slots(manager);
            s.setRequiresGradient(true);
            try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
                QuantizedSlots out = sample(block, s, g, 1);
                NDArray decoded = block.decode(store(manager), out.codes(), false);
                assertEquals(
                        straight, Tensors.largest(out.slots().sub(decoded)) < 1e-5, "one code");
                collector.backward(out.slots().mul(cotangent).sum());
            }
            gradients[straight ? 1 : 0] = s.getGradient();
        }
        assertClose("gradient", gradients[0], gradients[1], 1e-5);
    }

    @Test
    void theSameSeedRepeatsASampleAndTheNextDiffers(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        NDArray s = slots(manager);
        manager.getEngine().setRandomSeed(5);
        NDArray once = block.quantize(store(manager), s, true).slots();
        NDArray next = block.quantize(store(manager), s, true).slots();
        manager.getEngine().setRandomSeed(5);
        assertSame("again", once, block.quantize(store(manager), s, true).slots());
        assertFalse(once.allClose(next));
        NDArray certain = block.quantize(store(manager), s, false).slots();
        assertSame("certain", certain, block.quantize(store(manager), s, false).slots());
    }

    /** Sampled codes come as often as their probabilities say. */
    @Test
    void samplesFollowTheProbabilities(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        NDArray one = Tensors.normal(manager, 4, 1, 1, 8);
        long draws = 40_000;
        NDArray many = one.broadcast(new Shape(1, draws, 8)).duplicate();
        QuantizedSlots out = block.quantize(store(manager), many, true);
        NDArray q = out.logits().get("0, 0").softmax(1); // (L, M)
        NDArray often =
                out.codes().get("0").oneHot(M, DataType.FLOAT32).mean(new int[] {0}); // (L, M)
        assertTrue(Tensors.largest(often.sub(q)) < 0.015);
    }

    @Test
    void nanStaysInItsSlot(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        NDArray s = slots(manager);
        NDArray g = gumbel(manager, DataType.FLOAT32);
        NDArray spoilt = s.duplicate();
        spoilt.set(new NDIndex("1, 0, 2"), Float.NaN);
        NDArray out = sample(block, spoilt, g, 1).slots();
        assertTrue(Double.isNaN(Tensors.largest(out.get("1, 0"))));
        NDArray clean = sample(block, s, g, 1).slots();
        assertSame("image 0", clean.get("0"), out.get("0"));
        assertSame("slot 1", clean.get("1, 1"), out.get("1, 1"));
        NDArray hard = block.quantize(store(manager), spoilt, false).slots();
        assertTrue(Double.isFinite(Tensors.largest(hard)));
    }

    @Test
    void permutingSlotsPermutesTheOutputs(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        NDArray order = manager.create(new long[] {2, 0, 1});
        NDArray s = slots(manager);
        QuantizedSlots out = block.quantize(store(manager), s, false);
        QuantizedSlots permuted = block.quantize(store(manager), s.get(":, {}", order), false);
        assertSame("slots", out.slots().get(":, {}", order), permuted.slots());
        assertSame("codes", out.codes().get(":, {}", order), permuted.codes());
    }

    @Test
    void otherNumbersOfLatentsAndSizesOfCodes(NDManager manager) {
        SlotQuantizer block = initialised(small().optLatents(3).optCodeDim(7), manager);
        assertEquals(3, block.latents());
        assertEquals(M, block.codes());
        assertEquals(21, block.outputDim());
        QuantizedSlots out = block.quantize(store(manager), slots(manager), false);
        assertEquals(new Shape(B, K, 21), out.slots().getShape());
        assertEquals(new Shape(B, K, 3), out.codes().getShape());
        SlotQuantizer one = initialised(small().setCodes(1).optLatents(1), manager);
        NDArray same = one.quantize(store(manager), slots(manager), true).slots();
        assertSame("one code", same.get("0, 0"), same.get("1, 2"));
    }

    /** Codes that training starts with are not all one. */
    @Test
    void startsWithCodesThatDiffer(NDManager manager) {
        SlotQuantizer block = initialised(SlotQuantizer.builder().setDim(64).setCodes(16), manager);
        NDArray codes =
                block.quantize(store(manager), Tensors.normal(manager, 1, 4, 7, 64), false).codes();
        Set<Long> seen = new HashSet<>();
        for (long code : codes.toLongArray()) {
            seen.add(code);
        }
        assertTrue(seen.size() > 8, () -> "codes " + seen);
    }

    @Test
    void decodingTrainsTheCodebooks(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        NDArray codes = block.quantize(store(manager), slots(manager), false).codes();
        NDArray e = block.getDirectParameters().get("codebooks").getArray();
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            collector.backward(block.decode(store(manager), codes, true).sum());
        }
        assertEquals((double) (B * K * 8), e.getGradient().sum().getFloat(), 1e-4);
    }

    @Test
    void annealing() {
        AnnealedTemperature t = new AnnealedTemperature(2, 0.5, 100);
        assertEquals(2, t.at(0));
        assertEquals(2, t.at(-5));
        assertEquals(1, t.at(50), 1e-12);
        assertEquals(0.5, t.at(100), 1e-12);
        assertEquals(0.5, t.at(Long.MAX_VALUE), 1e-12);
        assertEquals(1f, t.getNewValue(50), 1e-6f);
        String who = "AnnealedTemperature: ";
        assertRefused(
                who + "start must be above 0 and finite, got 0.0",
                () -> new AnnealedTemperature(0, 0, 1));
        assertRefused(
                who + "end must be above 0 and at most start 1.0, got 2.0",
                () -> new AnnealedTemperature(1, 2, 1));
        assertRefused(
                who + "end must be above 0 and at most start 1.0, got NaN",
                () -> new AnnealedTemperature(1, Double.NaN, 1));
        assertRefused(
                who + "steps must be at least 1, got 0", () -> new AnnealedTemperature(1, 1, 0));
    }

    @Test
    void refusesInputs(NDManager manager) {
        SlotQuantizer block = initialised(small(), manager);
        ParameterStore store = store(manager);
        NDArray s = slots(manager);
        String who = "SlotQuantizer: ";
        assertRefused(
                who + "slots must be (B, K, 8), got (2, 3, 7)",
                () -> block.quantize(store, Tensors.normal(manager, 1, 2, 3, 7), false));
        assertRefused(
                who + "slots must be (B, K, 8), each size at least 1, got (0, 3, 8)",
                () -> block.quantize(store, manager.zeros(new Shape(0, 3, 8)), false));
        assertRefused(
                who + "slots must be float32 as the block's parameters, got float64",
                () -> block.quantize(store, s.toType(DataType.FLOAT64, true), false));
        assertRefused(
                who + "slots must be float32, float64 or float16, got bfloat16",
                () -> block.quantize(store, FakeArray.ofType(DataType.BFLOAT16, s), false));
        assertRefused(who + "slots is missing", () -> block.forward(store, new NDList(), false));
        assertRefused(
                who + "gumbel must be (2, 3, 4, 5), got (2, 3, 8)", () -> sample(block, s, s, 1));
        for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            String message = who + "temperature must be above 0 and finite, got " + bad;
            assertRefused(message, () -> block.setTemperature(bad));
            assertRefused(message, () -> block.quantize(store, s, null, bad, false));
            assertRefused(message, () -> small().optTemperature(bad).build());
        }
        NDArray codes = manager.zeros(new Shape(B, K, L), DataType.INT64);
        assertRefused(
                who + "codes must be (B, K, 4), got (2, 3, 8)",
                () -> block.decode(store, s, false));
        assertRefused(
                who + "codes must be int64, got float32",
                () -> block.decode(store, manager.zeros(new Shape(B, K, L)), false));
        for (long bad : new long[] {-1, M}) {
            assertRefused(
                    who + "codes must be from 0 to 4, got " + bad,
                    () -> block.decode(store, codes.add(bad), false));
            assertRefused(
                    who + "code must be from 0 to 4, got " + bad,
                    () -> block.edited(codes, 0, 0, 0, bad));
        }
        assertRefused(
                who + "image must be from 0 to 1, got 2", () -> block.edited(codes, 2, 0, 0, 0));
        assertRefused(
                who + "slot must be from 0 to 2, got 3", () -> block.edited(codes, 0, 3, 0, 0));
        assertRefused(
                who + "latent must be from 0 to 3, got -1", () -> block.edited(codes, 0, 0, -1, 0));
    }

    @Test
    void refusesOptionsAndOtherParameters(NDManager manager) {
        String who = "SlotQuantizer: ";
        assertRefused(
                who + "dim must be at least 1, got 0",
                () -> SlotQuantizer.builder().setCodes(3).build());
        assertRefused(
                who + "codes must be at least 1, got 0",
                () -> SlotQuantizer.builder().setDim(8).build());
        assertRefused(
                who + "latents must be at least 1, got 0", () -> small().optLatents(0).build());
        assertRefused(
                who + "dim must be a multiple of latents where codeDim is not set, got 8 and 3",
                () -> small().optLatents(3).build());
        assertRefused(
                who + "codeDim must be at least 1, got 0", () -> small().optCodeDim(0).build());
        byte[] saved = BlockContract.save(initialised(small(), manager));
        Exception e =
                assertThrows(
                        MalformedModelException.class,
                        () ->
                                small().setCodes(6)
                                        .build()
                                        .loadParameters(manager, stream(saved, saved.length)));
        assertEquals(
                who
                        + "the block is SlotQuantizer(dim=8, latents=4, codes=6, codeDim=2), the"
                        + " parameters are of SlotQuantizer(dim=8, latents=4, codes=5, codeDim=2)",
                e.getMessage());
        assertThrows(
                EOFException.class,
                () -> small().build().loadParameters(manager, stream(saved, saved.length / 2)));
    }

    private static DataInputStream stream(byte[] bytes, int length) {
        return new DataInputStream(new ByteArrayInputStream(bytes, 0, length));
    }
}
