package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slotwise.diffusion.CrossAttentionMasks;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.LatentDiffusionDecoder;
import org.slotwise.diffusion.Sampling;
import org.slotwise.internal.Check;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.Inputs;
import org.slotwise.internal.Options;
import org.slotwise.weights.StateDict;

/**
 * A whole model that makes pictures of slots by diffusion: an encoder and a grouping find slots, an
 * autoencoder that no longer learns makes latents of images, and a network learns to take noise
 * from latents, told the slots.
 *
 * <p>Source: Jiang, Deng, Singh and Ahn, "Object-Centric Slot Diffusion" (2023): Latent Slot
 * Diffusion; Wu, Hu, Lu, Gilitschenski and Garg, "SlotDiffusion" (2023). Their sizes, schedules and
 * networks are told by {@link LatentSlotDiffusionConfiguration}.
 *
 * <pre>{@code
 * slots = grouping(encoder(images))       with their positions joined to them, where they have some
 * z     = scale * autoencoder.encode(2 images - 1)
 * loss  = mean (denoiser(z_t, t, slots) - target)²
 * picture of slots = (autoencoder.decode(sample(denoiser, slots) / scale) + 1) / 2
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) in [0, 1], of the parameters' type and the configuration's size.
 *   <li>slots (B, K, D): any K, of any images.
 *   <li>masks are what slots attend to, or where the denoiser looks ({@link #crossAttentionMasks});
 *       where the slots were learnt first with the decoder of {@link #discovery()}, its masks are
 *       the finer ones.
 * </ul>
 *
 * <p>How this differs from the papers: latents are the means of an {@code AutoencoderKl}, which do
 * not change from step to step and can be kept on disk, where Latent Slot Diffusion draws them anew
 * each time. A {@code VqAutoencoder}'s are sampled as they are; SlotDiffusion changes each estimate
 * to the nearest codes, which {@link Sampling.Builder#optChange} does:
 *
 * <pre>{@code
 * VqAutoencoder vq = (VqAutoencoder) model.autoencoder();          // at a latent scale of 1
 * model.sampling().optChange(x -> vq.quantize(store, x, false).latents())
 * }</pre>
 *
 * <p>And slots can be learnt first with a decoder of their own, which the model keeps; a diffusion
 * alone teaches slots slowly. Slots may have positions beside them: the waves of {@link
 * FourierFeatures} at some frequencies are joined to them, so that whoever changes them moves an
 * object.
 *
 * <p>As a block on lists it takes images, and gives "slots" and "attributions". A model with a
 * network from a file holds memory outside of Java: close it.
 */
public final class LatentSlotDiffusion extends SlotsAndLatents implements AutoCloseable {

    private static final String SLOTS = "slots";

    /**
     * Makes a model without weights.
     *
     * @param configuration what it is made from
     * @throws IllegalArgumentException if a part cannot be made as it is described, or does not fit
     *     the others
     * @throws UncheckedIOException if a network's file cannot be read
     */
    public LatentSlotDiffusion(LatentSlotDiffusionConfiguration configuration) {
        this(configuration, null);
    }

    /** Makes a model whose files are in a folder. */
    LatentSlotDiffusion(LatentSlotDiffusionConfiguration configuration, @Nullable Path folder) {
        super(configuration, folder);
    }

