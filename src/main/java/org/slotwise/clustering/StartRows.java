package org.slotwise.clustering;

import java.util.Arrays;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Where the starts of k-means that still run lie in a batch of matrix products. A row of the batch
 * belongs to one image and has places for the same number of its starts; as starts end, places fall
 * free, until it pays to pack those that are left more tightly.
 *
 * <p>Start r of image b has the number b R + r; place p of row i has the number i (places per row)
 * + p.
 */
final class StartRows {

    private static final int FREE = -1;

    /** What a row costs apart from its centres, in centres: measured with matrix products. */
    private static final int ROW_COST = 8;

    /** Packing copies features: it has to bring the cost of an iteration below this share. */
    private static final double WORTHWHILE = 0.85;

    private final int width;
    private final int[] images; // by row
    private final int[] starts; // by place
    private int live;

    private StartRows(int width, int[] images, int[] starts) {
        this.width = width;
        this.images = images;
        this.starts = starts;
        live = (int) Arrays.stream(starts).filter(start -> start != FREE).count();
    }

    /** A row for each image, with all of its starts. */
    static StartRows all(int images, int startsPerImage) {
        return new StartRows(
                startsPerImage,
                IntStream.range(0, images).toArray(),
                IntStream.range(0, images * startsPerImage).toArray());
    }

    int rows() {
        return images.length;
    }

    /** The image of each row. */
    long[] images() {
        return Arrays.stream(images).asLongStream().toArray();
    }

    /** Whether each of so many images has a row, in order. */
    boolean isOneRowForEach(long imageCount) {
        return images.length == imageCount
                && IntStream.range(0, images.length).allMatch(row -> images[row] == row);
    }

    /** Places per row. */
    int width() {
        return width;
    }

    int places() {
        return starts.length;
    }

    /** How many starts still run. */
    int live() {
        return live;
    }

    boolean isLive(int place) {
        return starts[place] != FREE;
    }

    /** The start at a place. */
    int start(int place) {
        return starts[place];
    }

    /** The row of a place. */
    int row(int place) {
        return place / width;
    }

    /** The image of a place. */
    int image(int place) {
        return images[place / width];
    }

    /** Frees the place of a start that has ended. */
    void end(int place) {
        starts[place] = FREE;
        live--;
    }

    /** A tighter order of the starts that still run. */
    static final class Packing {

        /** The new rows. */
        final StartRows rows;

        /**
         * For each new place the old place whose centres move there. A place that is free gets
         * those of a neighbour.
         */
        final long[] from;

        private Packing(StartRows rows, long[] from) {
            this.rows = rows;
            this.from = from;
        }
    }

    /**
     * Packs the starts that still run, if that saves enough.
     *
     * @param clusters K
     * @return the new order, or null if the old one is good enough
     */
    @Nullable Packing packed(int clusters) {
        int[][] byImage = placesByImage();
        int bestWidth = 0;
        double least = WORTHWHILE * cost(rows(), width, clusters);
        for (int w = width; w >= 1; w--) {
            int count = 0;
            for (int[] places : byImage) {
                count += (places.length + w - 1) / w;
            }
            // No more rows than there are now: their features take as much memory.
            if (count <= rows() && cost(count, w, clusters) < least) {
                bestWidth = w;
                least = cost(count, w, clusters);
            }
        }
        return bestWidth == 0 ? null : pack(byImage, bestWidth);
    }

    private static double cost(int rows, int width, int clusters) {
        return (double) rows * ((double) width * clusters + ROW_COST);
    }

    /** The places of the starts that still run, for each image that has any, in order of images. */
    private int[][] placesByImage() {
        return IntStream.range(0, starts.length)
                .filter(this::isLive)
                .boxed()
                .collect(Collectors.groupingBy(this::image, TreeMap::new, Collectors.toList()))
                .values()
                .stream()
                .map(places -> places.stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
    }

    private Packing pack(int[][] byImage, int newWidth) {
        int count = 0;
        for (int[] places : byImage) {
            count += (places.length + newWidth - 1) / newWidth;
        }
        int[] newImages = new int[count];
        int[] newStarts = new int[count * newWidth];
        long[] from = new long[count * newWidth];
        Arrays.fill(newStarts, FREE);
        int row = 0;
        for (int[] places : byImage) {
            for (int first = 0; first < places.length; first += newWidth, row++) {
                newImages[row] = image(places[first]);
                for (int w = 0; w < newWidth; w++) {
                    int at = row * newWidth + w;
                    boolean filled = first + w < places.length;
                    from[at] = places[filled ? first + w : first];
                    newStarts[at] = filled ? starts[places[first + w]] : FREE;
                }
            }
        }
        return new Packing(new StartRows(newWidth, newImages, newStarts), from);
    }
}
