package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.function.BinaryOperator;

/** One time of a diffusion for all pictures of a batch, for a network that wants one for each. */
public final class SharedTime {

    private SharedTime() {}

    /**
     * Asks a network that wants a time for each picture.
     *
     * @param who whom errors are about
     * @param latents (B, ...)
     * @param time of all of them, at least 0
     * @param network from latents and times (B) int64 to what it predicts
     * @return what the network gives
     * @throws IllegalArgumentException if there are no latents, they are no batch, or the time is
     *     below 0
     */
    public static NDArray ask(
            String who, NDArray latents, int time, BinaryOperator<NDArray> network) {
        Check.present(who, "latents", latents);
        Check.option(
                latents.getShape().dimension() > 0,
                who + ": latents must be (B, ...), got " + latents.getShape());
        Check.atLeast(who, "time", time, 0);
        Shape batch = new Shape(latents.getShape().get(0));
        try (NDArray times = Scalars.full(latents, batch, time, DataType.INT64)) {
            return network.apply(latents, times);
        }
    }
}
