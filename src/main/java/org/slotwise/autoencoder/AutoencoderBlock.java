package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Pass;

/** What every autoencoder of this package does as a DJL block, and what its inputs must be. */
abstract class AutoencoderBlock extends ConfiguredBlock implements LatentAutoencoder {

    static final String IMAGES = "images";
    static final String LATENTS = "latents";
    private static final String NOISE = "noise";

    private final int imageChannels;
    private final int latentChannels;
    private final int factor;
    private final double scale;

    AutoencoderBlock(int imageChannels, int latentChannels, int factor, double scale) {
        Check.atLeast(who(), "imageChannels", imageChannels, 1);
        Check.atLeast(who(), "latentChannels", latentChannels, 1);
        Check.positive(who(), "scale", scale);
        this.imageChannels = imageChannels;
        this.latentChannels = latentChannels;
        this.factor = factor;
        this.scale = scale;
    }

    /** Latents or moments (B, C or 2 C, h, w) of images. */
    abstract NDArray encoded(Pass pass, NDArray images);

    /** Images of latents. */
    abstract NDArray decoded(Pass pass, NDArray latents);

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return IMAGES;
    }

    /** The channels of an image. */
    final int imageChannels() {
        return imageChannels;
    }

    /** {@inheritDoc} */
    @Override
    public final int latentChannels() {
        return latentChannels;
    }

    /** {@inheritDoc} */
    @Override
    public final int factor() {
        return factor;
    }

    /** {@inheritDoc} */
    @Override
    public final double scale() {
        return scale;
    }

    /** {@inheritDoc} */
    @Override
    public LatentDistribution encode(ParameterStore store, NDArray images, boolean training) {
        latents(Check.shape(who(), IMAGES, images, "B", imageChannels, "H", "W").getShape());
        Check.floating(who(), IMAGES, images.getDataType());
        NDList out =
                compute(
                        store,
                        images,
                        training,
                        pass -> {
                            NDArray found = encoded(pass, images);
                            if (found.getShape().get(1) == latentChannels) {
                                return new NDList(found);
                            }
                            LatentDistribution both = LatentDistribution.of(found);
                            NDArray v = both.logVariance();
                            return v == null ? new NDList(both.mean()) : new NDList(both.mean(), v);
                        });
        return new LatentDistribution(out.get(0), out.size() > 1 ? out.get(1) : null);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray decode(ParameterStore store, NDArray latents, boolean training) {
        checkLatents(latents);
        return compute(store, latents, training, pass -> new NDList(decoded(pass, latents))).head();
    }

    final void checkLatents(NDArray latents) {
        Check.shape(who(), LATENTS, latents, "B", latentChannels, "h", "w");
        Check.floating(who(), LATENTS, latents.getDataType());
        requireType(LATENTS, latents);
    }

    /** The shape of latents of images. */
    private Shape latents(Shape images) {
        Check.shape(who(), IMAGES, images, "B", imageChannels, "H", "W");
        long h = images.get(2);
        long w = images.get(3);
        Check.option(
                (h == -1 || h % factor == 0) && (w == -1 || w % factor == 0),
                who()
                        + ": height and width of images must be multiples of "
                        + factor
                        + ", got "
                        + images);
        return new Shape(
                images.get(0), latentChannels, h == -1 ? h : h / factor, w == -1 ? w : w / factor);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray noise = null;
        NDArray images = null;
        for (NDArray array : inputs) {
            if (NOISE.equals(array.getName())) {
                noise = array;
            } else {
                Check.option(images == null, who() + ": expected images and noise alone");
                images = array;
            }
        }
        NDArray x = Check.present(who(), IMAGES, images);
        LatentDistribution found = encode(parameterStore, x, training);
        NDArray z = sample(found, noise, training);
        NDArray y = decode(parameterStore, z, training);
        if (z != found.mean()) {
            z.close();
        }
        NDArray v = found.logVariance();
        return v == null ? new NDList(y, found.mean()) : new NDList(y, found.mean(), v);
    }

    /** The mean in inference and where no noise is wanted, else a draw. */
    private static NDArray sample(
            LatentDistribution found, @Nullable NDArray noise, boolean training) {
        if (noise != null) {
            return found.sample(noise);
        }
        return training ? found.sample() : found.mean();
    }

    /** Whether the encoder gives log variances, too. */
    abstract boolean isRandom();

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape images = inputShapes[0];
        Shape z = latents(images);
        return isRandom() ? new Shape[] {images, z, z} : new Shape[] {images, z};
    }
}
