package org.slotwise.data.generated;

/** Shapes that just fit into the unit circle. */
enum Sprite {
    SQUARE {
        @Override
        boolean has(double u, double v) {
            return Math.max(Math.abs(u), Math.abs(v)) <= 0.7071;
        }
    },
    ELLIPSE {
        @Override
        boolean has(double u, double v) {
            return u * u + v * v / 0.36 <= 1;
        }
    },
    HEART {
        @Override
        boolean has(double u, double v) {
            // (x^2 + y^2 - 1)^3 <= x^2 y^3, whose farthest point is at 1.425
            double x2 = 2.03 * u * u;
            double y = -1.425 * v;
            double d = x2 + y * y - 1;
            return d * d * d <= x2 * y * y * y;
        }
    },
    DISC {
        @Override
        boolean has(double u, double v) {
            return u * u + v * v <= 1;
        }
    },
    TRIANGLE {
        @Override
        boolean has(double u, double v) {
            // The sides of an equilateral one are half as far from its centre as its corners.
            return v <= 0.5 && 0.8660 * Math.abs(u) - 0.5 * v <= 0.5;
        }
    };

    /** Whether a point, v downwards, belongs to the shape. */
    abstract boolean has(double u, double v);
}
