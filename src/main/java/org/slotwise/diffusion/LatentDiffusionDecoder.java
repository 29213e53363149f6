package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Arrays;
import java.util.function.Consumer;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scalars;
import org.slotwise.unet.Denoiser;
import org.slotwise.unet.ToldDenoiser;

/**
 * A decoder that makes latents of slots by diffusion: it learns to take noise away from a latent,
 * told what the slots of its picture are, and draws latents of noise.
 *
 * <p>Source: Jiang, Deng, Singh and Ahn, "Object-Centric Slot Diffusion" (2023), section 3.2; Wu,
 * Hu, Lu, Gilitschenski and Garg, "SlotDiffusion" (2023), section 3.2.
 *
 * <pre>{@code
 * z_t  = sqrt(alphaBar(t)) z + sqrt(1 - alphaBar(t)) noise       t drawn evenly for each picture
 * loss = mean (denoiser(z_t, t, slots) - target)²                target: noise, velocity or z
 * }</pre>
 *
 * <ul>
 *   <li>slots (B, K, D): any K; their order makes no difference.
 *   <li>latents (B, C, h, w), of deviation about 1.
 * </ul>
 *
 * <p>It gives no picture of each slot. Masks are what the grouping attends to, or where the network
 * looks: {@link CrossAttentionMasks}.
 *
 * <p>As a block on lists it takes noised latents, times (B) int64 and slots, and gives what the
 * network predicts.
 */
public final class LatentDiffusionDecoder extends ConfiguredBlock {

    private static final String LATENTS = "latents";
    private static final String SLOTS = "slots";
    private static final String TIMES = "times";

    /** In how many steps a sampling is done, if nothing else is said. */
    private static final int STEPS = 50;

    private final Denoiser denoiser;
    private final Noising noising;
    private final DenoisingLoss loss;
    private final Shape latents;

    /**
     * Creates the block.
     *
     * @param denoiser the network
     * @param loss how it learns: the schedule, what it predicts, and what errors count
     * @param latents (C, h, w), the shape of a picture's latent
     * @throws IllegalArgumentException if the network does not take such latents, or does not give
     *     their shape
     */
    public LatentDiffusionDecoder(Denoiser denoiser, DenoisingLoss loss, Shape latents) {
        Check.option(
                latents.dimension() == 3 && latents.size() > 0,
                who() + ": latents must be (C, h, w), got " + latents);
        Shape batch = new Shape(1).addAll(latents);
        Shape given = denoiser.getOutputShapes(new Shape[] {batch})[0];
        Check.option(
                given.equals(batch),
                who() + ": the denoiser must give " + batch + " for such latents, got " + given);
        this.denoiser = addChildBlock("denoiser", denoiser);
        this.loss = loss;
        this.latents = latents;
        noising = loss.noising();
    }

    /**
     * The network, to be trained or averaged by itself.
     *
     * @return a part of this block
     */
    public Denoiser denoiser() {
        return denoiser;
    }

    /**
     * How it learns.
     *
     * @return what the block was made of
     */
    public DenoisingLoss learning() {
        return loss;
    }

    /**
     * The shape of a picture's latent.
     *
     * @return (C, h, w)
     */
    public Shape latentShape() {
        return latents;
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return LATENTS;
    }

    /**
     * The loss of a training step.
     *
     * @param parameterStore where the parameters' values are
     * @param clean (B, C, h, w), latents without noise; no gradient comes back to them where they
     *     are no part of a graph
     * @param slots (B, K, D) of these pictures
     * @param draws times and noise
     * @param training whether to record a graph for gradients
     * @return (), owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape, type or device, or draws are
     *     from a schedule of another length
     */
    public NDArray loss(
            ParameterStore parameterStore,
            NDArray clean,
            NDArray slots,
            DiffusionDraws draws,
            boolean training) {
        check(clean, slots);
        draws.requireFit(who(), noising.schedule());
        int[] times = draws.times();
        return compute(
                        parameterStore,
                        clean,
                        training,
                        pass -> {
                            NDArray noised = noising.noised(clean, draws.noise(), times);
                            NDArray target =
                                    noising.target(loss.prediction(), clean, draws.noise(), times);
                            NDArray predicted =
                                    denoiser.predict(
                                            pass.store(),
                                            noised,
                                            times(noised, times),
                                            slots,
                                            training);
                            return new NDList(loss.of(predicted, target, times));
                        })
                .head();
    }

