package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slotwise.autoencoder.LatentAutoencoder;
import org.slotwise.diffusion.LatentDiffusionDecoder;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.internal.Limits;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.model.SlotGrouping.Found;

/**
 * The parts of a {@link LatentSlotDiffusion}, and what each gives by itself: slots of images, and
 * images as latents and back.
 */
abstract class SlotsAndLatents extends ConfiguredBlock {

    static final String IMAGES = "images";

    final LatentSlotDiffusionConfiguration configuration;
    final ObjectDiscovery discovery;
    final LatentSpace space;
    private final Parameter scale;
    final LatentDiffusionDecoder decoder;

    /** Makes a model whose files are in a folder. */
    SlotsAndLatents(LatentSlotDiffusionConfiguration c, @Nullable Path folder) {
        configuration = c;
        discovery = new ObjectDiscovery(c.discovery(), folder);
        try {
            Sizes sizes = Sizes.of(c.discovery(), folder);
            space = LatentKinds.ALL.make(c.latents(), sizes);
            decoder =
                    new LatentDiffusionDecoder(
                            DenoiserKinds.ALL.make(c.denoiser(), sizes),
                            c.diffusion().loss(),
                            LatentKinds.latents(
                                    space.autoencoder(),
                                    c.discovery().imageHeight(),
                                    c.discovery().imageWidth()));
        } catch (IOException e) {
            discovery.close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            discovery.close();
            throw e;
        }
        addChildBlock("discovery", discovery);
        addChildBlock("autoencoder", space.autoencoder());
        scale =
                declare(
                        "latent_scale",
                        Parameter.Type.OTHER,
                        (manager, shape, type) ->
                                Scalars.full(manager, shape, space.autoencoder().scale(), type),
                        false,
                        new long[0]);
        addChildBlock("decoder", decoder);
    }

    /**
     * What the model was made from.
     *
     * @return the configuration
     */
    public LatentSlotDiffusionConfiguration madeFrom() {
        return configuration;
    }

    /**
     * What finds slots, to be learnt first.
     *
     * @return a part of this model, closed with it
     */
    public ObjectDiscovery discovery() {
        return discovery;
    }

    /**
     * What makes pictures of slots: the schedule, samplings, the network.
     *
     * @return a part of this model
     */
    public LatentDiffusionDecoder decoder() {
        return decoder;
    }

    /**
     * What makes latents of images, to be learnt first. No gradient of {@link
     * LatentSlotDiffusion#loss} comes to it.
     *
     * @return a part of this model
     */
    public LatentAutoencoder autoencoder() {
        return space.autoencoder();
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return IMAGES;
    }

    /**
     * Sets what latents are multiplied by: such that their deviation is about 1. It is saved with
     * the weights.
     *
     * @param scale that of the autoencoder at first
     * @throws IllegalArgumentException if it is below 1e-20 or above 1e20, in float16 1e-4 and 1e4
     * @throws IllegalStateException if the model is not initialised
     */
    public void setLatentScale(double scale) {
        Limits.divisor(who(), "scale", scale, DataType.FLOAT32);
        if (!this.scale.isInitialized()) {
            throw new IllegalStateException(who() + ": initialize the model first");
        }
        NDArray array = this.scale.getArray();
        Limits.divisor(who(), "scale", scale, array.getDataType());
        try (NDArray value = Scalars.like(array, scale)) {
            Ops.overwrite(array, value);
        }
    }

    /**
     * The latents of images, as they are diffused: scaled means, not draws. No graph is recorded.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1]
     * @return (B, C, h, w), owned by the images' manager
     * @throws IllegalArgumentException if the images have another shape, type or device
     */
    public NDArray latents(ParameterStore parameterStore, NDArray images) {
        return silently(parameterStore, images, false, () -> scaled(parameterStore, images));
    }

    private NDArray scaled(ParameterStore store, NDArray images) {
        try (NDManager own = images.getManager().newSubManager()) {
            NDArray x = images.mul(Scalars.like(images, 2)).sub(Scalars.like(images, 1));
            x.attach(own);
            NDArray z =
                    space.autoencoder().encode(store, x, false).mean().mul(value(store, images));
            z.attach(images.getManager());
            return z;
        }
    }

    private NDArray value(ParameterStore store, NDArray like) {
        return store.getValue(scale, like.getDevice(), false);
    }

    /**
     * Images of latents.
     *
     * @param parameterStore where the parameters' values are
     * @param latents (B, C, h, w), as {@link #latents} gives them
     * @return (B, 3, H, W) in [0, 1], owned by the latents' manager
     * @throws IllegalArgumentException if the latents have another shape, type or device
     */
    public NDArray images(ParameterStore parameterStore, NDArray latents) {
        Shape s = decoder.latentShape();
        Check.shape(who(), "latents", latents, "B", s.get(0), s.get(1), s.get(2));
        fetchAll(parameterStore, latents, false);
        return NoGraph.during(
                () -> {
                    try (NDManager own = latents.getManager().newSubManager()) {
                        NDArray z = latents.div(value(parameterStore, latents));
                        z.attach(own);
                        NDArray x = space.autoencoder().decode(parameterStore, z, false);
                        NDArray half = Scalars.like(x, 0.5);
                        NDArray unit = x.mul(half).add(half);
                        NDArray image = Ops.clampMin(Ops.clampMin(unit, 0).neg(), -1).neg();
                        image.attach(latents.getManager());
                        return image;
                    }
                });
    }

    /**
     * The slots of images, and what they attend to.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, 3, H, W) in [0, 1]
     * @param training whether to record a graph for gradients, and to draw what is random anew
     * @return slots and attributions, owned by the images' manager
     * @throws IllegalArgumentException if the images have another shape, type or device
     */
    public PerceptualGroupingOutput slots(
            ParameterStore parameterStore, NDArray images, boolean training) {
        return silently(
                parameterStore,
                images,
                training,
                () -> {
                    try (NDManager own = images.getManager().newSubManager()) {
                        NDArray x = images.reshape(images.getShape());
                        x.attach(own);
                        PerceptualGroupingOutput found =
                                joined(discovery.found(parameterStore, x, training));
                        found.toNDList().forEach(a -> a.attach(images.getManager()));
                        return found;
                    }
                });
    }

    /** Slots that have their positions in them. */
    private PerceptualGroupingOutput joined(Found found) {
        PerceptualGroupingOutput slots = found.slots();
        NDArray positions = found.positions();
        if (positions == null) {
            return slots;
        }
        NDArray waves = FourierFeatures.of(positions, configuration.positionFrequencies());
        return new PerceptualGroupingOutput(
                slots.objects().concat(waves, 2), slots.featureAttributions(), slots.isEmpty());
    }

    /** Works on images that were checked, with a graph only in training. */
    final <T> T silently(ParameterStore store, NDArray images, boolean training, Supplier<T> work) {
        discovery.checkImages(images);
        fetchAll(store, images, training);
        return NoGraph.unless(training, work);
    }
}
