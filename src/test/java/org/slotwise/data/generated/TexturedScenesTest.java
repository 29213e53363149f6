package org.slotwise.data.generated;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

class TexturedScenesTest {

    private static final long FIRST_HUNDRED = 2022934884L;

    private static TexturedScenes.Builder scenes(long size) {
        return TexturedScenes.builder().setSize(size).optSeed(7);
    }

    /** Mean red, green and blue of a label's pixels, in [0, 1]; null if there are none. */
    private static double[] mean(Scene scene, int label) {
        double[] sum = new double[3];
        int count = 0;
        for (int p = 0; p < scene.mask().length; p++) {
            if (scene.mask()[p] == label) {
                for (int c = 0; c < 3; c++) {
                    sum[c] += (scene.image()[3 * p + c] & 0xff) / 255.0;
                }
                count++;
            }
        }
        int n = count;
        return Arrays.stream(sum).map(s -> s / n).toArray();
    }

    private static int pixels(Scene scene, int label) {
        return (int)
                IntStream.range(0, scene.mask().length)
                        .filter(p -> scene.mask()[p] == label)
                        .count();
    }

    private static double spread(Scene scene, int label) {
        double[] mean = mean(scene, label);
        double squares = 0;
        for (int p = 0; p < scene.mask().length; p++) {
            if (scene.mask()[p] == label) {
                for (int c = 0; c < 3; c++) {
                    squares += Math.pow((scene.image()[3 * p + c] & 0xff) / 255.0 - mean[c], 2);
                }
            }
        }
        return Math.sqrt(squares / pixels(scene, label));
    }

    /** These very scenes must come on every system and in every version: results depend on them. */
    @Test
    void scenesNeverChange() {
        CRC32 crc = new CRC32();
        scenes(100)
                .build()
                .open()
                .forEach(
                        scene -> {
                            crc.update(scene.image());
                            crc.update(scene.mask());
                        });
        assertEquals(FIRST_HUNDRED, crc.getValue());
    }

    @Test
    void aSceneDependsOnSeedAndIndexAlone() {
        Scenes scenes = scenes(60).build();
        List<Scene> inOrder = scenes.open().toList();
        Map<Long, Scene> parallel = new ConcurrentHashMap<>();
        LongStream.range(0, 60)
                .parallel()
                .forEach(
                        i ->
                                parallel.put(
                                        59 - i, scenes.range(59 - i, 60).open().findFirst().get()));
        for (int i = 0; i < 60; i++) {
            assertEquals(inOrder.get(i), parallel.get((long) i));
        }
        assertEquals(60, new HashSet<>(inOrder).size());
        assertEquals(inOrder.get(2), scenes(1L << 40).build().range(2, 3).open().findFirst().get());
        assertNotEquals(inOrder.get(2), scenes(3).optSeed(8).build().open().toList().get(2));
        assertThrows(IndexOutOfBoundsException.class, () -> scenes.get(60));
    }

    @Test
    void noObjectHasOneColourAndAllCanBeSeen() {
        int[] counts = new int[6];
        scenes(400)
                .build()
                .open()
                .forEach(
                        scene -> {
                            assertEquals(64, scene.height());
                            assertEquals(64, scene.width());
                            counts[scene.objectCount()]++;
                            for (int k = 0; k <= scene.objectCount(); k++) {
                                assertTrue(pixels(scene, k) >= 15);
                                assertTrue(spread(scene, k) > 0.02, "one colour");
                            }
                        });
        for (int k = 2; k <= 5; k++) {
            assertEquals(100, counts[k], 5 * Math.sqrt(100));
        }
    }

    @Test
    void objectsMayLookAlike() {
        // With all alike, mean colours of objects agree as well as parts of textures let them.
        TexturedScenes.Builder even = scenes(60).optContrast(0, 0).optObjects(3, 3);
        even.optAlike(1).build().open().forEach(s -> assertEquals(1, looks(s)));
        even.optAlike(0).build().open().forEach(s -> assertEquals(3, looks(s)));
        Set<Integer> some = new TreeSet<>();
        even.optAlike(0.5).build().open().forEach(s -> some.add(looks(s)));
        assertEquals(Set.of(1, 2, 3), some);
    }

