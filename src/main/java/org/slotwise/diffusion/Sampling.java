package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.diffusion.Prediction.Line;
import org.slotwise.internal.Check;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;

/**
 * Draws samples with a network: from noise to data in the steps of a {@link Sampler}.
 *
 * <pre>{@code
 * Sampling sampling = Sampling.builder()
 *         .setSampler(Ddim.builder().setSchedule(NoiseSchedule.cosine(1000)).build())
 *         .setPrediction(Prediction.VELOCITY)
 *         .build();
 * NDArray latents = sampling.sample(network, manager, new Shape(8, 4, 8, 8), DataType.FLOAT32, seed);
 * }</pre>
 *
 * <p>The numbers of a step are computed in double precision before any array is touched; nothing is
 * read from the device; and what a step makes is freed at its end, so that memory does not grow
 * with the number of steps. No graph is recorded. An instance has no state, and may be used by
 * several threads if its network may.
 */
public final class Sampling {

    private static final String WHO = "Sampling";
    private static final String LATENTS = "latents";

    private final Sampler sampler;
    private final Prediction prediction;
    private final EstimateChange change;
    private final SamplingProgress progress;
    private final int[] times;
    private final boolean looksBack;

    private Sampling(Builder builder, Sampler sampler, Prediction prediction, int[] times) {
        this.sampler = sampler;
        this.prediction = prediction;
        this.times = times;
        change = builder.change;
        progress = builder.progress;
        looksBack = looksBack(sampler, times.length);
    }

    /**
     * Creates a builder.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * How latents are led.
     *
     * @return the sampler
     */
    public Sampler sampler() {
        return sampler;
    }

    /**
     * What the network must predict.
     *
     * @return the prediction
     */
    public Prediction prediction() {
        return prediction;
    }

    /**
     * Draws samples from a seed.
     *
     * @param network who predicts
     * @param manager who owns the result, on whose device it is made
     * @param shape (B, ...)
     * @param type float16, float32 or float64
     * @param seed the same seed gives the same samples
     * @return samples (B, ...)
     * @throws IllegalArgumentException if the shape has no batch, the type is no floating one, the
     *     network gives another shape or type, or says that it learnt something else ({@link
     *     SampledNetwork#learning})
     */
    public NDArray sample(
            SampledNetwork network, NDManager manager, Shape shape, DataType type, long seed) {
        Inputs.manager(WHO, manager);
        Check.floating(WHO, LATENTS, type);
        Check.option(
                shape.dimension() > 0 && shape.size() > 0,
                WHO + ": the shape of latents must have sizes of at least 1, got " + shape);
        StepNoise noise = StepNoise.seeded(seed);
        try (NDArray start = noise.at(-1, manager, manager.getDevice(), shape, type)) {
            return sample(network, start, noise);
        }
    }

    /**
     * Draws samples from given noise.
     *
     * @param network who predicts
     * @param start (B, ...), standard normal numbers
     * @param noise what is drawn on the way; not asked where the sampler draws nothing
     * @return samples (B, ...), owned by the manager of the start
     * @throws IllegalArgumentException if an array has another shape, type or device than it must,
     *     or the network says that it learnt something else ({@link SampledNetwork#learning})
     */
    public NDArray sample(SampledNetwork network, NDArray start, StepNoise noise) {
        DenoisingLoss learnt = network.learning();
        if (learnt != null) {
            requireFit(WHO, learnt);
        }
        Check.present(WHO, LATENTS, start);
        Check.floating(WHO, LATENTS, start.getDataType());
        Check.option(
                start.getShape().dimension() > 0 && start.size() > 0,
                WHO + ": latents must be (B, ...), got " + start.getShape());
        NDManager owner = start.getManager();
        return NoGraph.during(
                () -> {
                    try (NDManager loop = owner.newSubManager(start.getDevice())) {
                        NDArray end = steps(network, copy(start, loop), noise, loop);
                        end.attach(owner);
                        return end;
                    }
                });
    }

    /** Requires a network that learnt so to predict what this samples with, by one schedule. */
    void requireFit(String who, DenoisingLoss learnt) {
        SamplingFit.require(who, learnt, prediction, sampler);
    }

    /** A copy, so that closing what a step began with closes nobody's array. */
    private static NDArray copy(NDArray array, NDManager manager) {
        NDArray copy = Scalars.ownMemory(array);
        copy.attach(manager);
        return copy;
    }

    private NDArray steps(SampledNetwork network, NDArray start, StepNoise noise, NDManager loop) {
        NDArray z = start;
        Deque<NDArray> former = new ArrayDeque<>();
        for (int i = 0; i < times.length; i++) {
            try (NDManager own = loop.newSubManager()) {
                NDArray latents = z.reshape(z.getShape());
                latents.attach(own);
                NDArray output = checked(network.predict(latents, times[i]), z);
                SamplingStep step = sampler.step(i);
                NDArray drawn = null;
                if (step.fresh() != 0) {
                    drawn = noise.at(i, own, z.getDevice(), z.getShape(), z.getDataType());
                    Check.shape(WHO, "noise", drawn, sizes(z.getShape()));
                    Check.sameTypeAndDevice(WHO, "noise", drawn, LATENTS, z);
                }
                NDList made = stepped(i, latents, output, drawn, former);
                z.close();
                z = made.get(0);
                z.attach(loop);
                keep(former, made, loop, i);
            }
            progress.step(i + 1, times.length);
        }
        return z;
    }

