package org.slotwise.data.generated;

/**
 * A pinhole camera that looks down on the ground z = 0 from where CLEVR's stands, without CLEVR's
 * random shift. Places in the image are in [0, 1] from its first row or column to its last.
 */
final class GroundCamera {

    static final double[] PLACE = {7.48, -6.51, 5.34};
    private static final double[] AIM = {0.35, -0.3, 0};

    /** The focal length, in heights of the image. */
    static final double FOCAL = 1.2;

    private static final double[] FORWARD = unit(minus(AIM, PLACE));
    private static final double[] RIGHT = unit(FORWARD[1], -FORWARD[0], 0);
    private static final double[] UP = {
        RIGHT[1] * FORWARD[2] - RIGHT[2] * FORWARD[1],
        RIGHT[2] * FORWARD[0] - RIGHT[0] * FORWARD[2],
        RIGHT[0] * FORWARD[1] - RIGHT[1] * FORWARD[0]
    };

    private GroundCamera() {}

    private static double[] minus(double[] a, double[] b) {
        return new double[] {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
    }

    static double[] unit(double... v) {
        double length = Math.sqrt(dot(v, v[0], v[1], v[2]));
        return new double[] {v[0] / length, v[1] / length, v[2] / length};
    }

    static double dot(double[] a, double x, double y, double z) {
        return a[0] * x + a[1] * y + a[2] * z;
    }

    /** The direction of the ray through a place of the image, of any length. */
    static void ray(double row, double column, double[] to) {
        double u = (column - 0.5) / FOCAL;
        double v = (0.5 - row) / FOCAL;
        for (int axis = 0; axis < 3; axis++) {
            to[axis] = FORWARD[axis] + u * RIGHT[axis] + v * UP[axis];
        }
    }

    /** The row and column at which a point is seen. */
    static double[] place(double x, double y, double z) {
        double[] box = box(x, y, z, 0);
        return new double[] {box[0], box[1]};
    }

    /** The first and last row and column, in the order top, left, bottom, right, of a sphere. */
    static double[] box(double x, double y, double z, double radius) {
        double px = x - PLACE[0];
        double py = y - PLACE[1];
        double pz = z - PLACE[2];
        double right = dot(RIGHT, px, py, pz);
        double up = dot(UP, px, py, pz);
        double ahead = dot(FORWARD, px, py, pz);
        return new double[] {
            0.5 - FOCAL * widest(up, ahead, radius),
            0.5 - FOCAL * widest(-right, ahead, radius),
            0.5 + FOCAL * widest(-up, ahead, radius),
            0.5 + FOCAL * widest(right, ahead, radius)
        };
    }

    /** Of the corners of a box around the sphere, the one farthest out. */
    private static double widest(double out, double ahead, double radius) {
        return Math.max((out + radius) / (ahead - radius), (out + radius) / (ahead + radius));
    }
}
