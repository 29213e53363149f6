package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

class ParquetScenesTest {

    private static final byte[] A = Pictures.png(3, 4, 1);
    private static final byte[] B = Pictures.jpeg(3, 4, 2);
    private static final byte[] MASK_A = Pictures.mask(3, 4, 0, 1, 2);
    private static final byte[] MASK_B = Pictures.mask(3, 4, 0, 0, 3, 255);

    @TempDir Path folder;

    private Path file() {
        return folder.resolve(
                "it's [1]*.parquet".replace("*", java.io.File.separatorChar == '/' ? "*" : "_"));
    }

    /** A file of rows with the bytes p and m, written as a query asks for. */
    static Path write(Path file, String select, byte[]... picturesAndMasks) throws SQLException {
        try (Connection db = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = db.createStatement()) {
            statement.execute("CREATE TABLE rows (i INTEGER, p BLOB, m BLOB)");
            try (PreparedStatement row = db.prepareStatement("INSERT INTO rows VALUES (?, ?, ?)")) {
                for (int i = 0; i < picturesAndMasks.length; i += 2) {
                    row.setInt(1, i / 2);
                    row.setBytes(2, picturesAndMasks[i]);
                    row.setBytes(3, picturesAndMasks[i + 1]);
                    row.execute();
                }
            }
            statement.execute(
                    "COPY (SELECT "
                            + select
                            + " FROM rows ORDER BY i) TO '"
                            + file.toString().replace("'", "''")
                            + "' (FORMAT parquet, ROW_GROUP_SIZE 122880)");
        }
        return file;
    }

    private static final String HUGGING_FACE =
            "{'bytes': p, 'path': i || '.png'} AS image, {'bytes': m, 'path': NULL} AS mask, i";

    private static ParquetScenes.Builder of(Path... files) {
        return ParquetScenes.builder().setFiles(List.of(files)).setSize(3, 4);
    }

    private String fault(ParquetScenes.Builder scenes) {
        SceneFileException e =
                assertThrows(SceneFileException.class, () -> Pictures.read(scenes.build()));
        String start = file().toString();
        assertEquals(start, e.file());
        assertTrue(e.getMessage().startsWith(start), e.getMessage());
        return e.getMessage().substring(start.length() + 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {HUGGING_FACE, "i, m AS mask, p AS image", "p AS IMAGE, m AS mask"})
    void readsRowsInTheirOrder(String select) throws Exception {
        Path file = write(file(), select, A, MASK_A, B, MASK_B, A, MASK_B);
        // What the name would mean as a pattern.
        write(folder.resolve("it's 1x.parquet"), HUGGING_FACE, B, MASK_B);
        String name = select.contains("IMAGE") ? "IMAGE" : "image";
        ParquetScenes scenes = of(file, file).optImages(name).optMasks("mask").build();
        List<Scene> once =
                List.of(
                        Pictures.scene(A, MASK_A),
                        Pictures.scene(B, MASK_B),
                        Pictures.scene(A, MASK_B));
        List<Scene> expected = Stream.concat(once.stream(), once.stream()).toList();
        assertEquals(expected, Pictures.read(scenes));
        assertEquals(expected, Pictures.read(scenes), "each time anew");
        SeveralFilesTest.assertParts(2, scenes);
        List<Scene> without = Pictures.read(of(file).optImages(name).build());
        assertEquals(Pictures.scene(A, null), without.get(2));
        List<Scene> nothing =
                Pictures.read(of(file).optImages(name).optMasks("mask").optVoid(255).build());
        assertEquals(1, nothing.get(1).objectCount());
        assertEquals(OptionalInt.of(255), nothing.get(1).voidLabel());
        try (Stream<Scene> some = scenes.open()) {
            assertEquals(expected.subList(0, 2), some.limit(2).toList());
        }
    }

    /** More than a page of 32 MiB, in one row group. */
    @Test
    void largeRowsComeInPages() throws Exception {
        byte[][] rows = new byte[2 * 40][];
        List<Scene> expected = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            rows[2 * i] = Pictures.png(20, 20, i);
            // What follows a picture is not read by anybody.
            rows[2 * i] = Arrays.copyOf(rows[2 * i], i == 7 ? 34 << 20 : 1 << 20);
            expected.add(Pictures.scene(rows[2 * i], null));
        }
        Path file = write(file(), "p AS image", rows);
        assertEquals(
                expected,
                Pictures.read(
                        ParquetScenes.builder().setFiles(List.of(file)).setSize(20, 20).build()));
    }

