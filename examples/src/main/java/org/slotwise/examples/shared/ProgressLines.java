package org.slotwise.examples.shared;

import java.io.PrintWriter;
import java.time.Duration;

/** Tells every ten seconds how far something is that takes long, with the time that is left. */
public final class ProgressLines {

    private static final long EVERY = Duration.ofSeconds(10).toNanos();

    private final PrintWriter out;
    private final String what;
    private final String things;
    private final long total;
    private long begun;
    private long before;
    private long next;

    /**
     * Begins now, with nothing done.
     *
     * @param out where it is told
     * @param what what takes long: "drawing"
     * @param things what is counted: "pictures"
     * @param total how many of them there are
     */
    public ProgressLines(PrintWriter out, String what, String things, long total) {
        this.out = out;
        this.what = what;
        this.things = things;
        this.total = total;
        begin(0);
    }

    /**
     * The time of what was done until now says nothing about the rest.
     *
     * @param done how many
     */
    public void begin(long done) {
        begun = System.nanoTime();
        before = done;
        next = begun + EVERY;
    }

    /**
     * Some are done.
     *
     * @param done how many in all
     */
    public void done(long done) {
        long now = System.nanoTime();
        if (now < next || done <= before || done >= total) {
            return;
        }
        next = now + EVERY;
        double each = (now - begun) / 1e9 / (done - before);
        out.printf(
                "%s: %s of %s %s, about %s s left%n",
                what, done, total, things, Math.round(each * (total - done)));
        out.flush();
    }
}
