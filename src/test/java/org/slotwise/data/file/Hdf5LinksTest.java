package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.DatasetCreationOptions;
import io.jhdf.api.dataset.ChunkedDataset;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

/** HDF5 files that lead elsewhere, say more than they have, or hold other types. */
class Hdf5LinksTest {

    static {
        System.setProperty("org.slf4j.simpleLogger.log.io.jhdf", "error");
    }

    @TempDir Path folder;

    private Path resource(String name) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream in = getClass().getResourceAsStream("/scenes/" + name)) {
            Files.write(file, in.readAllBytes());
        }
        return file;
    }

    private static Hdf5Scenes open(Path file) throws IOException {
        return Hdf5Scenes.builder().setFile(file).setImages("image").optMasks("mask").build();
    }

    private static int[] labels(Scene scene) {
        int[] counts = new int[4];
        for (byte label : scene.mask()) {
            counts[label]++;
        }
        return counts;
    }

    /** The links lead into ok.h5; its bytes are read there, not at the same place of this file. */
    @ParameterizedTest
    @ValueSource(strings = {"linked.h5", "small.h5"})
    void arraysAreReadWhereTheyLie(String name) throws IOException {
        Path ok = resource("ok.h5");
        Path linking = resource(name);
        Path bare = Path.of("").toAbsolutePath().relativize(linking.toAbsolutePath());
        for (Path file : new Path[] {linking, bare}) {
            try (Hdf5Scenes expected = open(ok);
                    Hdf5Scenes scenes = open(file)) {
                assertEquals(expected.size(), scenes.size());
                assertArrayEquals(new int[] {19, 20, 18, 23}, labels(scenes.get(0)));
                for (int i = 0; i < scenes.size(); i++) {
                    assertEquals(expected.get(i), scenes.get(i));
                }
            }
        }
        Files.delete(ok);
        assertFails(linking, "a link leads to ok.h5:", "and there is no such file");
        Files.createDirectory(ok);
        assertFails(linking, "'image' leads to another file that cannot be read: ", "not a file");
    }

    private void assertFails(Path file, String... parts) {
        SceneFileException e =
                assertTimeoutPreemptively(
                        Duration.ofSeconds(5),
                        () ->
                                assertThrows(
                                        SceneFileException.class,
                                        () -> {
                                            try (Hdf5Scenes scenes =
                                                    Hdf5Scenes.builder()
                                                            .setFile(file)
                                                            .setImages("image")
                                                            .build()) {
                                                scenes.get(0);
                                            }
                                        }));
        for (String part : parts) {
            assertTrue(e.getMessage().contains(part), e.getMessage());
        }
        assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
    }

    @Test
    void linksInCirclesAndFilesThatNeverEndAreRefused() throws Exception {
        assertFails(resource("late-1.2G.h5"), "'image': a record has more than 134217728 bytes");
        assertFails(resource("external-link-fifo.h5"), "a link leads to ", "no such file");
        for (String name : new String[] {"softlink-loop.h5", "cycle-hardlink.h5"}) {
            Path file = resource(name);
            SceneFileException e =
                    assertTimeoutPreemptively(
                            Duration.ofSeconds(5),
                            () ->
                                    assertThrows(
                                            SceneFileException.class,
                                            () ->
                                                    Hdf5Scenes.builder()
                                                            .setFile(file)
                                                            .setImages("nothing")
                                                            .build()));
            assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        }
    }

    @Test
    void pipesAreNeverOpened() throws Exception {
        Path pipe = folder.resolve("ok.h5"); // to which the other file's links lead
        Process made;
        try {
            made = new ProcessBuilder("mkfifo", pipe.toString()).start();
        } catch (IOException e) {
            Assumptions.abort("no pipes here");
            return;
        }
        Assumptions.assumeTrue(made.waitFor() == 0);
        assertFails(pipe, "not a file but a pipe or a device");
        assertFails(
                resource("linked.h5"),
                "'image' leads to another file that cannot be read: ",
                "not a file but a pipe or a device");
    }

    /** Signed and unsigned, as numpy gives them by default. */
    @Test
    void integersOf64BitsAreRead() throws IOException {
        try (Hdf5Scenes expected = open(resource("ok.h5"));
                Hdf5Scenes scenes = open(resource("int64.h5"))) {
            for (int i = 0; i < scenes.size(); i++) {
                assertEquals(expected.get(i), scenes.get(i));
            }
        }
        Path file = folder.resolve("unsigned.h5");
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            hdf.putDataset(
                    "image",
                    new long[][][][] {{{{0, 1L << 62, -1}}}},
                    DatasetCreationOptions.builder().unsigned().build());
        }
        try (Hdf5Scenes scenes =
                Hdf5Scenes.builder().setFile(file).setImages("image").optWhite(0x1p64).build()) {
            assertArrayEquals(new byte[] {0, 64, (byte) 255}, scenes.get(0).image());
        }
    }

    @Test
    void whatRoundingTookOutOfItsRangeIsTakenBack() throws IOException {
        try (Hdf5Scenes scenes =
                Hdf5Scenes.builder()
                        .setFile(resource("f32_over.h5"))
                        .setImages("image")
                        .optWhite(1)
                        .build()) {
            int brightest = 0;
            for (int i = 0; i < scenes.size(); i++) {
                for (byte value : scenes.get(i).image()) {
                    brightest = Math.max(brightest, value & 0xff);
                }
            }
            assertEquals(255, brightest);
        }
        float[][][][] images = {{{{-1e-7f, 1.0000001f, 0.5f}}}, {{{0, 1.00001f, 0}}}};
        float[][][] labels = {{{1.9999999f}}, {{1.99f}}};
        try (Hdf5Scenes scenes = written(images, labels).optWhite(1).build()) {
            assertArrayEquals(new byte[] {0, (byte) 255, (byte) 128}, scenes.get(0).image());
            assertEquals(2, scenes.get(0).mask()[0]);
            assertThrows(SceneFileException.class, () -> scenes.get(1));
        }
    }

    private Hdf5Scenes.Builder written(Object images, Object masks) throws IOException {
        Path file = folder.resolve("written.h5");
        Files.deleteIfExists(file);
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            hdf.putDataset("image", images);
            hdf.putDataset("mask", masks);
        }
        return Hdf5Scenes.builder().setFile(file).setImages("image").optMasks("mask");
    }

    @ParameterizedTest
    @CsvSource({"255, 255", "-1, -1"})
    void labelsMayMeanNothing(int stored, int option) throws IOException {
        byte[][][][] images = new byte[2][1][3][3];
        int[][][] labels = {{{0, 2, stored}}, {{stored, 1, stored == -1 ? 255 : 1}}};
        try (Hdf5Scenes scenes = written(images, labels).optVoid(option).build()) {
            Scene scene = scenes.get(0);
            assertEquals(1, scene.objectCount());
            assertEquals(OptionalInt.of(255), scene.voidLabel());
            assertArrayEquals(new byte[] {0, 2, (byte) 255}, scene.mask());
            if (stored == -1) {
                SceneFileException e = assertThrows(SceneFileException.class, () -> scenes.get(1));
                assertTrue(e.getMessage().contains("at most 254, got 255"), e.getMessage());
            } else {
                assertEquals(1, scenes.get(1).objectCount());
            }
        }
        SceneFileException e =
                assertThrows(
                        SceneFileException.class,
                        () -> written(images, new byte[2][4][1][3]).optVoid(option).build());
        assertTrue(e.getMessage().contains("a void label needs labels"), e.getMessage());
    }

    @Test
    void masksBelowZeroAndNan() throws IOException {
        byte[][][][] images = new byte[2][1][2][3];
        float[][][][] logits = {{{{-1, -5}}, {{-2, -3}}}, {{{0, Float.NaN}}, {{1, 1}}}};
        try (Hdf5Scenes scenes = written(images, logits).build()) {
            assertArrayEquals(new byte[] {0, 1}, scenes.get(0).mask());
            SceneFileException e = assertThrows(SceneFileException.class, () -> scenes.get(1));
            assertTrue(e.getMessage().endsWith("a mask's value must not be NaN"), e.getMessage());
        }
    }

    /** A chunk that unpacks to far more than its size, as a small file may hold. */
    @Test
    void chunksThatUnpackToTooMuchAreRefused() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflated = new DeflaterOutputStream(packed)) {
            for (int i = 0; i < 80; i++) {
                deflated.write(new byte[1 << 20]);
            }
        }
        long[] shape = {2, 2, 2, 3};
        int[] chunk = {1, 2, 2, 3};
        Hdf5Chunks bomb =
                new Hdf5Chunks(chunks(chunk, packed.toByteArray()), shape, 1, true, 1 << 27);
        IOException e = assertThrows(IOException.class, () -> bomb.check(1));
        assertEquals("a chunk is larger than it must be", e.getMessage());
        int[] wide = {1, 1 << 13, 1 << 13, 3};
        long[] size = {2, 1 << 13, 1 << 13, 3};
        assertThrows(
                IOException.class,
                () -> new Hdf5Chunks(chunks(wide, new byte[0]), size, 1, true, 1 << 27));
        int[] tiny = {1, 1, 1, 1};
        assertThrows(
                IOException.class,
                () -> new Hdf5Chunks(chunks(tiny, new byte[0]), size, 1, true, 1 << 27));
    }

    private static ChunkedDataset chunks(int[] dimensions, byte[] raw) {
        return (ChunkedDataset)
                Proxy.newProxyInstance(
                        ChunkedDataset.class.getClassLoader(),
                        new Class<?>[] {ChunkedDataset.class},
                        (proxy, method, arguments) ->
                                switch (method.getName()) {
                                    case "getChunkDimensions" -> dimensions;
                                    case "getRawChunkBuffer" -> ByteBuffer.wrap(raw);
                                    default -> throw new AssertionError(method);
                                });
    }
}
