package org.slotwise.image;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Crop;
import org.slotwise.internal.Check;

/**
 * What a segmentation, soft masks and slots say of objects.
 *
 * @param segmentation the slot of each pixel of the image; beyond the window it is not looked at
 * @param window the part of the image that masks are of
 * @param masks how much each pixel of the window belongs to each slot, at any size
 * @param slots a vector for each slot; none where the model gives none
 */
@SuppressWarnings("ArrayRecordComponent")
record FoundSlots(int[][] segmentation, Crop window, SlotMasks masks, float[][] slots) {

    private static final String WHO = "ObjectList";

    /**
     * The objects.
     *
     * @param background the slot that is the background; -1 for none
     * @param leastScore slots of a lower score are none
     */
    ObjectList objects(int background, double leastScore) {
        int height = segmentation.length;
        int width = height == 0 ? 0 : segmentation[0].length;
        PixelMask.checkSize(WHO, height, width);
        int[] winners = winners(width);
        double[] shares = shares(winners);
        @Nullable DiscoveredObject[] found = new DiscoveredObject[masks.slots()];
        for (int k = 0; k < found.length; k++) {
            found[k] = found(k, winners, shares, height, width);
        }
        DiscoveredObject behind = null;
        if (background >= 0 && background < found.length) {
            behind = found[background];
            found[background] = null;
        }
        return new ObjectList(
                height,
                width,
                Arrays.stream(found)
                        .filter(Objects::nonNull)
                        .filter(object -> object.score() >= leastScore)
                        .toList(),
                behind);
    }

    /** A slot's object; null if no pixel belongs to it. */
    private @Nullable DiscoveredObject found(
            int slot, int[] winners, double[] shares, int height, int width) {
        BitSet bits = new BitSet(height * width);
        double sum = 0;
        for (int i = 0; i < winners.length; i++) {
            if (winners[i] == slot) {
                int y = window.top() + i / window.width();
                bits.set(y * width + window.left() + i % window.width());
                sum += shares[i];
            }
        }
        if (bits.isEmpty()) {
            return null;
        }
        PixelMask mask = new PixelMask(height, width, bits);
        float[] vector = slot < slots.length ? slots[slot] : new float[0];
        return new DiscoveredObject(slot, Math.min(1, sum / mask.area()), mask, vector);
    }

    /** The slots of the window's pixels, row by row. */
    private int[] winners(int width) {
        int[] winners = new int[window.height() * window.width()];
        for (int y = 0; y < segmentation.length; y++) {
            Check.option(
                    segmentation[y].length == width,
                    WHO
                            + ": all rows must have "
                            + width
                            + " pixels, got "
                            + segmentation[y].length);
            int in = y - window.top();
            if (in >= 0 && in < window.height()) {
                System.arraycopy(
                        segmentation[y],
                        window.left(),
                        winners,
                        in * window.width(),
                        window.width());
            }
        }
        IntStream.of(winners)
                .filter(k -> k < 0 || k >= masks.slots())
                .findFirst()
                .ifPresent(
                        k -> {
                            throw new IllegalArgumentException(
                                    WHO
                                            + ": the classes of pixels must be 0 to "
                                            + (masks.slots() - 1)
                                            + ", got "
                                            + k);
                        });
        return winners;
    }

    /** Of each pixel the share of the slot that has it: its mask there, divided by all masks. */
    private double[] shares(int[] winners) {
        double[] shares = new double[winners.length];
        double[] totals = new double[winners.length];
        for (int k = 0; k < masks.slots(); k++) {
            float[] map = masks.map(k, window.height(), window.width());
            for (int i = 0; i < map.length; i++) {
                double value = Math.max(0, map[i]);
                totals[i] += value;
                shares[i] += winners[i] == k ? value : 0;
            }
        }
        for (int i = 0; i < shares.length; i++) {
            // Where all masks are 0 no slot has more than another.
            shares[i] = totals[i] > 0 ? shares[i] / totals[i] : 1.0 / masks.slots();
        }
        return shares;
    }
}
