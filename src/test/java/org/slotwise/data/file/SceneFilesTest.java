package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.file.SceneFiles.Kind;

class SceneFilesTest {

    static {
        System.setProperty("org.slf4j.simpleLogger.log.io.jhdf", "error");
    }

    private static final byte[] A = Pictures.png(3, 4, 1);
    private static final byte[] B = Pictures.png(3, 4, 2);
    private static final byte[] MASK = Pictures.mask(3, 4, 0, 1, 255);

    @TempDir Path folder;

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Path put(String name, byte[] content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.write(file, content);
    }

    /** Reads all, in any order too where that can be. */
    private static List<Scene> read(Path path, Kind kind, boolean masks) throws IOException {
        try (SceneFiles files = SceneFiles.open(path, 3, 4)) {
            assertEquals(kind, files.kind());
            assertEquals(masks, files.haveMasks());
            List<Scene> scenes = Pictures.read(files);
            for (Scene scene : scenes) {
                assertEquals(masks, scene.hasMask());
                assertEquals(3, scene.height());
                assertEquals(4, scene.width());
            }
            if (files.scenes().isPresent()) {
                assertEquals(scenes.size(), files.scenes().get().size());
                for (int i = scenes.size() - 1; i >= 0; i--) {
                    assertEquals(scenes.get(i), files.scenes().get().get(i));
                }
            }
            return scenes;
        }
    }

