package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;

/** What the shipped Multi-dSprites model draws, for the benchmark's peers. */
public final class ShippedDraw {

    private ShippedDraw() {}

    /** Of a prediction: numbers in [0, 1), one for each pixel that is looked at. */
    public static float[] uniform(int count) {
        double[] drawn = SettledNoise.uniform(count, 0);
        float[] uniform = new float[count];
        for (int i = 0; i < count; i++) {
            uniform[i] = (float) drawn[i];
        }
        return uniform;
    }

    /**
     * Draws from the engine's generator what training draws before such numbers: weights of the
     * stick-breaking, which it does not look at.
     */
    public static void before(NDArray images, int slots, int stride) {
        try (NDManager scratch = images.getManager().newSubManager()) {
            NDArray own = images.duplicate();
            own.attach(scratch);
            new ColourGuess(slots, stride).of(own, false);
        }
    }
}
