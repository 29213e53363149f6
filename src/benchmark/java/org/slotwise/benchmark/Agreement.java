package org.slotwise.benchmark;

import java.util.Map;

/**
 * How far the results of a contender are from another's: the largest difference of outputs and of
 * gradients, each relative to the largest magnitude in its array. For k-means: of the inertia of an
 * image from given centres, and of the mean inertia from drawn ones.
 */
record Agreement(boolean clustering, double outputs, double gradients, double drawn) {

    private static final double OUTPUTS = 1e-4;
    private static final double GRADIENTS = 1e-3;
    private static final double DRAWN = 0.01;

    /**
     * Gradients smaller than this part of the largest one count as if they were of this size: that
     * of the slots' norm's offset is zero but for rounding, as the softmax over slots takes no
     * notice of what is added to all queries.
     */
    private static final double ZERO = 1e-3;

    static Agreement of(Map<String, float[]> results, Map<String, float[]> expected) {
        if (!results.keySet().equals(expected.keySet())) {
            throw new IllegalStateException(results.keySet() + " and " + expected.keySet());
        }
        double floor =
                ZERO
                        * expected.entrySet().stream()
                                .filter(entry -> entry.getKey().startsWith("gradient"))
                                .mapToDouble(entry -> largest(entry.getValue()))
                                .max()
                                .orElse(0);
        double outputs = 0;
        double gradients = 0;
        double drawn = 0;
        for (Map.Entry<String, float[]> entry : results.entrySet()) {
            float[] x = entry.getValue();
            float[] y = expected.get(entry.getKey());
            if (entry.getKey().startsWith("drawn")) {
                drawn = mean(x) / mean(y) - 1;
            } else if (entry.getKey().startsWith("gradient")) {
                gradients = Math.max(gradients, difference(x, y, floor));
            } else {
                outputs = Math.max(outputs, difference(x, y, 0));
            }
        }
        boolean clustering = expected.keySet().stream().anyMatch(name -> name.startsWith("drawn"));
        return new Agreement(clustering, outputs, gradients, drawn);
    }

    /** NaN if there is a NaN. */
    private static double difference(float[] x, float[] y, double floor) {
        if (x.length != y.length) {
            throw new IllegalStateException("sizes " + x.length + " and " + y.length);
        }
        double difference = 0;
        for (int i = 0; i < x.length; i++) {
            difference = Math.max(difference, Math.abs((double) x[i] - y[i]));
        }
        return difference == 0 ? 0 : difference / Math.max(floor, largest(y));
    }

    private static double largest(float[] x) {
        double largest = 0;
        for (float value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double mean(float[] x) {
        double sum = 0;
        for (float value : x) {
            sum += value;
        }
        return sum / x.length;
    }

    /** Whether all are within so many times what is usual. */
    boolean holds(double times) {
        return outputs <= times * OUTPUTS
                && gradients <= times * GRADIENTS
                && Math.abs(drawn) <= DRAWN;
    }

    @Override
    public String toString() {
        return clustering
                ? String.format(
                        "inertia from given centres differs by %.1e, from drawn ones by %+.2f %%",
                        outputs, 100 * drawn)
                : String.format("outputs differ by %.1e, gradients by %.1e", outputs, gradients);
    }
}
