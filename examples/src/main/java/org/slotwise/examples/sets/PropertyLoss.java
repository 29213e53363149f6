package org.slotwise.examples.sets;

import ai.djl.training.loss.Loss;
import java.util.Locale;
import org.slotwise.data.PropertyLayout;
import org.slotwise.loss.HungarianLoss;
import org.slotwise.loss.SetPredictionLoss;

/** What a {@link PropertyModel} learns by. */
enum PropertyLoss {
    /** The likelihood of attributes, and positions in CLEVR's units. */
    HUNGARIAN(new HungarianLoss("loss", PropertyLayout.CLEVR, 3, 2)),

    /** The paper's, in which attributes and positions are numbers in [0, 1] alike. */
    HUBER(new SetPredictionLoss());

    final Loss loss;

    PropertyLoss(Loss loss) {
        this.loss = loss;
    }

    /** As on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
