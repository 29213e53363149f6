package org.slotwise.data.generated;

import org.slotwise.internal.SplitMix;

/**
 * Two colours in a pattern, under a light that changes slowly from one side to the other.
 *
 * <pre>{@code
 * colour(y, x) = mean + (pattern(u, v) - 1/2) * difference + shade * u / reach
 * }</pre>
 *
 * <p>(u, v) are the pixel's place from the anchor, turned by the texture's angle, in 64ths of the
 * picture. The reach is how far what has the texture extends from its anchor.
 */
final class Texture {

    /** How two colours take turns: from 0, the one, to 1, the other. */
    enum Pattern {
        STRIPES,
        CHECKS,
        SPOTS,
        NOISE,
        GRADIENT
    }

    private static final int COLOURS = 3;
    private static final Pattern[] ALL = Pattern.values();

    /** The radius of a spot, in distances of spots: they cover half of it. */
    private static final double SPOT = 0.4;

    private static final double DARKEST = 0.3;
    private static final double LEAST_SATURATION = 0.3;
    private static final double MOST_SHADE = 0.1;

    private final Pattern pattern;
    private final double[] mean;
    private final double[] difference;
    private final double period;
    private final double cos;
    private final double sin;
    private final double shade;
    private final long grains;

    private Texture(
            Pattern pattern,
            double[] mean,
            double[] difference,
            double period,
            double angle,
            double shade,
            long grains) {
        this.pattern = pattern;
        this.mean = mean;
        this.difference = difference;
        this.period = period;
        cos = StrictMath.cos(angle);
        sin = StrictMath.sin(angle);
        this.shade = shade;
        this.grains = grains;
    }

    /**
     * Draws a texture whose two colours differ by so much in the channel in which they differ most.
     */
    static Texture draw(SplitMix random, double contrast) {
        Pattern pattern = ALL[random.below(ALL.length)];
        double hue = random.between(0.0, 1.0);
        double saturation = random.between(LEAST_SATURATION, 1.0);
        double value = random.between(DARKEST, 1.0);
        double[] difference = new double[COLOURS];
        double largest = 0;
        for (int c = 0; c < COLOURS; c++) {
            difference[c] = random.between(-1.0, 1.0);
            largest = Math.max(largest, Math.abs(difference[c]));
        }
        double[] mean = new double[COLOURS];
        for (int c = 0; c < COLOURS; c++) {
            difference[c] *= contrast / Math.max(largest, 1e-9);
            double half = Math.abs(difference[c]) / 2;
            double drawn = Hue.channel(c, hue, saturation, value);
            mean[c] = Math.max(half, Math.min(1 - half, drawn));
        }
        return new Texture(
                pattern,
                mean,
                difference,
                random.between(4.0, 8.0),
                random.between(0.0, 2 * Math.PI),
                random.between(0.0, MOST_SHADE),
                random.next());
    }

    /** By how much the mean colours differ in the channel in which they differ most. */
    double difference(Texture other) {
        double largest = 0;
        for (int c = 0; c < COLOURS; c++) {
            largest = Math.max(largest, Math.abs(mean[c] - other.mean[c]));
        }
        return largest;
    }

    /**
     * Paints a pixel.
     *
     * @param y rows from the anchor, in 64ths of the picture
     * @param x columns from the anchor, likewise
     * @param reach how far what has the texture extends from its anchor
     * @param image red, green and blue of each pixel
     * @param pixel which one
     */
    void paint(double y, double x, double reach, byte[] image, int pixel) {
        double u = cos * x + sin * y;
        double v = cos * y - sin * x;
        double along = Math.max(-1, Math.min(1, u / reach));
        double part = part(u, v, along) - 0.5;
        for (int c = 0; c < COLOURS; c++) {
            double colour = mean[c] + part * difference[c] + shade * along;
            image[COLOURS * pixel + c] = (byte) Math.round(255 * Math.max(0, Math.min(1, colour)));
        }
    }

    private double part(double u, double v, double along) {
        return switch (pattern) {
            case STRIPES -> fraction(u / period) < 0.5 ? 0 : 1;
            case CHECKS -> (fraction(u / period) < 0.5) == (fraction(v / period) < 0.5) ? 0 : 1;
            case SPOTS -> {
                double y = fraction(u / period) - 0.5;
                double x = fraction(v / period) - 0.5;
                yield y * y + x * x > SPOT * SPOT ? 0 : 1;
            }
            case NOISE -> grain((long) Math.floor(u), (long) Math.floor(v));
            case GRADIENT -> (1 + along) / 2;
        };
    }

    private static double fraction(double x) {
        return x - Math.floor(x);
    }

    private double grain(long row, long column) {
        return new SplitMix(grains + row, column).between(0.0, 1.0);
    }
}
