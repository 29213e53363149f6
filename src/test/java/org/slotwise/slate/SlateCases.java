package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.slotwise.testing.ReferenceCase;

/** What the cases of {@code resources/slate} are of. */
final class SlateCases {

    private SlateCases() {}

    static Stream<ReferenceCase> of(String kind) {
        return ReferenceCase.of("slate", kind);
    }

    static ReferenceCase only(String kind) {
        return of(kind).findFirst().orElseThrow();
    }

    /** The sizes of a whole model. */
    static SlateConfiguration sizes(ReferenceCase reference) {
        return new SlateConfiguration(
                reference.integer("image_size"),
                reference.integer("img_channels"),
                reference.integer("vocab_size"),
                reference.integer("d_model"),
                new SlateConfiguration.Transformer(
                        reference.integer("num_dec_blocks"),
                        reference.integer("num_heads"),
                        reference.number("dropout", 0)),
                new SlateConfiguration.Slots(
                        reference.integer("num_slots"),
                        reference.integer("slot_size"),
                        reference.integer("num_iterations"),
                        reference.integer("num_slot_heads"),
                        reference.integer("mlp_hidden_size"),
                        false));
    }

    /** The draws of a step; step is "" where there is one alone, else "/0". */
    static SlateNoise noise(Map<String, NDArray> in, String step) {
        return new SlateNoise(
                in.get("gumbel_1" + step),
                in.get("gumbel_2" + step),
                in.get("slot_noise" + step),
                new LinkedHashMap<>(ReferenceCase.under("dropout/", in)));
    }
}
