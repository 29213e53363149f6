package org.slotwise.examples.gnm;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import java.awt.image.BufferedImage;
import java.util.List;
import org.slotwise.gnm.BoxFrames;
import org.slotwise.gnm.DiscoveredCells;
import org.slotwise.gnm.ExplainedScenes;
import org.slotwise.gnm.GeneratedScenes;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmDraws;
import org.slotwise.image.PictureGrid;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;

/** Pictures below each other, and beside each what the model makes of it. */
final class GnmFigure {

    private static final int GAP = 6;
    private static final int PANEL = 128;
    private static final int COLUMNS = 7;

    /** Of scenes that are made: objects are there or not. */
    private static final double COLD = 0.1;

    /** How many scenes of the prior are shown. */
    static final int MADE = 6;

    private final Gnm gnm;
    private final int panel;

    GnmFigure(Gnm gnm) {
        this.gnm = gnm;
        int side = gnm.sizes().picture().size();
        panel = Math.max(1, PANEL / side) * side;
    }

    /**
     * A row for each picture: the picture, drawn again, with frames, its segmentation, its objects,
     * its background, and made again of its scene latent. The last row has scenes of the prior.
     *
     * @param images (B, 3, S, S) in [0, 1]
     */
    Image sheet(NDArray images) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        ExplainedScenes explained = GnmProgress.explain(gnm, images);
        NDArray drawn = explained.rendered().picture();
        int side = gnm.sizes().picture().size();
        NDArray frames = BoxFrames.of(explained.cells(), panel);
        List<SlotMasks> masks =
                SlotMasks.each(DiscoveredCells.withBackground(explained.rendered().masks()));
        GeneratedScenes again =
                gnm.reconstruct(store, images, gnm.sizes().latents().steps(), GnmDraws.mode());
        PictureGrid grid = grid(COLUMNS);
        SlotPictures pictures = SlotPictures.builder().build();
        for (int b = 0; b < masks.size(); b++) {
            grid.add(image(images.get(b)));
            grid.add(image(drawn.get(b)));
            grid.add(framed(images.get(b), frames.get(b), panel / side));
            grid.add(pictures.segmentation(masks.get(b)));
            NDArray alpha = explained.rendered().alpha().get(b);
            NDArray objects = explained.rendered().foreground().get(b);
            grid.add(image(objects.add(alpha.neg().add(1))));
            grid.add(image(explained.rendered().background().get(b)));
            grid.add(image(again.scenes().rendered().picture().get(b)));
        }
        NDArray made = made(images.getManager(), MADE, GnmDraws.at(COLD));
        for (int i = 0; i < MADE; i++) {
            grid.add(image(made.get(i)));
        }
        return grid.draw();
    }

    /** Scenes of the prior (B, 3, S, S). */
    NDArray made(NDManager manager, int count, GnmDraws draws) {
        return gnm.generate(new ParameterStore(manager, false), manager, count, draws)
                .scenes()
                .rendered()
                .picture();
    }

    /** Scenes side by side. */
    Image row(NDArray scenes, int columns) {
        PictureGrid grid = grid(columns);
        for (int i = 0; i < scenes.getShape().get(0); i++) {
            grid.add(image(scenes.get(i)));
        }
        return grid.draw();
    }

    private PictureGrid grid(int columns) {
        return PictureGrid.builder()
                .setColumns(columns)
                .setPanelSize(panel, panel)
                .optGap(GAP)
                .build();
    }

    /** A picture, larger, with frames (3, s S, s S) over it where there are any. */
    private static Image framed(NDArray picture, NDArray frames, int scale) {
        int side = (int) picture.getShape().get(1);
        int large = side * scale;
        float[] small = picture.toFloatArray();
        float[] frame = frames.toFloatArray();
        float[] values = new float[frame.length];
        int pixels = large * large;
        for (int i = 0; i < pixels; i++) {
            int from = i / large / scale * side + i % large / scale;
            // Frames of absent objects are red: they are not drawn.
            float over = frame[pixels + i];
            for (int c = 0; c < 3; c++) {
                float colour = small[c * side * side + from];
                values[c * pixels + i] = (1 - over) * colour + (c == 1 ? over : 0);
            }
        }
        return image(values, large);
    }

    private static Image image(NDArray array) {
        return image(array.toFloatArray(), (int) array.getShape().get(2));
    }

    /** A picture of (3, S, S) in [0, 1]. */
    private static Image image(float[] values, int side) {
        int size = side * side;
        int[] colours = new int[size];
        for (int i = 0; i < 3 * size; i++) {
            int level = Math.round(255 * Math.max(0, Math.min(1, values[i])));
            colours[i % size] = colours[i % size] << 8 | level;
        }
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, side, side, colours, 0, side);
        return ImageFactory.getInstance().fromImage(image);
    }
}
