package org.slotwise.grouping;

import java.util.Arrays;
import org.slotwise.internal.ColumnProducts;
import org.slotwise.internal.VectorLoops;

/**
 * The layer of relative features and places of {@link InvariantSlotAttention}, summed over features
 * for a slot, in loops of Java's own. Of places on a grid there are few different x and y: what the
 * map of relative places makes of each is computed once, since it is a sum of the two. With arrays
 * of its own: for one thread. Places are from -1 to 1.
 */
final class RelativeSums {

    final float[] x; // of places, N
    final float[] y;
    private final int n;
    private final float[] positions; // (N, 2): what these were made of
    private final Line columns;
    private final Line rows;
    private final float[] sum; // R
    private boolean placed;

    /** Different numbers of one coordinate, at most N. */
    private static final class Line {
        final int[] of; // which of them each place has, N
        final float[][] waves; // sines and cosines of each and 1
        final float[][] map; // (2 L + 1)(R): as it is turned for a slot
        final float[][] made; // what it makes of each, (N)(R)
        int count;

        Line(int n, int frequencies, int r) {
            int width = ColumnProducts.width(2 * frequencies + 1);
            of = new int[n];
            waves = new float[n][width];
            map = new float[width][r];
            made = new float[n][r];
        }

        void place(float[] from, int frequencies) {
            float[] different = from.clone();
            Arrays.sort(different);
            count = 0;
            for (float at : different) {
                if (count == 0 || Float.compare(different[count - 1], at) != 0) {
                    different[count] = at;
                    for (int l = 0; l < frequencies; l++) {
                        double angle = (l + 1) * Math.PI * at;
                        waves[count][2 * l] = (float) Math.sin(angle);
                        waves[count][2 * l + 1] = (float) Math.cos(angle);
                    }
                    waves[count][2 * frequencies] = 1;
                    count++;
                }
            }
            for (int i = 0; i < of.length; i++) {
                of[i] = Arrays.binarySearch(different, 0, count, from[i]);
            }
        }

        /** Turns the map, of one coordinate of each wave and of places themselves, to a place. */
        void turn(InvariantSlotAttentionMaps maps, int coordinate, float at) {
            int r = maps.relativeDim;
            for (int l = 0; l < maps.frequencies; l++) {
                double angle = (l + 1) * Math.PI * at;
                float cosine = (float) Math.cos(angle);
                float sine = (float) Math.sin(angle);
                for (int half = 0; half < 2; half++) {
                    int m = 4 * l + 2 * half + coordinate;
                    VectorLoops.combine(
                            map[2 * l + half], maps.straight[m], maps.turned[m], cosine, sine, r);
                }
            }
            float[] itself = maps.along[coordinate];
            VectorLoops.combine(map[2 * maps.frequencies], itself, itself, -at, 0, r);
            for (int i = 0; i < count; i++) {
                Arrays.fill(made[i], 0);
            }
            ColumnProducts.add(map, made, waves, count, 0, r);
        }
    }

    /**
     * Makes room.
     *
     * @param n the number of places
     * @param frequencies L
     * @param r the size of the layer
     */
    RelativeSums(int n, int frequencies, int r) {
        this.n = n;
        x = new float[n];
        y = new float[n];
        positions = new float[2 * n];
        columns = new Line(n, frequencies, r);
        rows = new Line(n, frequencies, r);
        sum = new float[r];
    }

    /**
     * Where features are, which is the same from call to call.
     *
     * @param from (N, 2), from 0 to 1
     * @param frequencies L
     */
    void place(float[] from, int frequencies) {
        if (placed && Arrays.equals(positions, from)) {
            return;
        }
        placed = true;
        System.arraycopy(from, 0, positions, 0, from.length);
        for (int j = 0; j < n; j++) {
            x[j] = 2 * from[2 * j] - 1;
            y[j] = 2 * from[2 * j + 1] - 1;
        }
        columns.place(x, frequencies);
        rows.place(y, frequencies);
    }

    /**
     * The weighted sum of a slot.
     *
     * @param maps what was learnt
     * @param near (N)(R): what does not depend on the slot
     * @param weights N
     * @param cx where the slot sees places from
     * @param cy the same
     * @param to where the R sums are written, from an index on
     * @param at the index
     */
    void write(
            InvariantSlotAttentionMaps maps,
            float[][] near,
            float[] weights,
            float cx,
            float cy,
            float[] to,
            int at) {
        columns.turn(maps, 0, cx);
        rows.turn(maps, 1, cy);
        Arrays.fill(sum, 0);
        for (int j = 0; j < n; j++) {
            VectorLoops.addPositive(
                    sum,
                    near[j],
                    columns.made[columns.of[j]],
                    rows.made[rows.of[j]],
                    weights[j],
                    sum.length);
        }
        System.arraycopy(sum, 0, to, at, sum.length);
    }
}
