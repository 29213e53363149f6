package org.slotwise.internal;

import java.util.Arrays;

/** Changes the size of images and masks; pixel i covers [i, i + 1). */
public final class Resampling {

    private Resampling() {}

    /** For each output position the first input position and the weights from there on. */
    private static final class Taps {
        final int[] first;
        final float[][] weights;

        Taps(int from, int to) {
            first = new int[to];
            weights = new float[to][];
            double scale = (double) from / to;
            double reach = Math.max(scale, 1);
            for (int o = 0; o < to; o++) {
                double centre = (o + 0.5) * scale;
                first[o] = Math.max(0, (int) Math.floor(centre - reach));
                weights[o] = new float[Math.min(from, (int) Math.ceil(centre + reach)) - first[o]];
                double sum = 0;
                for (int i = 0; i < weights[o].length; i++) {
                    double distance = Math.abs(first[o] + i + 0.5 - centre);
                    weights[o][i] = (float) Math.max(0, 1 - distance / reach);
                    sum += weights[o][i];
                }
                for (int i = 0; i < weights[o].length; i++) {
                    weights[o][i] /= (float) sum;
                }
            }
        }
    }

    /**
     * Filters bytes by a triangle as wide as a pixel of the smaller image: columns first, then
     * rows.
     *
     * @param image (H, W, C)
     * @param height H
     * @param width W
     * @param channels C
     * @param newHeight H'
     * @param newWidth W'
     * @return (H', W', C)
     */
    public static byte[] triangle(
            byte[] image, int height, int width, int channels, int newHeight, int newWidth) {
        Taps across = new Taps(width, newWidth);
        Taps down = new Taps(height, newHeight);
        int size = newWidth * channels;
        float[] sums = new float[Math.multiplyExact(newHeight, size)];
        Arrays.fill(sums, 0.5f); // rounds to the nearest
        float[] row = new float[size];
        // Row by row, and each into the sums that want it: a high image takes no more memory.
        for (int y = 0, from = 0; y < height; y++) {
            while (down.first[from] + down.weights[from].length <= y) {
                from++;
            }
            across(image, y * width * channels, channels, across, row);
            for (int o = from; o < newHeight && down.first[o] <= y; o++) {
                int tap = y - down.first[o];
                if (tap < down.weights[o].length) {
                    float weight = down.weights[o][tap];
                    int out = o * size;
                    for (int i = 0; i < size; i++) {
                        sums[out + i] += weight * row[i];
                    }
                }
            }
        }
        byte[] result = new byte[sums.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (byte) Math.min(255, (int) sums[i]);
        }
        return result;
    }

    /** One row (W, C) that begins somewhere, to (W', C). */
    private static void across(byte[] image, int start, int channels, Taps taps, float[] row) {
        if (channels == 3) {
            colours(image, start, taps, row);
            return;
        }
        Arrays.fill(row, 0);
        for (int x = 0; x < taps.first.length; x++) {
            int in = start + taps.first[x] * channels;
            int out = x * channels;
            for (float weight : taps.weights[x]) {
                for (int c = 0; c < channels; c++) {
                    row[out + c] += weight * (image[in + c] & 0xff);
                }
                in += channels;
            }
        }
    }

    /** The same for three channels, whose sums stay in registers. */
    private static void colours(byte[] image, int start, Taps taps, float[] row) {
        for (int x = 0; x < taps.first.length; x++) {
            int in = start + 3 * taps.first[x];
            float red = 0;
            float green = 0;
            float blue = 0;
            for (float weight : taps.weights[x]) {
                red += weight * (image[in] & 0xff);
                green += weight * (image[in + 1] & 0xff);
                blue += weight * (image[in + 2] & 0xff);
                in += 3;
            }
            row[3 * x] = red;
            row[3 * x + 1] = green;
            row[3 * x + 2] = blue;
        }
    }

    /**
     * Filters numbers as {@link #triangle} filters bytes, a row at a time.
     *
     * @param plane (H, W)
     * @param height H
     * @param width W
     * @param newHeight H'
     * @param newWidth W'
     * @return (H', W')
     */
    public static float[] plane(float[] plane, int height, int width, int newHeight, int newWidth) {
        if (height == newHeight && width == newWidth) {
            return plane.clone();
        }
        float[] rows = new float[height * newWidth];
        Taps across = new Taps(width, newWidth);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < newWidth; x++) {
                int in = y * width + across.first[x];
                float sum = 0;
                for (float weight : across.weights[x]) {
                    sum += weight * plane[in++];
                }
                rows[y * newWidth + x] = sum;
            }
        }
        Taps down = new Taps(height, newHeight);
        float[] result = new float[Math.multiplyExact(newHeight, newWidth)];
        for (int y = 0; y < newHeight; y++) {
            int in = down.first[y] * newWidth;
            for (float weight : down.weights[y]) {
                for (int x = 0; x < newWidth; x++) {
                    result[y * newWidth + x] += weight * rows[in++];
                }
            }
        }
        return result;
    }

    /**
     * Takes for each new pixel the label of the old pixel that its centre falls into.
     *
     * @param mask (H, W)
     * @param height H
     * @param width W
     * @param newHeight H'
     * @param newWidth W'
     * @return (H', W')
     */
    public static byte[] nearest(byte[] mask, int height, int width, int newHeight, int newWidth) {
        byte[] result = new byte[newHeight * newWidth];
        for (int y = 0; y < newHeight; y++) {
            int from = (int) ((2L * y + 1) * height / (2L * newHeight)) * width;
            for (int x = 0; x < newWidth; x++) {
                int at = (int) ((2L * x + 1) * width / (2L * newWidth));
                result[y * newWidth + x] = mask[from + at];
            }
        }
        return result;
    }
}
