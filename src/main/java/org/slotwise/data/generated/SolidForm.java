package org.slotwise.data.generated;

import org.slotwise.data.ClevrObject.Shape;

/**
 * A cube, sphere or upright cylinder around the origin, and where a ray enters it. Rays are o + t d
 * with d of any length.
 *
 * @param shape which of the three
 * @param half half its height: a cube's half side, the radius of the others
 */
record SolidForm(Shape shape, double half) {

    /** The radius of a sphere around it. */
    double reach() {
        return half
                * switch (shape) {
                    case SPHERE -> 1;
                    case CYLINDER -> Math.sqrt(2);
                    case CUBE -> Math.sqrt(3);
                };
    }

    /** The t at which the ray enters; infinity if it does not, or starts inside or behind. */
    double enters(double ox, double oy, double oz, double dx, double dy, double dz) {
        double t =
                switch (shape) {
                    case SPHERE -> {
                        double a = dx * dx + dy * dy + dz * dz;
                        double b = ox * dx + oy * dy + oz * dz;
                        yield first(a, b, ox * ox + oy * oy + oz * oz - half * half);
                    }
                    case CYLINDER -> cylinder(ox, oy, oz, dx, dy, dz);
                    case CUBE -> cube(ox, oy, oz, dx, dy, dz);
                };
        return t > 0 ? t : Double.POSITIVE_INFINITY;
    }

    /** The smaller root of a t^2 + 2 b t + c. */
    private static double first(double a, double b, double c) {
        double d = b * b - a * c;
        return d < 0 || a == 0 ? Double.POSITIVE_INFINITY : (-b - Math.sqrt(d)) / a;
    }

    private double cylinder(double ox, double oy, double oz, double dx, double dy, double dz) {
        double t = first(dx * dx + dy * dy, ox * dx + oy * dy, ox * ox + oy * oy - half * half);
        if (t < Double.POSITIVE_INFINITY && Math.abs(oz + t * dz) <= half) {
            return t;
        }
        // Through the face that is turned to the ray.
        double cap = ((dz < 0 ? half : -half) - oz) / dz;
        double x = ox + cap * dx;
        double y = oy + cap * dy;
        return x * x + y * y <= half * half ? cap : Double.POSITIVE_INFINITY; // NaN: no
    }

    private double cube(double ox, double oy, double oz, double dx, double dy, double dz) {
        double in = Double.NEGATIVE_INFINITY;
        double out = Double.POSITIVE_INFINITY;
        for (int axis = 0; axis < 3; axis++) {
            double o = axis == 0 ? ox : axis == 1 ? oy : oz;
            double d = axis == 0 ? dx : axis == 1 ? dy : dz;
            if (d == 0) {
                if (Math.abs(o) > half) {
                    return Double.POSITIVE_INFINITY;
                }
                continue;
            }
            double a = (-half - o) / d;
            double b = (half - o) / d;
            in = Math.max(in, Math.min(a, b));
            out = Math.min(out, Math.max(a, b));
        }
        return in <= out ? in : Double.POSITIVE_INFINITY;
    }

    /** Writes the normal of the surface at a point of it. */
    void normal(double x, double y, double z, double[] to) {
        to[0] = 0;
        to[1] = 0;
        to[2] = 0;
        double edge = half * (1 - 1e-9);
        switch (shape) {
            case SPHERE -> {
                to[0] = x / half;
                to[1] = y / half;
                to[2] = z / half;
            }
            case CYLINDER -> {
                if (Math.abs(z) >= edge) {
                    to[2] = Math.signum(z);
                } else {
                    to[0] = x / half;
                    to[1] = y / half;
                }
            }
            case CUBE -> {
                double ax = Math.abs(x);
                double ay = Math.abs(y);
                double az = Math.abs(z);
                if (az >= ax && az >= ay) {
                    to[2] = Math.signum(z);
                } else if (ax >= ay) {
                    to[0] = Math.signum(x);
                } else {
                    to[1] = Math.signum(y);
                }
            }
        }
    }
}
