package org.slotwise.examples.pictures;

import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.Counted;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.SegmentationScores;

/** How well a model finds objects, beside ways that learn nothing. */
final class ScoreTable {

    /** From one end of the picture to the other is as far as from dark to light. */
    private static final float PLACES_COUNT = 1;

    private ScoreTable() {}

    /**
     * Prints the table, where the ways that learn nothing have as many parts as there are slots.
     *
     * @param scenes with masks, squares of the model's size
     */
    static void print(PrintWriter out, ObjectDiscoveryModel model, Scenes scenes)
            throws IOException, TranslateException {
        print(out, model, scenes, model.configuration().slots());
    }

    /**
     * Prints the table.
     *
     * @param scenes with masks, squares of the model's size
     * @param parts into how many the ways that learn nothing divide a scene
     */
    static void print(PrintWriter out, ObjectDiscoveryModel model, Scenes scenes, int parts)
            throws IOException, TranslateException {
        int side = model.configuration().imageHeight();
        int slots = model.configuration().slots();
        SceneScoring ways = new SceneScoring(scenes, side, parts);
        out.printf("%-28s %7s %7s %7s %7s%n", "", "FG-ARI", "ARI", "mBO", "mIoU");
        SegmentationScores own = model.evaluate(scenes);
        row(
                out,
                "model, " + Counted.of(slots, "slot"),
                new SceneScoring.Scores(
                        own.foregroundAri(),
                        own.ari(),
                        own.meanBestOverlap(),
                        own.meanIou(),
                        own.error()));
        row(out, "k-means on colour and place", ways.ofKMeans(PLACES_COUNT));
        row(out, "k-means on colour", ways.ofKMeans(0));
        row(out, ways.cellsName(), ways.ofCells());
    }

    private static void row(PrintWriter out, String way, SceneScoring.Scores scores) {
        out.printf(
                Locale.ROOT,
                "%-28s %7.3f %7.3f %7.3f %7.3f%n",
                way,
                scores.foreground(),
                scores.all(),
                scores.overlap(),
                scores.union());
        out.flush();
    }
}
