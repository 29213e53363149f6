package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EntityMasksTest {

    private static final int ENTITIES = 4;

    /** Mostly zeros, as masks are; the rest of any value, or of two, so that some are equal. */
    private static byte[] masks(int pixels, int values) {
        Random random = new Random(pixels);
        byte[] masks = new byte[ENTITIES * pixels];
        for (int i = 0; i < masks.length; i++) {
            masks[i] = (byte) (random.nextInt(5) > 0 ? 0 : 256 - random.nextInt(values));
        }
        return masks;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 9, 16, 17, 200})
    void theFirstOneThatIsSet(int pixels) {
        byte[] masks = masks(pixels, 255);
        byte[] turned = new byte[masks.length];
        for (int p = 0; p < pixels; p++) {
            for (int e = 0; e < ENTITIES; e++) {
                turned[p * ENTITIES + e] = masks[e * pixels + p];
            }
        }
        byte[] first = EntityMasks.labels(masks, ENTITIES, pixels, 1);
        byte[] last = EntityMasks.labels(turned, ENTITIES, 1, ENTITIES);
        for (int p = 0; p < pixels; p++) {
            int expected = 0;
            for (int e = ENTITIES - 1; e >= 0; e--) {
                expected = masks[e * pixels + p] == 0 ? expected : e;
            }
            assertEquals(expected, first[p]);
            assertEquals(expected, last[p]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 9, 16, 17, 200})
    void theLargestOne(int pixels) {
        for (int values : new int[] {2, 255}) {
            byte[] masks = masks(pixels, values);
            byte[] labels = EntityMasks.largest(masks, ENTITIES);
            for (int p = 0; p < pixels; p++) {
                int expected = 0;
                for (int e = 1; e < ENTITIES; e++) {
                    int value = masks[e * pixels + p] & 0xff;
                    expected = value > (masks[expected * pixels + p] & 0xff) ? e : expected;
                }
                assertEquals(expected, labels[p]);
            }
        }
    }
}
