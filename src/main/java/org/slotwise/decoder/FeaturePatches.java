package org.slotwise.decoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;

/**
 * The patches of an image's pixels that an encoder's features stand for, row by row.
 *
 * @param height H, a multiple of the patch
 * @param width W, a multiple of the patch
 * @param patch P, height and width of a patch
 */
record FeaturePatches(int height, int width, int patch) {

    /** How many there are along the height. */
    long rows() {
        return height / patch;
    }

    /** How many there are along the width. */
    long columns() {
        return width / patch;
    }

    /** Requires attributions (B, K, N) that fit the objects (B, K, D). */
    NDArray attributions(String who, NDArray objects, PerceptualGroupingOutput slots) {
        NDArray attributions =
                Check.present(
                        who,
                        PerceptualGroupingOutput.FEATURE_ATTRIBUTIONS,
                        slots.featureAttributions());
        Shape s = objects.getShape();
        Check.shape(who, "attributions", attributions, s.get(0), s.get(1), rows() * columns());
        Check.sameTypeAndDevice(who, "attributions", attributions, DecoderBlock.SLOTS, objects);
        return attributions;
    }

    /** Each of (B, C, N) for a patch of pixels: (B, C, h, P, w, P). */
    NDArray enlarged(NDArray map, long batch, long channels) {
        return map.reshape(batch, channels, rows(), 1, columns(), 1)
                .broadcast(batch, channels, rows(), patch, columns(), patch);
    }
}
