package org.slotwise.examples;

/**
 * Colours that people with any colour vision can tell apart: those of Okabe and Ito, "Color
 * Universal Design" (2008). From the ninth on they come back lighter.
 */
final class Palette {

    private static final int[] OKABE_ITO = {
        0x56B4E9, // sky blue
        0xE69F00, // orange
        0x009E73, // bluish green
        0xF0E442, // yellow
        0x0072B2, // blue
        0xD55E00, // vermillion
        0xCC79A7, // reddish purple
        0x000000
    };

    private Palette() {}

    /**
     * A colour.
     *
     * @param index from 0
     * @return red, green and blue, a byte each
     */
    static int rgb(int index) {
        int base = OKABE_ITO[index % OKABE_ITO.length];
        int round = index / OKABE_ITO.length;
        return mix(0xFFFFFF, base, Math.pow(0.7, round));
    }

    /**
     * Mixes two colours.
     *
     * @param a red, green and blue
     * @param b red, green and blue
     * @param share how much of the second, 0 to 1
     * @return red, green and blue
     */
    static int mix(int a, int b, double share) {
        return channel(a, b, share, 16) | channel(a, b, share, 8) | channel(a, b, share, 0);
    }

    private static int channel(int a, int b, double share, int shift) {
        int from = a >> shift & 255;
        int to = b >> shift & 255;
        return (int) Math.round(from + share * (to - from)) << shift;
    }
}
