package org.slotwise.examples.photos;

import ai.djl.ndarray.NDArray;

/** Makes features of photographs, all of one size. */
interface PhotoFeatures extends AutoCloseable {

    /**
     * Extracts features.
     *
     * @param images (B, 3, S, S) in [0, 1]
     * @return (B, N, F), row by row
     */
    NDArray extract(NDArray images);

    /**
     * How many features lie in a row of the grid, and in a column.
     *
     * @return the square root of N
     */
    int grid();

    /**
     * Everything that decides which features an image has.
     *
     * @return one line
     */
    String description();

    @Override
    void close();
}
