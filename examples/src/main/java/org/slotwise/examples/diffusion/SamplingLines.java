package org.slotwise.examples.diffusion;

import java.io.PrintWriter;
import org.slotwise.diffusion.SamplingProgress;
import org.slotwise.examples.shared.ProgressLines;

/** Tells how far a sampling is, with the remaining time, once it takes long. */
final class SamplingLines implements SamplingProgress {

    private final PrintWriter out;
    private ProgressLines lines;

    SamplingLines(PrintWriter out) {
        this.out = out;
        lines = new ProgressLines(out, "drawing", "steps", 1);
    }

    @Override
    public void step(int done, int of) {
        if (done == 1) {
            // Whatever happened before the first step is no part of the next ones.
            lines = new ProgressLines(out, "drawing", "steps", of);
            lines.begin(1);
        }
        lines.done(done);
    }
}
