package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.DatasetCreationOptions;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

class Hdf5ScenesTest {

    static {
        // jHDF warns of each file that it writes, and of much in damaged ones.
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

    /** What the files of h5py hold: see the README beside them. */
    private static Scene expected(int i) {
        byte[] image = new byte[60];
        byte[] mask = new byte[20];
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 5; x++) {
                int p = 5 * y + x;
                image[3 * p] = (byte) (50 * i + 10 * y + x);
                image[3 * p + 1] = (byte) (250 - x);
                image[3 * p + 2] = (byte) (i + y);
                mask[p] = (byte) ((i + y + x) % 3);
            }
        }
        return new Scene(4, 5, image, mask);
    }

    private static Hdf5Scenes.Builder open(Path file, String images) {
        return Hdf5Scenes.builder().setFile(file).setImages(images);
    }

    @ParameterizedTest
    @CsvSource({
        "h5py.h5, train/imgs, train/masks, 255",
        "h5py.h5, /train/imgs, bool, 255",
        "h5py.h5, image, mask, 255",
        "h5py.h5, odd, label, 1",
        "h5py_v114.h5, image, mask, 255"
    })
    void readsWhatH5pyWrites(String file, String images, String masks, double white)
            throws IOException {
        try (Hdf5Scenes scenes =
                open(resource(file), images).optMasks(masks).optWhite(white).build()) {
            assertEquals(3, scenes.size());
            for (int i = 2; i >= 0; i--) {
                assertEquals(expected(i), scenes.get(i));
            }
            List<Scene> parallel =
                    IntStream.range(0, 300)
                            .parallel()
                            .mapToObj(
                                    i -> {
                                        try {
                                            return scenes.get(i % 3);
                                        } catch (IOException e) {
                                            throw new AssertionError(e);
                                        }
                                    })
                            .toList();
            for (int i = 0; i < 300; i++) {
                assertEquals(expected(i % 3), parallel.get(i));
            }
            assertThrows(IndexOutOfBoundsException.class, () -> scenes.get(3));
            assertThrows(IndexOutOfBoundsException.class, () -> scenes.get(-1));
        }
    }

    @Test
    void masksAreOptional() throws IOException {
        try (Hdf5Scenes scenes = open(resource("h5py.h5"), "image").build()) {
            assertFalse(scenes.get(1).hasMask());
            assertArrayEquals(expected(1).image(), scenes.get(1).image());
        }
    }

    /** Writes arrays by name, and reads scenes of "images" and, if it is there, "masks". */
    private List<Scene> written(double white, Object images, Object masks) throws IOException {
        Path file = folder.resolve("written.h5");
        Files.deleteIfExists(file);
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            hdf.putDataset("images", images);
            if (masks != null) {
                hdf.putDataset("masks", masks);
            }
        }
        Hdf5Scenes.Builder builder = open(file, "images").optWhite(white);
        if (masks != null) {
            builder.optMasks("masks");
        }
        try (Hdf5Scenes scenes = builder.build()) {
            return List.of(scenes.get(0), scenes.get(1));
        } catch (IllegalArgumentException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[][][][] bytes(int n, int h, int w, int c) {
        byte[][][][] values = new byte[n][h][w][c];
        for (int i = 0; i < n * h * w * c; i++) {
            values[i / c / w / h][i / c / w % h][i / c % w][i % c] = (byte) (7 * i);
        }
        return values;
    }

    @Test
    void greyImagesAndOtherTypesAreRead() throws IOException {
        List<Scene> grey = written(255, bytes(2, 2, 3, 1), null);
        assertArrayEquals(
                new byte[] {42, 42, 42, 49, 49, 49}, Arrays.copyOf(grey.get(1).image(), 6));
        float[][][][] unit = {{{{0, 0.5f, 1}}}, {{{0.2f, 1, 0}}}};
        assertArrayEquals(
                new byte[] {0, (byte) 128, (byte) 255}, written(1, unit, null).get(0).image());
        int[][][][] wide = {{{{0, 500, 1000}}}, {{{200, 1, 0}}}};
        assertArrayEquals(new byte[] {51, 0, 0}, written(1000, wide, null).get(1).image());
        double[][][][] high = {{{{0, 254.6, 255}}}, {{{0, 0, 0}}}};
        assertArrayEquals(
                new byte[] {0, (byte) 255, (byte) 255}, written(255, high, null).get(0).image());
        assertArrayEquals(
                new byte[] {(byte) 255, 85, 0},
                written(3, new byte[][][][] {{{{3, 1, 0}}}, {{{0, 0, 0}}}}, null).get(0).image());
    }

    @Test
    void unsignedIntegersAreRead() throws IOException {
        Path file = folder.resolve("unsigned.h5");
        DatasetCreationOptions unsigned = DatasetCreationOptions.builder().unsigned().build();
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            short[][][][] two = {{{{0, (short) 40000, (short) 65535}}}};
            int[][][][] four = {{{{0, (int) 4000000000L, -1}}}};
            hdf.putDataset("two", two, unsigned);
            hdf.putDataset("four", four, unsigned);
        }
        try (Hdf5Scenes two = open(file, "two").optWhite(65535).build();
                Hdf5Scenes four = open(file, "four").optWhite(4294967295.0).build()) {
            assertArrayEquals(new byte[] {0, (byte) 156, (byte) 255}, two.get(0).image());
            assertArrayEquals(new byte[] {0, (byte) 237, (byte) 255}, four.get(0).image());
        }
    }

    @Test
    void softMasksGoToTheLargest() throws IOException {
        byte[][][][] images = bytes(2, 1, 3, 3);
        float[][][][] soft = {
            {{{0.2f, 0.5f, 0}}, {{0.7f, 0.5f, 0}}, {{0.1f, 0, 0}}},
            {{{0, 0, 0}}, {{0, 0, 1}}, {{0.1f, 2, 1}}}
        };
        List<Scene> scenes = written(255, images, soft);
        assertArrayEquals(new byte[] {1, 0, 0}, scenes.get(0).mask());
        assertArrayEquals(new byte[] {2, 2, 1}, scenes.get(1).mask());
        assertEquals(1, scenes.get(0).objectCount());
    }

    @Test
    void labelsAreReadAndChecked() throws IOException {
        byte[][][][] images = bytes(2, 1, 2, 3);
        assertArrayEquals(
                new byte[] {0, (byte) 255},
                written(255, images, new int[][][] {{{0, 255}}, {{1, 1}}}).get(0).mask());
        assertFails(
                ", record 1: a label must be a whole number from 0 to 255, got 256.0",
                () -> written(255, images, new int[][][] {{{0, 255}}, {{1, 256}}}));
        assertFails(
                ", record 0: a label must be a whole number from 0 to 255, got 0.5",
                () -> written(255, images, new double[][][] {{{0, 0.5}}, {{1, 1}}}));
        assertFails(
                ", record 0: a label must be a whole number from 0 to 255, got NaN",
                () -> written(255, images, new double[][][] {{{0, Double.NaN}}, {{1, 1}}}));
        assertFails(
                ", record 1: an image's value must be in [0, 1.0], got NaN",
                () -> written(1, new float[][][][] {{{{0, 0, 1}}}, {{{0, Float.NaN, 0}}}}, null));
        assertFails(
                ", record 0: an image's value must be in [0, 1.0], got -1.0",
                () -> written(1, new float[][][][] {{{{0, 0, -1}}}, {{{0, 0, 0}}}}, null));
    }

    /** What reads or opens a file. */
    private interface Reading {
        Object read() throws IOException;
    }

    private SceneFileException assertFails(String ending, Reading reading) {
        SceneFileException e = assertThrows(SceneFileException.class, reading::read);
        assertTrue(e.getMessage().endsWith(ending), e.getMessage());
        assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
        return e;
    }

    @Test
    void saysWhatTheFileHasInstead() throws IOException {
        Path file = resource("h5py.h5");
        String all = "[bool, image, label, mask, odd, train/imgs, train/masks, unwritten]";
        assertFails(
                "h5py.h5: there is no array 'imgs', only " + all, () -> open(file, "imgs").build());
        assertFails(
                "h5py.h5: there is no array 'test/masks', only " + all,
                () -> open(file, "image").optMasks("test/masks").build());
        assertFails("h5py.h5: 'train' is not an array", () -> open(file, "train").build());
        assertFails(
                "h5py.h5: images 'train/masks' must be (N, H, W, 3), got (3, 3, 4, 5, 1)",
                () -> open(file, "train/masks").build());
        assertFails(
                "h5py.h5: masks 'odd' must be (N, E, 4, 5, 1), (N, E, 4, 5) or (N, 4, 5) with N 3,"
                        + " got (3, 4, 5, 3)",
                () -> open(file, "image").optMasks("odd").build());
        try (Hdf5Scenes scenes = open(file, "unwritten").build()) {
            SceneFileException e = assertFails("in dataset: /unwritten", () -> scenes.get(2));
            assertEquals(2, e.record());
        }
        assertFails(
                ": masks 'masks' must be (N, E, 1, 2, 1), (N, E, 1, 2) or (N, 1, 2) with N 2, got"
                        + " (1, 1, 2)",
                () -> written(255, bytes(2, 1, 2, 3), new byte[1][1][2]));
        assertFails(
                ": at most 256 masks a scene, got 257",
                () -> written(255, bytes(2, 1, 2, 3), new byte[2][257][1][2]));
        assertFails(
                ": 'images' must hold float32, float64 or integers of up to 64 bits",
                () -> written(255, new String[][][][] {{{{"a", "b", "c"}}}}, null));
    }

    @Test
    void chunkedFilesOfItsOwnLibraryAreRead() throws IOException {
        Path file = folder.resolve("chunked.h5");
        byte[][][][] images = bytes(5, 4, 6, 3);
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            hdf.putDataset(
                    "images",
                    images,
                    DatasetCreationOptions.builder()
                            .chunkDimensions(2, 3, 4, 3)
                            .unsigned()
                            .shuffle()
                            .deflate()
                            .build());
        }
        try (Hdf5Scenes scenes = open(file, "images").build()) {
            for (int i = 0; i < 5; i++) {
                byte[] image = scenes.get(i).image();
                for (int v = 0; v < 72; v++) {
                    assertEquals(images[i][v / 18][v / 3 % 6][v % 3], image[v]);
                }
            }
        }
    }

    @Test
    void damageIsReportedWithItsRecord() throws IOException {
        Path file = resource("h5py_v114.h5");
        byte[] content = Files.readAllBytes(file);
        int reported = 0;
        // Whatever is changed: the right scenes, other pixels of a file without checksums, or this
        // error; no other exception.
        for (int at = 0; at < content.length; at += 7) {
            byte[] changed = content.clone();
            changed[at] ^= (byte) 0xff;
            Files.write(file, changed);
            reported += damaged(file) ? 1 : 0;
        }
        assertTrue(
                reported > content.length / 7 / 4, reported + " of a seventh of " + content.length);
        for (int length = 0; length < content.length; length += 23) {
            Files.write(file, Arrays.copyOf(content, length));
            assertTrue(damaged(file), "cut at " + length);
        }
    }

    private boolean damaged(Path file) throws IOException {
        try (Hdf5Scenes scenes = open(file, "image").optMasks("mask").build()) {
            for (int i = 0; i < scenes.size(); i++) {
                scenes.get(i);
            }
            return false;
        } catch (SceneFileException e) {
            assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
            return true;
        }
    }

    @Test
    void aCutInPlainDataIsFoundAtItsRecord() throws IOException {
        Path file = folder.resolve("plain.h5");
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            hdf.putDataset("images", bytes(50, 8, 8, 3));
        }
        byte[] content = Files.readAllBytes(file);
        int record = 8 * 8 * 3;
        Files.write(file, Arrays.copyOf(content, content.length - 10 * record));
        try (Hdf5Scenes scenes = open(file, "images").build()) {
            scenes.get(38);
            SceneFileException e =
                    assertFails(
                            "plain.h5, record 45: the file is cut short in 'images'",
                            () -> scenes.get(45));
            assertEquals(45, e.record());
        }
    }

    @Test
    void filesOfOtherKindsAreNamed() throws IOException {
        Path text = Files.writeString(folder.resolve("text"), "no HDF5");
        assertFails(
                "text: not a HDF5 file, or damaged at its start: No valid HDF5 signature found",
                () -> open(text, "image").build());
        Path empty = Files.writeString(folder.resolve("empty"), "");
        assertFails("No valid HDF5 signature found", () -> open(empty, "image").build());
        Path none = folder.resolve("none");
        assertEquals(
                none + ": there is no file of this name",
                assertThrows(NoSuchFileException.class, () -> open(none, "image").build())
                        .getMessage());
    }

    @Test
    void aClosedFileSaysSo() throws IOException {
        Hdf5Scenes scenes = open(resource("h5py.h5"), "train/imgs").build();
        scenes.close();
        assertThrows(SceneFileException.class, () -> scenes.get(0));
        scenes.close();
    }

    @Test
    void optionsAreChecked() {
        assertRefused(
                "Hdf5Scenes: the file is missing",
                () -> Hdf5Scenes.builder().setImages("image").build());
        assertRefused(
                "Hdf5Scenes: the name of the images is missing",
                () -> Hdf5Scenes.builder().setFile(folder).build());
        assertRefused(
                "Hdf5Scenes: white must be above 0 and finite, got 0.0",
                () -> open(folder, "image").optWhite(0).build());
        assertRefused(
                "Hdf5Scenes: white must be above 0 and finite, got NaN",
                () -> open(folder, "image").optWhite(Double.NaN).build());
    }
}
