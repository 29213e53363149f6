package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import org.slotwise.diffusion.Prediction.Line;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;

/**
 * Noises latents as a schedule says, each image at a time of its own.
 *
 * <pre>{@code
 * z_t = sqrt(alphaBar(t)) z_0 + sqrt(1 - alphaBar(t)) noise
 * }</pre>
 *
 * @param schedule how much noise there is at each time
 */
public record Noising(NoiseSchedule schedule) {

    private static final String WHO = "Noising";

    /**
     * Noises latents.
     *
     * @param latents z_0 (B, ...)
     * @param noise standard normal numbers, of the same shape, type and device
     * @param times one for each image, from 0 to T - 1
     * @return z_t (B, ...), owned by the latents' manager
     * @throws IllegalArgumentException if shapes or types differ, or there is no such time
     */
    public NDArray noised(NDArray latents, NDArray noise, int... times) {
        check(latents, noise, times);
        NDArray own = latents.mul(each(latents, times, t -> Math.sqrt(schedule.alphaBar(t))));
        return own.add(noise.mul(each(latents, times, t -> Math.sqrt(1 - schedule.alphaBar(t)))));
    }

    /**
     * What a network should predict of noised latents.
     *
     * @param prediction noise, velocity or the latents themselves
     * @param latents z_0 (B, ...)
     * @param noise what they were noised with
     * @param times one for each image
     * @return (B, ...); the noise or the latents themselves, or a new array of the latents' manager
     * @throws IllegalArgumentException if shapes or types differ, or there is no such time
     */
    public NDArray target(Prediction prediction, NDArray latents, NDArray noise, int... times) {
        check(latents, noise, times);
        return switch (prediction) {
            case NOISE -> noise;
            case DATA -> latents;
            case VELOCITY ->
                    latents.mul(each(latents, times, t -> velocity(t).first()))
                            .add(noise.mul(each(latents, times, t -> velocity(t).second())));
        };
    }

    private Line velocity(int t) {
        return Prediction.VELOCITY.target(schedule.alphaBar(t));
    }

    private void check(NDArray latents, NDArray noise, int... times) {
        Check.present(WHO, "latents", latents);
        Check.floating(WHO, "latents", latents.getDataType());
        Check.present(WHO, "noise", noise);
        Check.option(
                noise.getShape().equals(latents.getShape()),
                WHO
                        + ": noise must be "
                        + latents.getShape()
                        + " as latents, got "
                        + noise.getShape());
        Check.sameTypeAndDevice(WHO, "noise", noise, "latents", latents);
        checkTimes(WHO, latents.getShape(), times);
    }

    /** Requires a time for each image. */
    void checkTimes(String who, Shape latents, int... times) {
        long batch = latents.dimension() == 0 ? 0 : latents.get(0);
        Check.option(
                batch > 0 && times.length == batch,
                who + ": there must be a time for each of " + latents + ", got " + times.length);
        for (int t : times) {
            Check.option(
                    t >= 0 && t < schedule.steps(),
                    who + ": a time must be from 0 to " + (schedule.steps() - 1) + ", got " + t);
        }
    }

    /** A number for each image, to be multiplied with latents. */
    private static NDArray each(NDArray latents, int[] times, IntToDoubleFunction of) {
        double[] values = new double[times.length];
        long[] sizes = new long[latents.getShape().dimension()];
        Arrays.fill(sizes, 1);
        sizes[0] = times.length;
        for (int b = 0; b < times.length; b++) {
            values[b] = of.applyAsDouble(times[b]);
        }
        return Scalars.of(
                latents.getManager(),
                latents.getDevice(),
                values,
                new Shape(sizes),
                latents.getDataType());
    }
}
