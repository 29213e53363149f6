package org.slotwise.diffusion;

import java.util.List;
import org.slotwise.internal.Check;

/**
 * A step of a {@link Sampler}, as the numbers that arrays are multiplied by.
 *
 * <pre>{@code
 * z' = latent z + noise n + estimate x + former[0] x_(i-1) + former[1] x_(i-2) + fresh g
 * }</pre>
 *
 * @param latent of z, the latent as it is
 * @param noise of n, the noise that the network sees in it
 * @param estimate of x, the latent without noise that the network sees in it
 * @param former of the estimates of earlier steps, the latest first
 * @param fresh of g, new standard normal numbers
 */
public record SamplingStep(
        double latent, double noise, double estimate, List<Double> former, double fresh) {

    /**
     * Creates a step.
     *
     * @param latent of z
     * @param noise of n
     * @param estimate of x
     * @param former of earlier estimates, the latest first
     * @param fresh of new standard normal numbers
     * @throws IllegalArgumentException if a number is not finite
     */
    public SamplingStep {
        former = List.copyOf(former);
        finite("latent", latent);
        finite("noise", noise);
        finite("estimate", estimate);
        finite("fresh", fresh);
        former.forEach(one -> finite("former", one));
    }

    private static void finite(String what, double number) {
        Check.option(
                Double.isFinite(number),
                "SamplingStep: " + what + " must be finite, got " + number);
    }
}
