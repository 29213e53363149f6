package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.evaluator.Evaluator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.slotwise.data.PropertyLayout;
import org.slotwise.internal.Check;
import org.slotwise.internal.Chosen;
import org.slotwise.internal.Scalars;

/**
 * Shows {@link SetAveragePrecision} during training: over all images since the last reset, whatever
 * the sizes of the batches. (It is no mean over batches.) What was seen is kept until then, some
 * forty bytes for each prediction.
 *
 * <p>Labels are the true sets (B, K', P) and predictions the predicted ones (B, K, P), one array
 * each; of several labels the only one of that form in a floating type, as a {@code SceneDataset}
 * gives them beside images and masks. Where there is more than that, {@link
 * ai.djl.training.evaluator.IndexEvaluator} picks them.
 */
public final class SetAveragePrecisionEvaluator extends Evaluator {

    private static final String WHO = "SetAveragePrecisionEvaluator";
    private static final String SEE = "IndexEvaluator";

    private final PropertyLayout layout;
    private final double threshold;
    private final Map<String, SetAveragePrecision> scores = new ConcurrentHashMap<>();

    /**
     * Creates an evaluator under the name "AP" with the threshold, such as "AP 0.5".
     *
     * @param layout what the numbers mean
     * @param threshold distances below it are near enough; above 0, infinity for any distance
     */
    public SetAveragePrecisionEvaluator(PropertyLayout layout, double threshold) {
        this("AP " + threshold, layout, threshold);
    }

    /**
     * Creates an evaluator.
     *
     * @param name the name under which the score is shown
     * @param layout what the numbers mean
     * @param threshold distances below it are near enough; above 0, infinity for any distance
     * @throws IllegalArgumentException if the threshold is not above 0
     */
    public SetAveragePrecisionEvaluator(String name, PropertyLayout layout, double threshold) {
        super(name);
        Check.option(threshold > 0, WHO + ": threshold must be above 0, got " + threshold);
        this.layout = layout;
        this.threshold = threshold;
    }

    /**
     * The average precision of a batch.
     *
     * @param labels the true sets
     * @param predictions the predicted sets
     * @return a float64 number, shape ()
     * @throws IllegalArgumentException if there is not one array of each, or they do not fit
     */
    @Override
    public NDArray evaluate(NDList labels, NDList predictions) {
        SetAveragePrecision batch = new SetAveragePrecision(layout);
        add(batch, labels, predictions);
        return Scalars.full(
                predictions.head().getManager(),
                new Shape(),
                batch.at(threshold),
                DataType.FLOAT64);
    }

    private static void add(SetAveragePrecision score, NDList labels, NDList predictions) {
        score.add(
                Chosen.of(
                        WHO, "labels", labels, SEE, List.of(), SetAveragePrecisionEvaluator::isSet),
                Chosen.of(WHO, "predictions", predictions, SEE, List.of(), array -> false));
    }

    /** {@inheritDoc} */
    @Override
    public void addAccumulator(String key) {
        totalInstances.put(key, 0L);
        scores.put(key, new SetAveragePrecision(layout));
    }

    /** {@inheritDoc} */
    @Override
    public void updateAccumulator(String key, NDList labels, NDList predictions) {
        updateAccumulators(new String[] {key}, labels, predictions);
    }

    /** {@inheritDoc} */
    @Override
    public void updateAccumulators(String[] keys, NDList labels, NDList predictions) {
        for (String key : keys) {
            SetAveragePrecision score = score(key);
            synchronized (score) {
                add(score, labels, predictions);
                totalInstances.put(key, score.images());
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public void resetAccumulator(String key) {
        addAccumulator(key);
    }

    /**
     * The average precision over the images seen since the last reset.
     *
     * @param key the accumulator
     * @return in [0, 1]; NaN if no object was seen
     * @throws IllegalArgumentException if there is no accumulator of that key
     */
    @Override
    public float getAccumulator(String key) {
        SetAveragePrecision score = score(key);
        synchronized (score) {
            return (float) score.at(threshold);
        }
    }

    private SetAveragePrecision score(String key) {
        SetAveragePrecision score = scores.get(key);
        if (score == null) {
            throw new IllegalArgumentException(WHO + ": there is no accumulator " + key);
        }
        return score;
    }

    /** Whether an array may be sets (B, K', P). */
    private static boolean isSet(NDArray array) {
        return array.getDataType().isFloating() && array.getShape().dimension() == 3;
    }
}
