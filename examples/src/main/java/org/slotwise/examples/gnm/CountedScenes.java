package org.slotwise.examples.gnm;

import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

/**
 * Pictures of 32 x 32 with none to four objects that do not touch: discs, squares and triangles of
 * six colours, on a ground of one shade of grey. Scene i depends on the seed and i alone.
 */
final class CountedScenes implements Scenes {

    /** Height and width. */
    static final int SIDE = 32;

    /** The most objects of a scene. */
    static final int MOST = 4;

    private static final double SMALLEST = 3;
    private static final double LARGEST = 4.5;
    private static final int ATTEMPTS = 1000;
    private static final int[] COLOURS = {
        0xE6194B, 0x3CB44B, 0x4363D8, 0xFFE119, 0xF032E6, 0x42D4F4
    };

    private enum Form {
        DISC,
        SQUARE,
        TRIANGLE;

        boolean has(double dx, double dy, double r) {
            return switch (this) {
                case DISC -> dx * dx + dy * dy <= r * r;
                case SQUARE -> Math.max(Math.abs(dx), Math.abs(dy)) <= 0.85 * r;
                case TRIANGLE -> dy <= 0.8 * r && dy >= -r && Math.abs(dx) <= 0.55 * (dy + r);
            };
        }
    }

    private final long seed;
    private final long size;

    CountedScenes(long seed, long size) {
        this.seed = seed;
        this.size = size;
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public Scene get(long index) {
        Objects.checkIndex(index, size);
        // Seeds that follow each other give streams that have nothing in common.
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + index);
        int objects = random.nextInt(MOST + 1);
        byte[] mask = new byte[SIDE * SIDE];
        byte[] image = new byte[3 * mask.length];
        Arrays.fill(image, (byte) random.nextInt(40, 200));
        double[][] places = new double[objects][];
        for (int k = 0; k < objects; k++) {
            places[k] = place(random, places, k);
            Form form = Form.values()[random.nextInt(Form.values().length)];
            draw(image, mask, places[k], form, COLOURS[random.nextInt(COLOURS.length)], k + 1);
        }
        return new Scene(SIDE, SIDE, image, mask, objects);
    }

    /** Where nothing is yet: x, y and radius. */
    private static double[] place(SplittableRandom random, double[][] others, int count) {
        for (int i = 0; i < ATTEMPTS; i++) {
            double r = random.nextDouble(SMALLEST, LARGEST);
            double x = random.nextDouble(r, SIDE - r);
            double y = random.nextDouble(r, SIDE - r);
            boolean free = true;
            for (int k = 0; k < count; k++) {
                double[] other = others[k];
                free &= Math.hypot(x - other[0], y - other[1]) > r + other[2] + 1;
            }
            if (free) {
                return new double[] {x, y, r};
            }
        }
        throw new IllegalStateException("CountedScenes: no place is left");
    }

    private static void draw(
            byte[] image, byte[] mask, double[] place, Form form, int colour, int label) {
        for (int i = 0; i < mask.length; i++) {
            double dx = i % SIDE + 0.5 - place[0];
            double dy = i / SIDE + 0.5 - place[1];
            if (form.has(dx, dy, place[2])) {
                mask[i] = (byte) label;
                image[3 * i] = (byte) (colour >> 16);
                image[3 * i + 1] = (byte) (colour >> 8);
                image[3 * i + 2] = (byte) colour;
            }
        }
    }
}
