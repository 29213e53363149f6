package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;

/** Archives of PyTorch's, made by hand: byte orders, storages that are cut off, names. */
@ExtendWith(OnDevice.class)
class TorchArchiveTest {

    @TempDir Path folder;

    private static void text(ByteArrayOutputStream pickle, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        pickle.write('X');
        pickle.writeBytes(
                ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bytes.length).array());
        pickle.writeBytes(bytes);
    }

    /** A tensor of two floats in a storage that is said to have some elements. */
    private static void tensor(ByteArrayOutputStream pickle, int elements) {
        pickle.writeBytes("ctorch._utils\n_rebuild_tensor_v2\n((".getBytes(StandardCharsets.UTF_8));
        text(pickle, "storage");
        pickle.writeBytes("ctorch\nFloatStorage\n".getBytes(StandardCharsets.UTF_8));
        text(pickle, "0");
        text(pickle, "cpu");
        pickle.writeBytes(new byte[] {'K', (byte) elements, 't', 'Q', 'K', 0});
        pickle.writeBytes(new byte[] {'K', 2, (byte) 0x85, 'K', 1, (byte) 0x85, (byte) 0x89});
        pickle.writeBytes("ccollections\nOrderedDict\n".getBytes(StandardCharsets.UTF_8));
        pickle.writeBytes(new byte[] {')', 'R', 't', 'R'});
    }

    private static byte[] dict(int elements, String... names) {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, '}', '('});
        for (String name : names) {
            text(pickle, name);
            tensor(pickle, elements);
        }
        pickle.writeBytes(new byte[] {'u', '.'});
        return pickle.toByteArray();
    }

    private static byte[] floats(ByteOrder order, float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(order);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.array();
    }

    private Path archive(byte[] pickle, byte[] storage, @Nullable String order) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("a/data.pkl", pickle);
        entries.put("a/data/0", storage);
        if (order != null) {
            entries.put("a/byteorder", order.getBytes(StandardCharsets.US_ASCII));
        }
        Path file = Files.createTempFile(folder, "a", ".pt");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                ZipEntry header = new ZipEntry(entry.getKey());
                header.setMethod(ZipEntry.STORED);
                header.setSize(entry.getValue().length);
                CRC32 sum = new CRC32();
                sum.update(entry.getValue());
                header.setCrc(sum.getValue());
                zip.putNextEntry(header);
                zip.write(entry.getValue());
            }
        }
        return file;
    }

    private void assertRefused(String message, Path file) {
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file).close());
        assertEquals("StateDict: " + file + ": " + message, e.getMessage());
    }

    /** PyTorch before 2.1 wrote no byte order: little-endian, as all machines that it ran on. */
    @Test
    void byteOrders() throws IOException {
        byte[] little = floats(ByteOrder.LITTLE_ENDIAN, 1.5f, -2);
        byte[] big = floats(ByteOrder.BIG_ENDIAN, 1.5f, -2);
        for (Path file :
                List.of(
                        archive(dict(2, "w"), little, null),
                        archive(dict(2, "w"), little, "little"),
                        archive(dict(2, "w"), big, "big"))) {
            try (StateDict dict = StateDict.read(file)) {
                assertArrayEquals(new float[] {1.5f, -2}, dict.get("w").toFloatArray());
            }
        }
        assertRefused("the byte order is middle", archive(dict(2, "w"), little, "middle"));
        assertRefused(
                "a/byteorder has 17 bytes, at most 16",
                archive(dict(2, "w"), little, "little-endian-ish"));
    }

    @Test
    void storagesThatAreCutOff() throws IOException {
        byte[] two = floats(ByteOrder.LITTLE_ENDIAN, 1.5f, -2);
        assertRefused(
                "w is cut off: its storage, data/0 of 8 bytes, is said to have 3 elements",
                archive(dict(3, "w"), two, null));
        byte[] one = floats(ByteOrder.LITTLE_ENDIAN, 1.5f);
        assertRefused(
                "w reaches beyond its storage, data/0 of 4 bytes",
                archive(dict(1, "w"), one, null));
        try (StateDict dict = StateDict.read(archive(dict(1, "w"), two, null))) {
            assertArrayEquals(new float[] {1.5f, -2}, dict.get("w").toFloatArray());
        }
    }

    /** A key with a dot, and a key within a key. */
    @Test
    void twoTensorsOfOneName() throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, '}', '('});
        text(pickle, "a.b");
        tensor(pickle, 2);
        text(pickle, "a");
        pickle.writeBytes(new byte[] {'}', '('});
        text(pickle, "b");
        tensor(pickle, 2);
        pickle.writeBytes(new byte[] {'u', 'u', '.'});
        byte[] two = floats(ByteOrder.LITTLE_ENDIAN, 1.5f, -2);
        assertRefused("a.b comes twice", archive(pickle.toByteArray(), two, null));
        try (StateDict dict = StateDict.read(archive(dict(2, "a", "a.b"), two, null))) {
            assertEquals(List.of("a", "a.b"), List.copyOf(dict.names()));
        }
    }

    private static Object unpickled(int... instructions) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2});
        for (int code : instructions) {
            pickle.write(code);
        }
        pickle.write('.');
        return TorchPickle.read(pickle.toByteArray());
    }

    @Test
    void numbersOfEveryForm() throws IOException {
        assertEquals(255L, unpickled('K', 255));
        assertEquals(0xfffeL, unpickled('M', 0xfe, 0xff));
        assertEquals(-2L, unpickled('J', 0xfe, 0xff, 0xff, 0xff));
        assertEquals(0L, unpickled(0x8a, 0));
        assertEquals(-1L, unpickled(0x8a, 1, 0xff));
        assertEquals(0x1ffL, unpickled(0x8a, 2, 0xff, 1));
        assertEquals(128L, unpickled(0x8b, 2, 0, 0, 0, 128, 0));
        assertEquals(Long.MIN_VALUE, unpickled(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0x80));
        BigInteger large = BigInteger.ONE.shiftLeft(63);
        assertEquals(large, unpickled(0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0));
        assertEquals(1.5, unpickled('G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0));
        IOException e =
                assertThrows(IOException.class, () -> unpickled(0x8b, 1, 4, 0, 0, 'a', 'b'));
        assertEquals("the pickle has a number of 1025 bytes", e.getMessage());
    }

    @Test
    void textsAndMemoriesOfEveryForm() throws IOException {
        for (int[] text :
                new int[][] {
                    {0x8c, 1, 'a'},
                    {'X', 1, 0, 0, 0, 'a'},
                    {0x8d, 1, 0, 0, 0, 0, 0, 0, 0, 'a'},
                    {'U', 1, 'a'},
                    {'T', 1, 0, 0, 0, 'a'}
                }) {
            assertEquals("a", unpickled(text));
        }
        for (int[] bytes :
                new int[][] {
                    {'C', 1, 7}, {'B', 1, 0, 0, 0, 7}, {0x8e, 1, 0, 0, 0, 0, 0, 0, 0, 7}
                }) {
            assertArrayEquals(new byte[] {7}, (byte[]) unpickled(bytes));
        }
        List<Long> twice = List.of(1L, 1L);
        assertEquals(twice, unpickled('K', 1, '2', 0x86));
        assertEquals(twice, unpickled('K', 1, 'r', 0, 1, 0, 0, 'j', 0, 1, 0, 0, 0x86));
        assertEquals(twice, unpickled('K', 1, 0x94, 'h', 0, 0x86));
        assertEquals(new TorchGlobal("a.b"), unpickled('U', 1, 'a', 'U', 1, 'b', 0x93));
        TorchDict dict = (TorchDict) unpickled('(', 'U', 1, 'a', 'K', 1, 'd');
        assertEquals(1L, dict.get("a"));
    }

    @Test
    void protocolsOfCheckpoints() throws IOException {
        for (int protocol = 2; protocol <= 5; protocol++) {
            byte[] none = {(byte) 0x80, (byte) protocol, 'N', '.'};
            assertEquals(TorchPickle.NONE, TorchPickle.read(none));
        }
        for (int protocol : new int[] {1, 6}) {
            byte[] none = {(byte) 0x80, (byte) protocol, 'N', '.'};
            IOException e = assertThrows(IOException.class, () -> TorchPickle.read(none));
            assertEquals("the pickle is of protocol " + protocol, e.getMessage());
        }
    }

    /** Keys that are no texts, as Python writes them. */
    @Test
    void keysAsPythonWritesThem() {
        assertEquals("\"a\\\"b\\\\\\x0ac\"", PythonPath.literal("a\"b\\\nc"));
        assertEquals("True", PythonPath.literal(true));
        assertEquals("False", PythonPath.literal(false));
        assertEquals("-3", PythonPath.literal(-3L));
        assertEquals("None", PythonPath.literal(TorchPickle.NONE));
        assertEquals("(1,)", PythonPath.literal(List.of(1L)));
        assertEquals("(1, \"b\", (...))", PythonPath.literal(List.of(1L, "b", List.of(2L))));
        assertEquals("()", PythonPath.literal(List.of()));
        assertEquals("<torch.int8>", PythonPath.literal(new TorchGlobal("torch.int8")));
        assertEquals("<TorchDict>", PythonPath.literal(new TorchDict()));
    }
}
