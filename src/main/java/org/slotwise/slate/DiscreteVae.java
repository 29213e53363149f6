package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.layer.GumbelSoftmax;

/**
 * A discrete auto-encoder: each patch of 4 x 4 pixels becomes one of V tokens, and tokens become a
 * picture.
 *
 * <p>Source: Singh, Deng and Ahn, "Illiterate DALL-E Learns to Compose" (2022), section 3.1, in the
 * form of the authors' code; the relaxation is {@link GumbelSoftmax}.
 *
 * <pre>{@code
 * logits = encoder(image)
 * z      = gumbelSoftmax(log softmax logits)          over V
 * image' = decoder(z)
 * }</pre>
 *
 * <ul>
 *   <li>images (B, C, H, W) of the parameters' type, H and W multiples of 4; the original's are in
 *       [0, 1].
 *   <li>logits and codes (B, V, H / 4, W / 4); a picture's tokens (B, H W / 16) int64, row by row.
 *   <li>encoder: a convolution of 4 x 4 with stride 4 and six of 1 x 1, each without bias, followed
 *       by group normalisation with one group and ReLU; then one of 1 x 1 with bias. 64 channels. A
 *       token sees its own pixels, and two numbers a layer of the whole image.
 *   <li>decoder: the same kind, two of 3 x 3 among them, with two pixel shuffles.
 * </ul>
 *
 * <p>As a block on lists it takes images and, by the name "gumbel", draws (B, V, H / 4, W / 4), and
 * gives soft samples at the temperature that {@link #setTemperature} set.
 */
public final class DiscreteVae extends ConfiguredBlock {

    /** The name of Gumbel draws in an {@link NDList}. */
    public static final String GUMBEL = "gumbel";

    private static final String IMAGES = "images";
    private static final String CODES = DvaeOutput.CODES;

    private final int channels;
    private final int vocabulary;
    private final DvaeLayers encoder;
    private final DvaeLayers decoder;
    private volatile double temperature = 1;

    /**
     * Creates the block.
     *
     * @param channels C, at least 1
     * @param vocabulary V, at least 2
     * @throws IllegalArgumentException if a number is out of its range
     */
    public DiscreteVae(int channels, int vocabulary) {
        Check.atLeast(who(), "channels", channels, 1);
        Check.atLeast(who(), "vocabulary", vocabulary, 2);
        this.channels = channels;
        this.vocabulary = vocabulary;
        encoder = DvaeLayers.encoder(declarer().under("encoder"), channels, vocabulary);
        decoder = DvaeLayers.decoder(declarer().under("decoder"), channels, vocabulary);
    }

    /**
     * Sets the temperature of samples, where a call does not say otherwise.
     *
     * @param temperature above 0; 1 if not set
     * @throws IllegalArgumentException if it is not above 0
     */
    public void setTemperature(double temperature) {
        Check.positive(who(), "temperature", temperature);
        this.temperature = temperature;
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return IMAGES;
    }

    /** Logits (B, V, h, w) of images, in the call of the block that this is part of. */
    NDArray logits(Pass pass, NDArray images) {
        return encoder.apply(pass, images);
    }

    /** Images of codes (B, V, h, w), in the call of the block that this is part of. */
    NDArray decode(Pass pass, NDArray codes) {
        return decoder.apply(pass, codes);
    }

    /** Images, in [0, 1], of tokens (B, h h). */
    NDArray pictures(Pass pass, NDArray tokens, long height, long width, DataType type) {
        NDArray places = tokens.reshape(-1, height, width);
        return unit(decode(pass, GumbelSoftmax.oneHot(places, vocabulary, 1, type)));
    }

    /** Clamped to [0, 1]. */
    static NDArray unit(NDArray x) {
        return Ops.clampMin(Ops.clampMin(x, 0).neg(), -1).neg();
    }

