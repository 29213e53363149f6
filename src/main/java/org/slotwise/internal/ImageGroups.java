package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Computes a batch a few images at a time, so many as stay in a processor's cache.
 *
 * <p>Images do not depend on each other, and a grouping passes over the features of an image many
 * times, forward and backward. What is made for a group of images is freed before the next group
 * comes; in training it is the gradients on their way that are never all there at once. On a GPU a
 * batch is one group.
 */
public final class ImageGroups {

    /** About the size of a second-level cache, and a small part of a third-level one. */
    private static final long GROUP_BYTES = 4 << 20;

    /**
     * For work that makes much of little, where groups are for memory's sake: convolutions gain
     * nothing from a cache, and each call should be worth sharing among threads.
     */
    private static final long WORK_BYTES = 16 << 20;

    /** The gradients of weights are added up once for each group: not for every image or two. */
    private static final long FEWEST_IMAGES = 4;

    private ImageGroups() {}

    /**
     * Computes group by group and joins the results.
     *
     * @param inputs arrays whose first axis counts images; the first is the largest
     * @param work from the inputs of some images to arrays whose first axis counts the same images,
     *     all made by it
     * @return for each array that {@code work} returns, the array for the whole batch
     */
    public static NDList map(NDList inputs, UnaryOperator<NDList> work) {
        return ofSize(Math.max(FEWEST_IMAGES, imagesIn(GROUP_BYTES, inputs)), inputs, work);
    }

    /**
     * Computes group by group and joins the results, for work that makes larger arrays than its
     * inputs.
     *
     * @param numbers how many numbers the largest array on the way has for one image
     * @param inputs arrays whose first axis counts images, of the type of that array
     * @param work from the inputs of some images to arrays whose first axis counts the same images,
     *     all made by it
     * @return for each array that {@code work} returns, the array for the whole batch
     */
    public static NDList map(long numbers, NDList inputs, UnaryOperator<NDList> work) {
        return ofSize(imagesIn(numbers, inputs.head()), inputs, work);
    }

    /**
     * Whether {@link #map(long, NDList, UnaryOperator)} would compute a batch at once.
     *
     * @param numbers how many numbers the largest array on the way has for one image
     * @param images an array whose first axis counts images, of the type of that array
     * @return whether it is one group
     */
    public static boolean isOne(long numbers, NDArray images) {
        return images.getShape().get(0) <= imagesIn(numbers, images);
    }

    private static long imagesIn(long numbers, NDArray images) {
        return Math.max(1, WORK_BYTES / (numbers * images.getDataType().getNumOfBytes()));
    }

    static NDList map(NDList inputs, long groupBytes, UnaryOperator<NDList> work) {
        return ofSize(Math.max(1, imagesIn(groupBytes, inputs)), inputs, work);
    }

    private static long imagesIn(long bytes, NDList inputs) {
        Shape shape = inputs.head().getShape();
        long image = shape.size() / shape.get(0) * inputs.head().getDataType().getNumOfBytes();
        return bytes / image;
    }

    private static NDList ofSize(long size, NDList inputs, UnaryOperator<NDList> work) {
        long batch = inputs.head().getShape().get(0);
        if (size >= batch || inputs.head().getDevice().isGpu()) {
            return work.apply(inputs);
        }
        // Even groups: 64 images in groups of at most 15 are 5 groups of 13 or 12.
        int groups = (int) ((batch + size - 1) / size);
        long[] bounds = new long[groups - 1];
        for (int i = 1; i < groups; i++) {
            bounds[i - 1] = batch * i / groups;
        }
        List<NDList> parts = new ArrayList<>();
        for (NDArray input : inputs) {
            // In training one split: its gradient is one join, where slices would each fill a batch
            // with zeros.
            parts.add(input.split(bounds, 0));
        }
        List<NDList> results = new ArrayList<>();
        for (int i = 0; i < groups; i++) {
            NDList group = new NDList();
            for (NDList part : parts) {
                group.add(part.get(i));
            }
            try (Scope scope = new Scope()) {
                NDList result = work.apply(group);
                result.forEach(scope::keep);
                results.add(result);
            }
        }
        NDList joined = new NDList();
        for (int i = 0; i < results.get(0).size(); i++) {
            NDList column = new NDList();
            for (NDList result : results) {
                column.add(result.get(i));
            }
            joined.add(NDArrays.concat(column, 0));
        }
        return joined;
    }
}
