package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.testing.OnDevice;

/** How bytes of files become elements. */
@ExtendWith(OnDevice.class)
class ElementFormatTest {

    /** What becomes of bytes, little-endian. */
    private static ByteBuffer decoded(ElementFormat format, int bytes, byte... chunk) {
        ByteBuffer to = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        format.decode(chunk.clone(), chunk.length, to);
        assertEquals(bytes, to.position());
        return to.flip();
    }

    /** Of whole numbers the two's complement, with the carry from byte to byte. */
    @Test
    void negatesWholeNumbers() {
        int[] values = {1, 0, -1, 256, 0x01000000, -0x7fffff00, Integer.MIN_VALUE};
        ByteBuffer little = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer big = ByteBuffer.allocate(4 * values.length);
        for (int value : values) {
            little.putInt(value);
            big.putInt(value);
        }
        ElementFormat negated = new ElementFormat(DataType.INT32, false, true);
        ElementFormat turned = new ElementFormat(DataType.INT32, true, true);
        ByteBuffer a = decoded(negated, little.capacity(), little.array());
        ByteBuffer b = decoded(turned, little.capacity(), big.array());
        for (int value : values) {
            assertEquals(-value, a.getInt());
            assertEquals(-value, b.getInt());
        }
        byte[] bytes = {1, 0, -1, 127, -128};
        assertArrayEquals(
                new byte[] {-1, 0, 1, -127, -128},
                decoded(new ElementFormat(DataType.INT8, false, true), 5, bytes).array());
    }

    /** Of floating-point numbers the sign bit: 1.5 and 0 of bfloat16 are 0x3fc0 and 0. */
    @Test
    void negatesBfloat16() {
        ByteBuffer got =
                decoded(
                        new ElementFormat(DataType.BFLOAT16, false, true),
                        8,
                        (byte) 0xc0,
                        (byte) 0x3f,
                        (byte) 0,
                        (byte) 0);
        assertEquals(-1.5f, got.getFloat());
        assertEquals(Integer.MIN_VALUE, got.getInt(), "minus zero");
    }

    /** As many elements as are not read at once. */
    @Test
    void longArraysAreReadInPieces(NDManager manager) throws IOException {
        NDManager host = manager.newSubManager(Device.cpu());
        int count = 3 * (1 << 13) + 5;
        ByteBuffer file = ByteBuffer.allocate(8 * count + 8).order(ByteOrder.BIG_ENDIAN);
        for (int i = 0; i <= count; i++) {
            file.putDouble(i + 0.5);
        }
        ElementFormat format = new ElementFormat(DataType.FLOAT64, true, false);
        ByteArrayInputStream in = new ByteArrayInputStream(file.array());
        double[] got = FileArray.read(host, in, "x", new Shape(count), format).toDoubleArray();
        for (int i = 0; i < count; i++) {
            assertEquals(i + 0.5, got[i]);
        }
        assertEquals(8, in.available(), "what comes after it stays");
        ByteArrayInputStream cut = new ByteArrayInputStream(file.array(), 0, 8 * count - 1);
        IOException e =
                assertThrows(
                        IOException.class,
                        () -> FileArray.read(host, cut, "x", new Shape(count), format));
        assertEquals(
                "cut off in x: " + (8 * count - 1) + " of " + 8 * count + " bytes", e.getMessage());
    }

    @Test
    void sizesThatAnArrayCannotHave() throws IOException {
        long most = FileArray.MAX_BYTES;
        assertEquals(most, FileArray.bytes("x", new Shape(most), 1));
        assertEquals(0, FileArray.bytes("x", new Shape(0, most), 1));
        long[] ones = new long[65];
        Arrays.fill(ones, 1);
        assertEquals(4, FileArray.bytes("x", new Shape(Arrays.copyOf(ones, 64)), 4));
        assertEquals(
                "x is said to have 65 axes",
                assertThrows(IOException.class, () -> FileArray.bytes("x", new Shape(ones), 4))
                        .getMessage());
        for (Shape shape : new Shape[] {new Shape(most + 1), new Shape(0, most + 1)}) {
            IOException e = assertThrows(IOException.class, () -> FileArray.bytes("x", shape, 1));
            assertEquals("x is said to have the shape " + shape, e.getMessage());
        }
    }

    /** bfloat16 takes twice the memory here. A file of which nothing but the header is there. */
    @Test
    void widerThanTheFile(@TempDir Path folder) throws IOException {
        String header =
                "{\"x\":{\"dtype\":\"BF16\",\"shape\":[600000000],\"data_offsets\":[0,1200000000]}}";
        ByteBuffer start = ByteBuffer.allocate(8 + header.length()).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(header.length()).put(header.getBytes(StandardCharsets.US_ASCII));
        Path file = folder.resolve("x.safetensors");
        Files.write(file, start.array());
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(start.capacity() + 1_200_000_000L);
        }
        IOException e = assertThrows(IOException.class, () -> StateDict.read(file));
        assertEquals(
                "StateDict: " + file + ": x, (600000000), takes more than 2 GiB as FLOAT32",
                e.getMessage());
    }
}
