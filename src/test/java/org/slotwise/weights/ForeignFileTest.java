package org.slotwise.weights;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.types.Shape;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** What users have in place of weights, and archives that other tools packed. */
@ExtendWith(OnDevice.class)
class ForeignFileTest {

    @TempDir Path folder;

    private String message(Path file) {
        return assertThrows(IOException.class, () -> StateDict.read(file)).getMessage();
    }

    @Test
    void namesAGitLfsPointer() throws IOException {
        Path file =
                Files.write(
                        folder.resolve("w.safetensors"),
                        StateDictFileTest.bytesOf("lfs_pointer.safetensors"));
        assertEquals(
                "StateDict: "
                        + file
                        + ": a Git LFS pointer in place of the file; get it with git lfs pull",
                message(file));
    }

    static Stream<Arguments> others() {
        return Stream.of(
                Arguments.of("", "the file is empty; download or write it again"),
                Arguments.of(
                        "<!DOCTYPE html><html>", "a web page in place of the file; download it"),
                Arguments.of(" <HTML lang=\"en\">", "a web page in place of the file; download it"),
                Arguments.of("<?xml version=\"1.0\"?><Error>", "an XML text, a server's error"),
                Arguments.of("{\"error\": \"not found\"}", "a JSON text, a server's error"),
                Arguments.of("{\"weight_map\": {}}", "the index of a model in several files"),
                Arguments.of("\u001f\u008b\b", "a compressed file; unpack it first"),
                Arguments.of("\u0093NUMPY\u0001", "a single array of numpy's; write numpy.savez"),
                Arguments.of("\u0089HDF\r\n", "an HDF5 file, perhaps Keras' weights"),
                Arguments.of("GGUF\u0003", "a GGUF file"),
                Arguments.of("\0".repeat(9), "a file that begins with zeros"),
                Arguments.of("PK", "a zip archive without arrays or data.pkl"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("others")
    void saysWhatItIs(String start, String message) throws IOException {
        Path file = Files.write(folder.resolve("w.safetensors"), start.getBytes(ISO_8859_1));
        String got = message(file);
        assertTrue(got.startsWith("StateDict: " + file + ": " + message), got);
    }

    /** As numpy.savez writes it of no arrays; one of other files is something else. */
    @Test
    void anArchiveOfNothing() throws IOException {
        byte[] end = new byte[22];
        System.arraycopy(new byte[] {'P', 'K', 5, 6}, 0, end, 0, 4);
        Path file = Files.write(folder.resolve("empty.npz"), end);
        try (StateDict dict = StateDict.read(file)) {
            assertEquals(0, dict.names().size());
        }
        Path other = folder.resolve("other.npz");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(other))) {
            zip.putNextEntry(new ZipEntry("readme.txt"));
        }
        String got = message(other);
        assertTrue(
                got.startsWith(
                        "StateDict: " + other + ": a zip archive without arrays or data.pkl"),
                got);
    }

    /** A stream is read by way of a file, which does not stay. */
    @Test
    void streamsLeaveNoFiles() throws IOException {
        byte[] unique = ("no weights " + UUID.randomUUID()).getBytes(ISO_8859_1);
        assertThrows(
                IOException.class, () -> StateDict.read(new ByteArrayInputStream(unique)).close());
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        try (DirectoryStream<Path> files = Files.newDirectoryStream(temporary, "state-dict*")) {
            for (Path file : files) {
                // Others may be another process'.
                boolean same =
                        Files.exists(file)
                                && Files.size(file) == unique.length
                                && Arrays.equals(unique, Files.readAllBytes(file));
                assertFalse(same, file.toString());
            }
        }
    }

    @Test
    void doesNotWaitForWhatIsNoFile() throws Exception {
        assertTrue(message(folder).endsWith(": not a file; of what else there is, read a stream"));
        assertThrows(NoSuchFileException.class, () -> StateDict.read(folder.resolve("none")));
        Path pipe = folder.resolve("pipe");
        try {
            new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
        } catch (IOException e) {
            Assertions.assertNotNull(e, "no such program on this system");
        }
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(20),
                () -> assertThrows(IOException.class, () -> StateDict.read(pipe)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"stream_stored.npz", "rezip_dirs.npz", "py2long.npz"})
    void readsWhatNumpyReads(String name) throws IOException {
        Path file = Files.write(folder.resolve(name), StateDictFileTest.bytesOf(name));
        try (StateDict dict = StateDict.read(file)) {
            for (String array : dict.names()) {
                assertTrue(List.of("a", "b", "gru/kernel").contains(array), array);
                assertEquals(new Shape(2, 3), dict.get(array).getShape());
                assertArrayEquals(
                        new double[] {0, 1, 2, 3, 4, 5}, Tensors.doubles(dict.get(array)), array);
            }
            assertTrue(dict.names().contains("a"));
            assertEquals(name.equals("py2long.npz") ? 1 : 2, dict.names().size());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "neg-shape.safetensors, a is said to have the shape [-2]",
        "dup-dtype.safetensors, a has two of dtype"
    })
    void refusesHeadersThatCannotBe(String name, String message) throws IOException {
        Path file = Files.write(folder.resolve(name), StateDictFileTest.bytesOf(name));
        assertEquals("StateDict: " + file + ": the header is malformed: " + message, message(file));
        ReadOptions none = ReadOptions.builder().optOnly(n -> false).build();
        assertThrows(IOException.class, () -> StateDict.read(file, none));
    }
}