    @Test
    void manyRows() throws Exception {
        byte[][] rows = new byte[2 * 5000][];
        for (int i = 0; i < 5000; i++) {
            rows[2 * i] = Pictures.mask(1, 2, i % 251, i / 251);
        }
        Path file = write(file(), "p AS image", rows);
        List<Scene> scenes =
                Pictures.read(
                        ParquetScenes.builder().setFiles(List.of(file)).setSize(1, 2).build());
        assertEquals(5000, scenes.size());
        for (int i = 0; i < 5000; i++) {
            assertEquals((byte) (37 * (i % 251)), scenes.get(i).image()[0]);
            assertEquals((byte) (37 * (i / 251)), scenes.get(i).image()[3]);
        }
    }

    @Test
    void wrongRows() throws Exception {
        Path file = write(file(), HUGGING_FACE, A, MASK_A, B, null, null, MASK_A);
        assertEquals(
                "record 1: column 'mask': there is nothing in it",
                fault(of(file).optMasks("mask")));
        assertEquals("record 2: column 'image': there is nothing in it", fault(of(file)));
        write(file, HUGGING_FACE, A, MASK_A, B, Pictures.mask(4, 3, 1));
        assertEquals(
                "record 1: column 'mask': the mask has 4 x 3 pixels and its image 3 x 4",
                fault(of(file).optMasks("mask")));
        write(file, HUGGING_FACE, A, Pictures.deepMask(3, 4, 700));
        assertEquals(
                "record 0: column 'mask': a label must be at most 255, got 700",
                fault(of(file).optMasks("mask")));
        write(file, HUGGING_FACE, A, MASK_A, Arrays.copyOf(A, 60), MASK_A);
        assertEquals(
                "record 1: column 'image': the image is cut short after its chunk IHDR",
                fault(of(file)));
        write(file, HUGGING_FACE, A, MASK_A, new byte[0], MASK_A);
        assertEquals("record 1: column 'image': the file is empty", fault(of(file)));
        write(file, HUGGING_FACE, A, MASK_A, new byte[(1 << 20) + 9], MASK_A);
        assertEquals(
                "record 1: column 'image': it has 1048585 bytes, more than 1048584",
                fault(of(file).optMaxPixels(1)));
    }

    @Test
    void wrongColumns() throws Exception {
        Path file = write(file(), "i, p AS image, {'path': 'a'} AS other, 'a' AS text", A, MASK_A);
        String types = "{i=INTEGER, image=BLOB, other=STRUCT(path VARCHAR), text=VARCHAR}";
        assertEquals("no column 'mask', only " + types, fault(of(file).optMasks("mask")));
        assertEquals(
                "column 'i' must be BLOB or STRUCT(bytes BLOB, ...), got INTEGER",
                fault(of(file).optImages("i")));
        assertEquals(
                "column 'text' must be BLOB or STRUCT(bytes BLOB, ...), got VARCHAR",
                fault(of(file).optImages("text")));
        assertEquals(
                "column 'other' must be BLOB or STRUCT(bytes BLOB, ...), got STRUCT(path VARCHAR)",
                fault(of(file).optImages("other")));
        write(file, "p AS \"it's; \"\"DROP\"", A, MASK_A);
        assertEquals(1, Pictures.read(of(file).optImages("it's; \"DROP").build()).size());
        write(file, HUGGING_FACE);
        assertEquals(List.of(), Pictures.read(of(file).build()), "parts may be empty");
    }

    @Test
    void damaged() throws Exception {
        Path file = write(file(), HUGGING_FACE, A, MASK_A, B, MASK_B);
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length += 13) {
            Files.write(file, Arrays.copyOf(whole, length));
            String fault = fault(of(file));
            assertTrue(fault.startsWith("no Parquet file, or damaged or cut short: "), fault);
        }
        Files.write(file, A);
        assertTrue(fault(of(file)).startsWith("no Parquet file, or damaged or cut short: "));
        assertThrows(NoSuchFileException.class, () -> of(folder.resolve("none")).build().open());
        assertEquals(
                folder + ": not a file but a folder",
                assertThrows(SceneFileException.class, () -> of(folder).build().open())
                        .getMessage());
    }

    @Test
    void refusedOptions() {
        assertRefused(
                "ParquetScenes: there must be at least one file",
                () -> ParquetScenes.builder().setSize(1, 1).build());
        assertRefused(
                "ParquetScenes: height and width must be at least 1, got 0 and 0",
                () -> ParquetScenes.builder().setFiles(List.of(folder)).build());
        assertRefused(
                "ParquetScenes: the void label must be 0 to 255, got -1",
                () -> of(folder).optVoid(-1));
        assertRefused(
                "ParquetScenes: maxPixels must be at least 1, got 0",
                () -> of(folder).optMaxPixels(0).build());
    }
}
