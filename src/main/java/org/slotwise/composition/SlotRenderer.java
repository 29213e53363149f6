package org.slotwise.composition;

import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.decoder.SlotDecoder;

/**
 * What makes pictures of slots: a decoder, a diffusion model, a generator of tokens.
 *
 * <p>A generator that draws has its seed with it, as in {@code slots -> diffusion.generate(slots,
 * seed)}.
 */
@FunctionalInterface
public interface SlotRenderer {

    /**
     * Makes pictures.
     *
     * @param slots (B, K', D); K' may differ from call to call
     * @return (B, 3, H, W) in [0, 1], up to what the renderer overshoots; owned by the manager of
     *     the slots
     */
    NDArray render(NDArray slots);

    /**
     * The reconstructions of a decoder: masks are a softmax over the new company.
     *
     * @param decoder a decoder
     * @param store where its parameters' values are
     * @return the renderer
     */
    static SlotRenderer of(SlotDecoder decoder, ParameterStore store) {
        return slots -> decoder.decode(store, slots, false).reconstruction();
    }

    /**
     * The reconstructions of a decoder whose slots have positions: a library of such slots is one
     * of their objects and positions, concatenated.
     *
     * @param decoder a decoder
     * @param store where its parameters' values are
     * @return the renderer, which takes the last two numbers of a slot for its position
     */
    static SlotRenderer of(ShapeAndColourDecoder decoder, ParameterStore store) {
        return slots -> {
            long dim = slots.getShape().get(2) - 2;
            NDArray objects = slots.get(":, :, :{}", dim);
            NDArray positions = slots.get(":, :, {}:", dim);
            return decoder.decode(store, objects, positions, PixelLattice.ALL, false)
                    .reconstruction();
        };
    }
}
