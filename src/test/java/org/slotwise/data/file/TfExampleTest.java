package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.SceneFileException;

class TfExampleTest {

    @TempDir Path folder;

    /** Also the last one of a record, behind which there is nothing. */
    @Test
    void stringsOfOneByte() throws IOException {
        for (byte[] values : new byte[][] {{5}, {1, 2, 3}, {10, 1, -1, 0, 127, -128, 10}}) {
            TfExample example =
                    new TfExample(
                            TfRecordFile.example(
                                    "a", TfRecordFile.bytes(values),
                                    "b", TfRecordFile.bytes(values)));
            assertArrayEquals(values, example.bytes("a", values.length));
            assertArrayEquals(values, example.bytes("b", values.length));
        }
    }

    /** As many bytes as the wanted strings of one would take, and other strings. */
    @Test
    void otherStringsOfTheSameLength() throws IOException {
        byte[] ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        TfExample one = new TfExample(TfRecordFile.example("image", TfRecordFile.string(ten)));
        InvalidProtocolBufferException e =
                assertThrows(InvalidProtocolBufferException.class, () -> one.bytes("image", 4));
        assertTrue(e.getMessage().contains("must have 4 bytes, got 10"), e.getMessage());
        assertArrayEquals(ten, one.bytes("image", 10));
    }

    /** Longer than what is read in one go. */
    @Test
    void longRecords() throws IOException {
        byte[] data = new byte[9_000_001];
        new Random(2).nextBytes(data);
        byte[] record = TfRecordFile.record(data, data.length);
        Path file = Files.write(folder.resolve("long"), record);
        try (TfRecordReader reader = new TfRecordReader(file, 1 << 24)) {
            assertArrayEquals(data, reader.next(new byte[7]));
        }
        Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(record, 6_000_012));
        try (TfRecordReader reader = new TfRecordReader(cut, 1 << 24)) {
            SceneFileException e =
                    assertThrows(SceneFileException.class, () -> reader.next(new byte[9_000_001]));
            assertTrue(e.getMessage().contains("6000000 of 9000001 bytes"), e.getMessage());
        }
    }

    /** An array as long as a record becomes its data, whatever was in it; others are left alone. */
    @Test
    void recordsTakeTheRoomOfOthers() throws IOException {
        byte[] a = TfRecordFile.record(new byte[] {1, 2, 3}, 3);
        byte[] b = TfRecordFile.record(new byte[] {4, 5, 6}, 3);
        byte[] c = TfRecordFile.record(new byte[] {7}, 1);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] record : new byte[][] {a, b, c}) {
            all.write(record);
        }
        Path file = Files.write(folder.resolve("three"), all.toByteArray());
        try (TfRecordReader reader = new TfRecordReader(file, 100)) {
            byte[] first = reader.next(new byte[0]);
            assertArrayEquals(new byte[] {1, 2, 3}, first);
            assertSame(first, reader.next(first));
            assertArrayEquals(new byte[] {4, 5, 6}, first);
            assertArrayEquals(new byte[] {7}, reader.next(first));
            assertArrayEquals(new byte[] {4, 5, 6}, first);
            assertNull(reader.next(first));
        }
    }

    /** Eight strings are read in one go: each number of them, zeros or not, each tag changed. */
    @Test
    void stringsOfOneByteAreReadInEights() throws IOException {
        Random random = new Random(4);
        for (int count = 1; count < 40; count++) {
            for (int round = 0; round < 3; round++) {
                byte[] values = new byte[count];
                for (int i = 0; i < count; i++) {
                    boolean zero = round == 1 || (round == 2 && i / 8 % 2 == 0);
                    values[i] = zero ? 0 : (byte) random.nextInt();
                }
                byte[] message = TfRecordFile.example("image", TfRecordFile.bytes(values));
                assertArrayEquals(values, new TfExample(message).bytes("image", count));
                int start = message.length - 3 * count;
                for (int at = start; at < message.length; at++) {
                    if ((at - start) % 3 < 2) {
                        byte[] changed = message.clone();
                        // a string of another field, or of two bytes
                        changed[at] = (byte) ((at - start) % 3 == 0 ? 0x12 : 2);
                        int expected = count;
                        assertThrows(
                                IOException.class,
                                () -> new TfExample(changed).bytes("image", expected));
                    }
                }
            }
        }
    }
}
