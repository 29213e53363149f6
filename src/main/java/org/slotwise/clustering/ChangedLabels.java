package org.slotwise.clustering;

import java.util.Arrays;

/** The labels of features in blocks, and which of them an assignment has changed. */
final class ChangedLabels {

    /** (N). */
    final int[] labels;

    private final int[][] changed; // (blocks)(BLOCK): which features have another label
    private final int[][] before; // (blocks)(BLOCK): and which they had
    private final int[] count; // (blocks): how many

    ChangedLabels(BlockedPoints points) {
        labels = new int[points.size];
        changed = new int[points.blocks()][BlockedPoints.BLOCK];
        before = new int[points.blocks()][BlockedPoints.BLOCK];
        count = new int[points.blocks()];
    }

    /** Forgets what has changed. */
    void clear() {
        Arrays.fill(count, 0);
    }

    /** Sets the label of a feature of a block; blocks may be set by several threads. */
    void set(int block, int i, int label) {
        int j = block * BlockedPoints.BLOCK + i;
        if (labels[j] != label) {
            int n = count[block]++;
            changed[block][n] = i;
            before[block][n] = labels[j];
            labels[j] = label;
        }
    }

    /** Moves features to their new clusters; returns whether any has changed. */
    boolean count(ClusterSums sums, float[] rows) {
        int all = 0;
        for (int b = 0; b < count.length; b++) {
            all += count[b];
            for (int n = 0; n < count[b]; n++) {
                sums.moveOne(before[b][n], labels[b * BlockedPoints.BLOCK + changed[b][n]]);
            }
        }
        // Each thread has some elements of all features, so that sums do not depend on threads.
        sums.byElements(
                all,
                (from, to) -> {
                    for (int b = 0; b < count.length; b++) {
                        for (int n = 0; n < count[b]; n++) {
                            int j = b * BlockedPoints.BLOCK + changed[b][n];
                            sums.move(before[b][n], labels[j], rows, j, from, to);
                        }
                    }
                });
        return all > 0;
    }
}
