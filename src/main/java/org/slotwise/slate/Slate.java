package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Options;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

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
public final class Slate extends ConfiguredBlock {

    private final SlateConfiguration sizes;
    private final SlateInputs inputs;
    private final SlateLayers layers;
    private volatile double temperature = 1;

    /**
     * Creates the block.
     *
     * @param sizes the sizes
     */
    public Slate(SlateConfiguration sizes) {
        this.sizes = sizes;
        int dim = sizes.dim();
        int slotDim = sizes.slots().dim();
        int vocabulary = sizes.vocabulary();
        layers =
                new SlateLayers(
                        sizes,
                        addChildBlock("dvae", new DiscreteVae(sizes.channels(), vocabulary)),
                        TokenEmbedding.of(declarer(), sizes),
                        addChildBlock("slot_attn", new TokenGrouping(dim, sizes.slots())),
                        Linear.of(
                                declarer().under("slot_proj"),
                                slotDim,
                                dim,
                                StartingValues.xavier(slotDim, dim),
                                null),
                        addChildBlock("tf_dec", new TokenDecoder(dim, sizes.transformer())),
                        Linear.of(
                                declarer().under("out"),
                                dim,
                                vocabulary,
                                StartingValues.xavier(dim, vocabulary),
                                null));
        inputs = new SlateInputs(who(), sizes, layers.decoder());
    }

    /**
     * The sizes.
     *
     * @return what the block was made of
     */
    public SlateConfiguration sizes() {
        return sizes;
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

    /**
     * Pictures as slots and tokens: the most probable tokens, no dropout.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S)
     * @param noise draws from the standard normal distribution, (B, K, E); null to draw them
     * @return slots, attention and tokens, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public EncodedPictures encode(
            ParameterStore parameterStore, NDArray images, @Nullable NDArray noise) {
        inputs.images(images);
        inputs.slotNoise(noise, images);
        NDList out =
                compute(parameterStore, images, false, pass -> layers.encode(pass, images, noise));
        return new EncodedPictures(out.get(0), out.get(1), out.get(2));
    }

    /**
     * Makes pictures of slots, each token the most probable one.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, E), of any number and origin; their order makes no difference
     * @return pictures and tokens, owned by the slots' manager
     * @throws IllegalArgumentException if the slots have another shape or type
     */
    public GeneratedPictures generate(ParameterStore parameterStore, NDArray slots) {
        return generated(parameterStore, slots, null);
    }

    /**
     * Makes pictures of slots, each token drawn.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, E), of any number and origin
     * @param sampling how tokens are drawn
     * @return pictures and tokens, owned by the slots' manager
     * @throws IllegalArgumentException if the slots have another shape or type
     */
    public GeneratedPictures generate(
            ParameterStore parameterStore, NDArray slots, TokenSampling sampling) {
        return generated(parameterStore, slots, sampling);
    }

    private GeneratedPictures generated(
            ParameterStore store, NDArray slots, @Nullable TokenSampling sampling) {
        inputs.slots(slots);
        requireType(SlateInputs.SLOTS, slots);
        NDList out = compute(store, slots, false, pass -> layers.generate(pass, slots, sampling));
        return new GeneratedPictures(out.get(0), out.get(1));
    }

    /**
     * Makes pictures again of the slots that explain them.
     *
     * @param parameterStore where the parameters' values are
     * @param images (B, C, S, S)
     * @param noise draws from the standard normal distribution, (B, K, E); null to draw them
     * @return pictures and tokens, owned by the images' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public GeneratedPictures reconstruct(
            ParameterStore parameterStore, NDArray images, @Nullable NDArray noise) {
        try (Scope scope = new Scope()) {
            NDArray slots = encode(parameterStore, images, noise).slots();
            GeneratedPictures made = generate(parameterStore, slots);
            scope.keep(made.pictures());
            scope.keep(made.tokens());
            return made;
        }
    }

    /**
     * A prompt of slots of several pictures.
     *
     * @param slots (B, K, E)
     * @param prompt which of them, at least one
     * @return (1, number of slots chosen, E), owned by the slots' manager
     * @throws IllegalArgumentException if the slots have another shape, or one that is chosen is
     *     not there
     */
    public NDArray compose(NDArray slots, List<SlotChoice> prompt) {
        inputs.prompt(slots, prompt);
        try (Scope scope = new Scope()) {
            return scope.keep(SlotChoice.all(slots, prompt), slots.getManager());
        }
    }

    /**
     * What the transformer predicts for each token of a picture, from slots and the tokens before
     * it.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, E)
     * @param tokens (B, n) int64, the first n tokens, at most L; the last of them is not seen
     * @return logits (B, n, V), owned by the slots' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public NDArray predict(ParameterStore parameterStore, NDArray slots, NDArray tokens) {
        inputs.tokens(tokens, slots);
        requireType(SlateInputs.SLOTS, slots);
        return compute(
                        parameterStore,
                        slots,
                        false,
                        pass -> new NDList(layers.predict(pass, slots, tokens)))
                .head();
    }

    /**
     * How badly slots explain tokens: of one's own pictures, or of foreign ones, to be compared.
     *
     * @param parameterStore where the parameters' values are
     * @param slots (B, K, E)
     * @param tokens (B, n) int64, the first n tokens, at most L
     * @return -log p, summed over a picture's tokens, (B), owned by the slots' manager
     * @throws IllegalArgumentException if an input has another shape or type
     */
    public NDArray crossEntropy(ParameterStore parameterStore, NDArray slots, NDArray tokens) {
        inputs.tokens(tokens, slots);
        requireType(SlateInputs.SLOTS, slots);
        return compute(
                        parameterStore,
                        slots,
                        false,
                        pass -> {
                            NDArray logits = layers.predict(pass, slots, tokens);
                            return new NDList(SlateLayers.crossEntropies(logits, tokens));
                        })
                .head();
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
