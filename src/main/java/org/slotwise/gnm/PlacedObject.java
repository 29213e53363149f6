package org.slotwise.gnm;

import java.util.Arrays;
import org.slotwise.internal.Check;

/**
 * An object that a {@link Gnm} found in a picture, in Java's memory.
 *
 * @param cell its cell, row by row from 0
 * @param presence between 0 and 1; 1 where the most probable explanation was asked for
 * @param depth the smaller, the nearer
 * @param box where it was pasted
 * @param what (Za)
 */
@SuppressWarnings("ArrayRecordComponent")
public record PlacedObject(int cell, double presence, double depth, Box box, float[] what) {

    /**
     * Creates the record.
     *
     * @param cell at least 0
     * @param presence from 0 to 1
     * @param depth a number
     * @param box where it was pasted
     * @param what (Za), not copied
     * @throws IllegalArgumentException if a number is out of its range
     */
    public PlacedObject {
        String who = "PlacedObject";
        Check.atLeast(who, "cell", cell, 0);
        Check.option(
                presence >= 0 && presence <= 1,
                who + ": presence must be from 0 to 1, got " + presence);
        Check.option(!Double.isNaN(depth), who + ": depth must be a number, got NaN");
    }

    /**
     * A rectangle in pixels of the picture, which may reach beyond it.
     *
     * @param x its left side; 0 is the left side of the first pixel
     * @param y its upper side
     * @param width at least 0
     * @param height at least 0
     */
    public record Box(double x, double y, double width, double height) {

        /**
         * Creates the rectangle.
         *
         * @param x finite
         * @param y finite
         * @param width at least 0
         * @param height at least 0
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Box {
            String who = "PlacedObject.Box";
            Check.option(
                    Double.isFinite(x) && Double.isFinite(y),
                    who + ": x and y must be finite, got " + x + " and " + y);
            Check.notNegative(who, "width", width);
            Check.notNegative(who, "height", height);
        }
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(Object other) {
        return other instanceof PlacedObject object
                && cell == object.cell
                && Double.compare(presence, object.presence) == 0
                && Double.compare(depth, object.depth) == 0
                && box.equals(object.box)
                && Arrays.equals(what, object.what);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * (31 * cell + box.hashCode()) + Arrays.hashCode(what);
    }
}
