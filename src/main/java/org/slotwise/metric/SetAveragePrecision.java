package org.slotwise.metric;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slotwise.data.PropertyLayout;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/**
 * Average precision of predicted sets of objects, at thresholds of distance: whether objects are
 * found with all attributes right, and no further away than that.
 *
 * <p>Source: Zhang et al., "Deep Set Prediction Networks" (2019), and Locatello et al.,
 * "Object-Centric Learning with Slot Attention" (2020), section 4.2, whose code this agrees with;
 * their thresholds are {@link #PUBLISHED}.
 *
 * <pre>{@code
 * all predictions of all images, by falling presence:
 *   its object = among the objects of its image with the same attributes (the largest number of each),
 *                the one whose position is nearest
 *   hit        = there is one, it is nearer than the threshold, and no prediction before has hit it
 * precision[n] = hits among the first n / n             recall[n] = hits among the first n / objects
 * AP = sum over n of (recall[n] - recall[n - 1]) * largest of precision[n], precision[n + 1], ...
 * }</pre>
 *
 * <p>An object of the same attributes that has been hit is not passed over: a second prediction
 * near to it misses, even if another object like it is free. Every prediction counts, also one of
 * little presence. Rows of the truth whose presence is 0 are no objects. With the threshold
 * infinity, position decides only which of several like objects is meant.
 *
 * <p>Batches are added one after the other; presence is compared over all of them. Of predictions
 * of the same presence, those that came first go first, by batch, image and slot; of objects at the
 * same distance the first counts. (The paper's code leaves both to the sorting.)
 *
 * <p>The result is NaN if no image has an object, and if a prediction or an object that was added
 * has a number that is NaN. Not to be used by several threads at once.
 */
public final class SetAveragePrecision {

    /** The distances at which results are published: infinity, 1, 0.5, 0.25, 0.125, 0.0625. */
    public static final List<Double> PUBLISHED =
            List.of(Double.POSITIVE_INFINITY, 1.0, 0.5, 0.25, 0.125, 0.0625);

    private static final String WHO = "SetAveragePrecision";

    private final PropertyLayout layout;
    private final List<Prediction> predictions = new ArrayList<>();
    private long images;

    /** Rows of the truth, by whose numbers objects are told apart. */
    private long rows;

    /** Rows that are objects. */
    private long objects;

    private boolean undefined;

    /** A prediction and the object that it means, -1 for none. */
    private record Prediction(double presence, long object, double distance) {}

    /**
     * Starts without any image.
     *
     * @param layout what the numbers mean, such as {@link PropertyLayout#CLEVR}
     */
    public SetAveragePrecision(PropertyLayout layout) {
        this.layout = layout;
    }

    /**
     * Adds the images of a batch. The arrays are read from their device.
     *
     * @param truth the objects, (B, K', P)
     * @param predicted the predictions, (B, K, P)
     * @throws IllegalArgumentException if the arrays are not of this form
     */
    public void add(NDArray truth, NDArray predicted) {
        int length = layout.length();
        Check.floating(WHO, "predicted", Check.present(WHO, "predicted", predicted).getDataType());
        Check.floating(WHO, "truth", Check.present(WHO, "truth", truth).getDataType());
        Check.shape(WHO, "predicted", predicted, "B", "K", length);
        Shape shape = predicted.getShape();
        Check.shape(WHO, "truth", truth, shape.get(0), "K'", length);
        double[] p = Ops.read(predicted);
        double[] t = Ops.read(truth);
        int slots = (int) shape.get(1);
        int count = (int) truth.getShape().get(1);
        for (int image = 0; image < shape.get(0); image++) {
            add(t, image * count * length, count, p, image * slots * length, slots);
        }
    }

    private void add(double[] t, int atT, int count, double[] p, int atP, int slots) {
        int length = layout.length();
        int presence = layout.presence();
        undefined |= anyNaN(t, atT, count * length) || anyNaN(p, atP, slots * length);
        for (int k = 0; k < slots; k++) {
            int prediction = atP + k * length;
            long nearest = -1;
            double least = Double.POSITIVE_INFINITY;
            for (int j = 0; j < count; j++) {
                int object = atT + j * length;
                if (t[object + presence] != 0 && agree(layout, t, object, p, prediction)) {
                    double distance = distance(layout, t, object, p, prediction);
                    if (distance < least) {
                        least = distance;
                        nearest = rows + j;
                    }
                }
            }
            predictions.add(new Prediction(p[prediction + presence], nearest, least));
        }
        images++;
        rows += count;
        for (int j = 0; j < count; j++) {
            objects += t[atT + j * length + presence] != 0 ? 1 : 0;
        }
    }

    private static boolean anyNaN(double[] values, int from, int count) {
        for (int i = from; i < from + count; i++) {
            if (Double.isNaN(values[i])) {
                return true;
            }
        }
        return false;
    }

    /**
     * The average precision over all images that were added.
     *
     * @param threshold distances below it are near enough, in the unit of the layout's scale; above
     *     0, infinity for any distance
     * @return in [0, 1]; NaN if it is not defined
     * @throws IllegalArgumentException if the threshold is not above 0
     */
    public double at(double threshold) {
        Check.option(threshold > 0, WHO + ": threshold must be above 0, got " + threshold);
        if (undefined || objects == 0) {
            return Double.NaN;
        }
        List<Prediction> sorted = new ArrayList<>(predictions);
        sorted.sort(Comparator.comparingDouble((Prediction p) -> -p.presence()));
        Set<Long> hit = new HashSet<>();
        int[] hits = new int[sorted.size()];
        for (int n = 0; n < hits.length; n++) {
            Prediction p = sorted.get(n);
            if (p.object() >= 0 && p.distance() < threshold) {
                hit.add(p.object());
            }
            hits[n] = hit.size();
        }
        double sum = 0;
        double best = 0;
        for (int n = hits.length - 1; n >= 0; n--) {
            best = Math.max(best, hits[n] / (n + 1.0));
            sum += best * (hits[n] - (n > 0 ? hits[n - 1] : 0));
        }
        return sum / (double) objects;
    }

    /**
     * How many images were added.
     *
     * @return at least 0
     */
    public long images() {
        return images;
    }

    /** Forgets all images. */
    public void reset() {
        predictions.clear();
        images = 0;
        objects = 0;
        rows = 0;
        undefined = false;
    }

    /** The distance of the positions of two rows that lie in an array. */
    static double distance(PropertyLayout layout, double[] a, int atA, double[] b, int atB) {
        double squares = 0;
        for (int i = 0; i < layout.coordinates(); i++) {
            double d = layout.scale() * (a[atA + i] - b[atB + i]);
            squares += d * d;
        }
        return Math.sqrt(squares);
    }

    /** Whether of each attribute the same value is the largest in both rows. */
    static boolean agree(PropertyLayout layout, double[] a, int atA, double[] b, int atB) {
        int at = layout.coordinates();
        for (int values : layout.attributes()) {
            if (largest(a, atA + at, values) != largest(b, atB + at, values)) {
                return false;
            }
            at += values;
        }
        return true;
    }

    private static int largest(double[] row, int from, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            if (row[from + i] > row[from + best]) {
                best = i;
            }
        }
        return best;
    }
}
