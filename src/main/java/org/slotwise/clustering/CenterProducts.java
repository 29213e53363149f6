package org.slotwise.clustering;

/**
 * The products x . c of some features with all centres: for {@link BoundedAssignment}, for each of
 * whose threads there is one. How they are rounded is no matter.
 */
interface CenterProducts {

    /** How many features are multiplied at once, at most: long loops, in a core's cache. */
    int TOGETHER = 4 * BlockedPoints.BLOCK;

    /**
     * Multiplies as many features in a row as are multiplied at once, or those that are left.
     *
     * @param part which of them
     * @param centers (K)(F)
     * @param products where to put the products, (K)({@link #TOGETHER})
     */
    void ofPart(int part, float[][] centers, float[][] products);

    /**
     * Multiplies some features.
     *
     * @param features which
     * @param n how many, at most {@link #TOGETHER}
     * @param centers (K)(F)
     * @param products where to put the products, (K)({@link #TOGETHER})
     */
    void ofSome(int[] features, int n, float[][] centers, float[][] products);
}
