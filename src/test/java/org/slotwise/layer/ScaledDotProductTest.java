package org.slotwise.layer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Attention that does not tell how it looks, beside the attention that does. */
@ExtendWith(OnDevice.class)
class ScaledDotProductTest {

    private static final int HEADS = 3;

    private static NDList drawn(NDManager manager, DataType type, long n, long m) {
        return new NDList(
                Tensors.normal(manager, 1, type, 2, n, 12),
                Tensors.normal(manager, 2, type, 2, m, 12),
                Tensors.normal(manager, 3, type, 2, m, 12));
    }

    private static NDArray attended(ScaledDotProduct attention, NDList in) {
        return attention.attend(in.get(0), in.get(1), in.get(2)).output();
    }

    private static NDArray heard(ScaledDotProduct attention, NDList in) {
        return attention.heard(in.get(0), in.get(1), in.get(2));
    }

    /** Output and gradients of queries, keys and values. */
    private static void assertSameGradients(NDList in, ScaledDotProduct attention, double bound) {
        NDList expected = gradients(in, list -> new NDList(attended(attention, list)));
        NDList actual = gradients(in, list -> new NDList(heard(attention, list)));
        for (int i = 0; i < expected.size(); i++) {
            assertClose("array " + i, expected.get(i), actual.get(i), bound);
        }
    }

