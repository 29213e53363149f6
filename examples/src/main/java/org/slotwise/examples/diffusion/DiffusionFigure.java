package org.slotwise.examples.diffusion;

import ai.djl.modality.cv.Image;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.slotwise.composition.ClusterPictures;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.data.Scenes;
import org.slotwise.diffusion.Sampling;
import org.slotwise.examples.diffusion.TwoDecoders.By;
import org.slotwise.examples.shared.ArrayPicture;
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

    /** How many pictures are drawn of a picture's slots beside the first. */
    private static final int SAMPLES = 3;

    /** How many slots of a cluster are shown. */
    private static final int MEMBERS = 10;

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
     * A row for each picture: the picture; made again by the autoencoder, by the decoder of the
     * first stage, and by diffusion out of its slots; three more of the same slots, each of another
     * noise; its segmentation by the masks of the first stage, by what slots attend to, and by
     * where the denoiser looks; and what belongs to each slot.
     *
     * @param images (B, 3, S, S) in [0, 1]
     */
    Image sheet(NDArray images) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        ObjectDiscoveryOutput seen = model.discovery().discover(store, images, false);
        PerceptualGroupingOutput found = model.slots(store, images, false);
        List<NDArray> made = new ArrayList<>();
        made.add(images);
        made.add(model.images(store, model.latents(store, images)));
        made.add(seen.reconstruction());
        for (long noise = seed; noise <= seed + SAMPLES; noise++) {
            made.add(model.generate(store, found.objects(), sampling, noise));
        }
        List<SlotMasks> masks = SlotMasks.each(seen.masks());
        List<SlotMasks> attended = SlotMasks.each(DiffusionScores.maps(model, found));
        List<SlotMasks> looked =
                SlotMasks.each(
                        model.crossAttentionMasks(
                                store, images, DiffusionScores.looks(model), seed));
        SlotPictures pictures = SlotPictures.builder().build();
        int side = (int) images.size(3);
        PictureGrid grid = grid((int) (made.size() + 3 + found.objects().size(1)));
        for (int b = 0; b < masks.size(); b++) {
            for (NDArray each : made) {
                grid.add(ArrayPicture.of(each.get(b)));
            }
            grid.add(pictures.segmentation(masks.get(b)));
            grid.add(pictures.segmentation(attended.get(b).resize(side, side)));
            grid.add(pictures.segmentation(looked.get(b)));
            List<Image> each = pictures.slots(ArrayPicture.of(images.get(b)), masks.get(b));
            for (int k = 0; k < each.size(); k++) {
                grid.add(each.get(k), Palette.colourBlindSafe().rgb(k));
            }
        }
        return grid.draw();
    }

    /**
     * A row for each composition: what of its picture belongs to each slot, and the pictures that
     * the decoder of the first stage and diffusion make of all of them.
     *
     * @param scenes the pictures that slots are of
     * @param slots their slots
     * @param compositions which slots are put together
     */
    Image compositions(Scenes scenes, FoundSlots slots, List<List<SlotChoice>> compositions)
            throws IOException {
        Map<SlotChoice, Image> parts =
                SlotParts.of(model, scenes, compositions.stream().flatMap(List::stream).toList());
        TwoDecoders decoders = new TwoDecoders(model, sampling, slots);
        int columns = compositions.stream().mapToInt(List::size).max().orElse(0);
        PictureGrid grid = grid(columns + By.values().length);
        for (List<SlotChoice> composition : compositions) {
            for (int k = 0; k < composition.size(); k++) {
                grid.add(
                        Objects.requireNonNull(parts.get(composition.get(k))),
                        Palette.colourBlindSafe().rgb(k));
            }
            for (int k = composition.size(); k < columns; k++) {
                grid.skip();
            }
            try (NDManager manager = NDManager.newBaseManager()) {
                for (By by : By.values()) {
                    NDArray made = decoders.make(manager, by, List.of(composition), seed);
                    grid.add(ArrayPicture.of(made.get(0)));
                }
            }
        }
        return grid.draw();
    }

    /**
     * A row for each cluster: what of their pictures belongs to the slots that are nearest to its
     * centre.
     *
     * @param scenes the pictures that slots are of
     * @param library the clusters
     */
    Image clusters(Scenes scenes, SlotLibrary library) throws IOException {
        int each = library.slotsPerPicture();
        List<SlotChoice> nearest =
                IntStream.range(0, library.clusters())
                        .flatMap(cluster -> IntStream.of(library.nearest(cluster, MEMBERS)))
                        .mapToObj(row -> new SlotChoice(row / each, row % each))
                        .toList();
        Map<SlotChoice, Image> parts = SlotParts.of(model, scenes, nearest);
        return new ClusterPictures(MEMBERS, panel, panel)
                .draw(
                        library,
                        row ->
                                Objects.requireNonNull(
                                        parts.get(new SlotChoice(row / each, row % each))));
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
