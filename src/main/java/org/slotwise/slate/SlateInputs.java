package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;

/** What the inputs of {@link Slate} must be. */
record SlateInputs(String who, SlateConfiguration sizes, TokenDecoder decoder) {

    static final String IMAGES = "images";
    static final String SLOTS = "slots";
    private static final String TOKENS = "tokens";

    void images(NDArray images) {
        Check.present(who, IMAGES, images);
        images(images.getShape());
        Check.shape(who, IMAGES, images, "B", "C", "S", "S");
        Check.floating(who, IMAGES, images.getDataType());
    }

    void images(Shape images) {
        int size = sizes.imageSize();
        Check.shape(who, IMAGES, images, "B", sizes.channels(), size, size);
    }

    void noise(SlateNoise noise, NDArray images) {
        long batch = images.getShape().get(0);
        Object[] codes = {batch, sizes.vocabulary(), sizes.side(), sizes.side()};
        given(SlateNoise.GUMBEL_CODES, noise.codes(), images, codes);
        given(SlateNoise.GUMBEL_TOKENS, noise.tokens(), images, codes);
        NDArray slots = noise.slots();
        slotNoise(slots, images);
        long count = slots == null ? sizes.slots().count() : slots.getShape().get(1);
        DropoutMasks.check(who, noise.dropout(), dropoutShapes(batch, count), images);
    }

    void slotNoise(@Nullable NDArray noise, NDArray images) {
        long batch = images.getShape().get(0);
        given(SlateNoise.SLOT_NOISE, noise, images, batch, "K", sizes.slots().dim());
    }

    private void given(String what, @Nullable NDArray array, NDArray images, Object... shape) {
        if (array != null) {
            Check.shape(who, what, array, shape);
            Check.sameTypeAndDevice(who, what, array, IMAGES, images);
        }
    }

    Map<String, Shape> dropoutShapes(long batch, long slots) {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        Shape embeddings = new Shape(batch, sizes.tokens() + 1L, sizes.dim());
        shapes.put("positional_encoder.dropout", embeddings);
        decoder.dropoutShapes(batch, sizes.tokens(), slots)
                .forEach((name, shape) -> shapes.put("tf_dec." + name, shape));
        return shapes;
    }

    void slots(NDArray slots) {
        Check.shape(who, SLOTS, slots, "B", "K", sizes.slots().dim());
        Check.floating(who, SLOTS, slots.getDataType());
    }

    void tokens(NDArray tokens, NDArray slots) {
        slots(slots);
        Check.shape(who, TOKENS, tokens, slots.getShape().get(0), "n");
        Check.type(who, TOKENS, tokens, DataType.INT64, "");
        Check.sameDevice(who, TOKENS, tokens, SLOTS, slots);
        long n = tokens.getShape().get(1);
        Check.option(
                n <= sizes.tokens(),
                who + ": tokens must be at most " + sizes.tokens() + " a picture, got " + n);
    }

    void explained(NDArray tokens, SlateNoise noise) {
        Check.shape(who, TOKENS, tokens, "B", sizes.tokens());
        Check.type(who, TOKENS, tokens, DataType.INT64, "");
        Check.option(
                noise.codes() == null && noise.tokens() == null,
                who + ": where tokens are known there must be no draws for codes and tokens");
        long batch = tokens.getShape().get(0);
        NDArray slots = noise.slots();
        if (slots != null) {
            Check.shape(who, SlateNoise.SLOT_NOISE, slots, batch, "K", sizes.slots().dim());
            Check.sameDevice(who, SlateNoise.SLOT_NOISE, slots, TOKENS, tokens);
        }
        long count = slots == null ? sizes.slots().count() : slots.getShape().get(1);
        Map<String, Shape> shapes = dropoutShapes(batch, count);
        noise.dropout()
                .values()
                .forEach(mask -> Check.sameDevice(who, "dropout mask", mask, TOKENS, tokens));
        NDArray like = noise.floats().isEmpty() ? tokens : noise.floats().get(0);
        DropoutMasks.check(who, noise.dropout(), shapes, like);
    }

    void prompt(NDArray slots, List<SlotChoice> prompt) {
        slots(slots);
        Check.option(!prompt.isEmpty(), who + ": the prompt must have at least one slot");
        Shape s = slots.getShape();
        for (SlotChoice choice : prompt) {
            Check.option(
                    choice.picture() < s.get(0) && choice.slot() < s.get(1),
                    who + ": no " + choice + " among slots " + s);
        }
    }
}