    /** Keeps as many estimates as the next step looks back to. */
    private void keep(Deque<NDArray> former, NDList made, NDManager loop, int index) {
        int wanted = index + 1 < times.length ? sampler.step(index + 1).former().size() : 0;
        if (made.size() > 1) {
            made.get(1).attach(loop);
            former.addFirst(made.get(1));
        }
        while (former.size() > wanted) {
            former.removeLast().close();
        }
    }

    private NDArray checked(@Nullable NDArray output, NDArray latents) {
        NDArray there = Check.present(WHO, "what the network predicts", output);
        Check.shape(WHO, "what the network predicts", there, sizes(latents.getShape()));
        Check.sameTypeAndDevice(WHO, "what the network predicts", there, LATENTS, latents);
        return there;
    }

    private static Object[] sizes(Shape shape) {
        Object[] sizes = new Object[shape.dimension()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = shape.get(i);
        }
        return sizes;
    }

    /**
     * One step.
     *
     * @param index which
     * @param z (B, ...)
     * @param o what the network predicts
     * @param drawn standard normal numbers; null where the step draws none
     * @param former earlier estimates, the latest first
     * @return the next latents and, where it was computed, the estimate
     */
    NDList stepped(
            int index, NDArray z, NDArray o, @Nullable NDArray drawn, Iterable<NDArray> former) {
        SamplingStep step = sampler.step(index);
        double a = sampler.schedule().alphaBar(times[index]);
        Line estimate = prediction.estimate(a);
        Line noise = prediction.noise(a);
        double ofLatent = step.latent() + (step.noise() == 0 ? 0 : step.noise() * noise.first());
        double ofOutput = step.noise() == 0 ? 0 : step.noise() * noise.second();
        NDArray x = null;
        if (change == EstimateChange.NONE && !looksBack) {
            ofLatent += step.estimate() * estimate.first();
            ofOutput += step.estimate() * estimate.second();
        } else {
            x = change.change(total(z, estimate.first(), o, estimate.second()));
            Check.shape(WHO, "the changed estimate", x, sizes(z.getShape()));
        }
        NDArray next = total(z, ofLatent, o, ofOutput);
        if (x != null) {
            next = sum(next, x, step.estimate());
        }
        int back = 0;
        for (NDArray one : former) {
            if (back < step.former().size()) {
                next = sum(next, one, step.former().get(back++));
            }
        }
        if (drawn != null) {
            next = sum(next, drawn, step.fresh());
        }
        return x == null ? new NDList(next) : new NDList(next, x);
    }

    private static boolean looksBack(Sampler sampler, int steps) {
        return IntStream.range(0, steps).anyMatch(i -> !sampler.step(i).former().isEmpty());
    }

    /** first z + second o, where what counts nothing is not looked at. */
    private static NDArray total(NDArray z, double first, NDArray o, double second) {
        if (first == 0 && second == 0) {
            return z.zerosLike();
        }
        NDArray one = first == 0 ? o : z;
        NDArray sum = one.mul(Scalars.like(one, first == 0 ? second : first));
        return first == 0 ? sum : sum(sum, o, second);
    }

    private static NDArray sum(NDArray sum, NDArray array, double factor) {
        return factor == 0 ? sum : sum.add(array.mul(Scalars.like(array, factor)));
    }

    /** Configures a {@link Sampling}. */
    public static final class Builder {

        private @Nullable Sampler sampler;
        private @Nullable Prediction prediction;
        private EstimateChange change = EstimateChange.NONE;
        private SamplingProgress progress = SamplingProgress.NONE;

        private Builder() {}

        /**
         * Sets how latents are led.
         *
         * @param sampler for the schedule that the network was trained with
         * @return this builder
         */
        public Builder setSampler(Sampler sampler) {
            this.sampler = sampler;
            return this;
        }

        /**
         * Sets what the network predicts.
         *
         * @param prediction what it was trained to
         * @return this builder
         */
        public Builder setPrediction(Prediction prediction) {
            this.prediction = prediction;
            return this;
        }

        /**
         * Sets what is done to the estimate of each step.
         *
         * @param change nothing by default
         * @return this builder
         */
        public Builder optChange(EstimateChange change) {
            this.change = change;
            return this;
        }

        /**
         * Sets who is told how far a sampling is.
         *
         * @param progress nobody by default
         * @return this builder
         */
        public Builder optProgress(SamplingProgress progress) {
            this.progress = progress;
            return this;
        }

        /**
         * Builds the sampling.
         *
         * @return a sampling
         * @throws IllegalArgumentException if something is not set, or the network is to predict
         *     noise at a time that has nothing but noise, or next to nothing else: 1 /
         *     sqrt(alphaBar) above 1,000, as that of a cosine over 1,000 steps in its last time,
         *     while nothing is done to estimates
         */
        public Sampling build() {
            Check.given(sampler, WHO + ": sampler");
            Check.given(prediction, WHO + ": prediction");
            Sampler rule = Objects.requireNonNull(sampler);
            Prediction predicted = Objects.requireNonNull(prediction);
            SamplingFit.requireEstimates(predicted, rule, change);
            return new Sampling(this, rule, predicted, rule.times());
        }
    }
}