    /**
     * The loss of a training step.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1]
     * @param draws times and noise, (B, C, h, w)
     * @param slotsLearn whether a graph is recorded for slots too, or for the denoiser alone, as
     *     where slots were learnt before
     * @param training whether to record a graph
     * @return (), owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public NDArray loss(
            ParameterStore parameterStore,
            NDArray images,
            DiffusionDraws draws,
            boolean slotsLearn,
            boolean training) {
        try (NDManager own = images.getManager().newSubManager()) {
            NDArray x = images.reshape(images.getShape());
            x.attach(own);
            NDArray z = latents(parameterStore, x);
            NDArray slots = slots(parameterStore, x, slotsLearn && training).objects();
            NDArray loss = decoder.loss(parameterStore, z, slots, draws, training);
            loss.attach(images.getManager());
            return loss;
        }
    }

    /**
     * Takes the gradients of a training step: those of {@link #loss}, in less memory, as {@link
     * LatentDiffusionDecoder#backward} says.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1]
     * @param draws times and noise, (B, C, h, w)
     * @param slotsLearn whether slots get gradients too, or the denoiser alone
     * @param backward goes back from a part of the loss, of a gradient collector; called at least
     *     once
     * @return the loss (), without a graph, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public NDArray backward(
            ParameterStore parameterStore,
            NDArray images,
            DiffusionDraws draws,
            boolean slotsLearn,
            Consumer<NDArray> backward) {
        try (NDManager own = images.getManager().newSubManager()) {
            NDArray x = images.reshape(images.getShape());
            x.attach(own);
            NDArray z = latents(parameterStore, x);
            NDArray slots = slots(parameterStore, x, slotsLearn).objects();
            NDArray loss = decoder.backward(parameterStore, z, slots, slotsLearn, draws, backward);
            loss.attach(images.getManager());
            return loss;
        }
    }

    /**
     * Makes pictures of slots.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D), of any number and origin; their order makes no difference
     * @param sampling in which steps: {@link #sampling()} has defaults
     * @param seed the same seed gives the same pictures
     * @return (B, 3, H, W) in [0, 1], owned by the slots' manager
     * @throws IllegalArgumentException if the slots have another shape or type, or the sampling
     *     does not fit
     */
    public NDArray generate(
            ParameterStore parameterStore, NDArray slots, Sampling sampling, long seed) {
        Check.shape(who(), SLOTS, slots, "B", "K", configuration.slotDim());
        fetchAll(parameterStore, slots, false);
        try (NDManager own = slots.getManager().newSubManager()) {
            NDArray held = slots.reshape(slots.getShape());
            held.attach(own);
            NDArray made =
                    images(parameterStore, decoder.generate(parameterStore, held, sampling, seed));
            made.attach(slots.getManager());
            return made;
        }
    }

    /**
     * Makes pictures of slots by the default sampling.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, D)
     * @param seed the same seed gives the same pictures
     * @return (B, 3, H, W) in [0, 1], owned by the slots' manager
     * @throws IllegalArgumentException if the slots have another shape or type
     */
    public NDArray generate(ParameterStore parameterStore, NDArray slots, long seed) {
        return generate(parameterStore, slots, sampling().build(), seed);
    }

    /**
     * Makes pictures again of the slots that are found in them.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1]
     * @param seed the same seed gives the same pictures
     * @return (B, 3, H, W) in [0, 1], owned by the images' manager
     * @throws IllegalArgumentException if the images have another shape, type or device
     */
    public NDArray reconstruct(ParameterStore parameterStore, NDArray images, long seed) {
        try (NDManager own = images.getManager().newSubManager()) {
            NDArray slots = slots(parameterStore, images, false).objects();
            slots.attach(own);
            NDArray made = generate(parameterStore, slots, seed);
            made.attach(images.getManager());
            return made;
        }
    }

    /**
     * Masks of the slots of images, by where the denoiser looks while it takes noise from their
     * latents. What slots themselves attend to is in {@link #slots}.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1]
     * @param how at which times, and by which layers
     * @param seed the same seed gives the same masks
     * @return (B, K, H, W), whose sums over slots are 1, owned by the images' manager
     * @throws IllegalArgumentException if the images have another shape, type or device, or there
     *     is no such time or layer
     */
    public NDArray crossAttentionMasks(
            ParameterStore parameterStore, NDArray images, CrossAttentionMasks how, long seed) {
        return silently(
                parameterStore,
                images,
                false,
                () -> {
                    try (NDManager own = images.getManager().newSubManager()) {
                        NDArray x = images.reshape(images.getShape());
                        x.attach(own);
                        NDArray z = latents(parameterStore, x);
                        NDArray slots = slots(parameterStore, x, false).objects();
                        ObjectDiscoveryConfiguration c = configuration.discovery();
                        NDArray masks =
                                how.withSize(c.imageHeight(), c.imageWidth())
                                        .of(decoder, parameterStore, z, slots, seed);
                        masks.attach(images.getManager());
                        return masks;
                    }
                });
    }

