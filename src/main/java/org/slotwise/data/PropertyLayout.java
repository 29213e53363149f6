package org.slotwise.data;

import java.util.List;
import org.slotwise.internal.Check;

/**
 * What the numbers of a row of properties mean: first the coordinates of a position, then one-hot
 * attributes, last the presence of an object.
 *
 * @param coordinates how many coordinates a position has, at least 0
 * @param scale by how much a distance between rows is multiplied; above 0
 * @param attributes for each attribute how many values it can have, each at least 1
 */
public record PropertyLayout(int coordinates, double scale, List<Integer> attributes) {

    /**
     * CLEVR as {@link ClevrObject} encodes it: three coordinates whose [0, 1] stands for [-3, 3];
     * size, material, shape and colour; presence.
     */
    public static final PropertyLayout CLEVR = new PropertyLayout(3, 6, List.of(2, 2, 3, 8));

    /**
     * Creates a layout.
     *
     * @param coordinates how many coordinates a position has
     * @param scale by how much a distance is multiplied
     * @param attributes for each attribute how many values it can have
     * @throws IllegalArgumentException if a number is out of range
     */
    public PropertyLayout {
        String who = "PropertyLayout";
        Check.atLeast(who, "coordinates", coordinates, 0);
        Check.option(
                scale > 0 && scale < Double.POSITIVE_INFINITY,
                who + ": scale must be above 0 and finite, got " + scale);
        attributes = List.copyOf(attributes);
        for (int values : attributes) {
            Check.option(values > 0, who + ": an attribute must have a value, got " + values);
        }
    }

    /**
     * How many numbers a row has.
     *
     * @return coordinates, values of all attributes, and 1
     */
    public int length() {
        return presence() + 1;
    }

    /**
     * The place of the number that tells whether there is an object, the last one.
     *
     * @return coordinates and values of all attributes
     */
    public int presence() {
        int at = coordinates;
        for (int values : attributes) {
            at += values;
        }
        return at;
    }
}
