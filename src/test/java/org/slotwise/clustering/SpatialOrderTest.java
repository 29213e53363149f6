package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Neighbours in the order are neighbours in space, and nobody is left out. */
class SpatialOrderTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void neighboursAreNear(int size) {
        Random random = new Random(size);
        float[] rows = new float[4000 * size];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = 5 + 3 * (float) random.nextGaussian();
        }
        rows[17] = 1e9f; // beyond the grid
        rows[40] = -1e9f;
        int[] order = SpatialOrder.of(rows, size);
        int[] all = IntStream.range(0, 4000).toArray();
        assertArrayEquals(all, Arrays.stream(order).sorted().toArray());
        rows[17] = 5;
        rows[40] = 5;
        order = SpatialOrder.of(rows, size);
        assertArrayEquals(all, Arrays.stream(order).sorted().toArray());
        double before = way(rows, size, all);
        double after = way(rows, size, order);
        assertTrue(after < 0.5 * before, "a way of " + after + " in place of " + before);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void equalOnesStayAsTheyWere(int size) {
        float[] rows = new float[50 * size];
        Arrays.fill(rows, 0.3f);
        assertArrayEquals(IntStream.range(0, 50).toArray(), SpatialOrder.of(rows, size));
    }

    /** From one to the next, all in all. */
    private static double way(float[] rows, int size, int[] order) {
        double way = 0;
        for (int i = 1; i < order.length; i++) {
            double square = 0;
            for (int f = 0; f < size; f++) {
                double d = rows[order[i] * size + f] - rows[order[i - 1] * size + f];
                square += d * d;
            }
            way += Math.sqrt(square);
        }
        return way;
    }
}
