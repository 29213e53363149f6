package org.slotwise.examples.shared;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/** Where features lie, as sines and cosines: what encoders of these examples tell them. */
public final class PlaceWaves {

    /** How many numbers tell a position. */
    public static final int DIM = 10;

    private static final int FREQUENCIES = (DIM / 2 - 1) / 2;

    private PlaceWaves() {}

    /** How many rows, or columns, have features. */
    public static long places(long size, int stride) {
        return (size + stride - 1) / stride;
    }

    /** Where the pixels of every so many rows and columns are, in (0, 1): (N, 2), row first. */
    public static NDArray positions(NDArray images, int stride) {
        long height = images.getShape().get(2);
        long width = images.getShape().get(3);
        float[] yx = new float[(int) (2 * places(height, stride) * places(width, stride))];
        int at = 0;
        for (int y = 0; y < height; y += stride) {
            for (int x = 0; x < width; x += stride) {
                yx[at++] = (y + 0.5f) / height;
                yx[at++] = (x + 0.5f) / width;
            }
        }
        return constant(images, yx, 2);
    }

    /** t, sin(k pi t / 2), cos(k pi t / 2) of both coordinates t = 2 p - 1, (N, 10). */
    public static NDArray of(NDArray positions) {
        float[] p = positions.toFloatArray();
        int count = 1 + 2 * FREQUENCIES;
        float[] waves = new float[p.length * count];
        for (int i = 0; i < p.length; i++) {
            double t = 2 * p[i] - 1;
            waves[i * count] = (float) t;
            for (int k = 1; k <= FREQUENCIES; k++) {
                waves[i * count + 2 * k - 1] = (float) Math.sin(k * Math.PI * t / 2);
                waves[i * count + 2 * k] = (float) Math.cos(k * Math.PI * t / 2);
            }
        }
        return constant(positions, waves, 2 * count);
    }

    /** A copy in the engine's memory: a graph may not refer to a buffer of Java. */
    private static NDArray constant(NDArray like, float[] values, int columns) {
        NDManager manager = like.getManager();
        try (NDArray buffer = manager.create(values, new Shape(values.length / columns, columns))) {
            return buffer.duplicate();
        }
    }
}
