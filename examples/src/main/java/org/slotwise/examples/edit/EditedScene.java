package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.ParameterStore;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.quantization.SlotQuantizer;

/**
 * Scenes before and after an edit, in which one latent of one slot of each got another code.
 *
 * @param before the scenes as their codes say
 * @param after the same with the edit
 * @param codes the codes after the edit, (B, K, L)
 * @param slot which slot was edited
 */
record EditedScene(SlotDecoding before, SlotDecoding after, NDArray codes, int slot) {

    private static final double SEEN = 0.5;

    /**
     * Edits scenes.
     *
     * @param model the model
     * @param store where its weights are
     * @param found what the model says of the scenes
     * @param slot which slot is edited
     * @param latent which of its latents
     * @param code the code that the latent gets in each scene, as many as scenes
     */
    static EditedScene of(
            DiscreteModel model,
            ParameterStore store,
            DiscreteModel.Description found,
            int slot,
            int latent,
            long... code) {
        SlotQuantizer quantizer = model.quantizer();
        NDArray codes = found.quantized().codes();
        for (int b = 0; b < code.length; b++) {
            codes = quantizer.edited(codes, b, slot, latent, code[b]);
        }
        return new EditedScene(
                found.decoding(),
                model.codec().draw(store, codes, found.slots().positions()),
                codes,
                slot);
    }

    /** For each scene the slot with the largest mask. */
    static long[] background(NDArray masks) {
        return masks.sum(new int[] {2, 3}).argMax(1).toLongArray();
    }

    /**
     * What an edit changed in a scene.
     *
     * @param inside how much a pixel changed on average where the slot is seen, before or after
     * @param outside the same elsewhere
     * @param colour how much the colour of the slot changed
     * @param shape how much of the place where the slot is seen, before or after, is not common to
     *     both: 0 for the same shape, 1 for another place
     */
    record Change(double inside, double outside, double colour, double shape) {}

    /**
     * Measures what the edit changed.
     *
     * @param scene which scene
     * @return the change; NaN inside where the slot is seen neither before nor after
     */
    Change change(int scene) {
        NDArray was = seen(before, scene);
        NDArray is = seen(after, scene);
        NDArray either = was.maximum(is);
        NDArray difference = // (H, W)
                after.reconstruction()
                        .get(scene)
                        .sub(before.reconstruction().get(scene))
                        .abs()
                        .mean(new int[] {0});
        double area = either.sum().getFloat();
        double rest = either.size() - area;
        double inside = difference.mul(either).sum().getFloat();
        double all = difference.sum().getFloat();
        double common = was.minimum(is).sum().getFloat();
        return new Change(
                inside / area,
                rest == 0 ? 0 : (all - inside) / rest,
                colour(after, scene).sub(colour(before, scene)).abs().mean().getFloat(),
                1 - common / area);
    }

    /** One where the slot is seen, zero elsewhere, (H, W). */
    private NDArray seen(SlotDecoding of, int scene) {
        return of.masks().get(scene, slot).gt(SEEN).toType(DataType.FLOAT32, false);
    }

    /** The slot's one colour, (3). */
    private NDArray colour(SlotDecoding of, int scene) {
        return of.slotImages().get(scene, slot).get(":, 0, 0");
    }
}
