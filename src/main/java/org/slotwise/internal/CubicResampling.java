package org.slotwise.internal;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Changes the size of images by cubic convolution with antialiasing and without rounding to bytes:
 * what Pillow's {@code resize} with {@code BICUBIC} gives for each channel in its mode "F", to the
 * last bit.
 *
 * <p>Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), with a =
 * -1/2; the kernel is as much wider as the image becomes smaller. Columns first, then rows; weights
 * and sums in float64, each pass gives float32; a pass that would change no size is left out.
 *
 * <pre>{@code
 * k(x) = (a + 2)|x|³ - (a + 3)|x|² + 1        |x| < 1
 *      = (|x|³ - 5|x|² + 8|x| - 4) a          |x| < 2; 0 beyond
 * }</pre>
 */
public final class CubicResampling {

    private static final double A = -0.5;

    private static final double REACH = 2;

    private CubicResampling() {}

    /** For each output position the first input position, and the weights from there on. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Taps(int[] first, double[][] weights) {

        static Taps of(int from, int to) {
            int[] first = new int[to];
            double[][] weights = new double[to][];
            double scale = (double) from / to;
            double stretch = Math.max(scale, 1);
            double support = REACH * stretch;
            double inverse = 1 / stretch;
            for (int o = 0; o < to; o++) {
                double centre = (o + 0.5) * scale;
                first[o] = Math.max(0, (int) (centre - support + 0.5));
                int end = Math.min(from, (int) (centre + support + 0.5));
                weights[o] = new double[end - first[o]];
                double sum = 0;
                for (int i = 0; i < weights[o].length; i++) {
                    weights[o][i] = kernel((first[o] + i - centre + 0.5) * inverse);
                    sum += weights[o][i];
                }
                for (int i = 0; i < weights[o].length; i++) {
                    weights[o][i] /= sum;
                }
            }
            return new Taps(first, weights);
        }
    }

    private static double kernel(double at) {
        double x = Math.abs(at);
        if (x < 1) {
            return ((A + 2) * x - (A + 3)) * x * x + 1;
        }
        return x < REACH ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }

    /**
     * Changes the size of an image. The kernel overshoots at edges: values are between 0 and 255
     * because they are cut off there.
     *
     * @param image (H, W, C), a byte each
     * @param height H
     * @param width W
     * @param channels C
     * @param newHeight H'
     * @param newWidth W'
     * @return (C, H', W'), from 0 to 255
     */
    public static float[] planes(
            byte[] image, int height, int width, int channels, int newHeight, int newWidth) {
        Taps across = Taps.of(width, newWidth);
        Taps down = Taps.of(height, newHeight);
        int area = Math.multiplyExact(newHeight, newWidth);
        float[] planes = new float[Math.multiplyExact(channels, area)];
        float[] rows = new float[Math.multiplyExact(height, newWidth)];
        double[] sums = new double[newWidth];
        for (int c = 0; c < channels; c++) {
            across(image, height, width, channels, c, width == newWidth ? null : across, rows);
            for (int y = 0; y < newHeight; y++) {
                int out = c * area + y * newWidth;
                if (height == newHeight) {
                    System.arraycopy(rows, y * newWidth, planes, out, newWidth);
                } else {
                    down(rows, newWidth, down.first[y], down.weights[y], sums);
                    for (int x = 0; x < newWidth; x++) {
                        planes[out + x] = (float) sums[x];
                    }
                }
            }
        }
        for (int i = 0; i < planes.length; i++) {
            planes[i] = Math.max(0, Math.min(255, planes[i]));
        }
        return planes;
    }

    /** One channel of (H, W, C) to (H, W'); without taps as it is. */
    private static void across(
            byte[] image,
            int height,
            int width,
            int channels,
            int channel,
            @Nullable Taps taps,
            float[] rows) {
        int newWidth = taps == null ? width : taps.first.length;
        for (int y = 0; y < height; y++) {
            int row = y * width * channels + channel;
            for (int x = 0; x < newWidth; x++) {
                double sum = 0;
                if (taps == null) {
                    sum = image[row + x * channels] & 0xff;
                } else {
                    int in = row + taps.first[x] * channels;
                    for (double weight : taps.weights[x]) {
                        sum += (image[in] & 0xff) * weight;
                        in += channels;
                    }
                }
                rows[y * newWidth + x] = (float) sum;
            }
        }
    }

    /** The sums of a new row, in the order of the old ones. */
    private static void down(float[] rows, int width, int first, double[] weights, double[] sums) {
        Arrays.fill(sums, 0);
        for (int i = 0; i < weights.length; i++) {
            int in = (first + i) * width;
            double weight = weights[i];
            for (int x = 0; x < width; x++) {
                sums[x] += rows[in + x] * weight;
            }
        }
    }
}
