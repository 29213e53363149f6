package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.slotwise.composition.SlotRenderer;
import org.slotwise.data.Scenes;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.diffusion.Sampling;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.slate.SlotChoice;

/**
 * Makes pictures of slots: by the decoder that slots were learnt with, and by diffusion.
 *
 * @param model the model
 * @param sampling in which steps it draws
 * @param slots the slots that pictures are made of
 */
record TwoDecoders(LatentSlotDiffusion model, Sampling sampling, FoundSlots slots) {

    /** By which decoder. */
    enum By {
        /** The decoder that slots were learnt with. */
        FIRST_STAGE,
        /** Out of noise. */
        DIFFUSION
    }

    /**
     * Makes pictures.
     *
     * @param compositions as many slots in each
     * @param noise what noise is drawn from
     * @return (B, 3, S, S) in [0, 1], up to what the decoder overshoots
     */
    NDArray make(NDManager manager, By by, List<List<SlotChoice>> compositions, long noise) {
        ParameterStore store = new ParameterStore(manager, false);
        if (by == By.DIFFUSION) {
            return model.generate(store, slots.told(manager, compositions), sampling, noise);
        }
        var decoder = (ShapeAndColourDecoder) model.discovery().parts().get("decoder");
        return SlotRenderer.of(decoder, store).render(slots.placed(manager, compositions));
    }

    /** Pictures of slots of several pictures: each the same, however many there are. */
    Scenes composed(By by, Composer composer, int seed, long count) {
        return new MadePictures(
                count,
                (manager, from, to) ->
                        make(
                                        manager,
                                        by,
                                        composer.pictures(seed, from, from + MadePictures.BATCH),
                                        Composer.mixed(seed, from))
                                .get(":{}", to - from));
    }

    /** The pictures themselves, made again of their own slots. */
    Scenes again(By by, int seed) {
        return new MadePictures(
                slots.pictures(),
                (manager, from, to) ->
                        make(
                                manager,
                                by,
                                LongStream.range(from, to).mapToObj(i -> all((int) i)).toList(),
                                Composer.mixed(seed, from)));
    }

    private List<SlotChoice> all(int picture) {
        return IntStream.range(0, slots.slotsOfEach())
                .mapToObj(slot -> new SlotChoice(picture, slot))
                .toList();
    }
}
