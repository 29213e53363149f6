package org.slotwise.examples.photos;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slotwise.examples.shared.StillLife;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;

/** How well masks agree with what is in still lifes; of photographs nobody knows that. */
final class StillLifeScores {

    /** How many still lifes are looked at. */
    static final int COUNT = 32;

    /** The wall and the table are no objects. */
    private static final int OBJECTS_FROM = 2;

    private StillLifeScores() {}

    /**
     * Scores masks beside those of another method.
     *
     * @param features what makes features
     * @param size the height and width of images
     * @param from the first still life
     * @param found from features (1, N, F) to masks (1, K, N)
     * @param other the same, by the other method
     * @return one line
     */
    static String compare(
            PhotoFeatures features,
            int size,
            int from,
            UnaryOperator<NDArray> found,
            UnaryOperator<NDArray> other) {
        List<DoubleSummaryStatistics> scores =
                Stream.generate(DoubleSummaryStatistics::new).limit(4).toList();
        for (int number = from; number < from + COUNT; number++) {
            int[] labels = StillLife.arranged(number).labels(features.grid());
            int[] objects = Arrays.stream(labels).map(label -> label - OBJECTS_FROM).toArray();
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray image = PhotoViews.stillLife(manager, number, size).expandDims(0);
                NDArray x = features.extract(image);
                NDArray masks = found.apply(x);
                NDArray others = other.apply(x);
                score(objects, masks, scores.get(0));
                score(labels, masks, scores.get(1));
                score(objects, others, scores.get(2));
                score(labels, others, scores.get(3));
            }
        }
        return String.format(
                Locale.ROOT,
                "%d still lifes not seen before: FG-ARI %.3f, ARI %.3f; k-means on the same"
                        + " features: FG-ARI %.3f, ARI %.3f",
                COUNT,
                scores.get(0).getAverage(),
                scores.get(1).getAverage(),
                scores.get(2).getAverage(),
                scores.get(3).getAverage());
    }

    /** Places with a negative label are left out. On a very coarse grid none may be left. */
    private static void score(int[] labels, NDArray masks, DoubleSummaryStatistics scores) {
        NDArray truth = masks.getManager().create(labels, new Shape(1, labels.length));
        double score =
                new AdjustedRandIndex(Background.COUNTED)
                        .score(truth, masks)
                        .values()
                        .toDoubleArray()[0];
        if (!Double.isNaN(score)) {
            scores.accept(score);
        }
    }
}