    /** How many kinds of objects there are, where shades are the only texture. */
    private static int looks(Scene scene) {
        Set<Integer> kinds = new TreeSet<>();
        for (int k = 1; k <= scene.objectCount(); k++) {
            int first = k;
            for (int j = k - 1; j > 0; j--) {
                first = apart(mean(scene, j), mean(scene, k)) < 0.09 ? j : first;
            }
            kinds.add(first);
        }
        return kinds.size();
    }

    private static double apart(double[] one, double[] other) {
        return IntStream.range(0, 3)
                .mapToDouble(c -> Math.abs(one[c] - other[c]))
                .max()
                .getAsDouble();
    }

    @Test
    void alikesNeverTouch() {
        scenes(60)
                .optAlike(1)
                .optObjects(2, 4)
                .build()
                .open()
                .forEach(
                        scene -> {
                            byte[] m = scene.mask();
                            for (int p = 0; p + 64 < m.length; p++) {
                                assertTrue(m[p] == 0 || m[p + 64] == 0 || m[p] == m[p + 64]);
                                assertTrue(
                                        p % 64 == 63
                                                || m[p] == 0
                                                || m[p + 1] == 0
                                                || m[p] == m[p + 1]);
                            }
                        });
    }

    @Test
    void contrastSizeAndDifferenceAreOptions() {
        double faint =
                scenes(50)
                        .optContrast(0.1, 0.1)
                        .build()
                        .open()
                        .mapToDouble(s -> spread(s, 0))
                        .sum();
        double strong =
                scenes(50)
                        .optContrast(0.9, 0.9)
                        .build()
                        .open()
                        .mapToDouble(s -> spread(s, 0))
                        .sum();
        assertTrue(strong > 4 * faint, faint + " and " + strong);
        Scene large = scenes(1).optSide(128).build().open().findFirst().get();
        assertEquals(128, large.height());
        scenes(40)
                .optRadius(0.25, 0.25)
                .optObjects(1, 1)
                .build()
                .open()
                .forEach(s -> assertTrue(pixels(s, 1) > 300 && pixels(s, 1) < 830));
        scenes(40)
                .optContrast(0, 0)
                .optObjects(1, 1)
                .optDifference(0.45)
                .build()
                .open()
                .forEach(s -> assertTrue(apart(mean(s, 0), mean(s, 1)) > 0.35));
        scenes(2).optObjects(0, 0).build().open().forEach(s -> assertEquals(0, s.objectCount()));
    }

    @Test
    void refusesWhatCannotBe() {
        String who = "TexturedScenes: ";
        assertRefused(
                who + "size must be at least 0, got -1", () -> TexturedScenes.builder().build());
        assertRefused(who + "side must be 32 to 512, got 31", () -> scenes(1).optSide(31).build());
        assertRefused(
                who + "objects must be 0 <= fewest <= most <= 16, got 3, 2",
                () -> scenes(1).optObjects(3, 2).build());
        assertRefused(
                who + "radius must be 0.05 <= smallest <= largest <= 0.5, got 0.1, NaN",
                () -> scenes(1).optRadius(0.1, Double.NaN).build());
        assertRefused(
                who + "alike must be in [0, 1], got 1.5", () -> scenes(1).optAlike(1.5).build());
        assertRefused(
                who + "contrast must be 0 <= least <= most <= 1, got 0.5, 0.4",
                () -> scenes(1).optContrast(0.5, 0.4).build());
        assertRefused(
                who + "difference must be in [0, 0.5], got 0.6",
                () -> scenes(1).optDifference(0.6).build());
        Scenes full = scenes(1).optObjects(8, 8).optRadius(0.5, 0.5).optAlike(1).build();
        assertThrows(IllegalStateException.class, () -> full.get(0));
    }
}
