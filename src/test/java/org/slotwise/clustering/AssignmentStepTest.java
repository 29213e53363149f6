package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import java.nio.FloatBuffer;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Labels of many assignments in a row beside plain distances in float64, while the centres wander:
 * a bound that holds for longer than it should would leave a label that is wrong.
 */
class AssignmentStepTest {

    private static final int SIZE = 3000; // no whole number of blocks or boxes
    private static final int STEPS = 60;

    /** As many as a block has, but for a block that two share. */
    private static final int GROUP = 250;

    /** By how much more the distance to a feature's own centre may be than the least, squared. */
    private static final double ROUNDING = 1e-5;

    /** How the centres go: hardly, some far and some not at all, or back and forth. */
    private enum Course {
        SLOW,
        UNEQUAL,
        THERE_AND_BACK;

        double step(int k, int t) {
            return switch (this) {
                case SLOW -> 0.003;
                case UNEQUAL -> k % 3 == 0 ? 0.1 : k % 3 == 1 ? 0.002 : 0;
                case THERE_AND_BACK -> t % 6 < 3 ? 0.02 : -0.02;
            };
        }
    }

    /** The engine tells how many threads there are. */
    @BeforeAll
    static void load() {
        Engine.getEngine("PyTorch");
    }

    @ParameterizedTest
    @CsvSource({
        "SLOW, 1, 5, 1",
        "SLOW, 2, 6, 20",
        "SLOW, 3, 8, 1",
        "SLOW, 3, 8, 20",
        "SLOW, 3, 40, 1",
        "UNEQUAL, 1, 5, 20",
        "UNEQUAL, 2, 6, 1",
        "UNEQUAL, 3, 8, 0.05",
        "UNEQUAL, 3, 40, 20",
        "THERE_AND_BACK, 2, 3, 1",
        "THERE_AND_BACK, 3, 8, 20",
        "THERE_AND_BACK, 3, 1, 1"
    })
    void boxesHoldNoLongerThanTheyShould(
            Course course, int featureSize, int clusters, float scale) {
        BlockedPoints read = points(featureSize, 1, scale);
        BlockedPoints points = read.inOrder(SpatialOrder.of(read.rows, featureSize));
        ChangedLabels changes = new ChangedLabels(points);
        AssignmentStep boxes = new BoxedAssignment(points, clusters, changes);
        follow(boxes, points, changes, clusters, course, scale);
    }

    @ParameterizedTest
    @CsvSource({
        "SLOW, 4, 5, 1, 1",
        "SLOW, 16, 8, 1, 20",
        "SLOW, 17, 33, 1, 1",
        "SLOW, 4, 5, 0.03, 20",
        "SLOW, 6, 8, 0.03, 1",
        "UNEQUAL, 4, 5, 1, 1",
        "UNEQUAL, 16, 8, 1, 0.05",
        "UNEQUAL, 17, 33, 1, 20",
        "UNEQUAL, 5, 4, 0.03, 1",
        "THERE_AND_BACK, 5, 3, 1, 20",
        "THERE_AND_BACK, 4, 1, 1, 1",
        "THERE_AND_BACK, 5, 8, 0.03, 1"
    })
    void boundsHoldNoLongerThanTheyShould(
            Course course, int featureSize, int clusters, float spread, float scale) {
        BlockedPoints points = points(featureSize, spread, scale);
        ChangedLabels changes = new ChangedLabels(points);
        float[] norms = new float[SIZE];
        for (int j = 0; j < SIZE; j++) {
            norms[j] = (float) Math.sqrt(points.squaredDistance(j, new float[featureSize]));
        }
        FeatureTiles tiles = FeatureTiles.of(points.rows, featureSize);
        AssignmentStep bounds =
                new BoundedAssignment(
                        points,
                        norms,
                        () -> new LoopedProducts(points, tiles, clusters),
                        clusters,
                        changes);
        follow(bounds, points, changes, clusters, course, scale);
    }

    /** Anywhere, or with a spread below 1 in tight groups, of which most blocks have one. */
    private static BlockedPoints points(int featureSize, float spread, float scale) {
        Random random = new Random(featureSize);
        float[] rows = new float[SIZE * featureSize];
        float[] group = new float[featureSize];
        for (int j = 0; j < SIZE; j++) {
            for (int f = 0; f < featureSize; f++) {
                if (j % GROUP == 0) {
                    group[f] = scale * random.nextFloat();
                }
                rows[j * featureSize + f] =
                        (1 - spread) * group[f] + scale * spread * random.nextFloat();
            }
        }
        return BlockedPoints.read(FloatBuffer.wrap(rows), 0, SIZE, featureSize);
    }

    private static void follow(
            AssignmentStep assignment,
            BlockedPoints points,
            ChangedLabels changes,
            int clusters,
            Course course,
            float scale) {
        for (int start = 0; start < 5; start++) { // none knows anything of the one before
            assignment.begin();
            boolean lasts = start == 0 && course == Course.SLOW;
            int steps = lasts ? CenterHistory.LONGEST + 5 : STEPS;
            wander(assignment, points, changes, clusters, course, scale, steps, new Random(start));
        }
    }

    private static void wander(
            AssignmentStep assignment,
            BlockedPoints points,
            ChangedLabels changes,
            int clusters,
            Course course,
            float scale,
            int steps,
            Random random) {
        int size = points.featureSize;
        float[][] centers = new float[clusters][size];
        float[][] towards = new float[clusters][size];
        for (int k = 0; k < clusters; k++) {
            for (int f = 0; f < size; f++) {
                centers[k][f] = scale * random.nextFloat();
                towards[k][f] = scale * (random.nextFloat() - 0.5f);
            }
        }
        for (int t = 0; t < steps; t++) {
            changes.clear();
            assignment.assign(centers);
            assertNearest(points, changes.labels, centers, ROUNDING * scale * scale, t);
            float[][] next = new float[clusters][size];
            double[] moved = new double[clusters];
            for (int k = 0; k < clusters; k++) {
                double by = 0;
                for (int f = 0; f < size; f++) {
                    next[k][f] = (float) (centers[k][f] + course.step(k, t) * towards[k][f]);
                    if (next[k][f] < 0 || next[k][f] > scale) {
                        towards[k][f] = -towards[k][f];
                    }
                    by += Math.pow((double) next[k][f] - centers[k][f], 2);
                }
                moved[k] = Math.sqrt(by);
            }
            centers = next;
            assignment.moved(moved, false);
        }
    }

    private static void assertNearest(
            BlockedPoints points, int[] labels, float[][] centers, double rounding, int step) {
        for (int j = 0; j < SIZE; j++) {
            double least = Double.POSITIVE_INFINITY;
            for (float[] center : centers) {
                least = Math.min(least, squared(points, j, center));
            }
            double own = squared(points, j, centers[labels[j]]);
            int feature = j;
            double nearest = least;
            assertTrue(
                    own <= least + rounding,
                    () -> "step " + step + ", feature " + feature + ": " + own + ", " + nearest);
        }
    }

    private static double squared(BlockedPoints points, int j, float[] center) {
        double sum = 0;
        for (int f = 0; f < center.length; f++) {
            sum += Math.pow((double) points.rows[j * center.length + f] - center[f], 2);
        }
        return sum;
    }
}
