package org.slotwise.examples.group;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDManager;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slotwise.examples.shared.Leftovers;
import org.slotwise.examples.shared.StillLife;

class GroupLeftoversTest {

    @ParameterizedTest
    @EnumSource
    void leavesNothing(Method method) {
        Image image = StillLife.arranged(0).draw().scaledTo(12);
        try (NDManager none = NDManager.newBaseManager()) {
            Leftovers.none(
                    method.toString(),
                    none,
                    own -> method.grouping().group(PixelFeatures.of(own, image, 0.3), 3, 0));
        }
    }
}
