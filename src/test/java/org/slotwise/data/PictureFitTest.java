package org.slotwise.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PictureFitTest {

    /** Columns 0 to 19, each of a colour, and a mask that has the column's number. */
    private static Scene columns(int height, int width) {
        byte[] image = new byte[3 * height * width];
        byte[] mask = new byte[height * width];
        for (int i = 0; i < mask.length; i++) {
            mask[i] = (byte) (i % width);
            Arrays.fill(image, 3 * i, 3 * i + 3, (byte) (10 * (i % width)));
        }
        return new Scene(height, width, image, mask);
    }

    @Test
    void cropsTheMiddle() {
        assertEquals(new Crop(0, 6, 8, 8), PictureFit.CROP.window(8, 20, 64, 64));
        assertEquals(new Crop(6, 0, 8, 8), PictureFit.CROP.window(20, 8, 64, 64));
        assertEquals(new Crop(0, 2, 8, 16), PictureFit.CROP.window(8, 20, 32, 64));
        Scene fitted = PictureFit.CROP.fitted(columns(8, 20), 8, 8);
        assertEquals(6, fitted.mask()[0]);
        assertEquals(13, fitted.mask()[7]);
        assertEquals(60, fitted.image()[0]);
        assertEquals(8, PictureFit.CROP.cut(columns(8, 20), 4, 4).width());
    }

    @Test
    void squeezesAll() {
        assertEquals(new Crop(0, 0, 8, 20), PictureFit.SQUEEZE.window(8, 20, 64, 64));
        Scene fitted = PictureFit.SQUEEZE.fitted(columns(8, 20), 8, 10);
        assertEquals(10, fitted.width());
        assertEquals(19, fitted.mask()[9]);
        assertEquals(1, Math.abs(fitted.mask()[0] - fitted.mask()[1]) - 1);
    }

    @Test
    void leavesWhatFits() {
        Scene scene = columns(8, 20);
        for (PictureFit fit : PictureFit.values()) {
            assertSame(scene, fit.fitted(scene, 8, 20));
            assertSame(scene, fit.cut(scene, 16, 40));
            assertThrows(IllegalArgumentException.class, () -> fit.fitted(scene, 0, 4));
        }
    }
}
