package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;

/** Small files that would take all memory or all time. */
@ExtendWith(OnDevice.class)
class HostileFileTest {

    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir Path folder;

    private static <T> T soon(Supplier<T> work) {
        return assertTimeoutPreemptively(SOON, work::get);
    }

    private void assertRefused(Path file, String message) {
        String got =
                soon(
                        () ->
                                assertThrows(IOException.class, () -> StateDict.read(file))
                                        .getMessage());
        assertTrue(got.startsWith("StateDict: " + file + ": "), got);
        assertTrue(got.contains(message), got);
    }

    private static byte[] little(int bytes, long value) {
        byte[] all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
        return Arrays.copyOf(all, bytes);
    }

    private static byte[] npyHeader(String shape) {
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
        bytes.writeBytes(little(2, header.length()));
        bytes.writeBytes(header.getBytes(StandardCharsets.US_ASCII));
        return bytes.toByteArray();
    }

    @Test
    void refusesAnArchiveThatUnpacksToMuch() throws IOException {
        Path file = folder.resolve("bomb.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            zip.putNextEntry(new ZipEntry("a.npy"));
            zip.write(npyHeader("150000000,"));
            byte[] zeros = new byte[1 << 20];
            for (int i = 0; i < 600; i++) {
                zip.write(zeros);
            }
        }
        assertRefused(file, "a unpacks to ");
    }

    @Test
    void believesNoSizes() throws IOException {
        Path npz = folder.resolve("a.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(npz))) {
            zip.putNextEntry(new ZipEntry("a.npy"));
            zip.write(npyHeader("500000000,"));
        }
        assertRefused(npz, "cut off in a: 0 of 2000000000 bytes");
        String header =
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[500000000],\"data_offsets\":[0,2000000000]}}";
        Path safetensors = folder.resolve("a.safetensors");
        try (OutputStream out = Files.newOutputStream(safetensors)) {
            out.write(little(8, header.length()));
            out.write(header.getBytes(StandardCharsets.US_ASCII));
        }
        assertRefused(safetensors, "cut off in a: 0 of 2000000000 bytes");
        Files.write(safetensors, little(8, 30_000_000));
        Files.write(safetensors, new byte[] {'{'}, StandardOpenOption.APPEND);
        assertRefused(safetensors, "cut off in the header: 1 of 30000000 bytes");
    }

    @Test
    void countsTheNamesOfAnArchive() throws IOException {
        Path file = folder.resolve("many.npz");
        byte[] end = new byte[22];
        ByteBuffer record = ByteBuffer.wrap(end).order(ByteOrder.LITTLE_ENDIAN);
        record.putInt(0, 0x06054b50).putShort(10, (short) 60_000).putInt(12, 1 << 30);
        Files.write(file, end);
        assertRefused(file, "a zip archive of 60000 entries, whose table of contents takes");
    }

    @Test
    void refusesHeadersOfVeryManyTensors() throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i <= 200_000; i++) {
            header.append("\"").append(i).append("\":{\"dtype\":\"F32\",\"shape\":[0],");
            header.append("\"data_offsets\":[0,0]},");
        }
        header.setCharAt(header.length() - 1, '}');
        Path file = folder.resolve("many.safetensors");
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(little(8, header.length()));
            out.write(header.toString().getBytes(StandardCharsets.US_ASCII));
        }
        assertRefused(file, "more than 200000 tensors");
    }

    private Path torch(byte[] pickle) throws IOException {
        Path file = folder.resolve("a.pt");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            ZipEntry entry = new ZipEntry("a/data.pkl");
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(pickle.length);
            CRC32 sum = new CRC32();
            sum.update(pickle);
            entry.setCrc(sum.getValue());
            zip.putNextEntry(entry);
            zip.write(pickle);
        }
        return file;
    }

    /** Keys whose hashes are equal, of two kinds, so that no order among them helps. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void collidingKeysTakeLinearTime(int kinds) throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, '}', '('});
        for (long i = 0; i < 200_000; i++) {
            // Long.hashCode is the exclusive or of both halves.
            long key = (i << 32) | (i ^ 0x12345678L);
            boolean real = kinds == 2 && i % 2 == 0;
            pickle.writeBytes(real ? new byte[] {'G'} : new byte[] {(byte) 0x8a, 8});
            byte[] bytes = little(8, key);
            if (real) {
                for (int b = 7; b >= 0; b--) {
                    pickle.write(bytes[b]);
                }
            } else {
                pickle.writeBytes(bytes);
            }
            pickle.write('N');
        }
        pickle.writeBytes(new byte[] {'u', '.'});
        Path file = torch(pickle.toByteArray());
        assertTimeoutPreemptively(
                SOON,
                () -> {
                    try (StateDict dict = StateDict.read(file)) {
                        assertEquals(0, dict.names().size());
                    }
                });
    }

    /** One long list that is an argument of very many objects: never copied, looked at once. */
    @Test
    void sharedArgumentsTakeLinearTime() throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, '('});
        pickle.writeBytes("N".repeat(500_000).getBytes(StandardCharsets.US_ASCII));
        pickle.writeBytes(new byte[] {'t', 'q', 0, '0', ']', '('});
        for (int i = 0; i < 500_000; i++) {
            // An object of a.B with that tuple.
            pickle.writeBytes(
                    i == 0 ? new byte[] {'c', 'a', '\n', 'B', '\n', 'q', 1} : new byte[] {'h', 1});
            pickle.writeBytes(new byte[] {'h', 0, (byte) 0x81});
        }
        pickle.writeBytes(new byte[] {'e', '.'});
        assertRefused(torch(pickle.toByteArray()), "it has no tensors: 0 is an object of a.B");
    }

    /** A key of many characters above very many values. */
    @Test
    void countsTheCharactersOfNames() throws IOException {
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2, '}', 'X'});
        pickle.writeBytes(little(4, 1000));
        pickle.writeBytes("n".repeat(1000).getBytes(StandardCharsets.US_ASCII));
        pickle.writeBytes(new byte[] {']', ']', 'q', 0, '0', '('});
        pickle.writeBytes("h\0".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII));
        pickle.writeBytes(new byte[] {'e', 's', '.'});
        assertRefused(torch(pickle.toByteArray()), "names of more than 33554432 together");
    }

    @Test
    void keepsErrorsShort() throws IOException {
        Path file = folder.resolve("many.safetensors");
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 20_000; i++) {
            header.append("\"layers.").append(i).append(".weight\":{\"dtype\":\"F32\",");
            header.append("\"shape\":[0],\"data_offsets\":[0,0]},");
        }
        header.setCharAt(header.length() - 1, '}');
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(little(8, header.length()));
            out.write(header.toString().getBytes(StandardCharsets.US_ASCII));
        }
        try (StateDict dict = StateDict.read(file)) {
            String got =
                    soon(
                            () ->
                                    assertThrows(
                                                    IllegalArgumentException.class,
                                                    () -> KnownLayouts.oclf().apply(dict))
                                            .getMessage());
            assertTrue(got.endsWith("and 19900 more"), got.substring(got.length() - 100));
            got = assertThrows(IllegalArgumentException.class, () -> dict.get("x")).getMessage();
            assertTrue(got.length() < 100_000, got.length() + " characters");
        }
    }
}
