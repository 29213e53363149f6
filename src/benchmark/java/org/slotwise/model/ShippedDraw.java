package org.slotwise.model;

/** What a prediction of the shipped Multi-dSprites model draws, for the benchmark's peers. */
public final class ShippedDraw {

    private ShippedDraw() {}

    /** Numbers in [0, 1), one for each pixel that is looked at. */
    public static float[] uniform(int count) {
        double[] drawn = SettledNoise.uniform(count, 0);
        float[] uniform = new float[count];
        for (int i = 0; i < count; i++) {
            uniform[i] = (float) drawn[i];
        }
        return uniform;
    }
}