    /**
     * Takes the gradients of {@link #loss}, in less memory where the network can ({@link
     * Denoiser#backward}).
     *
     * @param parameterStore where the parameters' values are
     * @param clean (B, C, h, w), latents without noise; no gradient comes back to them
     * @param slots (B, K, D) of these pictures
     * @param slotsLearn whether slots are part of a graph, to which gradients go back too
     * @param draws times and noise
     * @param backward goes back from the loss, {@code collector::backward} for instance, or from a
     *     multiple of it
     * @return the loss (), without a graph, owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape, type or device, or draws are
     *     from a schedule of another length
     */
    public NDArray backward(
            ParameterStore parameterStore,
            NDArray clean,
            NDArray slots,
            boolean slotsLearn,
            DiffusionDraws draws,
            Consumer<NDArray> backward) {
        return backward(parameterStore, clean, slots, slotsLearn, draws, 1, backward);
    }

    /**
     * Takes the gradients of {@link #loss} group by group of pictures, each of whose graphs is gone
     * before the next one's: what a step needs beside weights is that of one group. Small groups
     * take longer, since gradients of weights are added up once for each (docs/performance.md).
     * Dropout is drawn for each group.
     *
     * @param parameterStore where the parameters' values are
     * @param clean (B, C, h, w), latents without noise; no gradient comes back to them
     * @param slots (B, K, D) of these pictures
     * @param slotsLearn whether slots are part of a graph, to which gradients go back too
     * @param draws times and noise
     * @param groups how many groups, from 1 to B; more than 1 only for a network whose pictures
     *     know nothing of each other ({@link Denoiser#seesPicturesAlone})
     * @param backward goes back from a part of the loss, {@code collector::backward} for instance,
     *     or from a multiple of it; called once for each group
     * @return the loss (), without a graph, owned by the latents' manager
     * @throws IllegalArgumentException if an input has another shape, type or device, or there
     *     cannot be so many groups
     */
    public NDArray backward(
            ParameterStore parameterStore,
            NDArray clean,
            NDArray slots,
            boolean slotsLearn,
            DiffusionDraws draws,
            int groups,
            Consumer<NDArray> backward) {
        check(clean, slots);
        Check.option(
                groups >= 1 && groups <= clean.getShape().get(0),
                who() + ": groups must be 1 to the number of pictures, got " + groups);
        Check.option(
                groups == 1 || denoiser.seesPicturesAlone(),
                who() + ": pictures of this network know of each other: groups must be 1");
        fetchAll(parameterStore, clean, true);
        draws.requireFit(who(), noising.schedule());
        noising.checkTimes(who(), clean.getShape(), draws.times());
        denoiser.requireFit(clean, slots);
        return PictureGroups.backward(
                groups,
                clean,
                slots,
                slotsLearn,
                draws,
                (z, s, some, share, to) -> backward(parameterStore, z, s, some, share, to),
                backward);
    }

    private NDArray backward(
            ParameterStore store,
            NDArray clean,
            NDArray slots,
            DiffusionDraws draws,
            double share,
            Consumer<NDArray> backward) {
        int[] times = draws.times();
        try (NDManager own = clean.getManager().newSubManager()) {
            NDArray z = clean.stopGradient();
            z.attach(own);
            NDArray noise = draws.noise().stopGradient();
            noise.attach(own);
            NDArray noised = noising.noised(z, noise, times);
            NDArray target = noising.target(loss.prediction(), z, noise, times);
            NDArray lost =
                    denoiser.backward(
                            store,
                            noised,
                            times(noised, times),
                            slots,
                            predicted -> {
                                NDArray whole = loss.of(predicted, target, times);
                                return whole.mul(Scalars.like(whole, share));
                            },
                            backward);
            lost.attach(clean.getManager());
            return lost;
        }
    }

    private static NDArray times(NDArray like, int... times) {
        return Scalars.of(
                like.getManager(),
                like.getDevice(),
                Arrays.stream(times).asDoubleStream().toArray(),
                new Shape(times.length),
                DataType.INT64);
    }

    private void check(NDArray clean, NDArray slots) {
        Check.shape(who(), LATENTS, clean, "B", latents.get(0), latents.get(1), latents.get(2));
        Check.floating(who(), LATENTS, clean.getDataType());
        Check.shape(who(), SLOTS, slots, clean.getShape().get(0), "K", "D");
        Check.sameTypeAndDevice(who(), SLOTS, slots, LATENTS, clean);
    }

