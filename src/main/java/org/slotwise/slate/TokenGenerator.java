package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.internal.SplitMix;
import org.slotwise.layer.Linear;

/**
 * Makes the tokens of pictures one after the other. Keys and values of former places are kept,
 * those of the slots are made once: a step costs as much as one place.
 */
record TokenGenerator(
        SlateConfiguration sizes, TokenEmbedding embedding, TokenDecoder decoder, Linear output) {

    /** Tokens (B, L) int64 for a memory (B, K, D); the most probable ones without a sampling. */
    NDArray tokens(Pass pass, NDArray memory, @Nullable TokenSampling sampling) {
        long batch = memory.getShape().get(0);
        SplitMix[] generators =
                sampling == null ? new SplitMix[0] : sampling.generators(Math.toIntExact(batch));
        List<KeptKeys> seen = decoder.keep(pass, memory);
        List<KeptKeys> places = decoder.room(memory, batch, sizes.tokens());
        NDList tokens = new NDList(sizes.tokens());
        NDArray row = TokenEmbedding.start(memory, batch);
        for (int i = 0; i < sizes.tokens(); i++) {
            NDArray before = row;
            try (Scope scope = new Scope()) {
                NDArray x = embedding.at(pass, before.expandDims(1), i);
                NDArray y = output.apply(pass, decoder.next(pass, x, places, seen));
                NDArray logits = y.reshape(batch, sizes.vocabulary());
                NDArray token =
                        sampling == null ? logits.argMax(1) : sampling.draw(logits, generators);
                tokens.add(scope.keep(token));
                row = scope.keep(TokenEmbedding.rowsOf(token));
            }
            before.close();
        }
        return NDArrays.stack(tokens, 1);
    }
}
