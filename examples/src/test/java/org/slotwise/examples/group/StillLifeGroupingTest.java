package org.slotwise.examples.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.awt.Shape;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.examples.shared.StillLife;

/** What the picture that is grouped without --image is for: its objects are told apart. */
class StillLifeGroupingTest {

    private static final int SLOTS = 6;
    private static final Map<String, Shape> SHAPES = StillLife.arranged(0).shapes();

    @ParameterizedTest
    @CsvSource({"KMEANS, 0", "KMEANS, 1", "STICK_BREAKING, 0", "STICK_BREAKING, 1"})
    void isSegmentedIntoItsObjects(Method method, int seed) {
        Map<String, int[]> counts = new LinkedHashMap<>();
        try (NDManager manager = NDManager.newBaseManager()) {
            Image small = StillLife.arranged(0).draw().scaledTo(120);
            NDArray attributions =
                    method.grouping().group(PixelFeatures.of(manager, small, 0.3), SLOTS, seed);
            int[] labels =
                    GroupPixels.masks(attributions, small)
                            .winners(small.getHeight(), small.getWidth());
            for (int i = 0; i < labels.length; i++) {
                String object = objectAt(i % small.getWidth(), i / small.getWidth(), small);
                counts.computeIfAbsent(object, o -> new int[SLOTS])[labels[i]]++;
            }
        }
        Set<Integer> used = new HashSet<>();
        counts.forEach(
                (object, slots) -> {
                    int best = 0;
                    int all = 0;
                    for (int k = 0; k < SLOTS; k++) {
                        best = slots[k] > slots[best] ? k : best;
                        all += slots[k];
                    }
                    assertTrue(slots[best] > 0.95 * all, object);
                    used.add(best);
                });
        assertEquals(SHAPES.keySet(), counts.keySet());
        assertEquals(SLOTS, used.size());
    }

    private static String objectAt(int x, int y, Image image) {
        double scale = (double) StillLife.WIDTH / image.getWidth();
        String front = "";
        for (Map.Entry<String, Shape> entry : SHAPES.entrySet()) {
            if (entry.getValue().contains((x + 0.5) * scale, (y + 0.5) * scale)) {
                front = entry.getKey();
            }
        }
        return front;
    }
}
