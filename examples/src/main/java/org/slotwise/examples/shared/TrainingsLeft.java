package org.slotwise.examples.shared;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/**
 * Tells how far a row of trainings has come: first how many there are, soon about how long they
 * will take, by what the steps so far took, and then a line every few seconds.
 */
public final class TrainingsLeft {

    private static final long FIRST = Duration.ofSeconds(2).toNanos();
    private static final long EVERY = Duration.ofSeconds(10).toNanos();

    private final PrintWriter out;
    private final long all;
    private final int steps;
    private final long begun = System.nanoTime();
    private long next = begun + FIRST;
    private long done;
    private long spared;

    /**
     * Begins, and says what is to come.
     *
     * @param out where lines go
     * @param trainings how many trainings there are
     * @param steps how many steps each has
     */
    public TrainingsLeft(PrintWriter out, int trainings, int steps) {
        this.out = out;
        this.steps = steps;
        all = (long) trainings * steps;
        out.printf(
                "%d %s of %d steps%n", trainings, trainings == 1 ? "training" : "trainings", steps);
        out.flush();
    }

    /** A step is done. */
    public void step() {
        done++;
        long now = System.nanoTime();
        if (now >= next) {
            next = now + EVERY;
            double each = (double) (now - begun) / (done - spared);
            out.printf(
                    "step %d of %d, about %s left%n", done, all, time(each * (all - done) / 1e9));
            out.flush();
        }
    }

    /** A training is not needed: it was done before. */
    public void skip() {
        done += steps;
        spared += steps;
    }

    /** A training ended before its last step. */
    public void endAt(long trainings) {
        long expected = trainings * steps;
        spared += Math.max(0, expected - done);
        done = Math.max(done, expected);
    }

    private static String time(double seconds) {
        return seconds < 90
                ? Math.round(seconds) + " s"
                : String.format(Locale.ROOT, "%.0f min", seconds / 60);
    }
}
