package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.function.Consumer;
import org.slotwise.internal.Check;
import org.slotwise.internal.Options;
import org.slotwise.layer.GumbelSoftmax;

/**
 * SLATE: a picture becomes tokens, slots explain the tokens, and a transformer that is prompted
 * with slots makes pictures, token by token.
 *
 * <p>Source: Singh, Deng and Ahn, "Illiterate DALL-E Learns to Compose" (2022), section 3, in the
 * form of the authors' code, of which it takes the weights.
 *
 * <pre>{@code
 * log p  = log softmax encoder(image);   z = gumbelSoftmax(log p);   image' = decoder(z)
 * tokens = argmax(log p + g)                                 a second draw, without gradient
 * e      = dropout(dictionary[BOS, tokens] + positions)      (B, L + 1, D)
 * slots  = grouping(e without BOS)
 * pred   = Wout transformer(e without the last, Wslots slots)
 * mse = sum (image - image')² / B        crossEntropy = -sum log softmax(pred)[tokens] / B
 * }</pre>
 *
 * <ul>
 *   <li>images (B, C, S, S) of the parameters' type, S as configured; the original's are in [0, 1].
 *   <li>slots (B, K, E): any K, also where the configuration has another.
 *   <li>the parts are {@link DiscreteVae}, {@link TokenGrouping}, {@link TokenDecoder}. The cross
 *       entropy gives no gradient to the first, the squared error none to the others: they may be
 *       trained one after the other.
 * </ul>
 *
 * <p>How this differs from the authors' code: the target of the cross entropy is exactly one token;
 * generation keeps keys and values, and gives the same tokens; other sizes of pictures are refused;
 * the causal masks that their state dict has are no parameters here.
 *
 * <p>As a block on lists it takes images, and by the names that {@link SlateNoise} has for lists,
 * noise, and gives {@link SlateOutput} with soft samples at the temperature that {@link
 * #setTemperature} set.
 */
public final class Slate extends SlatePictures {

    private volatile double temperature = 1;

    /**
     * Creates the block.
     *
     * @param sizes the sizes
     */
    public Slate(SlateConfiguration sizes) {
        super(sizes);
    }

    /**
     * The discrete auto-encoder, to be trained or frozen by itself.
     *
     * @return a part of this block
     */
    public DiscreteVae dvae() {
        return layers.dvae();
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
        return SlateInputs.IMAGES;
    }

    /**
     * The dropout masks that a training step uses.
     *
     * @param batch B
     * @return their shapes by name, those of the original's modules
     * @throws IllegalArgumentException if the batch is below 1
     */
    public Map<String, Shape> dropoutShapes(long batch) {
        Check.atLeast(who(), "batch", batch, 1);
        return inputs.dropoutShapes(batch, sizes.slots().count());
    }

    /**
     * A step: samples codes and tokens, and computes both losses.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S)
     * @param sampling how codes are sampled; tokens always are hard
     * @param noise what is not to be drawn
     * @param training whether to drop elements and to record a graph for gradients
     * @return losses, reconstruction, slots, attention and tokens, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public SlateOutput step(
            ParameterStore parameterStore,
            NDArray images,
            GumbelSoftmax sampling,
            SlateNoise noise,
            boolean training) {
        inputs.images(images);
        inputs.noise(noise, images);
        DropoutMasks masks =
                DropoutMasks.of(noise.dropout(), sizes.transformer().dropout(), training);
        return SlateOutput.of(
                compute(
                        parameterStore,
                        images,
                        training,
                        pass -> layers.step(pass, images, sampling, noise, masks)));
    }

    /**
     * Takes the gradients of a training step. They are those of {@link SlateOutput#loss}, since no
     * gradient is shared by its two parts; but the graph of the auto-encoder is gone before that of
     * slots and transformer is recorded, so that less memory is needed.
     *
     * <pre>{@code
     * try (GradientCollector collector = engine.newGradientCollector()) {
     *     slate.backward(store, images, sampling, SlateNoise.drawn(), collector::backward);
     * }
     * }</pre>
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S), as of {@link #step}
     * @param sampling how tokens are sampled for the auto-encoder's decoder
     * @param noise what is given of the noise
     * @param backward goes back from a loss; called twice
     * @return the values, without a graph
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public SlateOutput backward(
            ParameterStore parameterStore,
            NDArray images,
            GumbelSoftmax sampling,
            SlateNoise noise,
            Consumer<NDArray> backward) {
        inputs.images(images);
        inputs.noise(noise, images);
        DropoutMasks masks = DropoutMasks.of(noise.dropout(), sizes.transformer().dropout(), true);
        return SlateOutput.of(
                compute(
                        parameterStore,
                        images,
                        true,
                        pass -> layers.backward(pass, images, sampling, noise, masks, backward)));
    }

    /**
     * A step of all but the auto-encoder, on tokens that are known: what {@link #step} gives that
     * part of, while the auto-encoder no longer changes.
     *
     * @param parameterStore where the parameters' values are
     * @param tokens (B, L) int64, of {@link DiscreteVae#tokens} for instance
     * @param noise what is not to be drawn; it has no draws for codes and tokens
     * @param training whether to drop elements and to record a graph for gradients
     * @return cross entropy, slots and attention, owned by the tokens' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public ExplainedTokens explain(
            ParameterStore parameterStore, NDArray tokens, SlateNoise noise, boolean training) {
        inputs.explained(tokens, noise);
        noise.floats().forEach(array -> requireType("noise", array));
        DropoutMasks masks =
                DropoutMasks.of(noise.dropout(), sizes.transformer().dropout(), training);
        NDList out =
                compute(
                        parameterStore,
                        tokens.getManager(),
                        tokens.getDevice(),
                        training,
                        pass -> layers.explain(pass, tokens, noise.slots(), masks));
        return new ExplainedTokens(out.get(0), out.get(1), out.get(2));
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList list, boolean training) {
        NDList arrays = new NDList();
        SlateNoise noise = SlateNoise.among(list, arrays);
        NDArray images = arrays.isEmpty() ? null : arrays.head();
        NDArray x = Check.present(who(), SlateInputs.IMAGES, images);
        GumbelSoftmax soft = new GumbelSoftmax(temperature, false);
        return step(parameterStore, x, soft, noise, training).toNDList();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape images = inputShapes[0];
        inputs.images(images);
        return SlateOutput.shapes(sizes, images);
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("imageSize", sizes.imageSize());
    }
}
