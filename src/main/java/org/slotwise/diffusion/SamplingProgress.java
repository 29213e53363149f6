package org.slotwise.diffusion;

/** Is told how far a sampling is. */
@FunctionalInterface
public interface SamplingProgress {

    /** Nobody is told. */
    SamplingProgress NONE = (done, of) -> {};

    /**
     * A step is done. What is thrown here ends the sampling.
     *
     * @param done how many steps are done, from 1
     * @param of how many there are
     */
    void step(int done, int of);
}
