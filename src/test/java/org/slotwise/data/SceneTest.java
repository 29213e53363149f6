package org.slotwise.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.SmallScenes.grey;
import static org.slotwise.testing.SmallScenes.numbered;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slotwise.data.generated.Tetrominoes;

class SceneTest {

    private static int[] red(Scene scene) {
        int[] red = new int[scene.height() * scene.width()];
        for (int p = 0; p < red.length; p++) {
            red[p] = scene.image()[3 * p] & 0xff;
        }
        return red;
    }

    @Test
    void countsTheObjectsOfItsMask() {
        byte[] image = new byte[12];
        assertEquals(2, new Scene(2, 2, image, new byte[] {0, 3, 3, (byte) 255}).objectCount());
        assertEquals(0, new Scene(2, 2, image, new byte[4]).objectCount());
        assertEquals(9, new Scene(2, 2, image, new byte[4], 9).objectCount());
        Scene unknown = new Scene(2, 2, image);
        assertEquals(0, unknown.objectCount());
        assertFalse(unknown.hasMask());
        assertThrows(IllegalStateException.class, unknown::mask);
    }

    @Test
    void refusesWrongSizes() {
        assertRefused(
                "Scene: height and width must be at least 1, got 0 and 4",
                () -> new Scene(0, 4, new byte[0]));
        assertRefused(
                "Scene: image must have 18 bytes (2 x 3 x 3), got 17",
                () -> new Scene(2, 3, new byte[17]));
        assertRefused(
                "Scene: mask must have 6 bytes (2 x 3), got 5",
                () -> new Scene(2, 3, new byte[18], new byte[5]));
        assertRefused(
                "Scene: objectCount must be at least 0, got -1",
                () -> new Scene(2, 3, new byte[18], null, -1));
    }

    @Test
    void writesUnitValuesChannelByChannel() {
        Scene scene =
                new Scene(
                        1, 2, new byte[] {0, 51, (byte) 255, (byte) 128, 1, 2}, new byte[] {0, -1});
        float[] pixels = new float[7];
        scene.imageInto(pixels, 1);
        assertArrayEquals(new float[] {0, 0, 128 / 255f, 0.2f, 1 / 255f, 1, 2 / 255f}, pixels, 0f);
        long[] labels = new long[3];
        scene.maskInto(labels, 1);
        assertArrayEquals(new long[] {0, 0, 255}, labels);
    }

    @Test
    void cropsImageAndMask() {
        Scene cut = numbered(5, 4).crop(new Crop(1, 2, 3, 2));
        assertEquals(3, cut.height());
        assertEquals(2, cut.width());
        assertArrayEquals(
                new byte[] {1, 2, 7, 1, 3, 7, 2, 2, 7, 2, 3, 7, 3, 2, 7, 3, 3, 7}, cut.image());
        assertArrayEquals(new byte[] {6, 7, 10, 11, 14, 15}, cut.mask());
        assertEquals(19, cut.objectCount(), "the scene's objects, not the window's");
        assertFalse(grey(1, 2, 3, 4).crop(new Crop(0, 1, 1, 1)).hasMask());
        assertRefused(
                "Scene: Crop[top=3, left=0, height=3, width=4] is not inside an image of 5 x 4",
                () -> numbered(5, 4).crop(new Crop(3, 0, 3, 4)));
    }

    @Test
    void cropOfClevrIsTheOneOfSlotAttention() {
        Scene cut =
                new Scene(240, 320, new byte[3 * 240 * 320], new byte[240 * 320])
                        .crop(Crop.CLEVR)
                        .resize(128, 128);
        assertEquals(128, cut.height());
        assertEquals(29 + 192, Crop.CLEVR.top() + Crop.CLEVR.height());
        assertEquals(64 + 192, Crop.CLEVR.left() + Crop.CLEVR.width());
    }

    @Test
    void centredWindowKeepsProportions() {
        assertEquals(new Crop(0, 40, 240, 240), Crop.centre(240, 320, 64, 64));
        assertEquals(new Crop(40, 0, 160, 320), Crop.centre(240, 320, 10, 20));
        assertEquals(new Crop(0, 0, 1, 1), Crop.centre(1, 1, 1000, 1));
        assertEquals(new Crop(0, 0, 7, 7), Crop.centre(7, 7, 35, 35));
        assertEquals(new Crop(0, 0, 1, 3), Crop.centre(1, 3, 1, 3));
        assertRefused("Crop: each size must be at least 1", () -> Crop.centre(0, 1, 1, 1));
        assertRefused(
                "Crop: top and left must be at least 0, got -1 and 2", () -> new Crop(-1, 2, 3, 3));
        assertRefused(
                "Crop: height and width must be at least 1, got 3 and 0",
                () -> new Crop(1, 2, 3, 0));
        assertRefused(
                "Crop: the window's end is too far out",
                () -> new Crop(Integer.MAX_VALUE, 0, 1, 1));
    }

