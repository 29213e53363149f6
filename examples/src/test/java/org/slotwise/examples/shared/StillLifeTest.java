package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StillLifeTest {

    @Test
    void arrangementsDifferAndRepeat() {
        Set<String> seen = new HashSet<>();
        for (int number = 0; number < 20; number++) {
            StillLife life = StillLife.arranged(number);
            int[] labels = life.labels(28);
            assertArrayEquals(labels, StillLife.arranged(number).labels(28));
            assertTrue(seen.add(Arrays.toString(labels)), "another one: " + number);
            int things = life.shapes().size();
            assertTrue(things == 5 || things == 6, "wall, table and 3 or 4 things");
            assertEquals(things, Arrays.stream(labels).distinct().count());
            assertEquals(things - 1, Arrays.stream(labels).max().orElseThrow());
        }
    }

    @Test
    void labelsAreOfWhatIsDrawn() {
        StillLife life = StillLife.arranged(0);
        int[] labels = life.labels(48);
        assertEquals(0, labels[0]);
        assertEquals(1, labels[47 * 48]);
        // The middles of the vase and of the orange.
        assertEquals(2, labels[26 * 48 + 10]);
        assertEquals(4, labels[34 * 48 + 30]);
    }
}
