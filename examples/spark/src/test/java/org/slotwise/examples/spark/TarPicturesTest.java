package org.slotwise.examples.spark;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

class TarPicturesTest {

    private static final byte[] ONE = {1, 2, 3};
    private static final byte[] TWO = new byte[700];

    private static byte[] shard() throws IOException {
        TreeMap<String, byte[]> files = new TreeMap<>();
        files.put("a/1.JPG", ONE);
        files.put("a/1.json", ONE);
        files.put("a/1.mask.png", ONE);
        files.put("a/.png", ONE);
        files.put("b/2.png", TWO);
        return Tar.of(files);
    }

    private static List<Row> read(byte[] shard) {
        List<Row> rows = new ArrayList<>();
        new TarPictures("s.tar", new ByteArrayInputStream(shard)).forEachRemaining(rows::add);
        return rows;
    }

    private static void checkPictures(List<Row> rows) {
        assertEquals("s.tar#a/1.JPG", rows.get(0).getString(0));
        assertArrayEquals(ONE, rows.get(0).<byte[]>getAs(1));
        assertNull(rows.get(0).getString(2));
        assertEquals("s.tar#b/2.png", rows.get(1).getString(0));
        assertArrayEquals(TWO, rows.get(1).<byte[]>getAs(1));
    }

    @Test
    void picturesAreFoundAmongOtherFiles() throws IOException {
        assertEquals(2, read(shard()).size());
        checkPictures(read(shard()));
        checkPictures(read(Tar.packed(shard())));
        assertTrue(read(Tar.of(new TreeMap<>())).isEmpty());
    }

    @Test
    void whereverAShardIsCutItsLastRowSaysSo() throws IOException {
        byte[] shard = shard();
        byte[] packed = Tar.packed(shard);
        // The first block of zeros is the mark of the end.
        int end = shard.length;
        while (shard[end - 1] == 0) {
            end--;
        }
        for (int length = 0; length < shard.length; length += 128) {
            List<Row> rows = read(Arrays.copyOf(shard, length));
            Row last = rows.isEmpty() ? null : rows.get(rows.size() - 1);
            if (length < end) {
                assertEquals("s.tar", last.getString(0), "cut at " + length);
                assertTrue(last.getString(2).startsWith("damaged or cut short after"));
                assertTrue(rows.size() <= 3);
            }
        }
        for (int length = 0; length < packed.length; length += 7) {
            List<Row> rows = read(Arrays.copyOf(packed, length));
            assertEquals("s.tar", rows.get(rows.size() - 1).getString(0), "cut at " + length);
        }
    }

    @Test
    void whatIsNoArchiveIsARow() {
        byte[] text = "no archive, but long enough to be one\n".repeat(99).getBytes();
        assertEquals(1, read(text).size());
        assertEquals("s.tar", read(text).get(0).getString(0));
    }

    @Test
    void aChangedHeaderIsSeen() throws IOException {
        byte[] shard = shard();
        shard[0] ^= 1;
        List<Row> rows = read(shard);
        assertEquals(1, rows.size());
        assertTrue(rows.get(0).getString(2).contains("checksum"), rows.get(0).toString());
    }

    @Test
    void namesOfShardsAreTold() {
        assertTrue(TarPictures.isShard("file:/a/x.TAR"));
        assertTrue(TarPictures.isShard("x.tar.gz"));
        assertTrue(TarPictures.isShard("x.tgz"));
        assertFalse(TarPictures.isShard("x.json"));
    }

    @Test
    void behindTheEndThereIsNone() throws IOException {
        TarPictures pictures =
                new TarPictures("s.tar", new ByteArrayInputStream(Tar.of(new TreeMap<>())));
        assertThrows(NoSuchElementException.class, pictures::next);
    }
}
