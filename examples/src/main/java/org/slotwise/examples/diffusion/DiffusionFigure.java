package org.slotwise.examples.diffusion;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.slotwise.diffusion.Sampling;
import org.slotwise.examples.shared.ArrayPicture;
import org.slotwise.examples.shared.Prompt;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.slate.SlotChoice;

/** Pictures below each other, and beside each what the model makes of it. */
final class DiffusionFigure {

    /** Room between panels, and the bar of a slot's colour. */
    private static final int GAP = 6;

    private static final int PANEL = 96;

    private final LatentSlotDiffusion model;
    private final Sampling sampling;
    private final int seed;
    private final int panel;

    DiffusionFigure(LatentSlotDiffusion model, Sampling sampling, int seed) {
        this.model = model;
        this.sampling = sampling;
        this.seed = seed;
        int side = model.madeFrom().discovery().imageHeight();
        panel = Math.max(1, PANEL / side) * side;
    }

    /**
     * A row for each picture: the picture, made again by the autoencoder, drawn of its slots with
     * two different noises; its segmentation by the masks of the first stage, by what slots attend
     * to, and by where the denoiser looks; and what belongs to each slot.
     *
     * @param images (B, 3, S, S) in [0, 1]
     */
    Image sheet(NDArray images) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        ObjectDiscoveryOutput seen = model.discovery().discover(store, images, false);
        PerceptualGroupingOutput found = model.slots(store, images, false);
        NDArray slots = found.objects();
        NDArray again = model.images(store, model.latents(store, images));
        NDArray one = model.generate(store, slots, sampling, seed);
        NDArray other = model.generate(store, slots, sampling, seed + 1L);
        List<SlotMasks> masks = SlotMasks.each(seen.masks());
        List<SlotMasks> attended = SlotMasks.each(DiffusionScores.maps(model, found));
        List<SlotMasks> looked =
                SlotMasks.each(
                        model.crossAttentionMasks(
                                store, images, DiffusionScores.looks(model), seed));
        SlotPictures pictures = SlotPictures.builder().build();
        int side = (int) images.size(3);
        PictureGrid grid = grid((int) (7 + slots.size(1)));
        for (int b = 0; b < masks.size(); b++) {
            Image image = ArrayPicture.of(images.get(b));
            grid.add(image);
            grid.add(ArrayPicture.of(again.get(b)));
            grid.add(ArrayPicture.of(one.get(b)));
            grid.add(ArrayPicture.of(other.get(b)));
            grid.add(pictures.segmentation(masks.get(b)));
            grid.add(pictures.segmentation(attended.get(b).resize(side, side)));
            grid.add(pictures.segmentation(looked.get(b)));
            List<Image> each = pictures.slots(image, masks.get(b));
            for (int k = 0; k < each.size(); k++) {
                grid.add(each.get(k), Palette.colourBlindSafe().rgb(k));
            }
        }
        return grid.draw();
    }

    /**
     * A row for each composition: what of its picture belongs to each slot, and the picture that is
     * drawn of all of them.
     *
     * @param images (B, 3, S, S) in [0, 1]
     * @param compositions which slots are put together, as many in each
     */
    Image compositions(NDArray images, List<List<SlotChoice>> compositions) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        ObjectDiscoveryOutput seen = model.discovery().discover(store, images, false);
        NDArray slots = model.slots(store, images, false).objects();
        List<SlotMasks> masks = SlotMasks.each(seen.masks());
        SlotPictures pictures = SlotPictures.builder().build();
        int columns = compositions.stream().mapToInt(List::size).max().orElse(0);
        PictureGrid grid = grid(columns + 1);
        for (List<SlotChoice> composition : compositions) {
            for (int k = 0; k < composition.size(); k++) {
                SlotChoice one = composition.get(k);
                Image image = ArrayPicture.of(images.get(one.picture()));
                grid.add(
                        pictures.slots(image, masks.get(one.picture())).get(one.slot()),
                        Palette.colourBlindSafe().rgb(k));
            }
            for (int k = composition.size(); k < columns; k++) {
                grid.skip();
            }
            NDArray prompt = new Prompt(composition).of(slots);
            grid.add(ArrayPicture.of(model.generate(store, prompt, sampling, seed).get(0)));
        }
        return grid.draw();
    }

    private PictureGrid grid(int columns) {
        return PictureGrid.builder()
                .setColumns(columns)
                .setPanelSize(panel, panel)
                .optGap(GAP)
                .optBar(GAP)
                .build();
    }
}
