package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/**
 * How well one picture was explained, as the original measures it. What an image has no value of,
 * such as an empty one that was found empty has of its objects, is NaN: leave it out of means.
 *
 * <pre>{@code
 * m = masks;  classes = [1 - sum m, m];  pixel = largest class
 * s[t, p] = (shared + 0.01) / (|t| + |p| + 0.01), 0 where one is empty;   matched one to one, most s
 * pairs   = matches of which the true class is visible, or the found one is present, less one
 * }</pre>
 *
 * @param squaredError sum of (y - x)² over pixels and colours
 * @param backgroundError the same of both backgrounds, cut out by their own masks
 * @param objectError the same of matched objects, per pair
 * @param overlap per pair, of s, as the original's "miou": not an intersection over union, since
 *     what is shared counts twice below; half of {@code dice} but for the small numbers
 * @param dice per pair, 2 shared / (|t| + |p|)
 * @param intersectionOverUnion per pair, shared / (|t| + |p| - shared)
 * @param ariWithBackground of all pixels
 * @param ari of the pixels of true objects; the prediction has a background
 * @param ariOfObjects of the pixels of true objects; the prediction has objects alone
 * @param count how many objects were found
 * @param trueCount how many there are
 */
public record GnmScores(
        double squaredError,
        double backgroundError,
        double objectError,
        double overlap,
        double dice,
        double intersectionOverUnion,
        double ariWithBackground,
        double ari,
        double ariOfObjects,
        int count,
        int trueCount) {

    private static final String WHO = "GnmScores";

    /**
     * Whether as many objects were found as there are.
     *
     * @return true if so
     */
    public boolean countRight() {
        return count == trueCount;
    }

    /**
     * Scores explanations.
     *
     * @param images (B, C, S, S)
     * @param truth (B, T, S, S): masks of the true classes, the background's first; any positive
     *     number is part of a class, and each pixel belongs to the largest
     * @param explained what was found in the images
     * @return one for each image
     * @throws IllegalArgumentException if shapes do not agree
     */
    public static List<GnmScores> of(NDArray images, NDArray truth, ExplainedScenes explained) {
        return of(
                images,
                truth,
                explained.rendered().picture(),
                explained.rendered().masks(),
                explained.cells().presence());
    }

    /**
     * Scores pictures and masks.
     *
     * @param images (B, C, S, S)
     * @param truth (B, T, S, S)
     * @param pictures y (B, C, S, S)
     * @param masks (B, N, 1, S, S)
     * @param presence of N numbers an image
     * @return one for each image
     * @throws IllegalArgumentException if shapes do not agree
     */
    public static List<GnmScores> of(
            NDArray images, NDArray truth, NDArray pictures, NDArray masks, NDArray presence) {
        Check.shape(WHO, "images", images, "B", "C", "S", "S");
        Shape s = images.getShape();
        Check.shape(WHO, "truth", truth, s.get(0), "T", s.get(2), s.get(3));
        Check.shape(WHO, "pictures", pictures, s.get(0), s.get(1), s.get(2), s.get(3));
        Check.shape(WHO, "masks", masks, s.get(0), "N", 1, s.get(2), s.get(3));
        Check.present(WHO, "presence", presence);
        long cells = masks.getShape().get(1);
        Check.option(
                presence.size() == s.get(0) * cells,
                WHO + ": presence must be " + cells + " an image, got " + presence.getShape());
        double[][] t = images(truth);
        double[][] m = images(masks);
        double[][] x = images(images);
        double[][] y = images(pictures);
        double[][] z = images(presence.reshape(s.get(0), cells));
        List<GnmScores> all = new ArrayList<>();
        int channels = (int) s.get(1);
        try (NDManager own = images.getManager().newSubManager()) {
            for (int b = 0; b < x.length; b++) {
                all.add(new MatchedScene(x[b], y[b], t[b], m[b], z[b], channels).score(own));
            }
        }
        return all;
    }

    private static double[][] images(NDArray array) {
        int n = (int) array.getShape().get(0);
        double[] flat = Ops.read(array);
        double[][] images = new double[n][flat.length / n];
        for (int i = 0; i < n; i++) {
            System.arraycopy(flat, i * images[i].length, images[i], 0, images[i].length);
        }
        return images;
    }
}