    /**
     * The network under slots, for samplings of one's own: with guidance for instance.
     *
     * <pre>{@code
     * SampledNetwork both = SampledNetwork.guided(decoder.network(store, slots), decoder.network(store, none), 2);
     * }</pre>
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), open as long as the network is asked
     * @return what samplers ask
     * @throws IllegalArgumentException if the slots have another shape or type
     */
    public SampledNetwork network(ParameterStore parameterStore, NDArray slots) {
        checkSlots(slots);
        return SampledNetwork.learnt(
                loss, (z, t) -> denoiser.predict(parameterStore, z, t, slots, false));
    }

    private void checkSlots(NDArray slots) {
        Check.shape(who(), SLOTS, slots, "B", "K", "D");
        Check.floating(who(), SLOTS, slots.getDataType());
    }

    /**
     * Starts a sampling that fits this decoder: what it predicts is set, and a sampler: {@link
     * Ddim} in 50 steps, or in as many as there are times. They begin at the last time (TRAILING),
     * but where noise is predicted and next to nothing else is left there, as of a cosine: then
     * they are LEADING, and do not reach it.
     *
     * @return a builder
     */
    public Sampling.Builder sampling() {
        NoiseSchedule schedule = noising.schedule();
        int steps = schedule.steps();
        boolean fromLast =
                loss.prediction() != Prediction.NOISE
                        || steps == 1
                        || SamplingFit.hasEstimates(schedule, steps - 1);
        TimeChoice times =
                fromLast
                        ? TimeChoice.trailing(Math.min(STEPS, steps))
                        : TimeChoice.leading(Math.min(STEPS, steps - 1));
        return Sampling.builder()
                .setPrediction(loss.prediction())
                .setSampler(Ddim.builder().setSchedule(schedule).optTimes(times).build());
    }

    /**
     * Draws latents of slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of any number and origin
     * @param sampling in which steps, of {@link #sampling()}
     * @param seed the same seed gives the same latents, and each picture those that it has in any
     *     other batch
     * @return (B, C, h, w), owned by the slots' manager
     * @throws IllegalArgumentException if the slots have another shape or type, or the sampling is
     *     for a network that predicts something else or has another schedule
     */
    public NDArray generate(
            ParameterStore parameterStore, NDArray slots, Sampling sampling, long seed) {
        checkSlots(slots);
        StepNoise noise = StepNoise.seeded(seed);
        Shape shape = new Shape(slots.getShape().get(0)).addAll(latents);
        try (NDArray start =
                noise.at(-1, slots.getManager(), slots.getDevice(), shape, slots.getDataType())) {
            return generate(parameterStore, slots, sampling, start, noise);
        }
    }

    /**
     * Draws latents of slots from noise that is given.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D)
     * @param sampling in which steps
     * @param start (B, C, h, w), standard normal numbers
     * @param noise what is drawn on the way
     * @return (B, C, h, w), owned by the manager of the start
     * @throws IllegalArgumentException if an input has another shape or type, or the sampling does
     *     not fit
     */
    public NDArray generate(
            ParameterStore parameterStore,
            NDArray slots,
            Sampling sampling,
            NDArray start,
            StepNoise noise) {
        Check.present(who(), LATENTS, start);
        check(start, slots);
        sampling.requireFit(who(), loss);
        fetchAll(parameterStore, start, false);
        return NoGraph.during(
                () -> {
                    // The network's arrays go to the managers of the steps.
                    try (NDManager own = start.getManager().newSubManager()) {
                        NDArray held = slots.reshape(slots.getShape());
                        held.attach(own);
                        int[] times = sampling.sampler().times();
                        try (ToldDenoiser told = denoiser.told(parameterStore, held, times)) {
                            return sampling.sample(SampledNetwork.of(told), start, noise);
                        }
                    }
                });
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        Check.option(
                inputs.size() == 3,
                who() + ": expected latents, times and slots, got " + inputs.size() + " arrays");
        NDArray noised = inputs.get(0);
        check(noised, inputs.get(2));
        Check.shape(who(), TIMES, inputs.get(1), noised.getShape().get(0));
        return new NDList(
                denoiser.predict(parameterStore, noised, inputs.get(1), inputs.get(2), training));
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Check.shape(
                who(),
                LATENTS,
                inputShapes[0],
                "B",
                latents.get(0),
                latents.get(1),
                latents.get(2));
        return new Shape[] {inputShapes[0]};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return savedBefore().and("schedule", noising.schedule());
    }

    /** Parameters of before did not say of which schedule they are, but for its steps. */
    private Options savedBefore() {
        return Options.of("latents", latents)
                .and("steps", noising.schedule().steps())
                .and("prediction", loss.prediction());
    }

    /** {@inheritDoc} */
    @Override
    protected boolean isWrittenAs(String saved) {
        return super.isWrittenAs(saved) || saved.equals(who() + savedBefore().written());
    }
}
