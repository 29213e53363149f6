package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Random;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;

/** What a training step draws for latents: a time for each image, and noise. */
public final class DiffusionDraws {

    private static final String WHO = "DiffusionDraws";

    private final int[] times;
    private final NDArray noise;

    /**
     * Creates draws that are known.
     *
     * @param noise (B, ...)
     * @param times one for each image, from 0 to T - 1
     */
    public DiffusionDraws(NDArray noise, int... times) {
        this.times = times.clone();
        this.noise = noise;
    }

    /**
     * The times.
     *
     * @return one for each image, from 0 to T - 1
     */
    public int[] times() {
        return times.clone();
    }

    /**
     * The noise.
     *
     * @return (B, ...)
     */
    public NDArray noise() {
        return noise;
    }

    /**
     * Draws.
     *
     * @param random where numbers come from: that of {@code StepRandom}, for a training that can be
     *     taken up again
     * @param schedule its times are drawn evenly
     * @param manager who owns the noise, on whose device it is made
     * @param shape (B, ...) of the latents
     * @param type of the latents
     * @param offset how much noise all places of a channel have in common besides, (B, C, 1, ...);
     *     0 for none, 0.1 where it is used: Guttenberg, "Diffusion with Offset Noise" (2023)
     * @return times and noise
     * @throws IllegalArgumentException if the shape has no batch, the type is no floating one, or
     *     the offset is negative
     */
    public static DiffusionDraws of(
            Random random,
            NoiseSchedule schedule,
            NDManager manager,
            Shape shape,
            DataType type,
            double offset) {
        Check.floating(WHO, "noise", type);
        Check.notNegative(WHO, "offset", offset);
        Check.option(
                shape.dimension() > 1 && shape.size() > 0,
                WHO + ": latents must be (B, C, ...), got " + shape);
        int[] times = new int[Math.toIntExact(shape.get(0))];
        for (int b = 0; b < times.length; b++) {
            times[b] = random.nextInt(schedule.steps());
        }
        int places = Math.toIntExact(shape.size() / shape.get(0) / shape.get(1));
        double[] values = new double[Math.toIntExact(shape.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextGaussian();
        }
        if (offset > 0) {
            for (int channel = 0; channel < values.length / places; channel++) {
                double common = offset * random.nextGaussian();
                for (int i = channel * places; i < (channel + 1) * places; i++) {
                    values[i] += common;
                }
            }
        }
        return new DiffusionDraws(
                Scalars.of(manager, manager.getDevice(), values, shape, type), times);
    }
}
