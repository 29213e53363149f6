package org.slotwise.examples.slate;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.slate.Slate;

/** Tells every few steps how a training goes. */
final class SlateReport {

    private final PrintWriter out;
    private final SlateRun run;
    private final Slate slate;
    private final TrainingPictures pictures;
    private final long start = System.nanoTime();
    private final long before;
    private double losses;
    private int since;
    private double halfBegan;
    private long halfBefore;

    /**
     * What was measured on pictures held out; NaN for what was not.
     *
     * @param error of the auto-encoder
     * @param own the cross entropy with a picture's own slots
     * @param foreign with another picture's
     * @param foreground FG-ARI of the slots' attention
     * @param all ARI of the slots' attention
     */
    record Told(double error, double own, double foreign, double foreground, double all) {
        static final Told NOTHING =
                new Told(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
    }

    SlateReport(
            PrintWriter out, SlateRun run, Slate slate, TrainingPictures pictures, long before) {
        this.out = out;
        this.run = run;
        this.slate = slate;
        this.pictures = pictures;
        this.before = before;
        halfBefore = before;
    }

    /** Looks at a step; tells of it if it is time. */
    Told after(long step, double loss) throws IOException {
        losses += loss;
        since++;
        boolean first = step <= run.dvaeSteps();
        long end = first ? run.dvaeSteps() : run.allSteps();
        if (step % run.report() != 0 && step != end) {
            return Told.NOTHING;
        }
        Told told = first ? ofDvae() : ofSlots();
        double seconds = (System.nanoTime() - start) / 1e9;
        String measured =
                first
                        ? String.format(Locale.ROOT, "error %.5f", told.error())
                        : String.format(
                                Locale.ROOT,
                                "cross entropy %.2f, foreign %.1f%s",
                                told.own(),
                                told.foreign(),
                                Double.isNaN(told.all())
                                        ? ""
                                        : String.format(
                                                Locale.ROOT,
                                                "  FG-ARI %.3f  ARI %.3f",
                                                told.foreground(),
                                                told.all()));
        // A step of one half takes another time than one of the other.
        double each = (seconds - halfBegan) / Math.max(1, step - halfBefore);
        out.printf(
                Locale.ROOT,
                "step %5d  loss %.3f  %s  %4.0f s, %.0f s left%s%n",
                step,
                losses / since,
                measured,
                seconds,
                each * (end - step),
                first ? " for the auto-encoder" : "");
        out.flush();
        losses = 0;
        since = 0;
        if (step == run.dvaeSteps()) {
            halfBegan = (System.nanoTime() - start) / 1e9;
            halfBefore = step;
        }
        return told;
    }

    private Told ofDvae() throws IOException {
        double error = SlateScores.of(slate, pictures.validation(), false).dvaeError();
        return new Told(error, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
    }

    private Told ofSlots() throws IOException {
        SlateScores scores = SlateScores.of(slate, pictures.validation(), false);
        double foreground = Double.NaN;
        double all = Double.NaN;
        if (pictures.masked()) {
            SceneScoring.Scores segmentation = segmentation();
            foreground = segmentation.foreground();
            all = segmentation.all();
        }
        return new Told(scores.dvaeError(), scores.own(), scores.foreign(), foreground, all);
    }

    private SceneScoring.Scores segmentation() throws IOException {
        try {
            return new SceneScoring(
                            pictures.validation(),
                            slate.sizes().imageSize(),
                            slate.sizes().slots().count())
                    .of(SlateScores.segmenting(slate));
        } catch (TranslateException e) {
            throw new IllegalStateException("generated scenes need no translation", e);
        }
    }
}