    /**
     * Starts a sampling that fits this model: that of the decoder, {@link
     * LatentDiffusionDecoder#sampling}, and what latents of this kind need besides.
     *
     * @return a builder
     */
    public Sampling.Builder sampling() {
        return decoder.sampling().optChange(space.change());
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray images = Inputs.only(who(), IMAGES, inputs);
        return slots(parameterStore, images, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        ObjectDiscoveryConfiguration c = configuration.discovery();
        Check.shape(who(), IMAGES, inputShapes[0], "B", 3, c.imageHeight(), c.imageWidth());
        long batch = inputShapes[0].get(0);
        List<Shape> shapes = discovery.slotShapes(batch);
        shapes.set(0, new Shape(batch, c.slots(), configuration.slotDim()));
        return shapes.toArray(Shape[]::new);
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        ObjectDiscoveryConfiguration c = configuration.discovery();
        Shape images = new Shape(1, 3, c.imageHeight(), c.imageWidth());
        Shape latents = new Shape(1).addAll(decoder.latentShape());
        discovery.initialize(manager, dataType, images);
        space.autoencoder().initialize(manager, dataType, images);
        decoder.initialize(
                manager,
                dataType,
                latents,
                new Shape(1),
                new Shape(1, c.slots(), configuration.slotDim()));
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("model", configuration);
    }

    /**
     * Keeps the model: configuration and weights. What was there under this name is replaced when
     * the new one is whole.
     *
     * @param path a folder, or a file if it ends in .zip; or in .safetensors, which replaces any
     *     file and cannot hold an encoder's network
     * @throws IOException if it cannot be written, or there is something else of this name
     */
    public void save(Path path) throws IOException {
        DiffusionFolder.write(path, this);
    }

    /**
     * A model that was saved, or that {@code slotwise diffusion train} wrote.
     *
     * @param path the folder, .zip or .safetensors
     * @param manager who owns the weights
     * @return the model
     * @throws IOException if there is none, or it is damaged; the message names file and fault
     */
    public static LatentSlotDiffusion load(Path path, NDManager manager) throws IOException {
        Inputs.manager("LatentSlotDiffusion", manager);
        return DiffusionFolder.read(path, manager);
    }

    /**
     * A model of weights that say what it is made from, as those of a .safetensors that was saved.
     *
     * @param weights with a "configuration" among their metadata; they are copied
     * @param manager who owns the copies
     * @return the model
     * @throws IllegalArgumentException if they do not say it, are not finite, or do not fit
     */
    public static LatentSlotDiffusion of(StateDict weights, NDManager manager) {
        Inputs.manager("LatentSlotDiffusion", manager);
        return DiffusionFolder.of(weights, manager);
    }

    /**
     * A model of the folders that Latent Slot Diffusion's code wrote: "backbone", "slot_attn" and
     * "unet" (or, as their checkpoints have them, "unetencoder", "multiheadstevesa" and
     * "unet2dconditionmodelwithpos"), and "vae" and "scheduler", which are put beside them. Slots
     * start from a new draw in each call, as theirs. They are drawn as {@code DiffusersScheduler}
     * says of "scheduler", not by the default of {@link #sampling()}. The decoder of {@link
     * #discovery()} is one of ours, which has learnt nothing.
     *
     * @param folder with these folders in it
     * @param manager who owns the weights, which are float32
     * @return the model
     * @throws IOException if a folder or file is missing or damaged, has options that are not
     *     supported, or does not fit the others; the message names file and fault
     */
    public static LatentSlotDiffusion readFolders(Path folder, NDManager manager)
            throws IOException {
        Inputs.manager("LatentSlotDiffusion", manager);
        return AuthorsFolders.read(folder, manager);
    }

    /**
     * Writes the folders that {@link #readFolders} and the authors' code read. A folder that is
     * there keeps its name, a new one has the shorter of the two. Each is replaced when the new one
     * is whole. The decoder of {@link #discovery()} and how errors count in training are not
     * written.
     *
     * @param folder where to; it is made if it is not there
     * @throws IOException if a folder cannot be written, or there is something else of its name, or
     *     a part has a folder of either name
     * @throws IllegalArgumentException if the model has other parts than the authors'
     */
    public void writeFolders(Path folder) throws IOException {
        AuthorsFolders.write(folder, this);
    }

    /** Closes the network from a file, if the encoder has one. */
    @Override
    public void close() {
        discovery.close();
    }
}
