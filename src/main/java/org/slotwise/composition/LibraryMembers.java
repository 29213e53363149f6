package org.slotwise.composition;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Which slots each cluster of a library has, and how much of the attention they have. */
final class LibraryMembers {

    private final int[][] rows; // (C)(members), in the order of rows
    private final double[] meanShares; // (C)

    private LibraryMembers(int[][] rows, float @Nullable [] shares) {
        this.rows = rows;
        meanShares = Arrays.stream(rows).mapToDouble(some -> meanShare(some, shares)).toArray();
    }

    /** All slots. */
    static LibraryMembers all(LibraryContent content) {
        return some(content, IntStream.range(0, content.labels().length).toArray());
    }

    /** Some slots, ascending. In one pass over rows, however many clusters there are. */
    static LibraryMembers some(LibraryContent content, int[] all) {
        int[] labels = content.labels();
        int[] counts = new int[content.clusters()];
        for (int row : all) {
            counts[labels[row]]++;
        }
        int[][] rows = new int[counts.length][];
        for (int k = 0; k < rows.length; k++) {
            rows[k] = new int[counts[k]];
        }
        for (int i = all.length - 1; i >= 0; i--) {
            rows[labels[all[i]]][--counts[labels[all[i]]]] = all[i];
        }
        return new LibraryMembers(rows, content.shares());
    }

    private static double meanShare(int[] some, float @Nullable [] shares) {
        if (shares == null) {
            return Double.NaN;
        }
        double sum = 0;
        for (int row : some) {
            sum += shares[row];
        }
        return sum / some.length;
    }

    /** The rows of those that have at least a part of their cluster's mean share, ascending. */
    int[] full(double leastPart, float[] shares) {
        return IntStream.range(0, rows.length)
                .flatMap(
                        k ->
                                Arrays.stream(rows[k])
                                        .filter(row -> shares[row] >= leastPart * meanShares[k]))
                .sorted()
                .toArray();
    }

    int clusters() {
        return rows.length;
    }

    int count(int cluster) {
        return rows[cluster].length;
    }

    IntStream rows(int cluster) {
        return Arrays.stream(rows[cluster]);
    }

    /** NaN if shares are not known or the cluster has no members. */
    double meanShare(int cluster) {
        return meanShares[cluster];
    }

    /**
     * Member floor(u n) of a cluster, in the order of rows, of the n that are not there yet; of all
     * if all are.
     *
     * @param u in [0, 1)
     * @param there rows; those of other clusters count for nothing
     */
    int member(int cluster, double u, int... there) {
        int[] all = rows[cluster];
        int[] taken =
                IntStream.of(there)
                        .map(row -> Arrays.binarySearch(all, row))
                        .filter(place -> place >= 0)
                        .sorted()
                        .distinct()
                        .toArray();
        if (taken.length == all.length) {
            return all[(int) (u * all.length)];
        }
        int place = (int) (u * (all.length - taken.length));
        for (int other : taken) {
            place += other <= place ? 1 : 0;
        }
        return all[place];
    }
}
