package org.slotwise.data.file;

import java.awt.image.BufferedImage;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.RgbBytes;

/** The labels that the pixels of a mask stand for, as {@link ImageFolder} describes. */
final class MaskLabels {

    private static final int MOST = 255;

    private MaskLabels() {}

    /** The values of the only channel (H, W). */
    static byte[] values(Place place, BufferedImage image) throws SceneFileException {
        byte[] stored = RgbBytes.onlyChannel(image);
        if (stored != null) {
            return stored;
        }
        byte[] labels = new byte[image.getHeight() * image.getWidth()];
        int[] row = new int[image.getWidth()];
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int sample : RgbBytes.firstChannel(image, y, row)) {
                if (sample > MOST) {
                    throw place.wrong("a label must be at most 255, got " + sample, null);
                }
                labels[at++] = (byte) sample;
            }
        }
        return labels;
    }

    /** Each colour's place among those of the image, black being 0 (H, W). */
    static byte[] colours(Place place, BufferedImage image) throws SceneFileException {
        byte[] rgb = RgbBytes.of(image);
        TreeSet<Integer> colours = new TreeSet<>(List.of(0));
        int last = 0;
        for (int at = 0; at < rgb.length; at += 3) {
            int colour = colour(rgb, at);
            if (colour != last) {
                colours.add(colour);
                last = colour;
            }
            if (colours.size() > MOST + 1) {
                throw place.wrong("a mask must have at most 255 colours and black", null);
            }
        }
        List<Integer> sorted = List.copyOf(colours);
        byte[] labels = new byte[rgb.length / 3];
        for (int p = 0; p < labels.length; p++) {
            labels[p] = (byte) Collections.binarySearch(sorted, colour(rgb, 3 * p));
        }
        return labels;
    }

    private static int colour(byte[] rgb, int at) {
        return (rgb[at] & 0xff) << 16 | (rgb[at + 1] & 0xff) << 8 | (rgb[at + 2] & 0xff);
    }
}
