package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** The size that pictures are brought to before clean-fid's network: {@code resources/distance}. */
@ExtendWith(OnDevice.class)
class CubicResamplingTest {

    private static final int SIDE = 299;

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("distance", "clean resize");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isPillowsToTheLastBit(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        float[] planes =
                CubicResampling.planes(
                        arrays.get("in/image").toByteArray(),
                        reference.integer("height"),
                        reference.integer("width"),
                        3,
                        SIDE,
                        SIDE);
        int crops = 0;
        for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
            if (!entry.getKey().startsWith("out/crop_")) {
                continue;
            }
            String[] place = entry.getKey().split("_", -1);
            int top = Integer.parseInt(place[1]);
            int left = Integer.parseInt(place[2]);
            float[] expected = entry.getValue().toFloatArray();
            float[] got = new float[expected.length];
            int side = (int) entry.getValue().getShape().get(0);
            for (int i = 0; i < got.length; i++) {
                int y = top + i / 3 / side;
                int x = left + i / 3 % side;
                got[i] = planes[(i % 3 * SIDE + y) * SIDE + x];
            }
            assertArrayEquals(expected, got, entry.getKey());
            crops++;
        }
        assertEquals(4, crops);
        double[] sums = arrays.get("out/sum").toDoubleArray();
        for (int c = 0; c < 3; c++) {
            double sum = 0;
            for (int i = c * SIDE * SIDE; i < (c + 1) * SIDE * SIDE; i++) {
                sum += planes[i];
            }
            assertEquals(sums[c], sum, 1e-12 * sum);
        }
    }

    @Test
    void sizesThatStayAreLeftAlone() {
        byte[] image = new byte[5 * 7 * 2];
        new Random(1).nextBytes(image);
        float[] same = CubicResampling.planes(image, 5, 7, 2, 5, 7);
        for (int i = 0; i < image.length; i++) {
            assertEquals(image[i] & 0xff, same[i % 2 * 35 + i / 2]);
        }
        float[] wider = CubicResampling.planes(image, 5, 7, 2, 5, 9);
        float[] rowAlone = CubicResampling.planes(Arrays.copyOfRange(image, 14, 28), 1, 7, 2, 1, 9);
        assertArrayEquals(Arrays.copyOf(rowAlone, 9), Arrays.copyOfRange(wider, 9, 18));
    }

    /** One colour stays it, whatever the sizes; overshoot is cut off. */
    @Test
    void valuesStayBetweenBlackAndWhite() {
        byte[] edge = new byte[4 * 8];
        for (int i = 0; i < edge.length; i++) {
            edge[i] = (byte) (i % 8 < 4 ? 0 : 255);
        }
        for (int side : new int[] {1, 3, 50}) {
            float[] got = CubicResampling.planes(edge, 4, 8, 1, side, side);
            for (float value : got) {
                assertTrue(value >= 0 && value <= 255, () -> "got " + value);
            }
        }
        float[] flat = CubicResampling.planes(new byte[] {(byte) 200}, 1, 1, 1, 6, 3);
        float[] expected = new float[18];
        Arrays.fill(expected, 200);
        assertArrayEquals(expected, flat);
    }
}
