package org.slotwise.examples.diffusion;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import org.slotwise.data.Scenes;
import org.slotwise.examples.diffusion.DiffusionRun.Stage;
import org.slotwise.examples.shared.Counted;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.training.WeightAverage;

/** Tells every few steps how a training goes. */
final class DiffusionReport {

    /** How many pictures are drawn, and in how many steps. */
    private static final int DRAWN = 32;

    private static final int STEPS = 20;

    private final PrintWriter out;
    private final DiffusionRun run;
    private final DiffusionPictures pictures;
    private final int every;
    private final DiffusionScores scores;
    private final long start = System.nanoTime();
    private double losses;
    private int since;
    private double stageBegan;
    private long stageBefore;

    /**
     * What was measured on pictures held out; NaN for what was not.
     *
     * @param error of pictures made again: by the decoder of the first stage, or the autoencoder
     * @param foreground FG-ARI of the first stage's masks
     * @param all ARI of these
     * @param own the denoiser's loss with a picture's own slots
     * @param other with another picture's
     * @param drawn how far drawn pictures are from their own
     * @param apart how far they are from another
     */
    record Told(
            double error,
            double foreground,
            double all,
            double own,
            double other,
            double drawn,
            double apart) {
        static final Told NOTHING =
                new Told(
                        Double.NaN,
                        Double.NaN,
                        Double.NaN,
                        Double.NaN,
                        Double.NaN,
                        Double.NaN,
                        Double.NaN);
    }

    DiffusionReport(
            PrintWriter out,
            DiffusionRun run,
            LatentSlotDiffusion model,
            DiffusionPictures pictures,
            int every,
            long before) {
        this.out = out;
        this.run = run;
        this.pictures = pictures;
        this.every = every;
        Scenes held = pictures.validation();
        scores = new DiffusionScores(model, held);
        stageBefore = before;
    }

    /** A stage begins: its steps take another time. */
    void begin(Stage stage, long before) {
        stageBegan = seconds();
        stageBefore = before;
        out.printf("%s: %s%n", stage, Counted.of(run.steps(stage), "step"));
        out.flush();
    }

    private double seconds() {
        return (System.nanoTime() - start) / 1e9;
    }

    /** Looks at a step; tells of it if it is time. */
    Told after(long step, double loss, WeightAverage average) throws IOException {
        losses += loss;
        since++;
        Stage stage = run.stage(step);
        long end = run.end(stage);
        if (step % every != 0 && step != end) {
            return Told.NOTHING;
        }
        double trained = seconds();
        Told told = told(stage, average);
        out.printf(
                Locale.ROOT,
                "step %5d  loss %.4f  %s  %4.0f s, %.0f s left for the %s%n",
                step,
                losses / since,
                words(stage, told),
                seconds(),
                (trained - stageBegan) / Math.max(1, step - stageBefore) * (end - step),
                stage);
        out.flush();
        losses = 0;
        since = 0;
        return told;
    }

    @SuppressWarnings("try") // averages work by being there
    private Told told(Stage stage, WeightAverage average) throws IOException {
        double no = Double.NaN;
        switch (stage) {
            case SLOTS -> {
                double error = scores.mixture();
                if (!pictures.masked()) {
                    return new Told(error, no, no, no, no, no, no);
                }
                SceneScoring.Scores masks = scores.masks();
                return new Told(error, masks.foreground(), masks.all(), no, no, no, no);
            }
            case CODES -> {
                return new Told(scores.autoencoder(), no, no, no, no, no, no);
            }
            default -> {
                try (WeightAverage.InPlace averages = average.inPlace()) {
                    DiffusionScores.Losses both = scores.losses();
                    DiffusionScores.Distances drawn =
                            scores.distances(DRAWN, scores.sampling(STEPS), 0);
                    return new Told(
                            no, no, no, both.own(), both.other(), drawn.own(), drawn.other());
                }
            }
        }
    }

    private String words(Stage stage, Told told) {
        if (stage == Stage.DENOISER) {
            return String.format(
                    Locale.ROOT,
                    "held out %.4f, with other slots %.4f  drawn: error %.4f, to another %.4f",
                    told.own(),
                    told.other(),
                    told.drawn(),
                    told.apart());
        }
        String error = String.format(Locale.ROOT, "error %.5f", told.error());
        return Double.isNaN(told.all())
                ? error
                : error
                        + String.format(
                                Locale.ROOT,
                                "  FG-ARI %.3f  ARI %.3f",
                                told.foreground(),
                                told.all());
    }
}
