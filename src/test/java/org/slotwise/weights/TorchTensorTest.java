package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A tensor of a pickle: its place in a storage, and what cannot be one. */
class TorchTensorTest {

    private static final TorchTensor.Storage FLOATS = new TorchTensor.Storage("Float", "0", 50_000);

    private static List<Object> longs(long... values) {
        List<Object> list = new ArrayList<>();
        for (long value : values) {
            list.add(value);
        }
        return list;
    }

    private static TorchTensor tensor(long offset, List<Object> sizes, List<Object> strides)
            throws IOException {
        Object got = TorchTensor.of(List.of(FLOATS, offset, sizes, strides), false);
        return assertInstanceOf(TorchTensor.class, got);
    }

    /** The elements of a tensor whose storage counts from 0. */
    private static int[] gathered(TorchTensor tensor, boolean bigEndian) {
        ByteBuffer stored =
                ByteBuffer.allocate(4 * 50_000)
                        .order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 50_000; i++) {
            stored.putInt(i);
        }
        int count = (int) tensor.shape().size();
        ByteBuffer to = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        tensor.gather(stored, new ElementFormat(DataType.INT32, bigEndian, false), to);
        assertEquals(4 * count, to.position());
        int[] values = new int[count];
        to.flip().asIntBuffer().get(values);
        return values;
    }

    /** More elements than are taken at once, from the middle of the storage. */
    @Test
    void gathersALongRow() throws IOException {
        TorchTensor row = tensor(123, longs(2, 10_001), longs(10_001, 1));
        assertTrue(row.isContiguous());
        for (boolean bigEndian : new boolean[] {false, true}) {
            int[] values = gathered(row, bigEndian);
            for (int i = 0; i < values.length; i++) {
                assertEquals(123 + i, values[i]);
            }
        }
    }

    @Test
    void gathersALongView() throws IOException {
        TorchTensor columns = tensor(7, longs(100, 201), longs(1, 150));
        assertFalse(columns.isContiguous());
        for (boolean bigEndian : new boolean[] {false, true}) {
            int[] values = gathered(columns, bigEndian);
            for (int i = 0; i < values.length; i++) {
                assertEquals(7 + i / 201 + 150 * (i % 201), values[i]);
            }
        }
        int[] repeated = gathered(tensor(5, longs(3, 9_000), longs(0, 2)), false);
        for (int i = 0; i < repeated.length; i++) {
            assertEquals(5 + 2 * (i % 9_000), repeated[i]);
        }
    }

    @Test
    void knowsWhatLiesInARow() throws IOException {
        assertTrue(tensor(0, longs(), longs()).isContiguous());
        assertTrue(tensor(0, longs(2, 3, 4), longs(12, 4, 1)).isContiguous());
        assertTrue(tensor(0, longs(2, 1, 4), longs(4, 99, 1)).isContiguous(), "one of one");
        assertFalse(tensor(0, longs(2, 3), longs(1, 2)).isContiguous());
        assertFalse(tensor(0, longs(2, 3), longs(4, 1)).isContiguous());
        assertFalse(tensor(0, longs(3), longs(2)).isContiguous());
    }

    @Test
    void knowsItsLastElement() throws IOException {
        assertEquals(9, tensor(9, longs(), longs()).last());
        assertEquals(9 + 4 + 6, tensor(9, longs(2, 3), longs(4, 3)).last());
        assertEquals(-1, tensor(9, longs(2, 0), longs(4, 3)).last(), "it has none");
        TorchTensor beyond = tensor(0, longs(3), longs(Long.MAX_VALUE));
        assertThrows(ArithmeticException.class, beyond::last);
    }

    private static void assertRefused(String message, boolean typed, Object... arguments) {
        IOException e =
                assertThrows(IOException.class, () -> TorchTensor.of(List.of(arguments), typed));
        assertEquals("the pickle has " + message, e.getMessage());
    }

    @Test
    void refusesWhatIsNoTensor() throws IOException {
        List<Object> two = longs(2);
        List<Object> one = longs(1);
        String none = "a tensor that is not one";
        assertRefused(none, false, FLOATS, 0L, two);
        assertRefused(none, true, FLOATS, 0L, two, one, false, new TorchDict());
        assertRefused(none, false, "0", 0L, two, one);
        assertRefused(none, false, FLOATS, "0", two, one);
        assertRefused(none, false, FLOATS, -1L, two, one);
        assertRefused(none, false, FLOATS, 0L, two, longs(1, 1));
        String size = "a tensor with a size below 0 or none at all";
        assertRefused(size, false, FLOATS, 0L, longs(-1), one);
        assertRefused(size, false, FLOATS, 0L, two, List.of("1"));
        List<Object> most = Collections.nCopies(64, 1L);
        assertEquals(64, tensor(0, most, most).shape().dimension());
        List<Object> more = Collections.nCopies(65, 1L);
        assertRefused("a tensor with 65 axes", false, FLOATS, 0L, more, more);
    }

    private static Object flagged(String flag, Object set) throws IOException {
        TorchDict flags = new TorchDict();
        flags.put(flag, set);
        return TorchTensor.of(
                List.of(FLOATS, 0L, longs(2), longs(1), false, new TorchDict(), flags), false);
    }

    /** What a tensor is marked as, of which one can be read. */
    @Test
    void marks() throws IOException {
        assertFalse(tensor(0, longs(2), longs(1)).isNegated());
        assertTrue(((TorchTensor) flagged("neg", true)).isNegated());
        assertFalse(((TorchTensor) flagged("neg", false)).isNegated());
        assertFalse(((TorchTensor) flagged("conj", false)).isNegated());
        assertEquals(
                new UnreadableTensor("a conjugate view", "torch.view_as_real(%s.resolve_conj())"),
                flagged("conj", true));
        assertEquals(
                new UnreadableTensor("a tensor marked as \"other\"", "%s.clone()"),
                flagged("other", true));
    }

    /** Of one that says its type, marks come after it. */
    @Test
    void marksOfATypedTensor() throws IOException {
        TorchDict minus = new TorchDict();
        minus.put("neg", true);
        TorchGlobal type = new TorchGlobal("torch.float32");
        List<Object> arguments =
                List.of(FLOATS, 0L, longs(2), longs(1), false, new TorchDict(), type, minus);
        assertTrue(((TorchTensor) TorchTensor.of(arguments, true)).isNegated());
        assertFalse(((TorchTensor) TorchTensor.of(arguments.subList(0, 7), true)).isNegated());
    }

    @Test
    void itsTypeIsItsStoragesOrItsOwn() throws IOException {
        assertEquals("Float", tensor(0, longs(2), longs(1)).type());
        assertEquals(new Shape(2), tensor(0, longs(2), longs(1)).shape());
        TorchTensor.Storage bytes = new TorchTensor.Storage("Untyped", "0", 8);
        TorchTensor typed =
                (TorchTensor)
                        TorchTensor.of(
                                List.of(
                                        bytes,
                                        0L,
                                        longs(2),
                                        longs(1),
                                        false,
                                        new TorchDict(),
                                        new TorchGlobal("torch.int16")),
                                true);
        assertEquals("int16", typed.type());
        assertFalse(typed.isNegated());
    }
}