    private static String fault(Path path) {
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> SceneFiles.open(path, 3, 4));
        assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
        return e.getMessage().substring(path.toString().length() + 2);
    }

    @Test
    void pictures() throws IOException {
        put("a.png", A);
        put("sub/b.png", B);
        List<Scene> plain = List.of(Pictures.scene(A, null), Pictures.scene(B, null));
        assertEquals(plain, read(folder, Kind.PICTURES, false));
        put("a_mask.png", MASK);
        put("sub/b_mask.png", MASK);
        assertEquals(
                List.of(Pictures.scene(A, MASK), Pictures.scene(B, MASK)),
                read(folder, Kind.PICTURES, true));
        Files.delete(folder.resolve("sub/b_mask.png"));
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> read(folder, Kind.PICTURES, true));
        assertTrue(e.getMessage().contains("b_mask.png is missing"), e.getMessage());
        Path link =
                Files.createSymbolicLink(
                        folder.resolveSibling(folder.getFileName() + "-link"), folder);
        assertEquals(2, SceneFiles.open(link, 3, 4).scenes().orElseThrow().size());
        Files.delete(link);
        put("a_seg.png", MASK);
        assertEquals("several kinds of masks, [_mask.png, _seg.png]", fault(folder));
    }

    @Test
    void picturesAndMasksInFolders() throws IOException {
        put("train/images/a.png", A);
        put("train/masks/a.png", MASK);
        Scene scene = Pictures.scene(A, MASK);
        assertEquals(List.of(scene), read(folder.resolve("train"), Kind.PICTURES, true));
        assertEquals(
                "it has folders of images and masks inside; give the path of one, such as "
                        + folder.resolve("train"),
                fault(folder));
        try (SceneFiles files =
                SceneFiles.builder()
                        .setPath(folder.resolve("train/images"))
                        .optMasks(folder.resolve("train/masks"))
                        .setSize(3, 4)
                        .optVoid(255)
                        .build()) {
            assertEquals(scene.withVoid(255), files.scenes().orElseThrow().get(0));
        }
        assertRefused(
                "SceneFiles: a void label, and there are no masks",
                () ->
                        SceneFiles.builder()
                                .setPath(folder.resolve("train/images"))
                                .setSize(3, 4)
                                .optVoid(255)
                                .build());
        assertRefused(
                "SceneFiles: a folder of masks needs a folder of pictures, got the file "
                        + folder.resolve("train/images/a.png"),
                () ->
                        SceneFiles.builder()
                                .setPath(folder.resolve("train/images/a.png"))
                                .optMasks(folder)
                                .setSize(3, 4)
                                .build());
    }

    private static List<String> names(Path path) throws IOException {
        try (SceneFiles files = SceneFiles.open(path, 3, 4);
                Stream<NamedScene> named = files.named()) {
            return named.map(one -> String.valueOf(one.name())).toList();
        }
    }

    /** What files call their pictures, for those that call them something. */
    @Test
    void namesOfPictures() throws IOException, SQLException {
        Path tar = put("x.tar", TarFile.of("../a/1.jpg", B, "../a/1.json", "{}", "ä b.PNG", A));
        assertEquals(List.of("../a/1.jpg", "ä b.png"), names(tar));
        String path = "{'bytes': p, 'path': CASE i WHEN 1 THEN NULL ELSE 'x/' || i || '.jpg' END}";
        Path rows =
                ParquetScenesTest.write(
                        folder.resolve("a.parquet"), path + " AS image", A, A, B, B, A, A);
        assertEquals(List.of("x/0.jpg", "null", "x/2.jpg"), names(rows));
        Path plain = ParquetScenesTest.write(folder.resolve("b.parquet"), "p AS image", A, A);
        assertEquals(List.of("null"), names(plain));
        Path clevr = folder.resolve("clevr");
        put("clevr/images/val/CLEVR_val_000007.png", A);
        put(
                "clevr/scenes/CLEVR_val_scenes.json",
                text(
                        "{\"scenes\": [{\"image_filename\": \"CLEVR_val_000007.png\","
                                + " \"objects\": []}]}"));
        assertEquals(List.of("CLEVR_val_000007.png"), names(clevr));
        put("tex/0/CLEVRTEX_full_000003.png", A);
        put("tex/0/CLEVRTEX_full_000003_flat.png", MASK);
        assertEquals(List.of("CLEVRTEX_full_000003.png"), names(folder.resolve("tex")));
        put("plain/a.png", A);
        assertEquals(List.of("null"), names(folder.resolve("plain")));
    }

    @Test
    void clevrTex() throws IOException {
        put("clevrtex_full/0/CLEVRTEX_full_000000.png", A);
        put("clevrtex_full/0/CLEVRTEX_full_000000_flat.png", MASK);
        assertEquals(List.of(Pictures.scene(A, MASK)), read(folder, Kind.CLEVRTEX, true));
    }

    @Test
    void clevr() throws IOException {
        put("images/val/CLEVR_val_000000.png", A);
        Path scenes =
                put(
                        "scenes/CLEVR_val_scenes.json",
                        text(
                                "{\"scenes\": [{\"image_filename\": \"CLEVR_val_000000.png\","
                                        + " \"objects\": []}]}"));
        Scene scene = Pictures.scene(A, null).withProperties();
        assertEquals(List.of(scene), read(folder, Kind.CLEVR, false));
        assertEquals(1, read(scenes, Kind.CLEVR, false).size());
        put("scenes/CLEVR_new_scenes.json", new byte[0]);
        assertTrue(fault(folder).startsWith("there must be scenes/CLEVR_train_scenes.json"));
        Path other = put("scenes/CLEVR_other_scenes.json", Files.readAllBytes(scenes));
        assertEquals(
                "the folder of its pictures, " + folder.resolve("images/other") + ", is not there",
                fault(other));
    }

    @Test
    void shards() throws IOException {
        byte[] first = TarFile.of("0.png", A, "0.mask.png", MASK);
        byte[] second = TarFile.of("0.png", B, "0.mask.png", MASK);
        Path one = put("wds/train-0.tar", first);
        put("wds/train-1.tar", second);
        Scene a = Pictures.scene(A, MASK);
        Scene b = Pictures.scene(B, MASK);
        assertEquals(List.of(a), read(one, Kind.WEBDATASET, true));
        assertEquals(List.of(a, b), read(folder.resolve("wds"), Kind.WEBDATASET, true));
        Path packed = put("without-ending", TfRecordFile.gzip(first));
        assertEquals(List.of(a), read(packed, Kind.WEBDATASET, true));
        put("wds/val-0.tar", second);
        assertEquals(
                "parts of several data sets, [train, val]; give the path of one",
                fault(folder.resolve("wds")));
        put("wds/a.png", A);
        assertEquals(
                "several kinds of data in one folder: pictures, WEBDATASET; give the path of one",
                fault(folder.resolve("wds")));
        Path plain = put("plain.tar", TarFile.of("0.png", A));
        assertEquals(List.of(Pictures.scene(A, null)), read(plain, Kind.WEBDATASET, false));
    }

    @Test
    void parquet() throws Exception {
        Path file = folder.resolve("hf/train-00000-of-00002.parquet");
        Files.createDirectories(file.getParent());
        ParquetScenesTest.write(file, "{'bytes': p, 'path': 'a'} AS image, m AS mask", A, MASK);
        ParquetScenesTest.write(
                folder.resolve("hf/train-00001-of-00002.parquet"),
                "{'bytes': p, 'path': 'a'} AS image, m AS mask",
                B,
                MASK);
        assertEquals(
                List.of(Pictures.scene(A, MASK), Pictures.scene(B, MASK)),
                read(file.getParent(), Kind.PARQUET, true));
        Path other = folder.resolve("other.parquet");
        ParquetScenesTest.write(other, "p AS jpg", A, MASK);
        assertEquals(List.of(Pictures.scene(A, null)), read(other, Kind.PARQUET, false));
        ParquetScenesTest.write(other, "p AS a, m AS b", A, MASK);
        assertEquals(
                "it is not clear which columns hold pictures and masks, of {a=BLOB, b=BLOB};"
                        + " ParquetScenes takes their names",
                fault(other));
    }

    @Test
    void hdf5() throws IOException {
        Path file = folder.resolve("a.h5");
        byte[][][][] images = new byte[2][6][8][3];
        images[1][0][0][0] = 77;
        double[][] labels = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}};
        write(file, Map.of("images", images, "labels", labels));
        List<Scene> scenes = read(file, Kind.HDF5, false);
        assertEquals(12, scenes.get(1).properties()[0][5]);
        assertEquals(2, read(folder, Kind.HDF5, false).size());
        write(file, Map.of("images", images, "labels", new int[2][6][8]));
        assertEquals(2, read(file, Kind.HDF5, true).size());
        write(
                file,
                Map.of(
                        "color",
                        images,
                        "segm",
                        new byte[2][6][8],
                        "num_objects_on_table",
                        new int[] {3}));
        assertEquals(3, read(file, Kind.HDF5, true).get(0).objectCount());
        write(file, Map.of("image", new float[2][6][8][3], "mask", new byte[2][6][8]));
        assertTrue(fault(file).startsWith("images 'image' are not bytes"), fault(file));
        write(file, Map.of("x", images));
        assertEquals(
                "no arrays of a format that is known among [x]; Hdf5Scenes takes their names",
                fault(file));
    }

    private static void write(Path file, Map<String, Object> arrays) throws IOException {
        Files.deleteIfExists(file);
        try (WritableHdfFile hdf = HdfFile.write(file)) {
            arrays.forEach(hdf::putDataset);
        }
    }

    @Test
    void tfRecords() throws IOException {
        SceneFormat format = SceneFormat.TETROMINOES;
        byte[] mask = new byte[35 * 35];
        mask[600] = 2;
        Scene scene = new Scene(35, 35, new byte[3 * mask.length], mask, 3);
        Path file =
                TfRecordFile.write(folder.resolve("t.tfrecords"), List.of(scene, scene), format);
        List<Scene> scenes = read(file, Kind.TFRECORD, true);
        assertEquals(3, scenes.get(1).objectCount());
        assertEquals(2, read(folder, Kind.TFRECORD, true).size());
        SceneFormat other = new SceneFormat("other", 2, 2, 3, 2, SceneFormat.MaskOrder.ENTITY_LAST);
        TfRecordFile.write(file, List.of(new Scene(2, 2, new byte[12], new byte[4])), other);
        assertTrue(fault(file).startsWith("no scenes of [clevr_with_masks, "), fault(file));
    }

    /** Masks in a folder of their own are called as their pictures, or as they are beside them. */
    @Test
    void masksOfAnotherFolder() throws IOException {
        put("p/a.png", A);
        put("p/sub/b.png", B);
        Path pictures = folder.resolve("p");
        for (String ending : List.of(".png", "_mask.png", "_seg.png")) {
            put("m" + ending + "/a" + ending, MASK);
            put("m" + ending + "/sub/b" + ending, MASK);
            try (SceneFiles files =
                    SceneFiles.builder()
                            .setPath(pictures)
                            .setSize(3, 4)
                            .optMasks(folder.resolve("m" + ending))
                            .build()) {
                assertEquals(
                        List.of(Pictures.scene(A, MASK), Pictures.scene(B, MASK)),
                        Pictures.read(files),
                        ending);
            }
        }
        // Beside the pictures, and in a folder among them.
        put("p/a_mask.png", MASK);
        put("p/sub/b_mask.png", MASK);
        put("q/a.png", A);
        put("q/a_masks/a_mask.png", MASK);
        for (Path[] both :
                new Path[][] {
                    {pictures, pictures},
                    {folder.resolve("q"), folder.resolve("q/a_masks")}
                }) {
            try (SceneFiles files =
                    SceneFiles.builder().setPath(both[0]).setSize(3, 4).optMasks(both[1]).build()) {
                assertEquals(Pictures.scene(A, MASK), Pictures.read(files).get(0));
            }
        }
        Path none = java.nio.file.Files.createDirectory(folder.resolve("none"));
        SceneFiles.Builder wrong =
                SceneFiles.builder().setPath(pictures).setSize(3, 4).optMasks(none);
        try (SceneFiles files = wrong.build()) {
            SceneFileException e =
                    assertThrows(
                            SceneFileException.class, () -> files.scenes().orElseThrow().get(0));
            assertTrue(e.getMessage().contains("its mask " + none), e.getMessage());
        }
    }

    @Test
    void whatIsNotKnown() throws IOException {
        String known =
                "what is read: a folder of pictures (PNG, JPEG, BMP, GIF, and WebP with its"
                        + " reader), ClevrTex, CLEVR, tar shards of WebDataset, Parquet, HDF5 or"
                        + " TFRecord";
        assertEquals("this folder is empty; " + known, fault(folder));
        assertEquals(
                "this is one picture, and not a folder of them; " + known, fault(put("a.png", A)));
        assertEquals(
                "nothing is known here; " + known,
                fault(put("a.tar", text("not what its name says"))));
        assertEquals(
                "a .zip is not read: unpack it, or make a .tar of what is in it; " + known,
                fault(put("a.ZIP", text("PK"))));
        Path notes = put("notes/notes.txt", text("none")).getParent();
        assertEquals("nothing is known here; " + known, fault(notes));
        assertEquals("the file is empty", fault(put("b.tar", new byte[0])));
        assertTrue(fault(put("c", new byte[] {0x1f, (byte) 0x8b, 0})).startsWith("damaged GZIP"));
        Path none = folder.resolve("none");
        assertEquals(
                none + ": there is no file of this name",
                assertThrows(NoSuchFileException.class, () -> SceneFiles.open(none, 1, 1))
                        .getMessage());
        assertRefused(
                "SceneFiles: the path is missing",
                () -> SceneFiles.builder().setSize(1, 1).build());
        assertRefused(
                "SceneFiles: height and width must be at least 1, got 0 and 1",
                () -> SceneFiles.open(folder, 0, 1));
        assertRefused(
                "SceneFiles: the void label must be 0 to 255, got 300",
                () -> SceneFiles.builder().optVoid(300));
        assertEquals(OptionalInt.empty(), Pictures.scene(A, null).voidLabel());
    }
}
