package org.slotwise.data.generated;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.TfRecordScenes;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * Generated scenes after the data set Tetrominoes: 35 x 35 pixels, black, with three tetrominoes.
 *
 * <p>Source: the description of Tetrominoes in DeepMind's Multi-Object Datasets (Kabra et al.
 * 2019): three tetrominoes of 17 shapes and orientations, each in one of the colours red, green,
 * blue, yellow, magenta and cyan. A tetromino is made of four squares of 5 x 5 pixels, 100 pixels
 * in all; 24.5 % of an image is foreground.
 *
 * <p>What the description leaves open, and what is done here: the 17 are all fixed tetrominoes (I
 * in 2 orientations, O in 1, S, Z and two of T in 2, L and J in 4); shapes and colours are drawn
 * independently and may repeat; a tetromino may be at any pixel inside the image; tetrominoes never
 * overlap, but may touch. All placements without overlap are equally likely. {@link TfRecordScenes}
 * reads the real data set.
 *
 * <p>Scene i depends on the seed, the options and i and on nothing else: parts, batches and threads
 * do not change it. Label k of the mask is the k-th tetromino.
 *
 * <p>Other sizes, and pieces on a lattice, are options that the data set does not have.
 */
public final class Tetrominoes implements Scenes {

    private static final String WHO = "Tetrominoes";
    private static final int PIECES = 3;

    /** Fewer blocks side by side may have no room for three pieces. */
    private static final int FEWEST_BLOCKS = 6;

    private static final int MAX_SIDE = 4096;
    private static final int SHAPES = 17;

    /** Each shape as rows of blocks, in all its orientations; in this order the first 17 count. */
    private static final String[] KINDS = {
        "####", "##/##", ".##/##.", "##./.##", "###/#..", "###/..#", "###/.#."
    };

    private static final int[] COLOURS = {
        0xff0000, 0x00ff00, 0x0000ff, 0xffff00, 0xff00ff, 0x00ffff
    };

    /** For each shape its blocks: the row of each, then the column of each. */
    private static final List<int[][]> PLACES = shapes().subList(0, SHAPES);

    private final long seed;
    private final long size;
    private final int side;
    private final int block;
    private final boolean aligned;

    private Tetrominoes(Builder builder) {
        seed = builder.seed;
        size = builder.size;
        side = builder.side;
        block = builder.block;
        aligned = builder.aligned;
    }

    private static List<int[][]> shapes() {
        List<int[][]> shapes = new ArrayList<>();
        for (String kind : KINDS) {
            List<String> seen = new ArrayList<>();
            List<String> rows = List.of(kind.split("/", -1));
            for (int turn = 0; turn < 4; turn++) {
                String form = String.join("/", rows);
                if (!seen.contains(form)) {
                    seen.add(form);
                    shapes.add(blocks(rows));
                }
                rows = turned(rows);
            }
        }
        return shapes;
    }

    private static List<String> turned(List<String> rows) {
        List<String> result = new ArrayList<>();
        for (int x = 0; x < rows.get(0).length(); x++) {
            StringBuilder row = new StringBuilder();
            for (String old : rows) {
                row.insert(0, old.charAt(x));
            }
            result.add(row.toString());
        }
        return Collections.unmodifiableList(result);
    }

    private static int[][] blocks(List<String> rows) {
        int[][] places = new int[2][4];
        int block = 0;
        for (int y = 0; y < rows.size(); y++) {
            for (int x = 0; x < rows.get(y).length(); x++) {
                if (rows.get(y).charAt(x) == '#') {
                    places[0][block] = y;
                    places[1][block] = x;
                    block++;
                }
            }
        }
        return places;
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return size;
    }

