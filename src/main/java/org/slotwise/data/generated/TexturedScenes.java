package org.slotwise.data.generated;

import java.util.Arrays;
import java.util.Objects;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * Generated scenes in which no object has one colour: squares, ellipses, hearts, discs and
 * triangles with textures and gradients, on a ground with a texture or a gradient, some of them
 * alike.
 *
 * <p>Source: own; shapes and places as in {@link MultiDSprites}. A texture is two colours that take
 * turns as stripes, checks, spots, noise or a gradient, and both become lighter from one side to
 * the other. The ground has one too, of the same kinds and colours. An object may look like another
 * of its scene: both have the same texture, and then there is ground between them. Other textures
 * of a scene differ in their mean colour, by a least part in the channel in which they differ most;
 * single pixels of different things may have the same colour.
 *
 * <p>What is drawn: shape, place, angle and radius are uniform, an object lies inside the image;
 * the mean colour has a uniform hue, a saturation in [0.3, 1] and a value in [0.3, 1], moved as far
 * as its two colours need to be colours; the period is 4 to 8 64ths of the picture, and the light
 * changes by up to 0.1 from the middle to a side. Pixels are not smoothed, so that each has the
 * colour of exactly one object; all objects are placed anew if too little of one of them can be
 * seen, or if two that look alike touch.
 *
 * <p>Scene i depends on the seed, the options and i and on nothing else: parts, batches and threads
 * do not change it. Label k of the mask is the k-th object; objects of higher numbers are in front.
 */
public final class TexturedScenes implements Scenes {

    private static final String WHO = "TexturedScenes";

    /** Textures are as coarse in pictures of any size: lengths are in these parts of a side. */
    private static final double PARTS = 64;

    /** Below this part of a picture an object counts as hidden, however small it is. */
    private static final double LEAST_PART = 15.0 / (64 * 64);

    private static final int MOST_OBJECTS = 16;
    private static final int ATTEMPTS = 10_000;
    private static final Sprite[] SHAPES = Sprite.values();

    private final long seed;
    private final long size;
    private final int side;
    private final int fewest;
    private final int most;
    private final double smallest;
    private final double largest;
    private final TextureChoice kinds;

    private TexturedScenes(Builder builder) {
        seed = builder.seed;
        size = builder.size;
        side = builder.side;
        fewest = builder.fewest;
        most = builder.most;
        smallest = builder.smallest;
        largest = builder.largest;
        kinds =
                new TextureChoice(
                        builder.alike,
                        builder.leastContrast,
                        builder.mostContrast,
                        builder.difference);
    }

