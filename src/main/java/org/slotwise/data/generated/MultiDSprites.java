package org.slotwise.data.generated;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.TfRecordScenes;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * Generated scenes like those of the data set Multi-dSprites, "coloured sprites on greyscale": 64 x
 * 64 pixels, two to five squares, ellipses and hearts that may hide parts of each other.
 *
 * <p>Source: the description of Multi-dSprites in DeepMind's Multi-Object Datasets (Kabra et al.
 * 2019): 2 to 5 oval, heart or square-shaped sprites in random HSV colours, with some occlusions,
 * on a background of one random shade of grey. The sprites here are drawn, not taken from dSprites,
 * so these scenes are like that data set and numbers reported on it do not carry over. {@link
 * TfRecordScenes} reads the real one.
 *
 * <p>What the description leaves open, and what is done here: shape, place, angle and radius are
 * uniform, a sprite lies inside the image, its colour has hue in [0, 1) and saturation and value in
 * [0.5, 1]; pixels are not smoothed, so that each has the colour of exactly one object; all sprites
 * are placed anew if too little of one of them can be seen.
 *
 * <p>Scene i depends on the seed, the options and i and on nothing else: parts, batches and threads
 * do not change it. Label k of the mask is the k-th sprite; sprites of higher numbers are in front.
 */
public final class MultiDSprites implements Scenes {

    private static final int SIDE = 64;

    /** Below this a sprite counts as hidden, however small it is. */
    private static final int LEAST_PIXELS = 15;

    private static final List<Sprite> SPRITES =
            List.of(Sprite.SQUARE, Sprite.ELLIPSE, Sprite.HEART);

    private static final int ATTEMPTS = 10_000;

    private final long seed;
    private final long size;
    private final int fewest;
    private final int most;
    private final double smallest;
    private final double largest;
    private final double leastVisible;

    private MultiDSprites(Builder builder) {
        seed = builder.seed;
        size = builder.size;
        fewest = builder.fewest;
        most = builder.most;
        smallest = builder.smallest;
        largest = builder.largest;
        leastVisible = builder.leastVisible;
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return size;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the sprites are so many and so large that no placement in
     *     which each can be seen was found
     */
    @Override
    public Scene get(long index) {
        Objects.checkIndex(index, size);
        SplitMix random = new SplitMix(seed, index);
        int sprites = random.between(fewest, most);
        int[] colours = new int[sprites + 1];
        colours[0] = random.below(256) * 0x010101;
        for (int k = 1; k <= sprites; k++) {
            double hue = random.between(0.0, 1.0);
            colours[k] = Hue.rgb(hue, random.between(0.5, 1.0), random.between(0.5, 1.0));
        }
        byte[] mask = new byte[SIDE * SIDE];
        int attempt = 0;
        while (!placed(random, sprites, mask)) {
            if (++attempt == ATTEMPTS) {
                throw new IllegalStateException(
                        "MultiDSprites: found no placement of "
                                + sprites
                                + " sprites in which each can be seen; ask for fewer or smaller"
                                + " ones");
            }
            Arrays.fill(mask, (byte) 0);
        }
        byte[] image = new byte[3 * mask.length];
        for (int p = 0; p < mask.length; p++) {
            int rgb = colours[mask[p]];
            image[3 * p] = (byte) (rgb >> 16);
            image[3 * p + 1] = (byte) (rgb >> 8);
            image[3 * p + 2] = (byte) rgb;
        }
        return new Scene(SIDE, SIDE, image, mask, sprites);
    }

    /** Draws sprites anywhere; false if too little of one is to be seen. */
    private boolean placed(SplitMix random, int sprites, byte[] mask) {
        int[] drawn = new int[sprites + 1];
        for (int k = 1; k <= sprites; k++) {
            drawn[k] = draw(random, mask, (byte) k);
        }
        int[] seen = new int[sprites + 1];
        for (byte label : mask) {
            seen[label]++;
        }
        for (int k = 1; k <= sprites; k++) {
            if (seen[k] < LEAST_PIXELS || seen[k] < leastVisible * drawn[k]) {
                return false;
            }
        }
        return true;
    }

    /** Draws a sprite over what is there; gives the number of its pixels. */
    private int draw(SplitMix random, byte[] mask, byte label) {
        Sprite shape = SPRITES.get(random.below(SPRITES.size()));
        double r = random.between(smallest, largest);
        double cy = random.between(r, SIDE - r);
        double cx = random.between(r, SIDE - r);
        double angle = random.between(0.0, 2 * Math.PI);
        return new Outline(shape, cy, cx, r, angle).fill(mask, SIDE, label);
    }

    /**
     * Starts the description of a set of scenes.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link MultiDSprites}. */
    public static final class Builder {
        private long size = -1;
        private long seed;
        private int fewest = 2;
        private int most = 5;
        private double smallest = 8;
        private double largest = 14;
        private double leastVisible = 0.25;

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
         * Sets how many sprites a scene has; each number is equally likely.
         *
         * @param fewest at least 0; 2 if not set
         * @param most at least fewest, at most 16; 5 if not set
         * @return this
         */
        public Builder optSprites(int fewest, int most) {
            this.fewest = fewest;
            this.most = most;
            return this;
        }

        /**
         * Sets the radius of the circles that the sprites fit into.
         *
         * @param smallest in pixels, at least 3; 8 if not set
         * @param largest in pixels, at least smallest, at most 32; 14 if not set
         * @return this
         */
        public Builder optRadius(double smallest, double largest) {
            this.smallest = smallest;
            this.largest = largest;
            return this;
        }

        /**
         * Sets how much of each sprite can be seen at least. It is always at least 15 pixels.
         *
         * @param leastVisible a part of the sprite in [0, 1]; 0.25 if not set
         * @return this
         */
        public Builder optLeastVisible(double leastVisible) {
            this.leastVisible = leastVisible;
            return this;
        }

        /**
         * Builds the set. Nothing is generated yet.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public MultiDSprites build() {
            String who = "MultiDSprites";
            Check.atLeast(who, "size", size, 0);
            Check.option(
                    0 <= fewest && fewest <= most && most <= 16,
                    who
                            + ": sprites must be 0 <= fewest <= most <= 16, got "
                            + fewest
                            + ", "
                            + most);
            Check.option(
                    3 <= smallest && smallest <= largest && largest <= SIDE / 2,
                    who
                            + ": radius must be 3 <= smallest <= largest <= 32, got "
                            + (smallest + ", " + largest));
            Check.option(
                    0 <= leastVisible && leastVisible <= 1,
                    who + ": leastVisible must be in [0, 1], got " + leastVisible);
            return new MultiDSprites(this);
        }
    }
}
