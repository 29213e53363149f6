package org.slotwise.clustering;

import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * How {@link KMeans} clusters. The options and their defaults are those of scikit-learn's {@code
 * KMeans}, under the reference's defaults ({@code n_init} 10); {@code sample} and {@code
 * relaxation} are ours.
 *
 * @param init how starting centres are drawn
 * @param nInit from how many starts to cluster; the one that ends with the lowest inertia is kept
 * @param maxIter after how many iterations a start ends at the latest
 * @param tol a start ends when the squared distances that its centres moved sum to at most tol
 *     times the mean variance of the image's features
 * @param sample on how many features of an image, drawn from all, starts are drawn and run; the
 *     best goes on with all of them; 0 for all. More than an image has are all
 * @param relaxation how far centres of a slow start go, in relation to the way to the means of
 *     their features: 1 for as far as the means
 * @param seed null to draw from the engine's generator; a number for the same draws on every call,
 *     on every device and for every image of a batch, as with an integer {@code random_state}
 */
public record KMeansOptions(
        Init init,
        int nInit,
        int maxIter,
        double tol,
        int sample,
        double relaxation,
        @Nullable Long seed) {

    /** How starting centres are drawn from the features of an image. */
    public enum Init {
        /**
         * One after the other, far from those that are there already: greedy k-means++, with 2 +
         * floor(ln K) trials for each centre (Arthur and Vassilvitskii, 2007).
         */
        K_MEANS_PLUS_PLUS,
        /** K features at random, all different ones. */
        RANDOM
    }

    /**
     * Creates the options.
     *
     * @param init how starting centres are drawn
     * @param nInit at least 1
     * @param maxIter at least 1
     * @param tol at least 0 and finite
     * @param sample at least 0
     * @param relaxation from 1 to below 2
     * @param seed any number, or null
     * @throws IllegalArgumentException if an option is out of range
     */
    public KMeansOptions {
        String who = "KMeansOptions";
        Limits.count(who, "nInit", nInit, 1, Limits.ITERATIONS);
        Check.atLeast(who, "maxIter", maxIter, 1);
        Check.option(
                tol >= 0 && tol < Double.POSITIVE_INFINITY,
                who + ": tol must be at least 0 and finite, got " + tol);
        Check.atLeast(who, "sample", sample, 0);
        Check.option(
                relaxation >= 1 && relaxation < 2,
                who + ": relaxation must be at least 1 and below 2, got " + relaxation);
    }

    /**
     * Starts the description of options.
     *
     * @return a builder that holds the defaults
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link KMeansOptions}. */
    public static final class Builder {
        private Init init = Init.K_MEANS_PLUS_PLUS;
        private int nInit = 10;
        private int maxIter = 300;
        private double tol = 1e-4;
        private int sample;
        private double relaxation = 1;
        private @Nullable Long seed;

        private Builder() {}

        /**
         * Sets how starting centres are drawn where none are given.
         *
         * @param init k-means++ if not set
         * @return this
         */
        public Builder optInit(Init init) {
            this.init = init;
            return this;
        }

        /**
         * Sets from how many starts to cluster. Given centres are one start, whatever is set here.
         *
         * @param nInit from 1 to 10,000; 10 if not set
         * @return this
         */
        public Builder optNInit(int nInit) {
            this.nInit = nInit;
            return this;
        }

        /**
         * Sets after how many iterations a start ends at the latest.
         *
         * @param maxIter at least 1; 300 if not set
         * @return this
         */
        public Builder optMaxIter(int maxIter) {
            this.maxIter = maxIter;
            return this;
        }

        /**
         * Sets how little the centres must move for a start to end, in relation to the mean
         * variance of the image's features.
         *
         * @param tol at least 0; 1e-4 if not set
         * @return this
         */
        public Builder optTol(double tol) {
            this.tol = tol;
            return this;
        }

        /**
         * Sets on how many features starts are drawn and run, for images of many: each start until
         * it has ended, on the same features, one drawn from each of so many parts of all. The one
         * of least inertia goes on with all features. It ends where a start from all could end, and
         * takes few iterations of those that cost time (Bradley and Fayyad, "Refining initial
         * points for k-means clustering", 1998, with one sample). Given centres need no sample.
         *
         * @param sample at least 0; some hundred for each cluster are enough, and as many as there
         *     are clusters are taken at least; 0, for all, if not set
         * @return this
         */
        public Builder optSample(int sample) {
            this.sample = sample;
            return this;
        }

        /**
         * Sets how far centres go in each iteration of a start that is slow, which is one whose
         * squared movements sum to more than half of those before: from where they are to the means
         * of their features, and beyond. Many features that are not in clear groups take fewer
         * iterations so, and end with about the same inertia, though not with the same clusters.
         * The inertia falls from iteration to iteration all the same, and a start ends as it does
         * without: when its centres are means, and hardly move or no label changes. Over-relaxation
         * of Lloyd's iteration, as Xiao has it for centroidal Voronoi tessellations (2010).
         *
         * @param relaxation at least 1, below 2; 1, as scikit-learn, if not set; 1.7 is a good one
         * @return this
         */
        public Builder optRelaxation(double relaxation) {
            this.relaxation = relaxation;
            return this;
        }

        /**
         * Sets a seed, with which every call draws the same.
         *
         * @param seed any number; not set, draws come from the engine's generator
         * @return this
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Builds the options.
         *
         * @return the options
         * @throws IllegalArgumentException if one is out of range
         */
        public KMeansOptions build() {
            return new KMeansOptions(init, nInit, maxIter, tol, sample, relaxation, seed);
        }
    }
}
