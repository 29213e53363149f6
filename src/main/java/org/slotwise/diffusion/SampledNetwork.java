package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.SharedTime;
import org.slotwise.unet.ToldDenoiser;

/** A network as samplers see it: everything but latent and time is decided already. */
@FunctionalInterface
public interface SampledNetwork {

    /**
     * Looks at noised latents.
     *
     * @param latents (B, ...)
     * @param times (B) int64, in sampling all alike
     * @return what the network predicts, of the latents' shape and type
     */
    NDArray predict(NDArray latents, NDArray times);

    /**
     * Looks at noised latents of one time, as {@link Sampling} asks.
     *
     * @param latents (B, ...)
     * @param time of all latents, at least 0
     * @return what the network predicts, of the latents' shape and type
     */
    default NDArray predict(NDArray latents, int time) {
        return SharedTime.ask("SampledNetwork", latents, time, this::predict);
    }

    /**
     * What the network learnt, for {@link Sampling} to refuse what does not fit: another prediction
     * or another schedule gives wrong pictures, and no error.
     *
     * @return schedule and prediction; null where they are not known, and nothing can be refused
     */
    default @Nullable DenoisingLoss learning() {
        return null;
    }

    /**
     * A network of which it is known what it learnt.
     *
     * @param learning with which schedule, and what it predicts
     * @param network who predicts
     * @return the same network, which {@link Sampling} asks in no other way
     */
    static SampledNetwork learnt(DenoisingLoss learning, SampledNetwork network) {
        return new SampledNetwork() {
            @Override
            public NDArray predict(NDArray latents, NDArray times) {
                return network.predict(latents, times);
            }

            @Override
            public NDArray predict(NDArray latents, int time) {
                return network.predict(latents, time);
            }

            @Override
            public DenoisingLoss learning() {
                return learning;
            }
        };
    }

    /**
     * A network that was told everything else, as it is asked for one time or for many.
     *
     * @param told the network under its slots, open as long as it is asked
     * @return what samplers ask
     */
    static SampledNetwork of(ToldDenoiser told) {
        return new SampledNetwork() {
            @Override
            public NDArray predict(NDArray latents, NDArray times) {
                return told.predict(latents, times);
            }

            @Override
            public NDArray predict(NDArray latents, int time) {
                return told.predict(latents, time);
            }
        };
    }

    /**
     * Two networks as one whose condition counts more, or less: guidance without a classifier.
     *
     * <p>Source: Ho and Salimans, "Classifier-Free Diffusion Guidance" (2021), in the form of
     * Stable Diffusion.
     *
     * <pre>{@code
     * o = o_without + scale (o_with - o_without)
     * }</pre>
     *
     * @param with the network under its condition, slots for instance
     * @param without the same network without it, under slots that it was trained to take as none
     * @param scale 1 for the condition alone; finite
     * @return a network that asks both
     * @throws IllegalArgumentException if the scale is not finite, or it is known that the two
     *     predict different things, or learnt with different schedules
     */
    static SampledNetwork guided(SampledNetwork with, SampledNetwork without, double scale) {
        Check.option(Double.isFinite(scale), "SampledNetwork: scale must be finite, got " + scale);
        DenoisingLoss one = with.learning();
        DenoisingLoss other = without.learning();
        if (one != null && other != null) {
            SamplingFit.requireAlike("SampledNetwork", one, other);
        }
        return new SampledNetwork() {
            @Override
            public @Nullable DenoisingLoss learning() {
                return one == null ? other : one;
            }

            @Override
            public NDArray predict(NDArray latents, NDArray times) {
                return both(with.predict(latents, times), without.predict(latents, times));
            }

            @Override
            public NDArray predict(NDArray latents, int time) {
                return both(with.predict(latents, time), without.predict(latents, time));
            }

            private NDArray both(NDArray told, NDArray o) {
                NDArray far = told.sub(o);
                return o.add(far.mul(Scalars.like(far, scale)));
            }
        };
    }
}
