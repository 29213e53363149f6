package org.slotwise.examples.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.modality.cv.ImageFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.apache.spark.sql.Row;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.ObjectList;
import org.slotwise.image.PixelBox;
import org.slotwise.image.PixelMask;
import org.slotwise.image.RunLengthEncoding;
import org.slotwise.model.PictureModel;

/** Rows are what the library says of the same picture, asked by itself. */
final class LocalAnswers {

    /**
     * Of slots: products of other batches are summed in another order, iteration after iteration;
     * in a scene whose slots still move in the last of ten 1.3e-4 was seen.
     */
    static final double OTHER_BATCHES = 5e-4;

    /** A picture by itself is the same computation wherever it runs. */
    static final double SAME_BATCHES = 0;

    /** As many pixels of a mask may be so near to belonging to two slots that rounding decides. */
    private static final int UNDECIDED = 2;

    private LocalAnswers() {}

    static void check(PictureModel model, byte[] picture, Row row, double tolerance)
            throws IOException {
        ObjectList expected =
                model.predict(
                                ImageFactory.getInstance()
                                        .fromInputStream(new ByteArrayInputStream(picture)))
                        .objects();
        String path = row.getString(0);
        assertEquals(expected.width(), row.getInt(1), path);
        assertEquals(expected.height(), row.getInt(2), path);
        assertNull(row.getString(3), path);
        List<Row> objects = list(row, 4);
        assertEquals(expected.count(), objects.size(), path);
        for (int i = 0; i < objects.size(); i++) {
            check(expected.objects().get(i), objects.get(i), tolerance, path);
        }
    }

    private static void check(
            DiscoveredObject expected, Row object, double tolerance, String path) {
        assertEquals(expected.slot(), object.getInt(0), path);
        assertEquals(
                expected.score(), object.getDouble(1), Math.max(tolerance, Double.MIN_VALUE), path);
        List<Integer> size = list(object.getStruct(4), 0);
        PixelMask mask =
                RunLengthEncoding.parse(size.get(0), size.get(1), object.getStruct(4).getString(1))
                        .mask();
        assertEquals(expected.mask().height(), mask.height(), path);
        assertEquals(expected.mask().width(), mask.width(), path);
        BitSet others = expected.mask().bits();
        others.xor(mask.bits());
        assertTrue(
                others.cardinality() <= (tolerance == 0 ? 0 : UNDECIDED),
                path + ": other pixels " + others);
        assertEquals(mask.area(), object.getInt(2), path);
        Row box = object.getStruct(3);
        assertEquals(
                mask.box(),
                new PixelBox(box.getInt(0), box.getInt(1), box.getInt(2), box.getInt(3)),
                path);
        List<Float> vector = list(object, 5);
        assertEquals(expected.vector().length, vector.size(), path);
        for (int d = 0; d < vector.size(); d++) {
            double difference = Math.abs(expected.vector()[d] - vector.get(d));
            assertTrue(
                    difference <= tolerance * Math.max(1, Math.abs(vector.get(d))),
                    path + ": " + expected.vector()[d] + " and " + vector.get(d));
        }
    }

    /** A list as it was written, or as Spark gives it back. */
    @SuppressWarnings("unchecked")
    private static <T> List<T> list(Row row, int column) {
        Object value = row.get(column);
        if (!value.getClass().isArray()) {
            return row.getList(column);
        }
        List<T> list = new ArrayList<>();
        for (int i = 0; i < Array.getLength(value); i++) {
            list.add((T) Array.get(value, i));
        }
        return list;
    }
}
