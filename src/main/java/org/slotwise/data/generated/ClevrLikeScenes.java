package org.slotwise.data.generated;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.ClevrObject.Colour;
import org.slotwise.data.ClevrObject.Material;
import org.slotwise.data.ClevrObject.Shape;
import org.slotwise.data.ClevrObject.Size;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.ClevrScenes;
import org.slotwise.internal.Check;
import org.slotwise.internal.SplitMix;

/**
 * Generated scenes after CLEVR: cubes, spheres and cylinders of two sizes, two materials and eight
 * colours on a grey ground, seen by one camera, with masks and properties.
 *
 * <p>Source: Johnson et al., "CLEVR: A Diagnostic Dataset for Compositional Language and Elementary
 * Visual Reasoning" (2017): 3 to 10 objects; all attributes are uniform and independent; the
 * objects' centres are uniform in [-3, 3] x [-3, 3]; radii 0.35 and 0.7, where a cube's half side
 * is smaller by √2; at least 0.25 of ground between any two; cubes are turned by any angle; of each
 * object so much is seen as makes 200 pixels at a focal length of 350, here the same part of a
 * picture of any size, or else all objects are placed anew.
 *
 * <p>How these differ: the pictures are cast ray by ray, not rendered by Blender, so numbers
 * reported on CLEVR do not carry over; {@link ClevrScenes} reads the real data set. The camera does
 * not shift, images are square, objects may stand in line, and only the ground shows shadows.
 * Rubber is lit softly; metal mirrors the sky and the light. Pixels are not smoothed: each has the
 * colour of exactly one object.
 *
 * <p>Scene i depends on the seed, the options and i and on nothing else. Label k of the mask is the
 * k-th object, and row k - 1 of {@link Scene#properties} is what {@link ClevrObject#encode} gives
 * for it.
 */
public final class ClevrLikeScenes implements Scenes {

    private static final String WHO = "ClevrLikeScenes";
    private static final double LEAST_GAP = 0.25;

    /** Pixels, for a focal length of one pixel: CLEVR asks for 200 with one of 350 pixels. */
    private static final double LEAST_SEEN = 200.0 / (350 * 350);

    private static final int ATTEMPTS = 10_000;
    private static final int ATTEMPTS_FOR_ONE = 50;
    private static final int MOST_OBJECTS = 10;

    private final long seed;
    private final long size;
    private final int side;
    private final int fewest;
    private final int most;
    private final double small;
    private final double large;

    private ClevrLikeScenes(Builder builder) {
        seed = builder.seed;
        size = builder.size;
        side = builder.side;
        fewest = builder.fewest;
        most = builder.most;
        small = builder.small;
        large = builder.large;
    }

    /**
     * Where a point is seen in the pictures.
     *
     * @param x across the ground
     * @param y across the ground
     * @param z above the ground
     * @return row and column, from 0 at the first edge of the picture to 1 at the last; a point
     *     outside the picture has others
     */
    public static double[] place(double x, double y, double z) {
        Check.option(
                Double.isFinite(x) && Double.isFinite(y) && Double.isFinite(z),
                "ClevrLikeScenes: a place must be finite, got " + x + ", " + y + ", " + z);
        return GroundCamera.place(x, y, z);
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
     *     which each can be seen was found
     */
    @Override
    public Scene get(long index) {
        Objects.checkIndex(index, size);
        SplitMix random = new SplitMix(seed, index);
        int objects = random.between(fewest, most);
        ClevrObject[] kinds = new ClevrObject[objects];
        for (int k = 0; k < objects; k++) {
            kinds[k] =
                    new ClevrObject(
                            0,
                            0,
                            0,
                            one(random, Size.values()),
                            one(random, Material.values()),
                            one(random, Shape.values()),
                            one(random, Colour.values()));
        }
        double focal = GroundCamera.FOCAL * side;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            List<SolidPicture.Solid> solids = placed(random, kinds);
            if (solids.size() == objects) {
                SolidPicture picture = new SolidPicture(side, solids);
                if (picture.leastSeen() >= LEAST_SEEN * focal * focal) {
                    return scene(picture, solids);
                }
            }
        }
        throw new IllegalStateException(
                WHO
                        + ": found no placement of "
                        + objects
                        + " objects in which each can be seen; ask for fewer or smaller ones");
    }

