package org.slotwise.diffusion;

/**
 * How a latent is led from noise to data: which times a network is asked about, and what is done
 * with its answers. {@link Sampling} does it.
 *
 * <p>Samplers have no state: one may be used by several threads.
 */
public interface Sampler {

    /**
     * How much noise there is at each time.
     *
     * @return the schedule that the network was trained with
     */
    NoiseSchedule schedule();

    /**
     * The times that the network is asked about.
     *
     * @return descending
     */
    int[] times();

    /**
     * A step from one time to the next, or from the last to data.
     *
     * @param index which, from 0
     * @return what is done
     * @throws IllegalArgumentException if there is no such step
     */
    SamplingStep step(int index);
}
