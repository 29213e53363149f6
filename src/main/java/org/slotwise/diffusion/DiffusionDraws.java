package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Random;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Scalars;

/** What a training step draws for latents: a time for each image, and noise. */
public final class DiffusionDraws {

    private static final String WHO = "DiffusionDraws";

    private final int[] times;
    private final NDArray noise;
    private final int steps; // T of the schedule that times were drawn from; 0 if it is not known

    /**
     * Creates draws that are known. They are taken for those of any schedule that has their times.
     *
     * @param noise (B, ...)
     * @param times one for each image, from 0 to T - 1
     */
    public DiffusionDraws(NDArray noise, int... times) {
        this(0, noise, times);
    }

    private DiffusionDraws(int steps, NDArray noise, int[] times) {
        this.times = times.clone();
        this.noise = noise;
        this.steps = steps;
    }

    /**
     * Requires times to be drawn from a schedule of as many: of a shorter one's draws a network
     * would learn its lower times alone.
     *
     * @throws IllegalArgumentException if they are known to be of another
     */
    void requireFit(String who, NoiseSchedule schedule) {
        Check.option(
                steps == 0 || steps == schedule.steps(),
                who
                        + ": draws must be from a schedule of "
                        + schedule.steps()
                        + " steps, as the network's, got those from one of "
                        + steps);
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
     * @param schedule its times are drawn evenly; that of the decoder that learns
     * @param manager who owns the noise, on whose device it is made
     * @param shape (B, ...) of the latents
     * @param type of the latents
     * @param offset how much noise all places of a channel have in common besides, (B, C, 1, ...);
     *     0 for none, 0.1 where it is used: Guttenberg, "Diffusion with Offset Noise" (2023)
     * @return times and noise
     * @throws IllegalArgumentException if the shape has no batch or is too large, the type is no
     *     floating one, or the offset is negative
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
        Limits.numbers(WHO, "noise", shape.getShape());
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
                schedule.steps(),
                Scalars.of(manager, manager.getDevice(), values, shape, type),
                times);
    }
}
