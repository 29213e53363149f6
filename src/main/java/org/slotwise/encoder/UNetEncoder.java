package org.slotwise.encoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Window;
import org.slotwise.unet.Heads;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.unet.UNetLayers;
import org.slotwise.weights.DiffusersExport;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.DiffusionLayouts;
import org.slotwise.weights.StateDict;

/**
 * Features of images by a U-Net that is not told any slots: the backbone of Latent Slot Diffusion.
 *
 * <p>Source: Jiang et al., "Object-Centric Slot Diffusion" (2023), in the form of the authors'
 * {@code UNetEncoder}, whose parameter names it uses.
 *
 * <pre>{@code
 * z = convolution(image)            kernel and stride: the patch
 * features = unet(z, t = 0)
 * }</pre>
 *
 * <ul>
 *   <li>images (B, 3, H, W) of the parameters' type, in [-1, 1]; H and W are multiples of the patch
 *       times 2 to the number of levels less 1.
 *   <li>features (B, N, F), N = H W / patch²; positions (N, 2) of the middle of places, ((i + 1/2)
 *       / h, (j + 1/2) / w), as the authors have them.
 * </ul>
 *
 * <p>Weights and biases start as PyTorch's do.
 */
public final class UNetEncoder extends ConvolutionalBlock {

    private final UNetConfiguration sizes;
    private final int patch;
    private final Convolution downscale;
    private final UNetLayers layers;

    /**
     * Creates the block.
     *
     * @param sizes of the U-Net, without a transformer; what comes out of it are features
     * @param patch height and width of what becomes one place, from 1 to 4,096
     * @throws IllegalArgumentException if there is a transformer, or the patch is out of range
     */
    public UNetEncoder(UNetConfiguration sizes, int patch) {
        super(sizes.out());
        Limits.count(who(), "patch", patch, 1, Limits.WINDOW);
        Check.option(
                sizes.transformer() == null, who() + ": sizes must have no transformer: no slots");
        this.sizes = sizes;
        this.patch = patch;
        Window window = Window.valid(patch).withStride(patch);
        downscale =
                Convolution.of(
                        declarer().under("downscale_cnn"), FeatureMap.CHANNELS, sizes.in(), window);
        layers = new UNetLayers(declarer(), sizes);
    }

    /**
     * The authors' for MOVi-E: features (B, H W / 16, 192).
     *
     * @return a new block
     */
    public static UNetEncoder latentSlotDiffusion() {
        return new UNetEncoder(
                UNetConfiguration.builder()
                        .setChannels(128, 192)
                        .setWidths(128, 128, 256, 512)
                        .optGroups(16)
                        .optMiddle(Heads.size(8))
                        .build(),
                4);
    }

    /**
     * Reads a network that Latent Slot Diffusion wrote: its folder "backbone", in checkpoints
     * "unetencoder".
     *
     * @param folder the folder, with {@code config.json} and the weights
     * @param manager the owner of the parameters, which are float32
     * @return the network, ready for use
     * @throws IOException if a file is missing or damaged, has options that are not supported,
     *     which it names, or weights of another network
     */
    public static UNetEncoder read(Path folder, NDManager manager) throws IOException {
        DiffusersFolder options = DiffusersFolder.open(folder);
        UNetEncoder encoder;
        try {
            encoder = UNetEncoderFolder.read(options);
        } catch (IllegalArgumentException e) {
            throw new IOException(options.path() + ": " + e.getMessage(), e);
        }
        long side = encoder.step();
        Shape images = new Shape(1, 3, side, side);
        options.loadInto(encoder, DiffusionLayouts.diffusers(), manager, images);
        return encoder;
    }

    /**
     * Writes the network as the authors' code does: a folder with {@code config.json} and the
     * weights, which {@link #read} and their {@code UNetEncoder.from_pretrained} read. The size of
     * images is written as that of 64 x 64 features; of it only the patch counts. What is there is
     * replaced when the new one is whole.
     *
     * @param folder where to; its parent must be there
     * @throws IOException if it cannot be written, or there is something else of this name
     * @throws IllegalArgumentException if the sizes have an option that diffusers lacks
     * @throws IllegalStateException if the network is not initialised
     */
    public void write(Path folder) throws IOException {
        DiffusersExport.write(folder, UNetEncoderFolder.options(sizes, patch), StateDict.of(this));
    }

    /**
     * Its sizes.
     *
     * @return as it was made
     */
    public UNetConfiguration sizes() {
        return sizes;
    }

    /**
     * Height and width of what becomes one place.
     *
     * @return as it was made
     */
    public int patch() {
        return patch;
    }

    @Override
    void check(NDArray images, boolean training) {
        getOutputShapes(new Shape[] {images.getShape()});
    }

    @Override
    NDArray features(Pass pass, NDArray images) {
        NDArray z = downscale.apply(pass, images);
        Shape batch = new Shape(images.getShape().get(0));
        NDArray zero = Scalars.full(images, batch, 0, images.getDataType());
        return FeatureMap.features(Scope.next(z, layers.apply(pass, z, zero, zero)));
    }

    @Override
    NDArray positions(NDArray images, long height, long width) {
        NDArray ends = FeatureMap.positions(images, height, width); // from 0 to 1
        NDArray steps = sizes(images, height - 1, width - 1);
        return ends.mul(steps).add(Scalars.like(images, 0.5)).div(sizes(images, height, width));
    }

    private static NDArray sizes(NDArray like, long height, long width) {
        return Scalars.of(
                like.getManager(),
                like.getDevice(),
                new double[] {(double) height, (double) width},
                new Shape(2),
                like.getDataType());
    }

    /** Height and width must be multiples of it. */
    private long step() {
        return (long) patch << (sizes.widths().size() - 1);
    }

    @Override
    long mapSize(long size) {
        long step = step();
        Check.option(
                size == -1 || (size > 0 && size % step == 0),
                who() + ": height and width must be multiples of " + step + ", got " + size);
        return size == -1 ? -1 : size / patch;
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("sizes", sizes).and("patch", patch);
    }
}
