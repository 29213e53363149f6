package org.slotwise.metric;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.PropertyLayout;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class SetAveragePrecisionTest {

    private static final double ANY = Double.POSITIVE_INFINITY;

    /** One coordinate in units of 6, one attribute of two values, presence. */
    private static final PropertyLayout SMALL = new PropertyLayout(1, 6, List.of(2));

    private static double[] object(double place, int kind) {
        return new double[] {place / 6, kind == 0 ? 1 : 0, kind == 1 ? 1 : 0, 1};
    }

    private static double[] told(double place, int kind, double presence) {
        // Not one-hot: the larger number counts.
        return new double[] {place / 6, kind == 0 ? 0.4 : 0.3, kind == 1 ? 0.4 : 0.3, presence};
    }

    private static final double[] NONE = {0, 0, 0, 0};

    private static NDArray sets(NDManager manager, double[][]... images) {
        int rows = images[0].length;
        int length = images[0][0].length;
        double[] flat =
                Arrays.stream(images)
                        .flatMap(Arrays::stream)
                        .flatMapToDouble(Arrays::stream)
                        .toArray();
        return manager.create(flat, new Shape(images.length, rows, length));
    }

    private static SetAveragePrecision score(NDArray truth, NDArray predicted) {
        SetAveragePrecision score = new SetAveragePrecision(SMALL);
        score.add(truth, predicted);
        return score;
    }

    @Test
    void perfectAndHopeless(NDManager manager) {
        NDArray truth = sets(manager, new double[][] {object(1, 0), object(4, 1), NONE});
        NDArray right =
                sets(manager, new double[][] {told(4, 1, 0.8), told(3, 0, 0.1), told(1, 0, 0.9)});
        for (double threshold : SetAveragePrecision.PUBLISHED) {
            assertEquals(1, score(truth, right).at(threshold));
        }
        NDArray wrong =
                sets(manager, new double[][] {told(4, 0, 0.8), told(1, 1, 0.9), told(1, 1, 0.9)});
        // Kind 0 is there at 1, and kind 1 at 4, both 3 away.
        assertEquals(0, score(truth, wrong).at(1));
        // At any distance: hit, a second one on the same object, hit.
        assertEquals(0.5 + 0.5 * 2 / 3, score(truth, wrong).at(ANY), 1e-12);
    }

    @Test
    void byHand(NDManager manager) {
        // Two images, 3 objects; sorted: hit (0.9), miss (0.8), hit (0.7), miss (0.2).
        NDArray truth =
                sets(
                        manager,
                        new double[][] {object(1, 0), object(2, 1)},
                        new double[][] {object(3, 0), NONE});
        NDArray predicted =
                sets(
                        manager,
                        new double[][] {told(1.2, 0, 0.9), told(5, 1, 0.8)},
                        new double[][] {told(3, 1, 0.2), told(3.4, 0, 0.7)});
        // precision 1, 1/2, 2/3, 2/4; recall 1/3, 1/3, 2/3, 2/3.
        assertEquals(1.0 / 3 + 1.0 / 3 * 2 / 3, score(truth, predicted).at(1), 1e-12);
        // With any distance the second one hits too: 1, 1, 1, 3/4.
        assertEquals(1, score(truth, predicted).at(ANY), 1e-12);
        // Nearer than 0.25 is the first alone.
        assertEquals(1.0 / 3, score(truth, predicted).at(0.25), 1e-12);
        assertEquals(0, score(truth, predicted).at(0.125), 1e-12);
    }

    @Test
    void thePrecisionIsTheLargestFromThereOn(NDManager manager) {
        // miss, hit, hit: 0, 1/2, 2/3; both hits count with 2/3.
        NDArray truth = sets(manager, new double[][] {object(1, 0), object(5, 0), NONE});
        NDArray predicted =
                sets(manager, new double[][] {told(1, 1, 0.9), told(1, 0, 0.8), told(5, 0, 0.7)});
        assertEquals(2.0 / 3, score(truth, predicted).at(0.5), 1e-12);
    }

    @Test
    void theNearestObjectCountsEvenIfItIsTaken(NDManager manager) {
        NDArray truth = sets(manager, new double[][] {object(1, 0), object(2, 0)});
        // Both are nearest to the object at 1; the second is near enough to the free one too.
        NDArray predicted = sets(manager, new double[][] {told(1, 0, 0.9), told(1.4, 0, 0.8)});
        assertEquals(0.5, score(truth, predicted).at(1), 1e-12);
        assertEquals(0.5, score(truth, predicted).at(ANY), 1e-12);
        // The object with the same kind is meant, not a nearer one of another kind.
        NDArray kinds = sets(manager, new double[][] {object(1, 1), object(2, 0)});
        assertEquals(0.5, score(kinds, predicted).at(ANY), 1e-12);
    }

    @Test
    void aDistanceEqualToTheThresholdIsTooFar(NDManager manager) {
        NDArray truth = sets(manager, new double[][] {object(0, 0)});
        NDArray predicted = sets(manager, new double[][] {told(1.5, 0, 0.5)});
        assertEquals(0, score(truth, predicted).at(1.5));
        assertEquals(1, score(truth, predicted).at(Math.nextUp(1.5)));
    }

    @Test
    void whatIsFoundFirstIsNotFoundAgainInAnotherImage(NDManager manager) {
        // The same objects in two images are two objects.
        NDArray truth = sets(manager, new double[][] {object(1, 0)}, new double[][] {object(1, 0)});
        NDArray predicted =
                sets(manager, new double[][] {told(1, 0, 0.9)}, new double[][] {told(1, 0, 0.8)});
        assertEquals(1, score(truth, predicted).at(0.5));
    }

    @Test
    void equalPresenceGoesByOrder(NDManager manager) {
        NDArray truth = sets(manager, new double[][] {object(1, 0)});
        NDArray hitFirst = sets(manager, new double[][] {told(1, 0, 0.5), told(1, 1, 0.5)});
        NDArray missFirst = sets(manager, new double[][] {told(1, 1, 0.5), told(1, 0, 0.5)});
        assertEquals(1, score(truth, hitFirst).at(1));
        assertEquals(0.5, score(truth, missFirst).at(1));
    }

    @Test
    void ofEqualDistancesTheFirstObjectIsMeant(NDManager manager) {
        NDArray truth = sets(manager, new double[][] {object(1, 0), object(3, 0)});
        // Between both, then on the first, which is taken.
        NDArray predicted = sets(manager, new double[][] {told(2, 0, 0.9), told(1, 0, 0.8)});
        assertEquals(0.5, score(truth, predicted).at(ANY));
        // Then on the second, which is free.
        NDArray other = sets(manager, new double[][] {told(2, 0, 0.9), told(3, 0, 0.8)});
        assertEquals(1, score(truth, other).at(ANY));
    }

    @Test
    void ofEqualNumbersTheFirstIsTheAttribute(NDManager manager) {
        NDArray undecided = sets(manager, new double[][] {{1 / 6.0, 0.5, 0.5, 0.9}});
        assertEquals(1, score(sets(manager, new double[][] {object(1, 0)}), undecided).at(1));
        assertEquals(0, score(sets(manager, new double[][] {object(1, 1)}), undecided).at(1));
    }

    @Test
    void undefinedIsNaN(NDManager manager) {
        SetAveragePrecision score = new SetAveragePrecision(SMALL);
        assertEquals(Double.NaN, score.at(1), "no image");
        NDArray none = sets(manager, new double[][] {NONE});
        NDArray some = sets(manager, new double[][] {told(1, 0, 0.9)});
        score.add(none, some);
        assertEquals(Double.NaN, score.at(1), "no object");
        assertEquals(1, score.images());
        NDArray one = sets(manager, new double[][] {object(1, 0)});
        score.add(one, some);
        assertEquals(0.5, score.at(1), "an image without objects has predictions that miss");
        score.add(one, sets(manager, new double[][] {{1, 1, 0, Double.NaN}}));
        assertEquals(Double.NaN, score.at(1), "a presence that is NaN");
        score.reset();
        assertEquals(0, score.images());
        score.add(one, some);
        assertEquals(1, score.at(1));
        score.add(sets(manager, new double[][] {{Double.NaN, 0, 1, 1}}), some);
        assertEquals(Double.NaN, score.at(1), "a place that is NaN");
    }

    private static final class Told {
        final int image;
        final double[] row;

        Told(int image, double[] row) {
            this.image = image;
            this.row = row;
        }
    }

    /** The published way, with loops and lists, independent of the class. */
    private static double plain(double[][][] truth, double[][][] predicted, double threshold) {
        List<Told> all = new ArrayList<>();
        int objects = 0;
        for (int b = 0; b < truth.length; b++) {
            for (double[] row : predicted[b]) {
                all.add(new Told(b, row));
            }
            for (double[] row : truth[b]) {
                objects += row[18] == 1 ? 1 : 0;
            }
        }
        all.sort(Comparator.comparingDouble(t -> -t.row[18]));
        List<Double> precision = new ArrayList<>(List.of(0.0));
        List<Double> recall = new ArrayList<>(List.of(0.0));
        List<double[]> found = new ArrayList<>();
        int wrong = 0;
        for (Told told : all) {
            double[] nearest = null;
            double best = 10000;
            for (double[] object : truth[told.image]) {
                if (object[18] == 1 && kind(object).equals(kind(told.row))) {
                    double d = 0;
                    for (int axis = 0; axis < 3; axis++) {
                        d += Math.pow(6 * object[axis] - 6 * told.row[axis], 2);
                    }
                    if (Math.sqrt(d) < best) {
                        best = Math.sqrt(d);
                        nearest = object;
                    }
                }
            }
            double[] it = nearest;
            if (it != null && best < threshold && found.stream().noneMatch(f -> f == it)) {
                found.add(it);
            } else {
                wrong++;
            }
            precision.add((double) found.size() / (found.size() + wrong));
            recall.add((double) found.size() / objects);
        }
        precision.add(0.0);
        recall.add(1.0);
        double area = 0;
        for (int n = 1; n < recall.size(); n++) {
            double height = Collections.max(precision.subList(n, precision.size()));
            area += (recall.get(n) - recall.get(n - 1)) * height;
        }
        return area;
    }

    private static List<Integer> kind(double[] row) {
        List<Integer> kind = new ArrayList<>();
        int at = 3;
        for (int values : new int[] {2, 2, 3, 8}) {
            int best = 0;
            for (int i = 1; i < values; i++) {
                best = row[at + i] > row[at + best] ? i : best;
            }
            kind.add(best);
            at += values;
        }
        return kind;
    }

    private static double[] randomObject(Random random) {
        double[] row = new double[19];
        for (int i = 0; i < 3; i++) {
            row[i] = random.nextDouble();
        }
        row[3 + random.nextInt(2)] = 1;
        row[5] = 1; // of few kinds, so that there are several of one
        row[7 + random.nextInt(2)] = 1;
        row[10] = 1;
        row[18] = 1;
        return row;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void agreesWithAPlainImplementation(int seed, NDManager manager) {
        Random random = new Random(seed);
        int images = 30;
        int rows = 6;
        int slots = 3 + seed;
        double[][][] truth = new double[images][rows][19];
        double[][][] predicted = new double[images][slots][];
        for (int b = 0; b < images; b++) {
            for (int j = 0; j < random.nextInt(rows + 1); j++) {
                truth[b][j] = randomObject(random);
            }
            for (int k = 0; k < slots; k++) {
                double[] row = k < rows ? truth[b][k].clone() : randomObject(random);
                double noise = random.nextDouble() * random.nextDouble();
                for (int i = 0; i < 18; i++) {
                    row[i] += noise * (random.nextDouble() - 0.5);
                }
                row[18] = random.nextDouble();
                predicted[b][k] = row;
            }
        }
        SetAveragePrecision score = new SetAveragePrecision(PropertyLayout.CLEVR);
        // In batches of 7, 7, 7, 7 and 2.
        for (int from = 0; from < images; from += 7) {
            int to = Math.min(images, from + 7);
            score.add(
                    sets(manager, Arrays.copyOfRange(truth, from, to)),
                    sets(manager, Arrays.copyOfRange(predicted, from, to)));
        }
        double before = 1.1;
        for (double threshold : SetAveragePrecision.PUBLISHED) {
            double expected = plain(truth, predicted, threshold);
            assertEquals(expected, score.at(threshold), 1e-12);
            assertTrue(expected <= before, "falls with the threshold");
            before = expected;
        }
        assertTrue(score.at(ANY) > 0.2 && score.at(ANY) < 1, "the case says something");
        assertTrue(score.at(0.25) < score.at(ANY), "thresholds matter");
    }

    @Test
    void theLayoutOfClevrIsThatOfItsObjects() {
        PropertyLayout clevr = PropertyLayout.CLEVR;
        assertEquals(ClevrObject.PROPERTIES, clevr.length());
        double[] one = {1, 2, 0.7};
        double[] other = {-2, 2, 4.7};
        for (ClevrObject.Size size : ClevrObject.Size.values()) {
            for (ClevrObject.Material material : ClevrObject.Material.values()) {
                for (ClevrObject.Shape shape : ClevrObject.Shape.values()) {
                    for (ClevrObject.Colour colour : ClevrObject.Colour.values()) {
                        double[] a = encoded(one, size, material, shape, colour);
                        double[] b = encoded(other, size, material, shape, colour);
                        assertEquals(5, SetAveragePrecision.distance(clevr, a, 0, b, 0), 1e-5);
                        assertTrue(SetAveragePrecision.agree(clevr, a, 0, b, 0));
                    }
                }
            }
        }
        double[] a =
                encoded(
                        one,
                        ClevrObject.Size.SMALL,
                        ClevrObject.Material.METAL,
                        ClevrObject.Shape.CUBE,
                        ClevrObject.Colour.CYAN);
        for (int i = 3; i < 18; i++) {
            double[] b = a.clone();
            b[i] = 2;
            assertEquals(a[i] == 1, SetAveragePrecision.agree(clevr, a, 0, b, 0), "number " + i);
        }
    }

    private static double[] encoded(
            double[] at,
            ClevrObject.Size size,
            ClevrObject.Material material,
            ClevrObject.Shape shape,
            ClevrObject.Colour colour) {
        float[] row = new ClevrObject(at[0], at[1], at[2], size, material, shape, colour).encode();
        double[] wide = new double[row.length];
        for (int i = 0; i < row.length; i++) {
            wide[i] = row[i];
        }
        return wide;
    }

    @Test
    void evaluatorAccumulatesOverBatches(NDManager manager) {
        SetAveragePrecisionEvaluator evaluator = new SetAveragePrecisionEvaluator(SMALL, 1);
        assertEquals("AP 1.0", evaluator.getName());
        assertEquals("p", new SetAveragePrecisionEvaluator("p", SMALL, ANY).getName());
        NDList truth = new NDList(sets(manager, new double[][] {object(1, 0)}));
        NDList hit = new NDList(sets(manager, new double[][] {told(1, 0, 0.4)}));
        NDList miss = new NDList(sets(manager, new double[][] {told(1, 1, 0.6)}));
        assertEquals(1, evaluator.evaluate(truth, hit).getDouble());
        assertEquals(0, evaluator.evaluate(truth, miss).getDouble());
        // Of labels with classes beside them, those that are sets; predictions name nothing.
        NDArray classes = manager.ones(new Shape(1, 1), DataType.INT64);
        NDArray weights = manager.ones(new Shape(1, 1));
        NDArray whole = manager.ones(new Shape(1, 1, 4), DataType.INT64);
        NDList many = new NDList(classes, weights, whole, truth.head());
        assertEquals(1, evaluator.evaluate(many, hit).getDouble());
        assertRefused(
                "SetAveragePrecisionEvaluator: expected one array of predictions, got 2; see"
                        + " IndexEvaluator",
                () -> evaluator.evaluate(truth, new NDList(hit.head(), miss.head())));
        evaluator.addAccumulator("a");
        evaluator.addAccumulator("b");
        assertEquals(Float.NaN, evaluator.getAccumulator("a"));
        evaluator.updateAccumulators(new String[] {"a", "b"}, truth, hit);
        evaluator.updateAccumulator("a", truth, miss);
        // The miss is surer: half of the objects, at a precision of one half. Not (1 + 0) / 2.
        assertEquals(0.25f, evaluator.getAccumulator("a"));
        assertEquals(1f, evaluator.getAccumulator("b"));
        evaluator.resetAccumulator("a");
        evaluator.updateAccumulator("a", truth, hit);
        assertEquals(1f, evaluator.getAccumulator("a"));
        assertThrows(IllegalArgumentException.class, () -> evaluator.getAccumulator("c"));
        assertRefused(
                "SetAveragePrecisionEvaluator: expected one array of labels, got 0; see"
                        + " IndexEvaluator",
                () -> evaluator.evaluate(new NDList(), hit));
        assertRefused(
                "SetAveragePrecisionEvaluator: threshold must be above 0, got 0.0",
                () -> new SetAveragePrecisionEvaluator(SMALL, 0));
    }

    @Test
    void errors(NDManager manager) {
        SetAveragePrecision score = new SetAveragePrecision(SMALL);
        NDArray good = manager.ones(new Shape(2, 3, 4));
        assertRefused(
                "SetAveragePrecision: predicted must be (B, K, 4), got (2, 3, 5)",
                () -> score.add(good, manager.ones(new Shape(2, 3, 5))));
        assertRefused(
                "SetAveragePrecision: truth must be (2, K', 4), got (1, 3, 4)",
                () -> score.add(manager.ones(new Shape(1, 3, 4)), good));
        assertRefused(
                "SetAveragePrecision: truth must be float32, float64 or float16, got int32",
                () -> score.add(good.toType(DataType.INT32, true), good));
        assertRefused(
                "SetAveragePrecision: predicted must be float32, float64 or float16, got int32",
                () -> score.add(good, good.toType(DataType.INT32, true)));
        assertRefused("SetAveragePrecision: threshold must be above 0, got 0.0", () -> score.at(0));
        assertRefused(
                "SetAveragePrecision: threshold must be above 0, got -1.0", () -> score.at(-1));
        assertRefused(
                "SetAveragePrecision: threshold must be above 0, got NaN",
                () -> score.at(Double.NaN));
        assertEquals(0, score.images(), "nothing of what was refused was added");
        assertRefused(
                "PropertyLayout: scale must be above 0 and finite, got 0.0",
                () -> new PropertyLayout(3, 0, List.of()));
        assertRefused(
                "PropertyLayout: coordinates must be at least 0, got -1",
                () -> new PropertyLayout(-1, 1, List.of()));
        assertRefused(
                "PropertyLayout: an attribute must have a value, got 0",
                () -> new PropertyLayout(1, 1, List.of(2, 0)));
    }
}
