package org.slotwise.data.generated;

import org.slotwise.internal.SplitMix;

/**
 * Which textures the things of a scene have.
 *
 * @param alike the probability that an object has the texture of one before it
 * @param leastContrast by how much the two colours of a texture differ at least
 * @param mostContrast by how much they differ at most
 * @param difference by how much the mean colours of different textures differ at least
 */
record TextureChoice(double alike, double leastContrast, double mostContrast, double difference) {

    private static final int ATTEMPTS = 10_000;

    /** The textures of the ground and of each object, the same one for those that look alike. */
    Texture[] draw(SplitMix random, int objects) {
        Texture[] textures = new Texture[objects + 1];
        for (int k = 0; k <= objects; k++) {
            if (k > 1 && random.between(0.0, 1.0) < alike) {
                textures[k] = textures[random.between(1, k - 1)];
                continue;
            }
            int attempt = 0;
            do {
                if (attempt++ == ATTEMPTS) {
                    throw new IllegalStateException(
                            "TexturedScenes: found no "
                                    + (k + 1)
                                    + " textures whose mean colours differ by "
                                    + difference
                                    + "; ask for fewer objects or a smaller difference");
                }
                textures[k] = Texture.draw(random, random.between(leastContrast, mostContrast));
            } while (!differs(textures, k));
        }
        return textures;
    }

    private boolean differs(Texture[] textures, int last) {
        for (int k = 0; k < last; k++) {
            if (textures[k].difference(textures[last]) < difference) {
                return false;
            }
        }
        return true;
    }
}
