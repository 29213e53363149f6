package org.slotwise.examples.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.gnm.DiscoveredCells;
import org.slotwise.gnm.ExplainedScenes;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmDraws;

/** How well a model explains pictures. */
final class GnmProgress {

    private static final int BATCH = 64;

    private GnmProgress() {}

    /**
     * What was measured.
     *
     * @param error squared, of a colour of a pixel
     * @param right the share of pictures in which as many objects were found as there are; NaN
     *     where that is not known
     * @param found objects a picture
     */
    record Counts(double error, double right, double found) {}

    /** Counts objects. */
    static Counts counts(Gnm gnm, Scenes scenes, boolean known) throws IOException {
        return counts(gnm, scenes, known, GnmDraws.mode());
    }

    /** Counts objects of the most probable cells, or of cells that are drawn. */
    static Counts counts(Gnm gnm, Scenes scenes, boolean known, GnmDraws draws) throws IOException {
        double error = 0;
        int right = 0;
        int found = 0;
        for (long first = 0; first < scenes.size(); first += BATCH) {
            int count = (int) Math.min(BATCH, scenes.size() - first);
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray images = LearntScenes.images(manager, scenes, first, count);
                ExplainedScenes explained = explain(gnm, images, draws);
                NDArray picture = explained.rendered().picture();
                error += picture.sub(images).square().mean().getFloat() * count;
                int[] counts = explained.counts();
                for (int b = 0; b < count; b++) {
                    found += counts[b];
                    if (known && counts[b] == scenes.get(first + b).objectCount()) {
                        right++;
                    }
                }
            }
        }
        double n = scenes.size();
        return new Counts(error / n, known ? right / n : Double.NaN, found / n);
    }

    /** The most probable explanation, owned by the images' manager. */
    static ExplainedScenes explain(Gnm gnm, NDArray images) {
        return explain(gnm, images, GnmDraws.mode());
    }

    private static ExplainedScenes explain(Gnm gnm, NDArray images, GnmDraws draws) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        return gnm.explain(store, images, draws);
    }

    /** Segments by cells alone: each pixel belongs to the cell with the largest mask. */
    static SceneScoring.Way segmentingByCells(Gnm gnm, GnmDraws draws) {
        return (manager, images) -> {
            NDArray masks = explain(gnm, images, draws).rendered().masks();
            return new SceneScoring.Result(masks.squeeze(2).flatten(2, 3), Double.NaN);
        };
    }

    /** Segments as the original does: the largest of background and masks. */
    static SceneScoring.Way segmenting(Gnm gnm, GnmDraws draws) {
        return (manager, images) -> {
            ExplainedScenes explained = explain(gnm, images, draws);
            NDArray masks = DiscoveredCells.withBackground(explained.rendered().masks());
            NDArray error = explained.rendered().picture().sub(images).square().mean();
            return new SceneScoring.Result(masks.flatten(2, 3), error.getFloat());
        };
    }
}
