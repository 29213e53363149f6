package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import org.jspecify.annotations.Nullable;

/**
 * All that a {@link Gnm} draws in a call, so that a call is a function of its arguments. What is
 * not given is drawn with the engine's generator. All are draws from the standard normal
 * distribution but those of presence.
 *
 * @param background (B, Zb), for the posterior where a picture is explained, for the prior where
 *     one is made
 * @param scene (B, n, Zg), for the n steps of the scene latent that are drawn
 * @param presence draws from [0, 1), (B, 1, G, G)
 * @param where (B, 4, G, G)
 * @param depth (B, 1, G, G)
 * @param what (B, Za, G, G)
 */
public record GnmNoise(
        @Nullable NDArray background,
        @Nullable NDArray scene,
        @Nullable NDArray presence,
        @Nullable NDArray where,
        @Nullable NDArray depth,
        @Nullable NDArray what) {

    /** What stands before a name in an {@link NDList}: "noise_where" and so on. */
    public static final String PREFIX = "noise_";

    /**
     * Nothing is given.
     *
     * @return all is drawn
     */
    public static GnmNoise drawn() {
        return new GnmNoise(null, null, null, null, null, null);
    }

    /** What a list has of it by name; the other arrays go to another list. */
    static GnmNoise among(NDList list, NDList others) {
        GnmNoise noise =
                new GnmNoise(
                        list.get(PREFIX + "background"),
                        list.get(PREFIX + "scene"),
                        list.get(PREFIX + "presence"),
                        list.get(PREFIX + "where"),
                        list.get(PREFIX + "depth"),
                        list.get(PREFIX + "what"));
        list.stream()
                .filter(array -> array.getName() == null || !array.getName().startsWith(PREFIX))
                .forEach(others::add);
        return noise;
    }
}
