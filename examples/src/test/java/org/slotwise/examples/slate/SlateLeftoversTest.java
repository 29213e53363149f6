package org.slotwise.examples.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Leftovers;
import org.slotwise.slate.EncodedPictures;
import org.slotwise.slate.Slate;

class SlateLeftoversTest {

    private static NDArray images(NDManager manager) {
        return manager.randomUniform(0, 1, new Shape(2, 3, 32, 32));
    }

    @Test
    void leavesNothing() throws Exception {
        try (NDManager weights = NDManager.newBaseManager()) {
            Slate slate = SlateModel.load(weights, null);
            Leftovers.none(
                    "segmented",
                    weights,
                    own -> SlateScores.segmenting(slate).segment(own, images(own)));
            Leftovers.none(
                    "made again",
                    weights,
                    own -> {
                        EncodedPictures seen = SlateScores.encode(slate, images(own));
                        SlateScores.again(slate, seen.tokens());
                    });
            Leftovers.none("drawn", weights, own -> new SlateFigure(slate).sheet(images(own)));
        }
    }
}
