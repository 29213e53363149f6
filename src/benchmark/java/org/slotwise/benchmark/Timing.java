package org.slotwise.benchmark;

import java.util.Arrays;
import java.util.List;

/** Alternating measurements of several ways to do the same. */
record Timing(double median, double low, double high) {

    /** Milliseconds of each way: median and quartiles over rounds in which the ways take turns. */
    static Timing[] alternate(List<Runnable> ways, int warmups, int rounds) {
        double[][] ms = new double[ways.size()][rounds];
        for (int round = -warmups; round < rounds; round++) {
            for (int i = 0; i < ways.size(); i++) {
                long start = System.nanoTime();
                ways.get(i).run();
                if (round >= 0) {
                    ms[i][round] = (System.nanoTime() - start) / 1e6;
                }
            }
        }
        return Arrays.stream(ms).map(Timing::of).toArray(Timing[]::new);
    }

    private static Timing of(double[] ms) {
        Arrays.sort(ms);
        int n = ms.length;
        return new Timing(ms[n / 2], ms[n / 4], ms[3 * n / 4]);
    }

    @Override
    public String toString() {
        return String.format("%8.2f ms (%.2f to %.2f)", median, low, high);
    }
}
