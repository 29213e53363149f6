package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** {@link StartRows}: no start is ever lost, doubled or moved to another image. */
class StartRowsTest {

    private static final int CLUSTERS = 7;

    @Test
    void beginsWithARowForEachImage() {
        StartRows rows = StartRows.all(3, 4);
        assertEquals(3, rows.rows());
        assertEquals(4, rows.width());
        assertEquals(12, rows.places());
        assertEquals(12, rows.live());
        assertEquals(1, rows.row(7));
        assertEquals(1, rows.image(7));
        assertEquals(7, rows.start(7));
        assertTrue(rows.isOneRowForEach(3));
        assertFalse(rows.isOneRowForEach(4));
    }

    @Test
    void staysAsItIsWhereNothingIsSaved() {
        StartRows rows = StartRows.all(32, 10);
        assertNull(rows.packed(CLUSTERS));
        rows.end(17);
        assertFalse(rows.isLive(17));
        assertEquals(319, rows.live());
        assertNull(rows.packed(CLUSTERS));
    }

    @Test
    void dropsImagesThatHaveEnded() {
        StartRows rows = StartRows.all(4, 2);
        IntStream.of(0, 1, 4, 5).forEach(rows::end);
        StartRows.Packing packing = rows.packed(CLUSTERS);
        assertNotNull(packing);
        assertEquals(2, packing.rows.rows());
        assertEquals("[1, 3]", Arrays.toString(packing.rows.images()));
        assertEquals("[2, 3, 6, 7]", Arrays.toString(packing.from));
        assertFalse(packing.rows.isOneRowForEach(2));
    }

    @Test
    void spreadsAnImageOverRowsWhereThatTakesLess() {
        // One image has four starts left and the others one: seven rows of one beat four of four.
        StartRows rows = StartRows.all(8, 4);
        for (int image = 1; image < 8; image++) {
            for (int p = 1; p < 4; p++) {
                rows.end(image * 4 + p);
            }
        }
        for (int image = 5; image < 8; image++) {
            rows.end(image * 4);
        }
        StartRows.Packing packing = rows.packed(CLUSTERS);
        assertNotNull(packing);
        assertEquals(1, packing.rows.width());
        assertEquals("[0, 0, 0, 0, 1, 2, 3, 4]", Arrays.toString(packing.rows.images()));
    }

    @Test
    void losesNoStart() {
        Random random = new Random(0);
        for (int trial = 0; trial < 50; trial++) {
            int perImage = 1 + random.nextInt(12);
            StartRows rows = StartRows.all(1 + random.nextInt(9), perImage);
            int packings = 0;
            while (rows.live() > 0) {
                for (int place = 0; place < rows.places(); place++) {
                    if (rows.isLive(place) && random.nextInt(4) == 0) {
                        rows.end(place);
                    }
                }
                StartRows.Packing packing = rows.live() > 0 ? rows.packed(CLUSTERS) : null;
                if (packing == null) {
                    continue;
                }
                packings++;
                assertTrue(packing.rows.rows() <= rows.rows());
                assertEquals(packing.rows.places(), packing.from.length);
                assertEquals(rows.live(), packing.rows.live());
                assertEquals(Arrays.toString(starts(rows)), Arrays.toString(starts(packing.rows)));
                for (int place = 0; place < packing.rows.places(); place++) {
                    int from = (int) packing.from[place];
                    assertEquals(rows.image(from), packing.rows.image(place));
                    assertEquals(
                            packing.rows.image(place),
                            packing.rows.images()[packing.rows.row(place)]);
                    if (packing.rows.isLive(place)) {
                        assertEquals(rows.start(from), packing.rows.start(place));
                        assertEquals(
                                packing.rows.start(place) / perImage, packing.rows.image(place));
                    }
                }
                rows = packing.rows;
            }
            assertTrue(packings > 0 || perImage * rows.rows() < 4);
        }
    }

    private static int[] starts(StartRows rows) {
        return IntStream.range(0, rows.places())
                .filter(rows::isLive)
                .map(rows::start)
                .sorted()
                .toArray();
    }
}
