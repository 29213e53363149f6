package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * All that a {@link Slate} draws in a step, so that a step is a function of its arguments. What is
 * not given is drawn with the engine's generator.
 *
 * @param codes draws from the standard Gumbel distribution for the codes that become the
 *     reconstruction, (B, V, h, h)
 * @param tokens the same, a second and independent draw, for the tokens that slots explain
 * @param slots draws from the standard normal distribution, (B, K, E)
 * @param dropout masks of 0 and 1 / (1 - p) by name, {@link Slate#dropoutShapes}; missing ones are
 *     drawn in training, and leave all as it is otherwise
 */
public record SlateNoise(
        @Nullable NDArray codes,
        @Nullable NDArray tokens,
        @Nullable NDArray slots,
        Map<String, NDArray> dropout) {

    /** The name of the first Gumbel draws in an {@link NDList}. */
    public static final String GUMBEL_CODES = "gumbel_codes";

    /** The name of the second Gumbel draws in an {@link NDList}. */
    public static final String GUMBEL_TOKENS = "gumbel_tokens";

    /** The name of the slots' noise in an {@link NDList}. */
    public static final String SLOT_NOISE = "slot_noise";

    /** What stands before a mask's name in an {@link NDList}. */
    public static final String DROPOUT = TokenDecoder.DROPOUT;

    /**
     * Nothing is given.
     *
     * @return all is drawn
     */
    public static SlateNoise drawn() {
        return new SlateNoise(null, null, null, Map.of());
    }

    /** The noise of slots and dropout that is given. */
    List<NDArray> floats() {
        List<NDArray> arrays = new ArrayList<>(dropout.values());
        if (slots != null) {
            arrays.add(slots);
        }
        return arrays;
    }

    /** What a list has of it by name; the other arrays go to another list. */
    static SlateNoise among(NDList list, NDList others) {
        NDList arrays = new NDList();
        Map<String, NDArray> masks = TokenDecoder.masks(list, arrays);
        SlateNoise noise =
                new SlateNoise(
                        arrays.get(GUMBEL_CODES),
                        arrays.get(GUMBEL_TOKENS),
                        arrays.get(SLOT_NOISE),
                        masks);
        arrays.stream()
                .filter(a -> a != noise.codes && a != noise.tokens && a != noise.slots)
                .forEach(others::add);
        return noise;
    }
}