    private static NDList gradients(NDList in, UnaryOperator<NDList> equations) {
        NDList copies = new NDList();
        for (NDArray array : in) {
            NDArray copy = array.duplicate();
            copy.setRequiresGradient(true);
            copies.add(copy);
        }
        NDList results = new NDList();
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = equations.apply(copies).head();
            NDArray weights = Tensors.normal(y.getManager(), 9, y.getDataType(), shape(y));
            collector.backward(y.mul(weights).sum());
            results.add(y.stopGradient());
        }
        copies.forEach(copy -> results.add(copy.getGradient()));
        return results;
    }

    private static long[] shape(NDArray array) {
        return array.getShape().getShape();
    }

    /** Around the size of a piece, and with several of them. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 63, 64, 65, 128, 150})
    void placesSeeThoseBeforeThem(long n, NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT64, n, n);
        assertSameGradients(in, new ScaledDotProduct(HEADS, true, null), 1e-12);
        NDArray kept = Tensors.uniform(manager, 4, DataType.FLOAT64, 2, HEADS, n, n).gt(0.3);
        DropoutMask booleans = new DropoutMask(kept, 1 / 0.7);
        assertSameGradients(in, new ScaledDotProduct(HEADS, true, booleans), 1e-12);
        DropoutMask numbers = DropoutMask.of(kept.toType(DataType.FLOAT64, false).mul(1 / 0.7));
        assertSameGradients(in, new ScaledDotProduct(HEADS, true, numbers), 1e-12);
        assertClose(
                "both kinds of masks",
                heard(new ScaledDotProduct(HEADS, true, numbers), in),
                heard(new ScaledDotProduct(HEADS, true, booleans), in),
                1e-12);
    }

    @ParameterizedTest
    @CsvSource({"5, 7", "1, 1", "70, 3"})
    void allSeeAll(long n, long m, NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT64, n, m);
        assertSameGradients(in, new ScaledDotProduct(HEADS), 1e-12);
        NDArray kept = Tensors.uniform(manager, 4, DataType.FLOAT64, 2, HEADS, n, m).gt(0.3);
        DropoutMask mask = new DropoutMask(kept, 1 / 0.7);
        assertSameGradients(in, new ScaledDotProduct(HEADS, false, mask), 1e-12);
    }

    @Test
    void float32IsAsClose(NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT32, 130, 130);
        NDArray kept = Tensors.uniform(manager, 4, DataType.FLOAT32, 2, HEADS, 130, 130).gt(0.1);
        DropoutMask mask = new DropoutMask(kept, 1 / 0.9);
        assertSameGradients(in, new ScaledDotProduct(HEADS, true, mask), 1e-5);
        assertSameGradients(in, new ScaledDotProduct(HEADS, true, null), 1e-5);
    }

    /** What comes later changes nothing, not even where it is no number. */
    @Test
    void whatIsLaterIsNeverRead(NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT64, 100, 100);
        NDArray kept = manager.ones(new Shape(2, HEADS, 100, 100), DataType.BOOLEAN);
        ScaledDotProduct attention = new ScaledDotProduct(HEADS, true, new DropoutMask(kept, 1));
        NDArray before = heard(attention, in).get(":, :64");
        NDList other = new NDList(in.get(0), in.get(1).duplicate(), in.get(2).duplicate());
        other.get(1).set(new NDIndex(":, 64:"), 1e6);
        other.get(2).set(new NDIndex(":, 64:"), Double.NaN);
        assertSame("first piece", before, heard(attention, other).get(":, :64"));
    }

    /** A step is the same to the last bit each time it is taken. */
    @Test
    void isTheSameEachTime(NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT32, 150, 150);
        NDArray kept = Tensors.uniform(manager, 4, DataType.FLOAT32, 2, HEADS, 150, 150).gt(0.1);
        ScaledDotProduct attention =
                new ScaledDotProduct(HEADS, true, new DropoutMask(kept, 1 / 0.9));
        NDList first = gradients(in, list -> new NDList(heard(attention, list)));
        for (int i = 0; i < 4; i++) {
            System.gc();
            NDList next = gradients(in, list -> new NDList(heard(attention, list)));
            for (int j = 0; j < first.size(); j++) {
                assertSame("call " + i, first.get(j), next.get(j));
            }
        }
    }

    /** With a draw of its own: y is linear in the values, whatever was drawn. */
    @ParameterizedTest
    @CsvSource({"true, 150, 0.1", "true, 33, 0.5", "false, 20, 0.1", "true, 70, 0.0001"})
    void gradientsAreOfWhatWasDrawn(boolean causal, long n, double rate, NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT64, n, n);
        ScaledDotProduct attention = new ScaledDotProduct(HEADS, causal, null);
        NDArray v = in.get(2);
        v.setRequiresGradient(true);
        try (GradientCollector collector = Engine.getInstance().newGradientCollector()) {
            NDArray y = attention.heard(in.get(0), in.get(1), v, new Dropout(rate)).sum();
            collector.backward(y);
            assertClose("sum", y, v.getGradient().mul(v).sum(), 1e-12);
        }
    }

    /** Of values that are 1, what is kept and raised is 1 in the mean; the same seed, the same. */
    @Test
    void drawsKeepTheMean(NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT64, 200, 200);
        NDArray ones = manager.ones(in.get(2).getShape(), DataType.FLOAT64);
        ScaledDotProduct attention = new ScaledDotProduct(HEADS, true, null);
        Dropout dropout = new Dropout(0.3);
        Engine.getInstance().setRandomSeed(5);
        NDArray first = attention.heard(in.get(0), in.get(1), ones, dropout);
        Engine.getInstance().setRandomSeed(5);
        assertSame("seed", first, attention.heard(in.get(0), in.get(1), ones, dropout));
        assertEquals(1, first.mean().getDouble(), 0.02);
        assertTrue(first.max().getDouble() > 1.1);
        assertSame(
                "nothing is dropped",
                attention.heard(in.get(0), in.get(1), ones),
                attention.heard(in.get(0), in.get(1), ones, new Dropout(0)));
    }

    @Test
    void refusesWhatDoesNotFit(NDManager manager) {
        NDList in = drawn(manager, DataType.FLOAT32, 5, 7);
        assertRefused(
                "ScaledDotProduct: causal attention needs as many keys as queries, got 7 and 5",
                () -> heard(new ScaledDotProduct(HEADS, true, null), in));
        assertRefused(
                "ScaledDotProduct: causal attention needs as many keys as queries, got 7 and 5",
                () -> attended(new ScaledDotProduct(HEADS, true, null), in));
        NDArray kept = manager.ones(new Shape(2, HEADS, 5, 5), DataType.BOOLEAN);
        assertRefused(
                "Dropout: mask must be (2, 3, 5, 7), got (2, 3, 5, 5)",
                () -> heard(new ScaledDotProduct(HEADS, false, new DropoutMask(kept, 1)), in));
        assertEquals(new Shape(2, 5, 12), heard(new ScaledDotProduct(HEADS), in).getShape());
    }
}
