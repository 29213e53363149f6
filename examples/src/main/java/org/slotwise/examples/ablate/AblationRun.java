package org.slotwise.examples.ablate;

import java.util.Locale;

/**
 * What was run, and how well it segments scenes that were held out.
 *
 * @param key what was run
 * @param foreground FG-ARI, over the pixels of objects; not a number if the training ran away
 * @param all ARI over all pixels
 * @param error mean squared error of the pictures made again; not a number where there are none
 * @param seconds how long it took
 */
public record AblationRun(Key key, double foreground, double all, double error, double seconds) {

    /**
     * What was run.
     *
     * @param variant the name of what was changed
     * @param seed what random choices started from
     * @param steps how many steps of training
     * @param scenes how many scenes were held out
     */
    public record Key(String variant, int seed, int steps, int scenes) {}

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%-18s seed %d  FG-ARI %.3f  ARI %.3f  MSE %.5f  %4.0f s",
                key.variant(),
                key.seed(),
                foreground,
                all,
                error,
                seconds);
    }
}
