package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.slotwise.testing.Errors.assertRefused;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

/** Data sets with the names and shapes under which they are published. */
class Hdf5FormatTest {

    static {
        System.setProperty("org.slf4j.simpleLogger.log.io.jhdf", "error");
    }

    @TempDir Path folder;

    private Path write(Map<String, Object> arrays) throws IOException {
        Path file = folder.resolve("a.h5");
        Files.deleteIfExists(file);
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            arrays.forEach(hdf::putDataset);
        }
        return file;
    }

    private static byte[][][][] images(int count) {
        byte[][][][] images = new byte[count][2][2][3];
        for (int i = 0; i < count; i++) {
            images[i][1][0][2] = (byte) (200 + i);
        }
        return images;
    }

    private static Hdf5Scenes open(Path file, Hdf5Format format) throws IOException {
        return Hdf5Scenes.builder().setFile(file).setFormat(format).build();
    }

    private static String fault(Path file, Hdf5Format format) {
        SceneFileException e =
                assertThrows(
                        SceneFileException.class,
                        () -> {
                            try (Hdf5Scenes scenes = open(file, format)) {
                                scenes.get(0);
                            }
                        });
        return e.getMessage().substring(file.toString().length() + 2);
    }

    @Test
    void shapes3d() throws IOException {
        double[][] labels = {
            {0, 0.1, 0.2, 0.75, 0, -30}, {0.9, 0.1, 0.2, 1.25, 3, 25.714285714285715}
        };
        Path file = write(Map.of("images", images(2), "labels", labels));
        try (Hdf5Scenes scenes = open(file, Hdf5Format.SHAPES_3D)) {
            Scene scene = scenes.get(1);
            assertFalse(scene.hasMask());
            assertEquals(1, scene.objectCount());
            assertArrayEquals(
                    new float[] {0.9f, 0.1f, 0.2f, 1.25f, 3, 25.714285f}, scene.properties()[0]);
            assertEquals((byte) 201, scene.image()[8]);
        }
        labels[0][3] = Double.NaN;
        assertEquals(
                "record 0: 'labels' must be finite, got NaN",
                fault(write(Map.of("images", images(2), "labels", labels)), Hdf5Format.SHAPES_3D));
        assertEquals(
                "properties 'labels' must be (N, P) or (N, K, P) with N 2, got (3, 6)",
                fault(
                        write(Map.of("images", images(2), "labels", new double[3][6])),
                        Hdf5Format.SHAPES_3D));
    }

    /** Three views of each scene, and one number of objects for the three. */
    @Test
    void ravens() throws IOException {
        byte[][][] labels = new byte[6][2][2];
        for (int i = 0; i < 6; i++) {
            labels[i] = new byte[][] {{0, 1}, {2, (byte) (4 + i)}};
        }
        Map<String, Object> arrays =
                Map.of(
                        "color",
                        images(6),
                        "segm",
                        labels,
                        "num_objects_on_table",
                        new long[] {8, 5});
        try (Hdf5Scenes scenes = open(write(arrays), Hdf5Format.RAVENS)) {
            assertEquals(6, scenes.size());
            assertEquals(8, scenes.get(2).objectCount());
            assertEquals(5, scenes.get(3).objectCount());
            assertArrayEquals(new byte[] {0, 1, 2, 7}, scenes.get(3).mask());
        }
        try (Hdf5Scenes scenes =
                Hdf5Scenes.builder()
                        .setFile(folder.resolve("a.h5"))
                        .setFormat(Hdf5Format.RAVENS)
                        .optVoid(2)
                        .build()) {
            assertEquals(OptionalInt.of(2), scenes.get(3).voidLabel());
            assertEquals(5, scenes.get(3).objectCount(), "what the file says");
        }
        assertEquals(
                "counts 'num_objects_on_table' must be (N / views) or (N, E) with N 6, got (4)",
                fault(
                        write(
                                Map.of(
                                        "color",
                                        images(6),
                                        "segm",
                                        labels,
                                        "num_objects_on_table",
                                        new long[4])),
                        Hdf5Format.RAVENS));
        for (double wrong : new double[] {-1, 0.5, Double.NaN}) {
            String what = Double.isNaN(wrong) ? "finite" : "a whole number of objects";
            assertEquals(
                    "record 0: 'num_objects_on_table' must be " + what + ", got " + wrong,
                    fault(
                            write(
                                    Map.of(
                                            "color",
                                            images(6),
                                            "segm",
                                            labels,
                                            "num_objects_on_table",
                                            new double[] {wrong})),
                            Hdf5Format.RAVENS));
        }
    }

    @Test
    void visibleObjectsAreCounted() throws IOException {
        byte[][][][][] masks = new byte[2][3][2][2][1];
        masks[1][2][0][0][0] = (byte) 255;
        Map<String, Object> arrays =
                Map.of(
                        "image",
                        images(2),
                        "mask",
                        masks,
                        "visibility",
                        new float[][] {{1, 0, 0}, {1, 1, 1}});
        try (Hdf5Scenes scenes = open(write(arrays), Hdf5Format.MULTI_OBJECT_VISIBLE)) {
            assertEquals(0, scenes.get(0).objectCount());
            assertEquals(2, scenes.get(1).objectCount(), "one of them is hidden");
            assertArrayEquals(new byte[] {2, 0, 0, 0}, scenes.get(1).mask());
        }
        try (Hdf5Scenes scenes = open(folder.resolve("a.h5"), Hdf5Format.MULTI_OBJECT)) {
            assertEquals(1, scenes.get(1).objectCount());
        }
        assertEquals(
                "there is no array 'train/imgs', only [image, mask, visibility]",
                fault(folder.resolve("a.h5"), Hdf5Format.EFFICIENT_MORL_TRAIN));
        assertEquals("test/masks", Hdf5Format.EFFICIENT_MORL_TEST.masks());
    }

    @Test
    void severalObjectsWithProperties() throws IOException {
        Path file =
                write(
                        Map.of(
                                "images",
                                images(1),
                                "what",
                                new float[][][] {{{1, 2, 3}, {4, 5, 6}}}));
        try (Hdf5Scenes scenes =
                Hdf5Scenes.builder()
                        .setFile(file)
                        .setImages("images")
                        .optProperties("what")
                        .build()) {
            assertArrayEquals(new float[] {4, 5, 6}, scenes.get(0).properties()[1]);
        }
        assertRefused(
                "Hdf5Scenes: properties say how many objects there are; counts must not be set as"
                        + " well",
                () ->
                        Hdf5Scenes.builder()
                                .setFile(file)
                                .setImages("images")
                                .optProperties("what")
                                .optCounts("what")
                                .build());
    }

    /** Sketchy's published form is a folder, with the state of the robot beside pictures. */
    @Test
    void sketchy() throws IOException {
        Path episode = Files.createDirectories(folder.resolve("processed/train/ep000000"));
        for (String view : new String[] {"fl_full.png", "fl_c0.png", "fr_full.png"}) {
            Files.write(episode.resolve("ep000000_t000_" + view), Pictures.png(4, 4, 1));
        }
        Files.writeString(episode.resolve("ep000000_t000_state.pt"), "no picture");
        try (SceneFiles scenes = SceneFiles.open(folder.resolve("processed/train"), 4, 4)) {
            assertEquals(SceneFiles.Kind.PICTURES, scenes.kind());
            assertEquals(3, Pictures.read(scenes).size());
        }
    }
}
