package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Linear;
import org.slotwise.layer.StartingValues;

/** What a {@link Slate} is used for: slots of pictures, and pictures of slots. */
abstract class SlatePictures extends ConfiguredBlock {

    final SlateConfiguration sizes;
    final SlateInputs inputs;
    final SlateLayers layers;

    /** Declares the parts. */
    SlatePictures(SlateConfiguration sizes) {
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
}
