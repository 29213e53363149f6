package org.slotwise.model;

import java.util.Locale;

/**
 * How well images are segmented: means over images.
 *
 * @param foregroundAri FG-ARI, over the pixels of objects
 * @param ari ARI over all pixels
 * @param meanBestOverlap mBO of objects
 * @param meanIou mIoU of objects, matched one to one
 * @param error the mean squared error of what was made again, at the model's size
 * @param images how many images there were
 */
public record SegmentationScores(
        double foregroundAri,
        double ari,
        double meanBestOverlap,
        double meanIou,
        double error,
        long images) {

    /** One line: {@code FG-ARI 0.912 ARI 0.871 mBO 0.702 mIoU 0.695 MSE 0.00213 (320 images)}. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "FG-ARI %.3f  ARI %.3f  mBO %.3f  mIoU %.3f  MSE %.5f  (%d images)",
                foregroundAri,
                ari,
                meanBestOverlap,
                meanIou,
                error,
                images);
    }
}
