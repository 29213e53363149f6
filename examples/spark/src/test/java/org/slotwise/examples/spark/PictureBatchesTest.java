package org.slotwise.examples.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.model.GnmModel;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.PictureModel;

class PictureBatchesTest {

    private static final long PIXELS = 1 << 20;
    private static final int PICTURES = 7;

    private static ObjectDiscoveryModel model;
    private static Map<String, byte[]> pictures;

    @BeforeAll
    static void start() throws IOException {
        model = ObjectDiscoveryModel.shipped("multi-dsprites");
        pictures = Pictures.png(PICTURES);
    }

    @AfterAll
    static void end() {
        model.close();
    }

    private static List<Row> discover(List<Row> encoded, int batch, long pixels) {
        return discover(model, encoded, batch, pixels, DiscoveredObjects.LEAST_SCORE);
    }

    private static List<Row> discover(
            PictureModel model, List<Row> encoded, int batch, long pixels, double leastScore) {
        List<Row> rows = new ArrayList<>();
        try (PictureBatches batches =
                new PictureBatches(model, encoded.iterator(), batch, pixels, leastScore)) {
            batches.forEachRemaining(rows::add);
        }
        return rows;
    }

    private static void checkAll(List<Row> rows) throws IOException {
        for (Row row : rows) {
            if (row.isNullAt(3)) {
                LocalAnswers.check(
                        model, pictures.get(row.getString(0)), row, LocalAnswers.OTHER_BATCHES);
            }
        }
    }

    @Test
    void rowsAreThoseOfSinglePicturesInTheirOrder() throws IOException {
        for (int batch : new int[] {1, 3, PICTURES, 100}) {
            List<Row> rows = discover(Pictures.rows(pictures), batch, PIXELS);
            assertEquals(
                    List.copyOf(pictures.keySet()),
                    rows.stream().map(r -> r.getString(0)).toList());
            checkAll(rows);
        }
    }

    /** 0 keeps all slots that have pixels, 1 next to none. */
    @Test
    void leavesOutWhatScoresLess() {
        List<Row> encoded = Pictures.rows(pictures);
        for (double least : new double[] {0, 0.5, 0.9, 1}) {
            for (Row row : discover(model, encoded, 4, PIXELS, least)) {
                for (Row object : row.<Row[]>getAs(4)) {
                    assertTrue(object.getDouble(1) >= least, object.toString());
                }
            }
        }
        assertTrue(
                objects(discover(model, encoded, 4, PIXELS, 0))
                        > objects(discover(model, encoded, 4, PIXELS, 1)));
    }

    private static int objects(List<Row> rows) {
        return rows.stream().mapToInt(row -> row.<Row[]>getAs(4).length).sum();
    }

    /** A model of another kind, saved and found again as a job does it. */
    @Test
    void countedObjectsAreRowsToo(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("counting.zip");
        try (GnmModel counting = GnmModel.create(GnmConfiguration.small(32), 3)) {
            counting.save(file);
        }
        PictureModel shared = new SharedModel(SharedModel.Kind.SEEN, file.toString()).get();
        List<Row> rows =
                discover(shared, Pictures.rows(pictures), 3, PIXELS, DiscoveredObjects.LEAST_SCORE);
        assertEquals(PICTURES, rows.size());
        assertTrue(
                rows.stream()
                        .anyMatch(row -> row.get(4) instanceof Object[] found && found.length > 1));
        for (Row row : rows) {
            LocalAnswers.check(
                    shared, pictures.get(row.getString(0)), row, LocalAnswers.OTHER_BATCHES);
        }
    }

    @Test
    void aBatchEndsWhereItHasManyPixels() throws IOException {
        List<Row> rows = discover(Pictures.rows(pictures), 100, 64 * 70);
        assertEquals(PICTURES, rows.size());
        assertTrue(rows.stream().allMatch(row -> row.isNullAt(3)));
        checkAll(rows);
    }

    @Test
    void badPicturesSpoilNoOthers() throws IOException {
        List<Row> encoded = Pictures.rows(pictures);
        byte[] whole = pictures.get("000.png");
        encoded.add(2, RowFactory.create("cut", Arrays.copyOf(whole, whole.length / 2), null));
        encoded.add(3, RowFactory.create("text", "no picture".getBytes(), null));
        encoded.add(4, RowFactory.create("empty", new byte[0], null));
        encoded.add(5, RowFactory.create("told", null, "so it is"));
        encoded.add(RowFactory.create("null", null, null));
        List<Row> rows = discover(encoded, 4, PIXELS);
        assertEquals(
                encoded.stream().map(r -> r.getString(0)).toList(),
                rows.stream().map(r -> r.getString(0)).toList());
        for (Row row : rows) {
            boolean good = pictures.containsKey(row.getString(0));
            assertEquals(good, row.isNullAt(3), row.toString());
            assertEquals(good, !row.isNullAt(4), row.toString());
        }
        assertEquals("so it is", rows.get(5).getString(3));
        checkAll(rows);
    }

    /** Java's decoders paint what is missing of a JPEG grey, and say nothing. */
    @Test
    void aPhotographThatIsCutShortIsAnError() throws IOException {
        BufferedImage noise = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(1);
        for (int i = 0; i < 4096; i++) {
            noise.setRGB(i % 64, i / 64, random.nextInt(1 << 24));
        }
        ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(noise, "jpg", jpeg));
        byte[] whole = jpeg.toByteArray();
        List<Row> rows =
                discover(
                        List.of(
                                RowFactory.create("whole", whole, null),
                                RowFactory.create("cut", Arrays.copyOf(whole, 2000), null)),
                        4,
                        PIXELS);
        assertTrue(rows.get(0).isNullAt(3), rows.get(0).toString());
        assertTrue(rows.get(1).isNullAt(4), rows.get(1).toString());
    }

    @Test
    void tooLargeIsSaidBeforeItIsDecoded() {
        // 64 x 64, 63 x 65, 62 x 66, 64 x 67 pixels and so on
        List<Row> rows = discover(Pictures.rows(pictures), 4, 64 * 64);
        assertTrue(rows.get(0).isNullAt(3));
        assertTrue(rows.get(1).isNullAt(3));
        assertEquals(
                "picture: the image says that it has 64 x 67 pixels, more than 4096 in all",
                rows.get(3).getString(3));
    }

    @Test
    void nothingNativeIsLeftOfAPartition() {
        discover(Pictures.rows(pictures), 3, PIXELS);
        int before = model.model().getNDManager().getManagedArrays().size();
        for (int i = 0; i < 3; i++) {
            discover(Pictures.rows(pictures), 3, PIXELS);
        }
        assertEquals(before, model.model().getNDManager().getManagedArrays().size());
    }

    @Test
    void allThreadsOfAJvmHaveOneModel() {
        SharedModel shared = new SharedModel(SharedModel.Kind.SHIPPED, "tetrominoes");
        List<PictureModel> models =
                IntStream.range(0, 8)
                        .parallel()
                        .mapToObj(
                                i -> {
                                    try {
                                        return shared.get();
                                    } catch (IOException e) {
                                        throw new AssertionError(e);
                                    }
                                })
                        .toList();
        models.forEach(one -> assertSame(models.get(0), one));
    }
}
