package org.slotwise.layer;

import org.slotwise.internal.Limits;

/**
 * What a convolution looks at, the same in height and width: how large its kernel is, how far it
 * goes from one place to the next, and how many zeros lie around the image.
 *
 * <p>{@code Window.same(5).withStride(2)} is PyTorch's {@code kernel_size=5, stride=2, padding=2}.
 *
 * @param kernel height and width of the kernel, from 1 to 4,096
 * @param stride the step from one place to the next, from 1 to 4,096
 * @param padding how many zeros lie at each side, from 0 to 4,096
 */
public record Window(int kernel, int stride, int padding) {

    /**
     * Creates the window.
     *
     * @param kernel from 1 to 4,096
     * @param stride from 1 to 4,096
     * @param padding from 0 to 4,096
     * @throws IllegalArgumentException if a number is out of its range
     */
    public Window {
        String who = "Window";
        Limits.count(who, "kernel", kernel, 1, Limits.WINDOW);
        Limits.count(who, "stride", stride, 1, Limits.WINDOW);
        Limits.count(who, "padding", padding, 0, Limits.WINDOW);
    }

    /**
     * A window of stride 1 without zeros around the image, PyTorch's default.
     *
     * @param kernel from 1 to 4,096
     * @return the window
     */
    public static Window valid(int kernel) {
        return new Window(kernel, 1, 0);
    }

    /**
     * A window of stride 1 with half a kernel of zeros at each side: an odd kernel keeps the
     * image's size.
     *
     * @param kernel from 1 to 4,096
     * @return the window
     */
    public static Window same(int kernel) {
        return new Window(kernel, 1, kernel / 2);
    }

    /**
     * The same window with another stride.
     *
     * @param newStride at least 1
     * @return the window
     */
    public Window withStride(int newStride) {
        return new Window(kernel, newStride, padding);
    }

    /**
     * The same window with other padding.
     *
     * @param newPadding at least 0
     * @return the window
     */
    public Window withPadding(int newPadding) {
        return new Window(kernel, stride, newPadding);
    }

    /**
     * How many places the window has along an axis: the size of what a convolution gives.
     *
     * @param size the image's size along the axis; -1 where it is not known
     * @return (size + 2 padding - kernel) / stride + 1, rounded down; -1 for a size that is not
     *     known, at most 0 for one that is too small
     */
    public long places(long size) {
        return size < 0 ? size : Math.floorDiv(size + 2L * padding - kernel, stride) + 1;
    }
}
