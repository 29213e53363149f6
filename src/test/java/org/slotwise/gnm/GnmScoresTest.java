package org.slotwise.gnm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Scores and frames beside the original's, and where it has no value. */
@ExtendWith(OnDevice.class)
class GnmScoresTest {

    @Test
    void scoresAreThoseOfTheOriginal(NDManager manager) {
        ReferenceCase reference =
                GnmCases.named("gnm_log_validation_outputs", "validation_metrics");
        Map<String, NDArray> arrays = reference.arrays(manager);
        NDArray truth = arrays.get("in/true_masks").squeeze(4);
        List<GnmScores> scores =
                GnmScores.of(
                        arrays.get("in/image"),
                        truth,
                        arrays.get("in/canvas"),
                        arrays.get("in/masks"),
                        arrays.get("in/z_pres"));
        for (int b = 0; b < scores.size(); b++) {
            GnmScores own = scores.get(b);
            close(arrays, "mse", b, own.squaredError());
            close(arrays, "bg_mse", b, own.backgroundError());
            close(arrays, "slot_mse", b, own.objectError());
            close(arrays, "miou", b, own.overlap());
            close(arrays, "dice", b, own.dice());
            close(arrays, "ari_with_background", b, own.ariWithBackground());
            close(arrays, "ari", b, own.ari());
            close(arrays, "ari_no_background", b, own.ariOfObjects());
            close(arrays, "acc", b, own.countRight() ? 1 : 0);
            close(arrays, "cnt", b, own.count());
            double dice = own.dice();
            assertTrue(own.intersectionOverUnion() < dice, "a true one is below dice");
        }
        // Masks of 0 and 255, as DeepMind's readers give them, are the same masks.
        List<GnmScores> bytes =
                GnmScores.of(
                        arrays.get("in/image"),
                        truth.toType(DataType.FLOAT32, false).mul(255),
                        arrays.get("in/canvas"),
                        arrays.get("in/masks"),
                        arrays.get("in/z_pres"));
        assertEquals(scores, bytes);
    }

    private static void close(Map<String, NDArray> arrays, String what, int b, double got) {
        double expected = arrays.get("out/" + what).toType(DataType.FLOAT64, false).getDouble(b);
        assertEquals(expected, got, 1e-6 * Math.max(1, Math.abs(expected)), what + " of " + b);
    }

    /** The original divides by zero there. */
    @Test
    void anEmptyPictureThatWasFoundEmptyHasNoValueOfItsObjects(NDManager manager) {
        NDArray image = manager.zeros(new Shape(1, 3, 4, 4));
        NDArray truth = manager.ones(new Shape(1, 1, 4, 4));
        NDArray masks = manager.zeros(new Shape(1, 2, 1, 4, 4));
        NDArray presence = manager.zeros(new Shape(1, 2));
        GnmScores own = GnmScores.of(image, truth, image, masks, presence).get(0);
        assertTrue(own.countRight());
        assertEquals(0, own.squaredError());
        assertTrue(Double.isNaN(own.objectError()) && Double.isNaN(own.overlap()));
        assertTrue(Double.isNaN(own.ari()), "no pixel of an object");
        assertEquals(1, own.ariWithBackground());
        assertRefused(
                "GnmScores: presence must be 2 an image, got (1, 3)",
                () -> GnmScores.of(image, truth, image, masks, manager.zeros(new Shape(1, 3))));
    }

    @Test
    void framesAreThoseOfTheOriginal(NDManager manager) {
        ReferenceCase reference = GnmCases.named("visualize", "boxes");
        Map<String, NDArray> arrays = reference.arrays(manager);
        NDArray presence = arrays.get("in/z_pres").reshape(2, 1, 4, 4);
        NDArray where = arrays.get("in/z_where").reshape(2, 4, 4, 4).transpose(0, 3, 1, 2);
        Cells cells = new Cells(presence, where, where, presence, presence);
        assertClose("boxes", arrays.get("out/boxes"), BoxFrames.of(cells, 24), 1e-6);
    }
}
