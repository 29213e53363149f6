package org.slotwise.data.generated;

import java.util.Arrays;
import java.util.List;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.ClevrObject.Material;

/**
 * A picture of solids on the ground, by casting a ray through the middle of each pixel. The same on
 * every Java: it uses no functions whose last digit is left open.
 */
final class SolidPicture {

    /** Where the light comes from. */
    private static final double[] LIGHT = GroundCamera.unit(0.1, -1.1, 1.5);

    private static final double GROUND = 0.56;
    private static final double SHADE = 0.72;
    private static final int CHANNELS = 3;

    private final int side;
    private final List<Solid> solids;

    /** For each pixel 0, or the number of the solid that is seen there, from 1. */
    private final byte[] mask;

    /** How far along the pixel's ray the nearest solid is. */
    private final double[] depth;

    /** A solid, turned about its vertical axis. */
    record Solid(ClevrObject object, SolidForm form, double cos, double sin) {

        /** Along the solid's own first axis. */
        double own0(double x, double y) {
            return cos * x + sin * y;
        }

        /** Along the solid's own second axis. */
        double own1(double x, double y) {
            return cos * y - sin * x;
        }

        double enters(double[] from, double[] ray) {
            double x = from[0] - object.x();
            double y = from[1] - object.y();
            return form.enters(
                    own0(x, y),
                    own1(x, y),
                    from[2] - object.z(),
                    own0(ray[0], ray[1]),
                    own1(ray[0], ray[1]),
                    ray[2]);
        }
    }

    SolidPicture(int side, List<Solid> solids) {
        this.side = side;
        this.solids = solids;
        mask = new byte[side * side];
        depth = new double[side * side];
        Arrays.fill(depth, Double.POSITIVE_INFINITY);
        for (int k = 0; k < solids.size(); k++) {
            cast(solids.get(k), (byte) (k + 1));
        }
    }

    byte[] mask() {
        return mask;
    }

    /** The number of pixels of the solid that is seen least. */
    int leastSeen() {
        int[] seen = new int[solids.size() + 1];
        for (byte label : mask) {
            seen[label]++;
        }
        return Arrays.stream(seen).skip(1).min().orElse(Integer.MAX_VALUE);
    }

    private void cast(Solid solid, byte label) {
        ClevrObject o = solid.object();
        double[] box = GroundCamera.box(o.x(), o.y(), o.z(), solid.form().reach());
        double[] ray = new double[3];
        for (int row = first(box[0]); row <= last(box[2]); row++) {
            for (int column = first(box[1]); column <= last(box[3]); column++) {
                ray(row, column, ray);
                double t = solid.enters(GroundCamera.PLACE, ray);
                int pixel = row * side + column;
                if (t < depth[pixel]) {
                    depth[pixel] = t;
                    mask[pixel] = label;
                }
            }
        }
    }

    private int first(double place) {
        return Math.max(0, (int) Math.floor(place * side - 0.5));
    }

    private int last(double place) {
        return Math.min(side - 1, (int) Math.ceil(place * side - 0.5));
    }

    private void ray(int row, int column, double[] to) {
        GroundCamera.ray((row + 0.5) / side, (column + 0.5) / side, to);
    }

    /** The picture (side, side, 3). */
    byte[] paint() {
        byte[] image = new byte[CHANNELS * mask.length];
        double[] ray = new double[3];
        double[] point = new double[3];
        double[] normal = new double[3];
        double[] rgb = new double[CHANNELS];
        for (int pixel = 0; pixel < mask.length; pixel++) {
            ray(pixel / side, pixel % side, ray);
            if (mask[pixel] == 0) {
                ground(ray, point, rgb);
            } else {
                Solid solid = solids.get(mask[pixel] - 1);
                at(depth[pixel], ray, point);
                surface(solid, point, normal);
                colour(solid.object(), ray, normal, rgb);
            }
            for (int c = 0; c < CHANNELS; c++) {
                double level = Math.max(0, Math.min(1, rgb[c]));
                image[CHANNELS * pixel + c] = (byte) (int) (255 * level + 0.5);
            }
        }
        return image;
    }

    private static void at(double t, double[] ray, double[] to) {
        for (int axis = 0; axis < 3; axis++) {
            to[axis] = GroundCamera.PLACE[axis] + t * ray[axis];
        }
    }

    private static void surface(Solid solid, double[] point, double[] normal) {
        ClevrObject o = solid.object();
        double x = point[0] - o.x();
        double y = point[1] - o.y();
        solid.form().normal(solid.own0(x, y), solid.own1(x, y), point[2] - o.z(), normal);
        double turned = solid.cos() * normal[0] - solid.sin() * normal[1];
        normal[1] = solid.sin() * normal[0] + solid.cos() * normal[1];
        normal[0] = turned;
    }

    /** Grey, a little darker far away, and dark where a solid takes the light. */
    private void ground(double[] ray, double[] point, double[] rgb) {
        double t = ray[2] < 0 ? -GroundCamera.PLACE[2] / ray[2] : Double.POSITIVE_INFINITY;
        double level = GROUND * (0.9 + 1.2 / Math.max(8, t));
        if (t < Double.POSITIVE_INFINITY) {
            at(t, ray, point);
            for (Solid solid : solids) {
                if (takesLight(solid, point)) {
                    level *= SHADE;
                    break;
                }
            }
        }
        Arrays.fill(rgb, level);
    }

    private static boolean takesLight(Solid solid, double[] point) {
        // Most solids are too far away from the ray to the light.
        double x = solid.object().x() - point[0];
        double y = solid.object().y() - point[1];
        double z = solid.object().z() - point[2];
        double along = GroundCamera.dot(LIGHT, x, y, z);
        double reach = solid.form().reach();
        return x * x + y * y + z * z - along * along <= reach * reach
                && solid.enters(point, LIGHT) < Double.POSITIVE_INFINITY;
    }

    private static void colour(ClevrObject object, double[] ray, double[] normal, double[] rgb) {
        double light = Math.max(0, GroundCamera.dot(LIGHT, normal[0], normal[1], normal[2]));
        double base;
        double mirrored = 0;
        if (object.material() == Material.RUBBER) {
            base = 0.55 + 0.5 * light;
        } else {
            // The mirror direction: what lies there is sky, ground or the light itself.
            double along = GroundCamera.dot(normal, ray[0], ray[1], ray[2]);
            double[] mirror =
                    GroundCamera.unit(
                            ray[0] - 2 * along * normal[0],
                            ray[1] - 2 * along * normal[1],
                            ray[2] - 2 * along * normal[2]);
            double shine = Math.max(0, GroundCamera.dot(LIGHT, mirror[0], mirror[1], mirror[2]));
            for (int i = 0; i < 4; i++) {
                shine *= shine; // to the 16th
            }
            base = 0.3 + 0.3 * light + 0.5 * Math.max(0, mirror[2]);
            mirrored = 0.13 + 0.9 * shine;
        }
        int value = object.colour().rgb();
        for (int c = 0; c < CHANNELS; c++) {
            rgb[c] = base * (value >> (16 - 8 * c) & 0xff) / 255 + mirrored;
        }
    }
}
