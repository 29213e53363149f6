package org.slotwise.model;

import java.util.Random;
import org.slotwise.training.StepRandom;

/**
 * In which order a training sees scenes: all of them once, in an order of its own, then again in
 * another. It depends on the seed and the number of the step alone.
 */
final class SceneOrder {

    private final StepRandom random;
    private final int scenes;
    private long epoch = -1;
    private int[] order = {};

    SceneOrder(long seed, int scenes) {
        // Not the draws of the steps.
        random = new StepRandom(~seed);
        this.scenes = scenes;
    }

    /** The scenes of a step, which counts from 1. */
    int[] of(long step, int batchSize) {
        int[] batch = new int[batchSize];
        for (int i = 0; i < batchSize; i++) {
            long at = (step - 1) * batchSize + i;
            batch[i] = order(at / scenes)[(int) (at % scenes)];
        }
        return batch;
    }

    private int[] order(long wanted) {
        if (wanted != epoch) {
            epoch = wanted;
            order = new int[scenes];
            Random draws = random.at(wanted);
            for (int i = 0; i < scenes; i++) {
                int j = draws.nextInt(i + 1);
                order[i] = order[j];
                order[j] = i;
            }
        }
        return order;
    }
}
