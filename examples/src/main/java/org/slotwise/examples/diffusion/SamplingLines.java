package org.slotwise.examples.diffusion;

import java.io.PrintWriter;
import java.util.Locale;
import org.slotwise.diffusion.SamplingProgress;

/** Tells how far a sampling is, with the remaining time, once it takes long. */
final class SamplingLines implements SamplingProgress {

    private static final double EVERY = 10;

    private final PrintWriter out;
    private long begun = System.nanoTime();
    private double told;

    SamplingLines(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void step(int done, int of) {
        double seconds = (System.nanoTime() - begun) / 1e9;
        if (done == of) {
            // The next sampling begins.
            begun = System.nanoTime();
            told = 0;
        } else if (seconds - told >= EVERY) {
            told = seconds;
            out.printf(
                    Locale.ROOT,
                    "drawing: step %d of %d, %.0f s left%n",
                    done,
                    of,
                    seconds / done * (of - done));
            out.flush();
        }
    }
}