    private static <E> E one(SplitMix random, E[] values) {
        return values[random.below(values.length)];
    }

    private Scene scene(SolidPicture picture, List<SolidPicture.Solid> solids) {
        float[][] properties = new float[solids.size()][];
        for (int k = 0; k < properties.length; k++) {
            properties[k] = solids.get(k).object().encode();
        }
        return new Scene(side, side, picture.paint(), picture.mask(), properties.length)
                .withProperties(properties);
    }

    /** Places one object after the other, leaving out those for which there seems to be no room. */
    private List<SolidPicture.Solid> placed(SplitMix random, ClevrObject[] kinds) {
        List<SolidPicture.Solid> solids = new ArrayList<>(kinds.length);
        for (ClevrObject kind : kinds) {
            for (int attempt = 0; attempt < ATTEMPTS_FOR_ONE; attempt++) {
                double x = random.between(-ClevrObject.REACH, ClevrObject.REACH);
                double y = random.between(-ClevrObject.REACH, ClevrObject.REACH);
                if (isFree(solids, x, y, radius(kind))) {
                    solids.add(standing(kind, x, y, random.between(0.0, 2 * Math.PI)));
                    break;
                }
            }
        }
        return solids;
    }

    private boolean isFree(List<SolidPicture.Solid> solids, double x, double y, double radius) {
        for (SolidPicture.Solid other : solids) {
            double dx = x - other.object().x();
            double dy = y - other.object().y();
            double least = radius + radius(other.object()) + LEAST_GAP;
            if (dx * dx + dy * dy < least * least) {
                return false;
            }
        }
        return true;
    }

    private SolidPicture.Solid standing(ClevrObject kind, double x, double y, double angle) {
        double half = radius(kind) / (kind.shape() == Shape.CUBE ? Math.sqrt(2) : 1);
        return new SolidPicture.Solid(
                new ClevrObject(
                        x, y, half, kind.size(), kind.material(), kind.shape(), kind.colour()),
                new SolidForm(kind.shape(), half),
                StrictMath.cos(angle),
                StrictMath.sin(angle));
    }

    private double radius(ClevrObject object) {
        return object.size() == Size.SMALL ? small : large;
    }

    /**
     * Starts the description of a set of scenes.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes {@link ClevrLikeScenes}. */
    public static final class Builder {
        private long size = -1;
        private long seed;
        private int side = 64;
        private int fewest = 3;
        private int most = MOST_OBJECTS;
        private double small = 0.35;
        private double large = 0.7;

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
         * Sets the height and width of the pictures. Which objects there are does not depend on it;
         * where they are may, since pixels decide whether each can be seen.
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
         * @param fewest at least 0; 3 if not set
         * @param most at least fewest, at most 10; 10 if not set
         * @return this
         */
        public Builder optObjects(int fewest, int most) {
            this.fewest = fewest;
            this.most = most;
            return this;
        }

        /**
         * Sets the radii of the two sizes.
         *
         * @param small at least 0.2; 0.35 if not set
         * @param large above small, at most 1; 0.7 if not set
         * @return this
         */
        public Builder optRadii(double small, double large) {
            this.small = small;
            this.large = large;
            return this;
        }

        /**
         * Builds the set. Nothing is generated yet.
         *
         * @return the scenes
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public ClevrLikeScenes build() {
            Check.option(size >= 0, WHO + ": size must be at least 0, got " + size);
            Check.option(32 <= side && side <= 512, WHO + ": side must be 32 to 512, got " + side);
            Check.option(
                    0 <= fewest && fewest <= most && most <= MOST_OBJECTS,
                    WHO
                            + ": objects must be 0 <= fewest <= most <= 10, got "
                            + (fewest + ", " + most));
            Check.option(
                    0.2 <= small && small < large && large <= 1,
                    WHO + ": radii must be 0.2 <= small < large <= 1, got " + small + ", " + large);
            return new ClevrLikeScenes(this);
        }
    }
}
