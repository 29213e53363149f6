package org.slotwise.data;

import java.util.Locale;
import org.slotwise.internal.Check;

/**
 * An object of CLEVR: where it lies and what it looks like.
 *
 * <p>Source: Johnson et al., "CLEVR: A Diagnostic Dataset for Compositional Language and Elementary
 * Visual Reasoning" (2017). As numbers an object is what Zhang et al., "Deep Set Prediction
 * Networks" (2019) and Locatello et al., "Object-Centric Learning with Slot Attention" (2020),
 * section 4.2, predict:
 *
 * <pre>{@code
 * 0 - 2     (x + 3) / 6, (y + 3) / 6, (z + 3) / 6
 * 3 - 4     size, 1 for the one that it has: small, large
 * 5 - 6     material: rubber, metal
 * 7 - 9     shape: cube, sphere, cylinder
 * 10 - 17   colour: grey, blue, brown, yellow, red, green, purple, cyan
 * 18        presence: 1
 * }</pre>
 *
 * <p>The order of the values is that of TensorFlow Datasets, on which the paper's code builds. A
 * row of zeros stands for no object.
 *
 * @param x across the ground, in [-3, 3]; finite
 * @param y across the ground, in [-3, 3]; finite
 * @param z the height of the object's centre; finite
 * @param size one of two
 * @param material one of two
 * @param shape one of three
 * @param colour one of eight
 */
public record ClevrObject(
        double x, double y, double z, Size size, Material material, Shape shape, Colour colour) {

    /** How many numbers {@link #encode} gives. */
    public static final int PROPERTIES = 19;

    /** How far the coordinates reach to either side. */
    public static final double REACH = 3;

    private static final int COORDINATES = 3;
    private static final Size[] SIZES = Size.values();
    private static final Material[] MATERIALS = Material.values();
    private static final Shape[] SHAPES = Shape.values();
    private static final Colour[] COLOURS = Colour.values();

    /** How large an object is. */
    public enum Size {
        /** Half as large as the others. */
        SMALL,
        /** Twice as large as the others. */
        LARGE
    }

    /** What an object is made of. */
    public enum Material {
        /** Dull. */
        RUBBER,
        /** Shiny. */
        METAL
    }

    /** An object's form. */
    public enum Shape {
        /** A cube that stands on a face. */
        CUBE,
        /** A sphere. */
        SPHERE,
        /** An upright cylinder, as high as it is wide. */
        CYLINDER
    }

    /** An object's colour. */
    public enum Colour {
        /** "gray". */
        GREY(0x575757),
        /** "blue". */
        BLUE(0x2A4BD7),
        /** "brown". */
        BROWN(0x814A19),
        /** "yellow". */
        YELLOW(0xFFEE33),
        /** "red". */
        RED(0xAD2323),
        /** "green". */
        GREEN(0x1D6914),
        /** "purple". */
        PURPLE(0x8126C0),
        /** "cyan". */
        CYAN(0x29D0D0);

        private final int rgb;

        Colour(int rgb) {
            this.rgb = rgb;
        }

        /**
         * The colour as CLEVR gives it to its renderer.
         *
         * @return red, green and blue, a byte each
         */
        public int rgb() {
            return rgb;
        }
    }

    /**
     * Creates an object.
     *
     * @param x across the ground
     * @param y across the ground
     * @param z the height of its centre
     * @param size one of two
     * @param material one of two
     * @param shape one of three
     * @param colour one of eight
     * @throws IllegalArgumentException if a coordinate is not finite
     */
    public ClevrObject {
        Check.option(
                Double.isFinite(x) && Double.isFinite(y) && Double.isFinite(z),
                "ClevrObject: coordinates must be finite, got " + x + ", " + y + ", " + z);
    }

    /**
     * The object as numbers.
     *
     * @return 19 numbers, the last of them 1
     */
    public float[] encode() {
        float[] row = new float[PROPERTIES];
        row[0] = unit(x);
        row[1] = unit(y);
        row[2] = unit(z);
        int at = mark(row, COORDINATES, SIZES, size);
        at = mark(row, at, MATERIALS, material);
        at = mark(row, at, SHAPES, shape);
        at = mark(row, at, COLOURS, colour);
        row[at] = 1;
        return row;
    }

    /** Writes 1 for the value that it is and 0 for the others; gives the place after them. */
    private static <E> int mark(float[] row, int from, E[] values, E value) {
        int at = from;
        for (E other : values) {
            row[at++] = other == value ? 1 : 0;
        }
        return at;
    }

    private static float unit(double coordinate) {
        return (float) ((coordinate + REACH) / (2 * REACH));
    }

    /**
     * The object that 19 numbers describe, predicted ones for instance. Of each attribute the value
     * with the largest number counts, the first of equals; presence is not looked at.
     *
     * @param row 19 numbers
     * @return the object
     * @throws IllegalArgumentException if there are not 19 numbers, or one of the first three is
     *     not finite
     */
    public static ClevrObject decode(float... row) {
        Check.option(
                row.length == PROPERTIES,
                "ClevrObject: an object is " + PROPERTIES + " numbers, got " + row.length);
        int at = COORDINATES;
        Size size = SIZES[largest(row, at, SIZES.length)];
        at += SIZES.length;
        Material material = MATERIALS[largest(row, at, MATERIALS.length)];
        at += MATERIALS.length;
        Shape shape = SHAPES[largest(row, at, SHAPES.length)];
        at += SHAPES.length;
        Colour colour = COLOURS[largest(row, at, COLOURS.length)];
        return new ClevrObject(
                2 * REACH * row[0] - REACH,
                2 * REACH * row[1] - REACH,
                2 * REACH * row[2] - REACH,
                size,
                material,
                shape,
                colour);
    }

    private static int largest(float[] row, int from, int count) {
        int best = from;
        for (int i = from + 1; i < from + count; i++) {
            if (row[i] > row[best]) {
                best = i;
            }
        }
        return best - from;
    }

    /**
     * What the object is, without where.
     *
     * @return such as "large red metal cube"
     */
    public String describe() {
        return (size + " " + colour + " " + material + " " + shape).toLowerCase(Locale.ROOT);
    }
}