    /** {@inheritDoc} */
    @Override
    public Scene get(long index) {
        Objects.checkIndex(index, size);
        SplitMix random = new SplitMix(seed, index);
        int[][][] pieces = new int[PIECES][][];
        int[] colours = new int[PIECES];
        for (int k = 0; k < PIECES; k++) {
            pieces[k] = PLACES.get(random.below(SHAPES));
            colours[k] = COLOURS[random.below(COLOURS.length)];
        }
        byte[] mask = new byte[side * side];
        while (!placed(random, pieces, mask)) {
            Arrays.fill(mask, (byte) 0);
        }
        byte[] image = new byte[3 * mask.length];
        for (int p = 0; p < mask.length; p++) {
            if (mask[p] != 0) {
                int rgb = colours[mask[p] - 1];
                image[3 * p] = (byte) (rgb >> 16);
                image[3 * p + 1] = (byte) (rgb >> 8);
                image[3 * p + 2] = (byte) rgb;
            }
        }
        return new Scene(side, side, image, mask, PIECES);
    }

    /** Places all pieces anywhere; false if two overlap. Then all of them are placed anew. */
    private boolean placed(SplitMix random, int[][][] pieces, byte[] mask) {
        for (int k = 0; k < pieces.length; k++) {
            int[] rows = pieces[k][0];
            int[] columns = pieces[k][1];
            int top = start(random, 1 + largest(rows));
            int left = start(random, 1 + largest(columns));
            for (int i = 0; i < rows.length; i++) {
                int y = top + block * rows[i];
                int x = left + block * columns[i];
                if (!filled(mask, y, x, (byte) (k + 1))) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Where a piece of so many blocks begins. */
    private int start(SplitMix random, int blocks) {
        return aligned
                ? block * random.between(0, side / block - blocks)
                : random.between(0, side - block * blocks);
    }

    private static int largest(int[] values) {
        return Math.max(Math.max(values[0], values[1]), Math.max(values[2], values[3]));
    }

    private boolean filled(byte[] mask, int top, int left, byte label) {
        for (int y = top; y < top + block; y++) {
            for (int at = y * side + left; at < y * side + left + block; at++) {
                if (mask[at] != 0) {
                    return false;
                }
                mask[at] = label;
            }
        }
        return true;
    }

    /**
     * Starts the description of a set of scenes.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link Tetrominoes}. */
    public static final class Builder {
        private long size = -1;
        private long seed;
        private int side = 35;
        private int block = 5;
        private boolean aligned;

        private Builder() {}

        /**
         * Sets how many scenes there are. A larger set begins with the scenes of a smaller one.
         *
         * @param size at least 0
         * @return this
         */
        public Builder setSize(long size) {
            this.size = size;
            return this;
        }

        /**
         * Sets the seed.
         *
         * @param seed any number; 0 if not set
         * @return this
         */
        public Builder optSeed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Sets the height and width of a scene.
         *
         * @param side in pixels, at least 6 blocks and at most 4096; 35 if not set
         * @return this
         */
        public Builder optSide(int side) {
            this.side = side;
            return this;
        }

        /**
         * Sets the height and width of the squares that a piece is made of.
         *
         * @param block in pixels, at least 1; 5 if not set
         * @return this
         */
        public Builder optBlock(int block) {
            this.block = block;
            return this;
        }

        /**
         * Sets whether pieces lie in cells of the size of a square, counted from the upper left
         * corner, so that patches of that size show one colour each.
         *
         * @param aligned false if not set: at any pixel
         * @return this
         */
        public Builder optAligned(boolean aligned) {
            this.aligned = aligned;
            return this;
        }

        /**
         * Builds the set. Nothing is generated yet.
         *
         * @return the scenes
         * @throws IllegalArgumentException if the size is missing or below 0, or another option out
         *     of its range
         */
        public Tetrominoes build() {
            Check.option(size >= 0, WHO + ": size must be at least 0, got " + size);
            Check.atLeast(WHO, "block", block, 1);
            Check.option(
                    side / FEWEST_BLOCKS >= block && side <= MAX_SIDE,
                    WHO
                            + ": side must be at least "
                            + FEWEST_BLOCKS
                            + " blocks of "
                            + block
                            + " and at most "
                            + MAX_SIDE
                            + ", got "
                            + side);
            return new Tetrominoes(this);
        }
    }
}