    @Test
    void shrinksByATriangleTwicePixelsWide() {
        // Of 4 pixels, weights (3, 3, 1) / 7 for the first of 2 and (1, 3, 3) / 7 for the second.
        Scene half = grey(1, 4, 0, 70, 140, 210).resize(1, 2);
        assertArrayEquals(new int[] {50, 160}, red(half));
        Scene down = grey(4, 1, 0, 70, 140, 210).resize(2, 1);
        assertArrayEquals(new int[] {50, 160}, red(down));
        // A checkerboard turns grey instead of aliasing.
        int[] board = new int[64 * 64];
        for (int p = 0; p < board.length; p++) {
            board[p] = (p / 64 + p) % 2 * 255;
        }
        for (int value : red(grey(64, 64, board).resize(16, 16))) {
            assertEquals(127.5, value, 8);
        }
    }

    @Test
    void growsBilinearly() {
        assertArrayEquals(new int[] {0, 25, 75, 100}, red(grey(1, 2, 0, 100).resize(1, 4)));
        assertArrayEquals(new int[] {0, 25, 75, 100}, red(grey(2, 1, 0, 100).resize(4, 1)));
    }

    @Test
    void resizingKeepsPlainColoursAndSize() {
        for (int value : new int[] {0, 1, 127, 254, 255}) {
            int[] plain = new int[35];
            Arrays.fill(plain, value);
            for (int size : new int[] {1, 2, 3, 9, 40}) {
                for (int got : red(grey(5, 7, plain).resize(size, size))) {
                    assertEquals(value, got);
                }
            }
        }
        Scene scene = numbered(3, 3);
        assertSame(scene, scene.resize(3, 3));
        assertRefused(
                "Scene: height and width must be at least 1, got 3 and 0",
                () -> scene.resize(3, 0));
    }

    @Test
    void masksTakeTheNearestLabel() {
        Scene scene = numbered(3, 3);
        assertArrayEquals(new byte[] {4}, scene.resize(1, 1).mask());
        assertArrayEquals(
                new byte[] {0, 0, 1, 1, 2, 2}, Arrays.copyOf(scene.resize(6, 6).mask(), 6));
        assertArrayEquals(new byte[] {0, 2, 6, 8}, scene.resize(2, 2).mask());
        assertEquals(8, scene.resize(1, 1).objectCount());
    }

    @Test
    void equalScenesAreEqual() {
        Scene scene = numbered(2, 3);
        assertEquals(scene, numbered(2, 3));
        assertEquals(scene.hashCode(), numbered(2, 3).hashCode());
        assertNotEquals(scene, numbered(3, 2));
        assertNotEquals(scene, new Scene(2, 3, scene.image()));
        assertNotEquals(scene, new Scene(2, 3, scene.image(), scene.mask(), 1));
        assertNotEquals(scene, new Scene(2, 3, new byte[18], scene.mask()));
        assertTrue(scene.toString().contains("2 x 3"));
    }

    @Test
    void rangesAndChangesAreViews() throws Exception {
        Scenes scenes = Tetrominoes.builder().setSize(10).build();
        Scenes part = scenes.range(4, 7);
        assertEquals(3, part.size());
        assertEquals(scenes.get(4), part.get(0));
        assertEquals(scenes.get(6), part.get(2));
        assertThrows(IndexOutOfBoundsException.class, () -> part.get(3));
        assertThrows(IndexOutOfBoundsException.class, () -> part.get(-1));
        assertEquals(scenes.get(5), part.range(1, 2).get(0));
        assertEquals(8, part.map(s -> s.resize(8, 8)).get(1).height());
        assertEquals(0, scenes.range(10, 10).size());
        assertRefused("Scenes: range 4 to 11 is not inside 0 to 10", () -> scenes.range(4, 11));
        assertRefused("Scenes: range 5 to 4 is not inside 0 to 10", () -> scenes.range(5, 4));
        assertEquals(scenes.open().toList(), Scenes.of(scenes.open().toList()).open().toList());
        Scenes listed = Scenes.of(List.of(scenes.get(0)));
        assertThrows(IndexOutOfBoundsException.class, () -> listed.get(1));
        assertThrows(IndexOutOfBoundsException.class, () -> listed.get(-1L << 32));
        Scene kept = scenes.get(9);
        assertEquals(List.of(kept), scenes.filter(kept::equals).open().toList());
    }
}
