package org.slotwise.examples.sets;

import ai.djl.training.loss.Loss;
import java.util.Locale;
import org.slotwise.data.PropertyLayout;
import org.slotwise.loss.HungarianLoss;
import org.slotwise.loss.SetPredictionLoss;

/** What a {@link PropertyModel} learns by. */
enum PropertyLoss {
    /** The likelihood of attributes, and positions in CLEVR's units. */
    HUNGARIAN,

    /** The paper's, in which attributes and positions are numbers in [0, 1] alike. */
    HUBER;

    private static final double ATTRIBUTE_WEIGHT = 3;

    /**
     * The loss.
     *
     * @param positionWeight how much positions count in the first of them
     */
    Loss with(double positionWeight) {
        return this == HUBER
                ? new SetPredictionLoss()
                : new HungarianLoss("loss", PropertyLayout.CLEVR, ATTRIBUTE_WEIGHT, positionWeight);
    }

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
