package org.slotwise.examples.diffusion;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.data.Scenes;
import org.slotwise.examples.shared.ArrayPicture;
import org.slotwise.examples.shared.SceneArrays;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.slate.SlotChoice;

/** What of its picture belongs to a slot, by the masks of the first stage. */
final class SlotParts {

    private static final int BATCH = 64;

    private SlotParts() {}

    /**
     * Looks at the pictures of some slots.
     *
     * @param scenes all pictures, of which those are read that are needed
     * @param chosen the slots
     * @return a picture for each
     */
    static Map<SlotChoice, Image> of(
            LatentSlotDiffusion model, Scenes scenes, Collection<SlotChoice> chosen)
            throws IOException {
        List<Integer> pictures =
                chosen.stream().map(SlotChoice::picture).distinct().sorted().toList();
        Map<SlotChoice, Image> parts = new HashMap<>();
        for (int from = 0; from < pictures.size(); from += BATCH) {
            List<Integer> some = pictures.subList(from, Math.min(pictures.size(), from + BATCH));
            try (NDManager manager = NDManager.newBaseManager()) {
                NDArray images =
                        SceneArrays.images(
                                manager, scenes, some.stream().mapToLong(i -> i).toArray());
                List<List<Image>> each = each(model, images);
                for (SlotChoice one : chosen) {
                    int at = some.indexOf(one.picture());
                    if (at >= 0) {
                        parts.put(one, each.get(at).get(one.slot()));
                    }
                }
            }
        }
        return parts;
    }

    private static List<List<Image>> each(LatentSlotDiffusion model, NDArray images) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        List<SlotMasks> masks =
                SlotMasks.each(model.discovery().discover(store, images, false).masks());
        SlotPictures pictures = SlotPictures.builder().build();
        List<List<Image>> each = new ArrayList<>();
        for (int b = 0; b < masks.size(); b++) {
            each.add(pictures.slots(ArrayPicture.of(images.get(b)), masks.get(b)));
        }
        return each;
    }
}