    /** {@inheritDoc} */
    @Override
    public long size() {
        return size;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the objects are so many and so large that no placement in
     *     which each can be seen was found, or so many that no textures that differ were found
     */
    @Override
    public Scene get(long index) {
        Objects.checkIndex(index, size);
        SplitMix random = new SplitMix(seed, index);
        int objects = random.between(fewest, most);
        Texture[] textures = kinds.draw(random, objects);
        Outline[] outlines = new Outline[objects];
        byte[] mask = new byte[side * side];
        int attempt = 0;
        while (!placed(random, outlines, textures, mask)) {
            if (++attempt == ATTEMPTS) {
                throw new IllegalStateException(
                        WHO
                                + ": found no placement of "
                                + objects
                                + " objects in which each can be seen; ask for fewer or smaller"
                                + " ones");
            }
            Arrays.fill(mask, (byte) 0);
        }
        return new Scene(side, side, painted(outlines, textures, mask), mask, objects);
    }

    /** Places all objects anywhere; false if one cannot be seen well. */
    private boolean placed(SplitMix random, Outline[] outlines, Texture[] textures, byte[] mask) {
        int[] drawn = new int[outlines.length];
        for (int k = 0; k < outlines.length; k++) {
            double radius = side * random.between(smallest, largest);
            outlines[k] =
                    new Outline(
                            SHAPES[random.below(SHAPES.length)],
                            random.between(radius, side - radius),
                            random.between(radius, side - radius),
                            radius,
                            random.between(0.0, 2 * Math.PI));
            drawn[k] = outlines[k].fill(mask, side, (byte) (k + 1));
        }
        int[] seen = new int[outlines.length + 1];
        for (byte label : mask) {
            seen[label]++;
        }
        for (int k = 0; k < outlines.length; k++) {
            if (seen[k + 1] < LEAST_PART * mask.length || seen[k + 1] < drawn[k] / 4.0) {
                return false;
            }
        }
        return !alikesTouch(textures, mask);
    }

    private boolean alikesTouch(Texture[] textures, byte[] mask) {
        for (int p = 0; p < mask.length; p++) {
            boolean right = (p + 1) % side != 0 && isOne(textures, mask[p], mask[p + 1]);
            boolean below = p + side < mask.length && isOne(textures, mask[p], mask[p + side]);
            if (right || below) {
                return true;
            }
        }
        return false;
    }

    /** Whether two objects would be taken for one where they touch. */
    private static boolean isOne(Texture[] textures, byte label, byte other) {
        return label != other && textures[label] == textures[other];
    }

    private byte[] painted(Outline[] outlines, Texture[] textures, byte[] mask) {
        byte[] image = new byte[3 * mask.length];
        double unit = PARTS / side;
        for (int p = 0; p < mask.length; p++) {
            int k = mask[p];
            double middle = side / 2.0;
            int row = p / side;
            double y = (row + 0.5 - (k == 0 ? middle : outlines[k - 1].cy())) * unit;
            double x = (p % side + 0.5 - (k == 0 ? middle : outlines[k - 1].cx())) * unit;
            double reach = (k == 0 ? middle : outlines[k - 1].radius()) * unit;
            textures[k].paint(y, x, reach, image, p);
        }
        return image;
    }

    /**
     * Starts the description of a set of scenes.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link TexturedScenes}. */
    public static final class Builder {
        private long size = -1;
        private long seed;
        private int side = 64;
        private int fewest = 2;
        private int most = 5;
        private double smallest = 0.125;
        private double largest = 0.22;
        private double alike = 0.3;
        private double leastContrast = 0.3;
        private double mostContrast = 0.6;
        private double difference = 0.2;

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
         * Sets the height and width of the pictures.
         *
         * @param side in pixels, 32 to 512; 64 if not set
         * @return this
         */
        public Builder optSide(int side) {
            this.side = side;
            return this;
        }

        /**
         * Sets how many objects a scene has; each number is equally likely.
         *
         * @param fewest at least 0; 2 if not set
         * @param most at least fewest, at most 16; 5 if not set
         * @return this
         */
        public Builder optObjects(int fewest, int most) {
            this.fewest = fewest;
            this.most = most;
            return this;
        }

        /**
         * Sets the radius of the circles that the objects fit into.
         *
         * @param smallest a part of the side, at least 0.05; 0.125 if not set
         * @param largest at least smallest, at most 0.5; 0.22 if not set
         * @return this
         */
        public Builder optRadius(double smallest, double largest) {
            this.smallest = smallest;
            this.largest = largest;
            return this;
        }

        /**
         * Sets how often an object has the texture of one before it.
         *
         * @param alike the probability, in [0, 1], for each object after the first; 0.3 if not set
         * @return this
         */
        public Builder optAlike(double alike) {
            this.alike = alike;
            return this;
        }

        /**
         * Sets by how much the two colours of a texture differ, in the channel in which they differ
         * most.
         *
         * @param least in [0, 1], where 1 is from none of a channel to all of it; 0.3 if not set
         * @param most at least least, at most 1; 0.6 if not set
         * @return this
         */
        public Builder optContrast(double least, double most) {
            leastContrast = least;
            mostContrast = most;
            return this;
        }

        /**
         * Sets by how much the mean colours of different textures of a scene differ at least, in
         * the channel in which they differ most.
         *
         * @param difference in [0, 0.5], where 1 is from none of a channel to all of it; 0.2 if not
         *     set
         * @return this
         */
        public Builder optDifference(double difference) {
            this.difference = difference;
            return this;
        }

        /**
         * Builds the set. Nothing is generated yet.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public TexturedScenes build() {
            Check.atLeast(WHO, "size", size, 0);
            Check.option(32 <= side && side <= 512, WHO + ": side must be 32 to 512, got " + side);
            Check.option(
                    0 <= fewest && fewest <= most && most <= MOST_OBJECTS,
                    WHO
                            + ": objects must be 0 <= fewest <= most <= 16, got "
                            + (fewest + ", " + most));
            Check.option(
                    0.05 <= smallest && smallest <= largest && largest <= 0.5,
                    WHO
                            + ": radius must be 0.05 <= smallest <= largest <= 0.5, got "
                            + (smallest + ", " + largest));
            Check.option(0 <= alike && alike <= 1, WHO + ": alike must be in [0, 1], got " + alike);
            Check.option(
                    0 <= leastContrast && leastContrast <= mostContrast && mostContrast <= 1,
                    WHO
                            + ": contrast must be 0 <= least <= most <= 1, got "
                            + (leastContrast + ", " + mostContrast));
            Check.option(
                    0 <= difference && difference <= 0.5,
                    WHO + ": difference must be in [0, 0.5], got " + difference);
            return new TexturedScenes(this);
        }
    }
}
