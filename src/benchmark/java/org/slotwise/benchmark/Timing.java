package org.slotwise.benchmark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Milliseconds of passes: median and quartiles. */
record Timing(double median, double low, double high) {

    private static final int LEAST_ROUNDS = 3;

    /**
     * Times several contenders, which take turns.
     *
     * @param warmups rounds that are not counted
     * @param rounds rounds that are, unless time runs out
     * @param seconds after which no further round begins, once there are three
     */
    static List<Timing> alternate(
            List<Contender> contenders, boolean training, int warmups, int rounds, int seconds) {
        List<List<Double>> ms = new ArrayList<>();
        contenders.forEach(contender -> ms.add(new ArrayList<>()));
        long begin = System.nanoTime();
        for (int round = -warmups; round < rounds; round++) {
            boolean late = System.nanoTime() - begin > seconds * 1e9;
            if (late && round >= LEAST_ROUNDS) {
                break;
            }
            for (int i = 0; i < contenders.size(); i++) {
                rest();
                double pass = contenders.get(i).run(training);
                if (round >= 0) {
                    ms.get(i).add(pass);
                }
            }
        }
        return ms.stream().map(Timing::of).toList();
    }

    /** Lets the threads of the one before come to rest: OpenMP's spin for a while. */
    private static void rest() {
        try {
            Thread.sleep(5);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Timing of(List<Double> ms) {
        Collections.sort(ms);
        int n = ms.size();
        return new Timing(ms.get(n / 2), ms.get(n / 4), ms.get(3 * n / 4));
    }

    @Override
    public String toString() {
        return String.format("%9.2f ms (%.2f to %.2f)", median, low, high);
    }
}
