package org.slotwise.benchmark;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** Milliseconds of passes: median and quartiles. */
record Timing(double median, double low, double high) {

    private static final int LEAST_ROUNDS = 3;

    /** In which Java compiles what runs often, as in a training or a server it long since has. */
    private static final double WARM_UP_SECONDS = 10;

    /**
     * Times several contenders, which take turns.
     *
     * @param arguments may say other numbers
     * @param usualWarmups rounds that are not counted; there are more until ten seconds have passed
     * @param usualRounds rounds that are, unless time runs out
     * @param usualSeconds after which no further round begins, once there are three
     */
    static List<Timing> alternate(
            List<Contender> contenders,
            boolean training,
            Arguments arguments,
            int usualWarmups,
            int usualRounds,
            int usualSeconds) {
        int warmups = arguments.number("warmups", usualWarmups);
        int rounds = arguments.number("rounds", usualRounds);
        int seconds = arguments.number("seconds", usualSeconds);
        List<List<Double>> ms = new ArrayList<>();
        contenders.forEach(contender -> ms.add(new ArrayList<>()));
        long begin = System.nanoTime();
        for (int round = 0; round < warmups || since(begin) < WARM_UP_SECONDS; round++) {
            turn(contenders, training);
        }
        begin = System.nanoTime();
        for (int round = 0; round < rounds; round++) {
            if (since(begin) > seconds && round >= LEAST_ROUNDS) {
                break;
            }
            double[] turn = turn(contenders, training);
            for (int i = 0; i < turn.length; i++) {
                ms.get(i).add(turn[i]);
            }
        }
        return ms.stream().map(Timing::of).toList();
    }

    private static double since(long begin) {
        return (System.nanoTime() - begin) / 1e9;
    }

    private static double[] turn(List<Contender> contenders, boolean training) {
        double[] ms = new double[contenders.size()];
        for (int i = 0; i < ms.length; i++) {
            rest();
            ms[i] = contenders.get(i).run(training);
        }
        return ms;
    }

    /**
     * Lets the threads of the one before come to rest: OpenMP's spin for some 8 ms, also those of
     * Python's, which then are in the way of who comes next.
     */
    static void rest() {
        try {
            Thread.sleep(10);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Cells of a table: who, how long, and of all but the first how many times the first's. */
    static String cells(List<? extends Computed> who, List<Timing> timings) {
        StringBuilder cells = new StringBuilder();
        for (int i = 0; i < timings.size(); i++) {
            Timing timing = timings.get(i);
            cells.append(
                    String.format(
                            " %s %s (%s to %s)",
                            who.get(i).name(),
                            digits(timing.median()),
                            digits(timing.low()),
                            digits(timing.high())));
            if (i > 0) {
                double ratio = timing.median() / timings.get(0).median();
                cells.append(String.format(Locale.ROOT, ", %.2f", ratio));
            }
            cells.append(" |");
        }
        return cells.toString();
    }

    /** Three, or all before the point. */
    private static String digits(double ms) {
        return String.format(Locale.ROOT, ms < 100 ? "%.3g" : "%.0f", ms);
    }

    static Timing of(List<Double> ms) {
        Collections.sort(ms);
        int n = ms.size();
        return new Timing(ms.get(n / 2), ms.get(n / 4), ms.get(3 * n / 4));
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%9.2f ms (%.2f to %.2f)", median, low, high);
    }
}
