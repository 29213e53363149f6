package org.slotwise.examples.slate;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.List;
import org.slotwise.examples.shared.ArrayPicture;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;
import org.slotwise.slate.EncodedPictures;
import org.slotwise.slate.GeneratedPictures;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateOutput;
import org.slotwise.slate.SlotChoice;

/** Pictures below each other, and beside each what the model makes of it. */
final class SlateFigure {

    /** Room between panels, and the bar of a slot's colour. */
    static final int GAP = 6;

    private static final int PANEL = 128;

    private final Slate slate;
    private final int panel;

    SlateFigure(Slate slate) {
        this.slate = slate;
        int side = slate.sizes().imageSize();
        panel = Math.max(1, PANEL / side) * side;
    }

    /**
     * A row for each picture: the picture, made again by the auto-encoder, made of its slots, the
     * segmentation by the slots' attention, and what each slot attends to, the rest in white.
     *
     * @param images (B, 3, S, S) in [0, 1]
     */
    Image sheet(NDArray images) {
        EncodedPictures seen = SlateScores.encode(slate, images);
        NDArray again = SlateScores.again(slate, seen.tokens());
        GeneratedPictures made = slate.generate(store(images), seen.slots());
        NDArray attended = SlateOutput.attended(images, seen.attention());
        List<SlotMasks> masks = masks(seen);
        int slots = (int) seen.slots().getShape().get(1);
        PictureGrid grid = grid(4 + slots);
        SlotPictures pictures = SlotPictures.builder().build();
        for (int b = 0; b < masks.size(); b++) {
            grid.add(ArrayPicture.of(images.get(b)));
            grid.add(ArrayPicture.of(again.get(b)));
            grid.add(ArrayPicture.of(made.pictures().get(b)));
            grid.add(pictures.segmentation(masks.get(b)));
            for (int k = 0; k < slots; k++) {
                grid.add(ArrayPicture.of(attended.get(b).get(k)), Palette.colourBlindSafe().rgb(k));
            }
        }
        return grid.draw();
    }

    /**
     * A row for each prompt: what of its picture each slot attends to, and the picture that is made
     * of all of them.
     *
     * @param images (B, 3, S, S) in [0, 1]
     * @param seen the same pictures as slots
     * @param prompts which slots are put together
     * @param made the picture of each prompt, (1, 3, S, S)
     */
    Image compositions(
            NDArray images,
            EncodedPictures seen,
            List<List<SlotChoice>> prompts,
            List<NDArray> made) {
        NDArray attended = SlateOutput.attended(images, seen.attention());
        int columns = prompts.stream().mapToInt(List::size).max().orElse(0);
        PictureGrid grid = grid(columns + 1);
        for (int i = 0; i < prompts.size(); i++) {
            List<SlotChoice> prompt = prompts.get(i);
            for (int k = 0; k < prompt.size(); k++) {
                SlotChoice choice = prompt.get(k);
                grid.add(
                        ArrayPicture.of(attended.get(choice.picture()).get(choice.slot())),
                        Palette.colourBlindSafe().rgb(k));
            }
            for (int k = prompt.size(); k < columns; k++) {
                grid.skip();
            }
            grid.add(ArrayPicture.of(made.get(i).get(0)));
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

    private List<SlotMasks> masks(EncodedPictures seen) {
        int side = slate.sizes().imageSize();
        Shape s = seen.attention().getShape();
        return SlotMasks.each(
                SlateScores.masks(slate, seen.attention()).reshape(s.get(0), s.get(1), side, side));
    }

    private static ParameterStore store(NDArray images) {
        return new ParameterStore(images.getManager(), false);
    }
}