    /** Tokens (B, h w) of the largest logits (B, V, h, w). */
    static NDArray largest(NDArray logits) {
        Shape s = logits.getShape();
        return logits.argMax(1).reshape(s.get(0), s.get(2) * s.get(3));
    }

    /**
     * Makes pictures into samples of codes and those into pictures again.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, H, W)
     * @param sampling how codes are sampled
     * @param gumbel draws from the standard Gumbel distribution, (B, V, H / 4, W / 4); null to draw
     *     them with the engine's generator
     * @param training whether to record a graph for gradients
     * @return reconstruction, codes and logits, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public DvaeOutput reconstruct(
            ParameterStore parameterStore,
            NDArray images,
            GumbelSoftmax sampling,
            @Nullable NDArray gumbel,
            boolean training) {
        Shape codes = codes(checked(images).getShape());
        if (gumbel != null) {
            Check.shape(who(), GUMBEL, gumbel, boxed(codes));
            Check.sameTypeAndDevice(who(), GUMBEL, gumbel, IMAGES, images);
        }
        NDList out =
                compute(
                        parameterStore,
                        images,
                        training,
                        pass -> {
                            NDArray logits = logits(pass, images);
                            NDArray z = sampling.sample(logits, gumbel, 1);
                            return new NDList(decode(pass, z), z, logits);
                        });
        return new DvaeOutput(out.get(0), out.get(1), out.get(2));
    }

    /**
     * The most probable tokens of pictures.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, H, W)
     * @return (B, H W / 16) int64, from 0 to V - 1, owned by the images' manager
     * @throws IllegalArgumentException if the images have another shape or type
     */
    public NDArray tokens(ParameterStore parameterStore, NDArray images) {
        checked(images);
        return compute(
                        parameterStore,
                        images,
                        false,
                        pass -> new NDList(largest(logits(pass, images))))
                .head();
    }

    /**
     * Decodes codes.
     *
     * @param parameterStore where the parameters' values are
     * @param codes (B, V, h, w), ones and zeros or anything between
     * @param training whether to record a graph for gradients
     * @return images (B, C, 4 h, 4 w), not bounded, owned by the codes' manager
     * @throws IllegalArgumentException if the codes have another shape or type
     */
    public NDArray decode(ParameterStore parameterStore, NDArray codes, boolean training) {
        Check.shape(who(), CODES, codes, "B", vocabulary, "h", "w");
        requireType(CODES, codes);
        return compute(parameterStore, codes, training, pass -> new NDList(decode(pass, codes)))
                .head();
    }

    private NDArray checked(NDArray images) {
        Check.shape(who(), IMAGES, images, "B", channels, "H", "W");
        Check.floating(who(), IMAGES, images.getDataType());
        codes(images.getShape());
        return images;
    }

    /** The shape of codes of images. */
    private Shape codes(Shape images) {
        Check.shape(who(), IMAGES, images, "B", channels, "H", "W");
        long h = images.get(2);
        long w = images.get(3);
        int patch = SlateConfiguration.PATCH;
        Check.option(
                h % patch == 0 && w % patch == 0,
                who() + ": height and width must be multiples of " + patch + ", got " + images);
        return new Shape(images.get(0), vocabulary, h / patch, w / patch);
    }

    /** A shape as what {@link Check#shape} expects. */
    static Object[] boxed(Shape shape) {
        Object[] sizes = new Object[shape.dimension()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = shape.get(i);
        }
        return sizes;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray gumbel = null;
        NDArray images = null;
        for (NDArray array : inputs) {
            if (GUMBEL.equals(array.getName())) {
                gumbel = array;
            } else if (images == null) {
                images = array;
            }
        }
        NDArray x = Check.present(who(), IMAGES, images);
        GumbelSoftmax soft = new GumbelSoftmax(temperature, false);
        return reconstruct(parameterStore, x, soft, gumbel, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape codes = codes(inputShapes[0]);
        return new Shape[] {inputShapes[0], codes, codes};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("channels", channels).and("vocabulary", vocabulary);
    }
}
