package org.slotwise.composition;

import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.internal.Check;

/**
 * How a {@link SlotLibrary} is clustered, and which of its clusters is what.
 *
 * @param clusters C; 0 for as many as a picture has slots
 * @param clustering how k-means starts and ends
 * @param background the number of the background's cluster; null for that of the largest mean share
 *     of attention, if shares are known
 * @param leastShare clusters of a smaller mean share of attention, in relation to 1 / K, hold empty
 *     slots and take no part in {@link CompositionRule#backgroundAnd}
 */
public record LibraryOptions(
        int clusters, KMeansOptions clustering, @Nullable Integer background, double leastShare) {

    private static final String WHO = "LibraryOptions";

    /**
     * Creates the options.
     *
     * @param clusters at least 0
     * @param clustering any
     * @param background at least 0, or null
     * @param leastShare from 0 to 1
     * @throws IllegalArgumentException if an option is out of range
     */
    public LibraryOptions {
        Check.atLeast(WHO, "clusters", clusters, 0);
        Check.option(
                background == null || background >= 0,
                WHO + ": background must be at least 0, got " + background);
        Check.option(
                leastShare >= 0 && leastShare <= 1,
                WHO + ": leastShare must be from 0 to 1, got " + leastShare);
    }

    /** How many clusters there are for slots of pictures that have so many. */
    int clustersOf(String who, long slots) {
        int all = clusters == 0 ? Math.toIntExact(slots) : clusters;
        Check.option(
                background == null || background < all,
                who + ": background must be below " + all + ", got " + background);
        return all;
    }

    /**
     * Starts the description of options.
     *
     * @return a builder that holds the defaults
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link LibraryOptions}. */
    public static final class Builder {
        private int clusters;
        private KMeansOptions clustering =
                KMeansOptions.builder()
                        .optNInit(3)
                        .optSample(10_000)
                        .optRelaxation(1.7)
                        .optSeed(0)
                        .build();
        private @Nullable Integer background;
        private double leastShare = 0.5;

        private Builder() {}

        /**
         * Sets how many clusters there are.
         *
         * @param clusters at least 1; as many as a picture has slots if not set
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public Builder optClusters(int clusters) {
            Check.atLeast(WHO, "clusters", clusters, 1);
            this.clusters = clusters;
            return this;
        }

        /**
         * Sets how k-means starts and ends.
         *
         * @param clustering the options; if not set, three starts from seed 0 on a sample of 10,000
         *     slots, the best of which goes on with all, and relaxation by 1.7
         * @return this
         */
        public Builder optClustering(KMeansOptions clustering) {
            this.clustering = clustering;
            return this;
        }

        /**
         * Sets which cluster is the background.
         *
         * @param cluster its number, from 0; that of the largest mean share of attention if not set
         * @return this
         */
        public Builder optBackground(int cluster) {
            background = cluster;
            return this;
        }

        /**
         * Sets below which mean share of attention a cluster holds empty slots.
         *
         * @param leastShare from 0 to 1, in relation to 1 / K, the share if all slots had the same;
         *     0.5 if not set
         * @return this
         */
        public Builder optLeastShare(double leastShare) {
            this.leastShare = leastShare;
            return this;
        }

        /**
         * Builds the options.
         *
         * @return the options
         * @throws IllegalArgumentException if one is out of range
         */
        public LibraryOptions build() {
            return new LibraryOptions(clusters, clustering, background, leastShare);
        }
    }
}
