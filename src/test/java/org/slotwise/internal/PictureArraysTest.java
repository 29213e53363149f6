package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class PictureArraysTest {

    /** Two pictures of 8 x 11 pixels, in which each byte occurs. */
    private static List<byte[]> pictures() {
        byte[][] pictures = new byte[2][3 * 8 * 11];
        for (int i = 0; i < pictures[0].length; i++) {
            pictures[0][i] = (byte) i;
            pictures[1][i] = (byte) (7 * i + 3);
        }
        return List.of(pictures);
    }

    @Test
    void imagesAreBytesDividedBy255ToTheLastBit(NDManager manager) {
        List<byte[]> pictures = pictures();
        float[] expected = new float[2 * 3 * 8 * 11];
        for (int i = 0; i < expected.length; i++) {
            int pixel = i % (8 * 11);
            int channel = i / (8 * 11) % 3;
            byte value = pictures.get(i / (3 * 8 * 11))[3 * pixel + channel];
            expected[i] = (value & 0xff) / 255f;
        }
        int before = manager.getManagedArrays().size();
        NDArray images = PictureArrays.images(manager, pictures, 8, 11);
        assertEquals(before + 1, manager.getManagedArrays().size());
        assertEquals(new Shape(2, 3, 8, 11), images.getShape());
        assertEquals(DataType.FLOAT32, images.getDataType());
        assertEquals(manager.getDevice(), images.getDevice());
        assertArrayEquals(expected, images.toFloatArray());
        // In this order in memory too: a view, not a copy.
        images.reshape(-1).muli(2);
        assertEquals(2 * expected[5], images.getFloat(0, 0, 0, 5));
    }

    @Test
    void labelsAreUnsignedBytes(NDManager manager) {
        NDArray labels = PictureArrays.labels(manager, pictures());
        assertEquals(new Shape(2, 3 * 8 * 11), labels.getShape());
        assertEquals(DataType.INT64, labels.getDataType());
        assertEquals(manager.getDevice(), labels.getDevice());
        long[] values = labels.toLongArray();
        for (int i = 0; i < 3 * 8 * 11; i++) {
            assertEquals(i % 256, values[i]);
        }
    }
}
