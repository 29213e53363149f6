package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.layer.Linear;

/** The equations of {@link Slate}, and the parts that they are made of. */
record SlateLayers(
        SlateConfiguration sizes,
        DiscreteVae dvae,
        TokenEmbedding embedding,
        TokenGrouping grouping,
        Linear projection,
        TokenDecoder decoder,
        Linear output) {

    private static final String DECODER = "tf_dec";

    /** A training step; the list is that of {@link SlateOutput#of}. */
    NDList step(
            Pass pass,
            NDArray image,
            GumbelSoftmax sampling,
            SlateNoise noise,
            DropoutMasks masks) {
        NDList seen = tokenize(pass, image, sampling, noise);
        return joined(seen, explain(pass, seen.get(2), noise.slots(), masks));
    }

    /** A training step that goes back through each half before the next one is computed. */
    NDList backward(
            Pass pass,
            NDArray image,
            GumbelSoftmax sampling,
            SlateNoise noise,
            DropoutMasks masks,
            Consumer<NDArray> backward) {
        NDList seen = gone(tokenize(pass, image, sampling, noise), backward);
        return joined(seen, gone(explain(pass, seen.get(2), noise.slots(), masks), backward));
    }

    /** The values of a list, after going back from the first, without the graph. */
    private static NDList gone(NDList list, Consumer<NDArray> backward) {
        backward.accept(list.head());
        NDList values = new NDList();
        list.forEach(array -> values.add(array.stopGradient()));
        list.close();
        return values;
    }

    private static NDList joined(NDList seen, NDList explained) {
        return new NDList(
                explained.get(0),
                seen.get(0),
                seen.get(1),
                explained.get(1),
                explained.get(2),
                seen.get(2));
    }

    /** Squared error, reconstruction and tokens: all of the auto-encoder. */
    private NDList tokenize(Pass pass, NDArray image, GumbelSoftmax sampling, SlateNoise noise) {
        try (Scope scope = new Scope()) {
            // Samples are those of log p, from which logits differ by one number for each place.
            NDArray logits = dvae.logits(pass, image); // (B, V, h, h)
            NDArray z = sampling.sample(logits, noise.codes(), 1);
            NDArray reconstruction = dvae.decode(pass, z);
            NDArray mse = perPicture(image.sub(reconstruction).square().sum(), image);

            // A second draw, of which no gradient comes back.
            NDArray draw = noise.tokens();
            NDArray g = draw == null ? GumbelSoftmax.noise(logits) : draw;
            NDArray logP = logits.stopGradient().logSoftmax(1);
            NDArray tokens = DiscreteVae.largest(logP.addi(g)); // (B, L)
            return new NDList(
                    scope.keep(mse),
                    scope.keep(DiscreteVae.unit(reconstruction)),
                    scope.keep(tokens));
        }
    }

    /** Cross entropy, slots and attention of tokens (B, L): all but the auto-encoder. */
    NDList explain(Pass pass, NDArray tokens, @Nullable NDArray slotNoise, DropoutMasks masks) {
        try (Scope scope = new Scope()) {
            NDArray e =
                    masks.under("positional_encoder")
                            .drop("dropout", embedding.apply(pass, tokens));
            NDList slots = grouping.group(pass, tokensOf(e), slotNoise);
            NDArray memory = projection.apply(pass, slots.get(0));
            NDArray predicted = decode(pass, e, memory, masks);
            NDArray crossEntropy = perPicture(crossEntropies(predicted, tokens).sum(), tokens);
            return new NDList(
                    scope.keep(crossEntropy), scope.keep(slots.get(0)), scope.keep(slots.get(1)));
        }
    }

    /** Embeddings (B, n, D) without that of BOS. */
    private static NDArray tokensOf(NDArray e) {
        return Ops.part(e, 1, 1, e.getShape().get(1));
    }

    private static NDArray perPicture(NDArray sum, NDArray batch) {
        return sum.div(Scalars.like(sum, (double) batch.getShape().get(0)));
    }

    /** Logits (B, n, V) of n tokens, for embeddings (B, n + 1, D) of BOS and these tokens. */
    private NDArray decode(Pass pass, NDArray e, NDArray memory, DropoutMasks masks) {
        NDArray seen = Ops.part(e, 1, 0, e.getShape().get(1) - 1);
        return output.apply(pass, decoder.decode(pass, seen, memory, masks.under(DECODER)));
    }

    /** Logits (B, n, V) of tokens (B, n), each from those before it and slots (B, K, E). */
    NDArray predict(Pass pass, NDArray slots, NDArray tokens) {
        NDArray e = embedding.apply(pass, tokens);
        return decode(pass, e, projection.apply(pass, slots), DropoutMasks.NONE);
    }

    /** -log p of tokens (B, n) by logits (B, n, V), for each picture: (B). */
    static NDArray crossEntropies(NDArray logits, NDArray tokens) {
        return logits.logSoftmax(2).gather(tokens.expandDims(2), 2).sum(new int[] {1, 2}).neg();
    }

    /** Slots, attention and tokens of images, nothing drawn but the slots' start. */
    NDList encode(Pass pass, NDArray image, @Nullable NDArray noise) {
        NDArray tokens = DiscreteVae.largest(dvae.logits(pass, image));
        NDArray e = tokensOf(embedding.apply(pass, tokens));
        NDList slots = grouping.group(pass, e, noise);
        return new NDList(slots.get(0), slots.get(1), tokens);
    }

    /** Pictures and tokens of slots (B, K, E). */
    NDList generate(Pass pass, NDArray slots, @Nullable TokenSampling sampling) {
        NDArray memory = projection.apply(pass, slots);
        NDArray tokens =
                new TokenGenerator(sizes, embedding, decoder, output)
                        .tokens(pass, memory, sampling);
        return new NDList(pictures(pass, tokens, slots), tokens);
    }

    /** Pictures of tokens (B, L). */
    NDArray pictures(Pass pass, NDArray tokens, NDArray like) {
        return dvae.pictures(pass, tokens, sizes.side(), sizes.side(), like.getDataType());
    }
}
