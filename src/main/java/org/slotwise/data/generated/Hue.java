package org.slotwise.data.generated;

/** Colours by hue, saturation and value. */
final class Hue {

    private Hue() {}

    /** A colour of hue, saturation and value, each in [0, 1], as 0xrrggbb. */
    static int rgb(double hue, double saturation, double value) {
        int rgb = 0;
        for (int channel = 0; channel < 3; channel++) {
            rgb = rgb << 8 | (int) Math.round(255 * channel(channel, hue, saturation, value));
        }
        return rgb;
    }

    /** Red, green or blue, in [0, 1]. */
    static double channel(int channel, double hue, double saturation, double value) {
        double k = (5 - 2 * channel + 6 * hue) % 6;
        double dip = Math.max(0, Math.min(1, Math.min(k, 4 - k)));
        return value * (1 - saturation * dip);
    }
}
