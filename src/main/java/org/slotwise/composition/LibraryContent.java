package org.slotwise.composition;

import org.jspecify.annotations.Nullable;

/**
 * What a library consists of.
 *
 * @param slotsPerPicture K
 * @param slotDim D
 * @param slots (N K, D)
 * @param shares (N K), or null
 * @param labels (N K)
 * @param centers (C, D)
 * @param background the number of its cluster, or -1 if it was not set
 * @param leastShare below which share of 1 / K a cluster holds empty slots
 * @param pictures (N), the numbers of the pictures, ascending; null for 0 to N - 1
 * @param members the rows of those slots that are members of their clusters, ascending; null for
 *     all
 */
@SuppressWarnings("ArrayRecordComponent")
record LibraryContent(
        int slotsPerPicture,
        int slotDim,
        float[] slots,
        float @Nullable [] shares,
        int[] labels,
        float[] centers,
        int background,
        double leastShare,
        int @Nullable [] pictures,
        int @Nullable [] members) {

    /** In the place of the background's cluster. */
    static final int UNKNOWN = -1;

    /** The number of the picture that a slot comes from. */
    int picture(int row) {
        int place = row / slotsPerPicture;
        return pictures == null ? place : pictures[place];
    }

    int clusters() {
        return centers.length / slotDim;
    }

    /** The same with fewer members, and a background that is set. */
    LibraryContent withMembers(int[] rows, int itsBackground) {
        return new LibraryContent(
                slotsPerPicture,
                slotDim,
                slots,
                shares,
                labels,
                centers,
                itsBackground,
                leastShare,
                pictures,
                rows);
    }
}
