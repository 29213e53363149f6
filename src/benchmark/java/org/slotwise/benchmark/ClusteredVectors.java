package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.List;
import java.util.Random;

/**
 * What {@link ClusteringSpeed} clusters: N vectors of size F, drawn around so many means of
 * variance 1, or without means those of {@link RealSlots}; K clusters.
 */
record ClusteredVectors(String name, int n, int f, int means, double spread, int k) {

    static final List<ClusteredVectors> ALL =
            List.of(
                    slots("multi-dsprites"),
                    slots("tetrominoes"),
                    new ClusteredVectors("clear", 100_000, 64, 20, 0.3, 20),
                    new ClusteredVectors("vague", 100_000, 64, 20, 1, 20),
                    new ClusteredVectors("noise", 100_000, 64, 1, 1, 20),
                    new ClusteredVectors("colours", 60_000, 3, 12, 0.5, 8),
                    new ClusteredVectors("many-colours", 60_000, 3, 12, 0.5, 20));

    private static final String SLOTS = "-slots";

    private static ClusteredVectors slots(String model) {
        return new ClusteredVectors(model + SLOTS, 100_000, 64, 0, 0, 20);
    }

    /** The vectors (N, F). */
    NDArray in(NDManager manager) throws IOException {
        return means == 0
                ? RealSlots.of(manager, name.substring(0, name.length() - SLOTS.length()), n)
                : manager.create(numbers(), new Shape(n, f));
    }

    private float[] numbers() {
        Random random = new Random(0);
        double[][] centres = new double[means][f];
        for (double[] centre : centres) {
            for (int i = 0; i < f; i++) {
                centre[i] = random.nextGaussian();
            }
        }
        float[] numbers = new float[n * f];
        for (int j = 0; j < n; j++) {
            double[] centre = centres[random.nextInt(means)];
            for (int i = 0; i < f; i++) {
                numbers[j * f + i] = (float) (centre[i] + spread * random.nextGaussian());
            }
        }
        return numbers;
    }
}
