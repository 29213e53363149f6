package org.slotwise.examples.gnm;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.gnm.GnmSchedules;
import org.slotwise.gnm.GnmStart;
import org.slotwise.training.Adam;
import org.slotwise.training.LearningRate;
import org.slotwise.training.RmsProp;
import org.slotwise.training.StatefulOptimizer;

/** How a small GNM is trained, apart from how long. */
enum GnmRecipe {
    /** Objects are likely at first, and must explain the picture before the background may. */
    LIKELY(16, 1e-3),
    /** As published: by RMSprop, for hundreds of thousands of steps. */
    PUBLISHED(64, 1e-4);

    /** The bound of the gradients' norm. */
    static final double NORM = 1;

    private static final int WARM_UP = 100;

    private final int batch;
    private final double rate;

    GnmRecipe(int batch, double rate) {
        this.batch = batch;
        this.rate = rate;
    }

    /** How many pictures a step sees. */
    int batch() {
        return batch;
    }

    /** The learning rate of each step. */
    LearningRate learningRate(int steps) {
        return this == LIKELY
                ? LearningRate.cosineDecay(rate, Math.min(WARM_UP, steps / 2), steps, rate / 10)
                : LearningRate.constant(rate);
    }

    StatefulOptimizer optimizer(LearningRate learningRate) {
        return this == LIKELY
                ? Adam.builder().optLearningRate(learningRate).optEps(1e-12).build()
                : RmsProp.builder().optLearningRate(learningRate).build();
    }

    GnmSchedules schedules() {
        return this == LIKELY
                ? GnmSchedules.likelyObjects()
                : GnmSchedules.objectDiscoveryPytorch();
    }

    /** Null for PyTorch's. */
    @Nullable GnmStart start() {
        return this == LIKELY ? GnmStart.likelyObjects() : null;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
