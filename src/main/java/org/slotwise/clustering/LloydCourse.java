package org.slotwise.clustering;

/**
 * How starts of {@link Lloyd} go on and when they end.
 *
 * <p>Where the centres of a start hardly move less from one iteration to the next, they go further
 * than to the means of their features, by a factor below 2. The sum of squares does not rise by it:
 * as a function of a centre it is a parabola with its least at the mean, and the centre ends no
 * farther from the mean than it was (Xiao, "Over-relaxation Lloyd method for computing centroidal
 * Voronoi tessellations", 2010).
 */
final class LloydCourse {

    /** A start is slow where its squared movement is above this share of that before. */
    private static final double SLOW = 0.5;

    /** For each image the sum of squared movements at which a start ends. */
    final double[] tolerance;

    /** After how many iterations a start ends at the latest. */
    final int maxIter;

    /** By how much of its way to the mean a slow centre goes beyond it: from 0 to below 1. */
    final float beyond;

    /**
     * Creates a course.
     *
     * @param relaxation how far slow centres go, in relation to the way to the mean: from 1 to
     *     below 2
     */
    LloydCourse(double[] tolerance, int maxIter, double relaxation) {
        this.tolerance = tolerance;
        this.maxIter = maxIter;
        beyond = (float) (relaxation - 1);
    }

    /**
     * Whether centres go beyond the means of their features. They do not in the last iteration, so
     * that what a start ends with is means.
     *
     * @param t the number of the iteration, from 1
     * @param movement the squared distance of the means from the centres, summed
     * @param before that of the iteration before, infinite in the first
     */
    boolean goesBeyond(int image, int t, double movement, double before) {
        return beyond > 0 && t < maxIter && movement > tolerance[image] && movement > SLOW * before;
    }

    /** Makes of means where centres go that go beyond them. */
    void goBeyond(float[] mean, float[] center) {
        for (int f = 0; f < mean.length; f++) {
            mean[f] += beyond * (mean[f] - center[f]);
        }
    }
}
