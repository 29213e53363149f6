package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResamplingTest {

    /** Colours are filtered one by one. */
    @ParameterizedTest
    @CsvSource({"12, 9, 5, 4", "5, 4, 12, 9", "7, 7, 7, 3", "1, 6, 2, 2"})
    void eachChannelIsByItself(int height, int width, int newHeight, int newWidth) {
        byte[] image = new byte[3 * height * width];
        new Random(5).nextBytes(image);
        byte[] all = Resampling.triangle(image, height, width, 3, newHeight, newWidth);
        for (int c = 0; c < 3; c++) {
            byte[] channel = new byte[height * width];
            for (int p = 0; p < channel.length; p++) {
                channel[p] = image[3 * p + c];
            }
            byte[] one = Resampling.triangle(channel, height, width, 1, newHeight, newWidth);
            for (int p = 0; p < one.length; p++) {
                assertEquals(one[p], all[3 * p + c]);
            }
        }
    }
}
