package org.slotwise.image;

import java.util.Locale;
import org.slotwise.internal.Check;

/**
 * Colours for slots, by the slot's number.
 *
 * <p>The first eight of {@link #colourBlindSafe} are those of Okabe and Ito, "Color Universal
 * Design" (2008), black last. The 24 after them were each chosen to be as far as possible from all
 * before, to the nearest of three kinds of eyes: trichromats, deuteranopes and protanopes, as
 * simulated by Machado et al., "A Physiologically-based Model for Simulation of Color Vision
 * Deficiency" (2009). Any two of the 32 are at least 14 apart in CIELAB for each of them, any two
 * of the first eight 17.
 */
public final class Palette {

    private static final Palette COLOUR_BLIND_SAFE =
            new Palette(
                    0x56B4E9, // sky blue
                    0xE69F00, // orange
                    0x009E73, // bluish green
                    0xF0E442, // yellow
                    0x0072B2, // blue
                    0xD55E00, // vermillion
                    0xCC79A7, // reddish purple
                    0x000000, // from here on not by Okabe and Ito
                    0x0000FF, 0xAAEE99, 0x443300, 0x3322AA, 0x333355, 0x6677FF, 0xCCDDCC, 0x225544,
                    0x55EEFF, 0x776633, 0xBBAA55, 0x442277, 0x0055FF, 0x7799FF, 0xFF5577, 0xDDDD66,
                    0x3355BB, 0x885577, 0x1111CC, 0x33BBCC, 0x33CC99, 0x998844, 0x880033, 0x664488);

    private static final int WHITE = 0xFFFFFF;

    /** What a colour keeps of itself each time it comes back. */
    private static final double KEPT = 0.7;

    private final int[] colours;

    private Palette(int... colours) {
        this.colours = colours;
    }

    /**
     * 32 colours that people with any of the common kinds of colour vision can tell apart.
     *
     * @return a palette
     */
    public static Palette colourBlindSafe() {
        return COLOUR_BLIND_SAFE;
    }

    /**
     * Colours of your own.
     *
     * @param colours red, green and blue, a byte each, as in 0xE69F00; at least one
     * @return a palette
     * @throws IllegalArgumentException if there is none, or one is not from 0 to 0xFFFFFF
     */
    public static Palette of(int... colours) {
        Check.option(colours.length > 0, "Palette: expected at least one colour, got none");
        for (int colour : colours) {
            Check.option(
                    colour >= 0 && colour <= WHITE,
                    String.format(
                            Locale.ROOT,
                            "Palette: a colour must be 0 to 0xFFFFFF, got 0x%X",
                            colour));
        }
        return new Palette(colours.clone());
    }

    /**
     * How many colours there are before they come back, lighter each time.
     *
     * @return at least 1
     */
    public int size() {
        return colours.length;
    }

    /**
     * A slot's colour.
     *
     * @param slot from 0
     * @return red, green and blue, a byte each
     * @throws IllegalArgumentException if the number is negative
     */
    public int rgb(int slot) {
        Check.option(slot >= 0, "Palette: slot must be at least 0, got " + slot);
        int round = slot / colours.length;
        return mix(WHITE, colours[slot % colours.length], Math.pow(KEPT, round));
    }

    /** From the first colour (share 0) to the second (share 1). */
    static int mix(int a, int b, double share) {
        return channel(a, b, share, 16) | channel(a, b, share, 8) | channel(a, b, share, 0);
    }

    private static int channel(int a, int b, double share, int shift) {
        int from = a >> shift & 255;
        int to = b >> shift & 255;
        return (int) Math.round(from + share * (to - from)) << shift;
    }
}
