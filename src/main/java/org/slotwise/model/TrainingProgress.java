package org.slotwise.model;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How a training goes.
 *
 * @param step the last step that was taken
 * @param steps how many there are
 * @param loss the mean loss since the last report; NaN of a training that went on from the
 *     checkpoint of its last step, and had none left to take
 * @param gradientNorm the gradients' norm in this step, before it was bounded; NaN as the loss is
 * @param learningRate that of this step
 * @param secondsLeft an estimate
 * @param scores on the scenes kept for it; null if there are none
 */
public record TrainingProgress(
        long step,
        long steps,
        double loss,
        double gradientNorm,
        double learningRate,
        double secondsLeft,
        @Nullable SegmentationScores scores) {

    /** One line. */
    @Override
    public String toString() {
        String scored = scores == null ? "" : "  " + scores;
        if (Double.isNaN(loss)) {
            return "step " + step + " of " + steps + ", taken before" + scored;
        }
        return String.format(
                Locale.ROOT,
                "step %d of %d  loss %.5f  gradient norm %.3g  learning rate %.3g  %.0f s left%s",
                step,
                steps,
                loss,
                gradientNorm,
                learningRate,
                secondsLeft,
                scored);
    }
}
