package org.slotwise.image;

import java.util.Arrays;
import java.util.BitSet;
import org.slotwise.internal.Check;

/**
 * The pixels of an object in COCO's form: how many pixels in a row are none of them, then how many
 * are, and so on, column by column.
 *
 * <p>Source: the run-length encoding of Lin et al., "Microsoft COCO: Common Objects in Context"
 * (2014), as its API writes and reads it: as a list of numbers, or compressed to a text.
 *
 * <pre>{@code
 * pixels (H, W), read down the first column, then the second, ...
 * counts[0] not of the object, counts[1] of it, counts[2] not, ...        sum of counts = H W
 *
 * compressed: x = counts[i], from the fourth on less counts[i - 2];
 *             of x, signed, 5 bits at a time, the lowest first;
 *             each a character 48 + 5 bits, + 32 if more follow
 * }</pre>
 */
public final class RunLengthEncoding {

    private static final String WHO = "RunLengthEncoding";

    private static final int BITS = 5;
    private static final int LOWEST = 0x1f;
    private static final int SIGN = 0x10;
    private static final int MORE = 0x20;
    private static final char FIRST = '0';

    private final int height;
    private final int width;
    private final int[] counts;

    /**
     * Run lengths that are known.
     *
     * @param height H, at least 1
     * @param width W, at least 1
     * @param counts how many pixels in a row are not of the object, then how many are, and so on,
     *     column by column; copied
     * @throws IllegalArgumentException if a number is out of range, or their sum is not H W
     */
    public RunLengthEncoding(int height, int width, int... counts) {
        PixelMask.checkSize(WHO, height, width);
        long sum = 0;
        for (int count : counts) {
            Check.option(count >= 0, WHO + ": counts must be at least 0, got " + count);
            sum += count;
        }
        Check.option(
                sum == (long) height * width,
                WHO + (": counts must sum to " + height + " x " + width) + ", got " + sum);
        this.height = height;
        this.width = width;
        this.counts = counts.clone();
    }

    /**
     * The run lengths of a mask.
     *
     * @param mask the pixels
     * @return run lengths, none of them 0 but perhaps the first
     */
    public static RunLengthEncoding of(PixelMask mask) {
        int height = mask.height();
        BitSet columns = transposed(mask.bits(), height, mask.width());
        int[] counts = new int[16];
        int runs = 0;
        int pixels = height * mask.width();
        boolean in = false;
        for (int from = 0; from < pixels; in = !in) {
            int next = in ? columns.nextClearBit(from) : columns.nextSetBit(from);
            int to = next < 0 ? pixels : Math.min(next, pixels);
            if (runs == counts.length) {
                counts = Arrays.copyOf(counts, 2 * runs);
            }
            counts[runs++] = to - from;
            from = to;
        }
        return new RunLengthEncoding(height, mask.width(), Arrays.copyOf(counts, runs));
    }

    /** Bits (rows, columns) of bits (columns, rows), of rows and columns of what is given. */
    private static BitSet transposed(BitSet bits, int rows, int columns) {
        BitSet other = new BitSet(rows * columns);
        for (int i = bits.nextSetBit(0); i >= 0; i = bits.nextSetBit(i + 1)) {
            other.set(i % columns * rows + i / columns);
        }
        return other;
    }

    /**
     * Reads what {@link #compressed} gives.
     *
     * @param height H, at least 1
     * @param width W, at least 1
     * @param text the counts, compressed
     * @return the run lengths
     * @throws IllegalArgumentException if the text is not of that form, or the counts' sum is not H
     *     W
     */
    public static RunLengthEncoding parse(int height, int width, String text) {
        PixelMask.checkSize(WHO, height, width);
        int[] counts = new int[text.length()];
        int runs = 0;
        for (int at = 0; at < text.length(); ) {
            long x = 0;
            int shift = 0;
            int bits;
            do {
                bits = at < text.length() ? text.charAt(at) - FIRST : -1;
                Check.option(
                        bits >= 0 && bits < 2 * MORE && shift <= Integer.SIZE,
                        WHO
                                + ": the text must be compressed counts, which end or are others at "
                                + at);
                x |= (long) (bits & LOWEST) << shift;
                shift += BITS;
                at++;
            } while ((bits & MORE) != 0);
            if ((bits & SIGN) != 0) {
                x |= -1L << shift;
            }
            x += runs > 2 ? counts[runs - 2] : 0;
            Check.option(
                    x >= 0 && x <= (long) height * width,
                    WHO + (": counts must be 0 to " + height + " x " + width) + ", got " + x);
            counts[runs++] = (int) x;
        }
        return new RunLengthEncoding(height, width, Arrays.copyOf(counts, runs));
    }

    /**
     * The image's height.
     *
     * @return H
     */
    public int height() {
        return height;
    }

    /**
     * The image's width.
     *
     * @return W
     */
    public int width() {
        return width;
    }

    /**
     * The run lengths, COCO's "uncompressed" form.
     *
     * @return a copy
     */
    public int[] counts() {
        return counts.clone();
    }

    /**
     * The run lengths as a text, COCO's compressed form.
     *
     * @return characters from 0 to o
     */
    public String compressed() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < counts.length; i++) {
            int x = i > 2 ? counts[i] - counts[i - 2] : counts[i];
            boolean more;
            do {
                int bits = x & LOWEST;
                x >>= BITS;
                // What is left is the sign alone, which the last 5 bits show.
                more = x != ((bits & SIGN) != 0 ? -1 : 0);
                text.append((char) (FIRST + bits + (more ? MORE : 0)));
            } while (more);
        }
        return text.toString();
    }

    /**
     * The pixels.
     *
     * @return a mask
     */
    public PixelMask mask() {
        BitSet columns = new BitSet(height * width);
        int at = 0;
        for (int i = 0; i < counts.length; i++) {
            columns.set(at, at + counts[i], i % 2 == 1);
            at += counts[i];
        }
        return new PixelMask(height, width, transposed(columns, width, height));
    }

    /** {@inheritDoc} */
    @Override
    public boolean equals(Object other) {
        return other instanceof RunLengthEncoding encoding
                && height == encoding.height
                && width == encoding.width
                && Arrays.equals(counts, encoding.counts);
    }

    /** {@inheritDoc} */
    @Override
    public int hashCode() {
        return 31 * (31 * height + width) + Arrays.hashCode(counts);
    }

    /** {@inheritDoc} */
    @Override
    public String toString() {
        return WHO + "[" + counts.length + " runs of " + height + " x " + width + "]";
    }
}
