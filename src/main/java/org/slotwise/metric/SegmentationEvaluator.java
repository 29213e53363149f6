package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.evaluator.Evaluator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slotwise.internal.Chosen;

/**
 * Shows a {@link SegmentationMetric} during training: the mean over all images since the last
 * reset, each image counting once, whatever the sizes of the batches.
 *
 * <p>Labels and predictions come as data sets and models give them. The true segmentation is the
 * only label, or the only one of whole numbers: that of a {@code SceneDataset}, among images and
 * properties. The predicted one is the only prediction, or that named "masks" (what decoders give),
 * "feature_attributions" (groupings) or "attention", in this order. Both are of any of the forms of
 * {@link SegmentationMetric}. Others are picked by {@link
 * ai.djl.training.evaluator.IndexEvaluator}:
 *
 * <pre>{@code
 * new IndexEvaluator(new SegmentationEvaluator(metric), predictionsIndex, labelsIndex)
 * }</pre>
 */
public final class SegmentationEvaluator extends Evaluator {

    private static final String WHO = "SegmentationEvaluator";
    private static final String SEE = "IndexEvaluator";

    /** What decoders, groupings and SLATE call their masks. */
    private static final List<String> PREDICTED =
            List.of("masks", "feature_attributions", "attention");

    private final SegmentationMetric metric;
    private final Map<String, Double> sums = new ConcurrentHashMap<>();

    /**
     * Creates an evaluator under the name of the metric.
     *
     * @param metric what to show
     */
    public SegmentationEvaluator(SegmentationMetric metric) {
        this(metric.name(), metric);
    }

    /**
     * Creates an evaluator.
     *
     * @param name the name under which the score is shown
     * @param metric what to show
     */
    public SegmentationEvaluator(String name, SegmentationMetric metric) {
        super(name);
        this.metric = metric;
    }

    /**
     * The mean score of a batch.
     *
     * @param labels the true segmentation
     * @param predictions the predicted segmentation
     * @return a float64 number, shape ()
     * @throws IllegalArgumentException if it is not clear which arrays are meant, or the metric
     *     refuses them
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        try (ImageScores scores = score(labels, predictions)) {
            return scores.mean();
        }
    }

    /** {@inheritDoc} */
    @Override
    public void addAccumulator(String key) {
        totalInstances.put(key, 0L);
        sums.put(key, 0.0);
    }

    /** {@inheritDoc} */
    @Override
    public void updateAccumulator(String key, NDList labels, NDList predictions) {
        updateAccumulators(new String[] {key}, labels, predictions);
    }

    /** {@inheritDoc} */
    @Override
    public void updateAccumulators(String[] keys, NDList labels, NDList predictions) {
        double[] totals;
        try (ImageScores scores = score(labels, predictions)) {
            totals = scores.totals();
        }
        for (String key : keys) {
            totalInstances.merge(key, (long) totals[1], Long::sum);
            sums.merge(key, totals[0], Double::sum);
        }
    }

    /** {@inheritDoc} */
    @Override
    public void resetAccumulator(String key) {
        addAccumulator(key);
    }

    /**
     * The mean over the images seen since the last reset.
     *
     * @param key the accumulator
     * @return the mean; NaN if no image was counted
     * @throws IllegalArgumentException if there is no accumulator of that key
     */
    @Override
    public float getAccumulator(String key) {
        Long images = totalInstances.get(key);
        Double sum = sums.get(key);
        if (images == null || sum == null) {
            throw new IllegalArgumentException(WHO + ": there is no accumulator " + key);
        }
        return (float) (sum / (double) images);
    }

    private ImageScores score(NDList labels, NDList predictions) {
        NDArray truth =
                Chosen.of(
                        WHO,
                        "labels",
                        labels,
                        SEE,
                        List.of(),
                        array -> !array.getDataType().isFloating());
        return metric.score(
                truth, Chosen.of(WHO, "predictions", predictions, SEE, PREDICTED, array -> false));
    }
}
