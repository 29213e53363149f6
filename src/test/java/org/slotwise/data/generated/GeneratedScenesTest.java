package org.slotwise.data.generated;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/** {@link Tetrominoes} and {@link MultiDSprites}. */
class GeneratedScenesTest {

    private static final long TETROMINOES = 1555405501L;
    private static final long SPRITES = 3019622629L;

    private static Scenes tetrominoes(long size, long seed) {
        return Tetrominoes.builder().setSize(size).optSeed(seed).build();
    }

    private static MultiDSprites.Builder sprites(long size) {
        return MultiDSprites.builder().setSize(size);
    }

    static Stream<Scenes> both() {
        return Stream.of(tetrominoes(200, 5), sprites(200).optSeed(5).build());
    }

    private static Scene get(Scenes scenes, long index) {
        try {
            return scenes.get(index);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long checksum(Scenes scenes) {
        CRC32 crc = new CRC32();
        scenes.open()
                .forEach(
                        scene -> {
                            crc.update(scene.image());
                            crc.update(scene.mask());
                        });
        return crc.getValue();
    }

    private static int colour(Scene scene, int pixel) {
        int rgb = 0;
        for (int c = 0; c < 3; c++) {
            rgb = (rgb << 8) + (scene.image()[3 * pixel + c] & 0xff);
        }
        return rgb;
    }

    /** The colour of each label; fails if a label has two. */
    private static Map<Integer, Integer> colours(Scene scene) {
        Map<Integer, Integer> colours = new TreeMap<>();
        for (int p = 0; p < scene.mask().length; p++) {
            Integer before = colours.put((int) scene.mask()[p], colour(scene, p));
            assertTrue(before == null || before == colour(scene, p), "one colour for each label");
        }
        return colours;
    }

    /** These very scenes must come on every system and in every version: results depend on them. */
    @Test
    void scenesNeverChange() {
        assertEquals(TETROMINOES, checksum(tetrominoes(100, 7)));
        assertEquals(SPRITES, checksum(sprites(100).optSeed(7).build()));
    }

    @ParameterizedTest
    @MethodSource("both")
    void aSceneDependsOnSeedAndIndexAlone(Scenes scenes) {
        List<Scene> inOrder = scenes.open().toList();
        List<Long> mixed = new ArrayList<>(LongStream.range(0, 200).boxed().toList());
        Collections.shuffle(mixed, new Random(1));
        // From many threads at once, in another order.
        Map<Long, Scene> parallel = new ConcurrentHashMap<>();
        mixed.parallelStream().forEach(index -> parallel.put(index, get(scenes, index)));
        for (int i = 0; i < 200; i++) {
            assertEquals(inOrder.get(i), parallel.get((long) i));
        }
        assertEquals(200, new HashSet<>(inOrder).size(), "all scenes differ");
    }

    @Test
    void aLargerSetBeginsWithTheSmallerAndSeedsDiffer() throws Exception {
        assertEquals(tetrominoes(3, 5).get(2), tetrominoes(1L << 40, 5).get(2));
        assertNotEquals(tetrominoes(3, 5).get(2), tetrominoes(3, 6).get(2));
        assertNotEquals(
                sprites(3).optSeed(5).build().get(2), sprites(3).optSeed(-5).build().get(2));
        Scene far = tetrominoes(1L << 40, 5).get((1L << 40) - 1);
        assertEquals(3, far.objectCount());
        // Neighbouring seeds do not give the same scenes moved by one.
        assertNotEquals(tetrominoes(3, 5).get(2), tetrominoes(3, 6).get(1));
        assertNotEquals(tetrominoes(3, 5).get(1), tetrominoes(3, 6).get(2));
    }

    @ParameterizedTest
    @MethodSource("both")
    void thereAreOnlySoMany(Scenes scenes) {
        assertEquals(200, scenes.size());
        assertThrows(IndexOutOfBoundsException.class, () -> scenes.get(200));
        assertThrows(IndexOutOfBoundsException.class, () -> scenes.get(-1));
    }

    @Test
    void tetrominoesAreAsDescribed() {
        Set<Integer> allowed = Set.of(0xff0000, 0x00ff00, 0x0000ff, 0xffff00, 0xff00ff, 0x00ffff);
        Map<Integer, Integer> colourCounts = new HashMap<>();
        Map<String, Integer> shapeCounts = new HashMap<>();
        Set<Integer> tops = new TreeSet<>();
        int n = 4000;
        tetrominoes(n, 11)
                .open()
                .forEach(
                        scene -> {
                            assertEquals(35, scene.height());
                            assertEquals(35, scene.width());
                            assertEquals(3, scene.objectCount());
                            Map<Integer, Integer> colours = colours(scene);
                            assertEquals(Set.of(0, 1, 2, 3), colours.keySet());
                            assertEquals(0, colours.get(0), "black background");
                            for (int k = 1; k <= 3; k++) {
                                assertTrue(allowed.contains(colours.get(k)));
                                colourCounts.merge(colours.get(k), 1, Integer::sum);
                                shapeCounts.merge(shape(scene, k, tops), 1, Integer::sum);
                            }
                        });
        assertEquals(6, colourCounts.size());
        assertEquals(17, shapeCounts.size());
        // Equally likely, within 5 standard deviations.
        assertNear(3 * n / 6.0, 5 * Math.sqrt(3 * n / 6.0), colourCounts);
        assertNear(3 * n / 17.0, 5 * Math.sqrt(3 * n / 17.0), shapeCounts);
        assertEquals(31, tops.size(), "any row from 0 to 30");
    }

    private static void assertNear(double expected, double margin, Map<?, Integer> counts) {
        counts.forEach((what, count) -> assertEquals(expected, count, margin, what.toString()));
    }

    /** The blocks of one tetromino relative to its corner; fails if they are no 5 x 5 squares. */
    private static String shape(Scene scene, int label, Set<Integer> tops) {
        int top = 35;
        int left = 35;
        for (int p = 0; p < 35 * 35; p++) {
            if (scene.mask()[p] == label) {
                top = Math.min(top, p / 35);
                left = Math.min(left, p % 35);
            }
        }
        tops.add(top);
        int[] filled = new int[16];
        for (int p = 0; p < 35 * 35; p++) {
            if (scene.mask()[p] == label) {
                filled[(p / 35 - top) / 5 * 4 + (p % 35 - left) / 5]++;
            }
        }
        int[] sorted = filled.clone();
        Arrays.sort(sorted);
        assertArrayEquals(new int[] {0, 25, 25, 25, 25}, Arrays.copyOfRange(sorted, 11, 16));
        return Arrays.toString(filled);
    }

    @Test
    void spritesAreAsDescribed() {
        int n = 3000;
        int[] numbers = new int[6];
        long[] foreground = new long[1];
        Set<Integer> greys = new HashSet<>();
        sprites(n)
                .optSeed(11)
                .build()
                .open()
                .forEach(
                        scene -> {
                            assertEquals(64, scene.height());
                            assertEquals(64, scene.width());
                            numbers[scene.objectCount()]++;
                            Map<Integer, Integer> colours = colours(scene);
                            assertEquals(scene.objectCount() + 1, colours.size());
                            int grey = colours.get(0);
                            assertEquals((grey & 0xff) * 0x010101, grey);
                            greys.add(grey);
                            for (int k = 1; k <= scene.objectCount(); k++) {
                                int c = colours.get(k);
                                assertColour(c >> 16, (c >> 8) & 0xff, c & 0xff);
                                assertTrue(pixels(scene, k) >= 15);
                            }
                            foreground[0] += 64 * 64 - pixels(scene, 0);
                        });
        for (int k = 2; k <= 5; k++) {
            assertEquals(n / 4.0, numbers[k], 5 * Math.sqrt(n / 4.0));
        }
        assertEquals(n, Arrays.stream(numbers).sum());
        assertTrue(greys.size() > 250, "greys: " + greys.size());
        assertEquals(0.18, foreground[0] / (64.0 * 64 * n), 0.01);
    }

    private static int pixels(Scene scene, int label) {
        int pixels = 0;
        for (byte b : scene.mask()) {
            pixels += b == label ? 1 : 0;
        }
        return pixels;
    }

    /** Saturation and value at least a half, but for rounding. */
    private static void assertColour(int red, int green, int blue) {
        double value = Math.max(red, Math.max(green, blue));
        double saturation = 1 - Math.min(red, Math.min(green, blue)) / value;
        assertTrue(value >= 127, "value " + value);
        assertTrue(saturation >= 0.495, "saturation " + saturation);
    }

    @Test
    void numberOfSpritesIsAnOption() {
        sprites(50).optSprites(0, 0).build().open().forEach(s -> assertEquals(0, s.objectCount()));
        Set<Integer> seen = new TreeSet<>();
        sprites(50).optSprites(3, 4).build().open().forEach(s -> seen.add(s.objectCount()));
        assertEquals(Set.of(3, 4), seen);
    }

    @Test
    void radiusIsAnOption() {
        sprites(100)
                .optSprites(1, 1)
                .optRadius(20, 20)
                .build()
                .open()
                // Between the heart's 1.8 and the square's 2 times the radius squared.
                .forEach(s -> assertEquals(1.9 * 400, pixels(s, 1), 0.15 * 400));
        sprites(20)
                .optSprites(1, 1)
                .optRadius(32, 32)
                .build()
                .open()
                .forEach(GeneratedScenesTest::colours);
    }

    @Test
    void visiblePartIsAnOption() {
        // Wholly visible sprites of one size: none has fewer pixels than one alone can have.
        sprites(100)
                .optSprites(2, 2)
                .optRadius(15, 15)
                .optLeastVisible(1)
                .build()
                .open()
                .forEach(
                        s -> {
                            assertTrue(pixels(s, 1) > 1.7 * 225, "pixels " + pixels(s, 1));
                            assertTrue(pixels(s, 2) > 1.7 * 225);
                        });
        long hidden =
                sprites(100)
                        .optSprites(2, 2)
                        .optRadius(15, 15)
                        .build()
                        .open()
                        .filter(s -> pixels(s, 1) <= 1.7 * 225)
                        .count();
        assertTrue(hidden > 10, "hidden " + hidden);
    }

    @Test
    void saysSoIfSpritesDoNotFit() {
        Scenes scenes = sprites(1).optSprites(2, 2).optRadius(32, 32).optLeastVisible(1).build();
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> scenes.get(0));
        assertEquals(
                "MultiDSprites: found no placement of 2 sprites in which each can be seen; ask for"
                        + " fewer or smaller ones",
                e.getMessage());
    }

    /** Cells of 4 x 4 pixels show one colour each, and pieces take four of them. */
    @Test
    void piecesLieOnALattice() throws IOException {
        Scenes aligned =
                Tetrominoes.builder()
                        .setSize(100)
                        .optSeed(3)
                        .optSide(32)
                        .optBlock(4)
                        .optAligned(true)
                        .build();
        for (int i = 0; i < 100; i++) {
            Scene scene = aligned.get(i);
            assertEquals(32, scene.height());
            assertEquals(32, scene.width());
            byte[] rgb = scene.image();
            byte[] mask = scene.mask();
            int[] cells = new int[4];
            for (int p = 0; p < mask.length; p++) {
                int corner = p / 32 / 4 * 4 * 32 + p % 32 / 4 * 4;
                assertEquals(mask[corner], mask[p], "scene " + i);
                for (int c = 0; c < 3; c++) {
                    assertEquals(rgb[3 * corner + c], rgb[3 * p + c], "scene " + i);
                }
                if (corner == p) {
                    cells[mask[p]]++;
                }
            }
            assertArrayEquals(new int[] {52, 4, 4, 4}, cells, "scene " + i);
        }
        Scene anywhere = Tetrominoes.builder().setSize(1).optSide(18).optBlock(3).build().get(0);
        assertEquals(18, anywhere.height());
    }

    @Test
    void optionsAreChecked() {
        assertRefused(
                "Tetrominoes: side must be at least 6 blocks of 5 and at most 4096, got 29",
                () -> Tetrominoes.builder().setSize(1).optSide(29).build());
        assertRefused(
                "Tetrominoes: side must be at least 6 blocks of 5 and at most 4096, got 4097",
                () -> Tetrominoes.builder().setSize(1).optSide(4097).build());
        assertRefused(
                "Tetrominoes: block must be at least 1, got 0",
                () -> Tetrominoes.builder().setSize(1).optBlock(0).build());
        assertRefused(
                "Tetrominoes: size must be at least 0, got -1",
                () -> Tetrominoes.builder().build());
        assertRefused(
                "MultiDSprites: size must be at least 0, got -1",
                () -> MultiDSprites.builder().build());
        assertRefused(
                "MultiDSprites: sprites must be 0 <= fewest <= most <= 16, got 3, 2",
                () -> sprites(1).optSprites(3, 2).build());
        assertRefused(
                "MultiDSprites: sprites must be 0 <= fewest <= most <= 16, got 3, 17",
                () -> sprites(1).optSprites(3, 17).build());
        assertRefused(
                "MultiDSprites: radius must be 3 <= smallest <= largest <= 32, got 2.0, 5.0",
                () -> sprites(1).optRadius(2, 5).build());
        assertRefused(
                "MultiDSprites: radius must be 3 <= smallest <= largest <= 32, got 5.0, NaN",
                () -> sprites(1).optRadius(5, Double.NaN).build());
        assertRefused(
                "MultiDSprites: leastVisible must be in [0, 1], got 1.5",
                () -> sprites(1).optLeastVisible(1.5).build());
        assertEquals(0, tetrominoes(0, 0).open().count());
    }
}
