package org.slotwise.examples;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.util.NDImageUtils;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Which pixel belongs to which slot: to the one to which it belongs more than to any other.
 *
 * @param labels for each pixel its slot, (H, W); slot 0 is the largest
 * @param pixels for each slot the number of its pixels, which may be 0
 */
record Segmentation(NDArray labels, int[] pixels) {

    /**
     * Decides for each pixel, and puts the slots in order.
     *
     * @param attributions how much each pixel belongs to each slot, (1, K, N)
     * @param width W
     * @param height H, where H W = N
     * @return the segmentation
     */
    static Segmentation of(NDArray attributions, int width, int height) {
        int slots = (int) attributions.getShape().get(1);
        long[] best = attributions.argMax(1).toLongArray();
        int[] counts = new int[slots];
        for (long slot : best) {
            counts[(int) slot]++;
        }
        int[] order =
                IntStream.range(0, slots)
                        .boxed()
                        .sorted(Comparator.comparingInt(k -> -counts[k]))
                        .mapToInt(k -> k)
                        .toArray();
        int[] rank = new int[slots];
        int[] pixels = new int[slots];
        for (int i = 0; i < slots; i++) {
            rank[order[i]] = i;
            pixels[i] = counts[order[i]];
        }
        int[] labels = IntStream.range(0, best.length).map(i -> rank[(int) best[i]]).toArray();
        return new Segmentation(
                attributions.getManager().create(labels, new Shape(height, width)), pixels);
    }

    /**
     * The slots' masks at another size.
     *
     * @param width W'
     * @param height H'
     * @return (H', W', K), in [0, 1]: 0 or 1, and at edges what lies between where the masks grow
     */
    NDArray masks(int width, int height) {
        NDArray masks = labels.oneHot(pixels.length);
        return NDImageUtils.resize(masks, width, height, Image.Interpolation.BILINEAR);
    }
}
