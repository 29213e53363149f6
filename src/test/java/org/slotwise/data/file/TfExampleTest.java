package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
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
            assertArrayEquals(data, reader.next());
            assertEquals(0, reader.record());
        }
        Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(record, 6_000_012));
        try (TfRecordReader reader = new TfRecordReader(cut, 1 << 24)) {
            SceneFileException e = assertThrows(SceneFileException.class, reader::next);
            assertTrue(e.getMessage().contains("6000000 of 9000001 bytes"), e.getMessage());
        }
    }
}
