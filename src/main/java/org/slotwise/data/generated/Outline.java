package org.slotwise.data.generated;

/**
 * Where a shape is: its centre from the upper left corner, the radius of the circle that it fits
 * into, all in pixels, and by what angle it is turned.
 */
record Outline(Sprite shape, double cy, double cx, double radius, double angle) {

    /** Draws it over what is there, inside the picture; gives the number of its pixels. */
    int fill(byte[] mask, int side, byte label) {
        double cos = StrictMath.cos(angle) / radius;
        double sin = StrictMath.sin(angle) / radius;
        int pixels = 0;
        for (int y = (int) (cy - radius); y < Math.min(side, cy + radius); y++) {
            for (int x = (int) (cx - radius); x < Math.min(side, cx + radius); x++) {
                double dx = x + 0.5 - cx;
                double dy = y + 0.5 - cy;
                if (shape.has(cos * dx + sin * dy, cos * dy - sin * dx)) {
                    mask[y * side + x] = label;
                    pixels++;
                }
            }
        }
        return pixels;
    }
}
