package org.slotwise.examples.edit;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;

/** A row for each scene and latent: the picture, made again, and with other codes of the latent. */
final class EditFigure {

    /** Room between panels, and the bar under some. */
    static final int GAP = 6;

    private static final int PANEL = 105;

    private EditFigure() {}

    /** How high and wide a panel is for a picture of some side: whole squares for pixels. */
    static int panel(int side) {
        return Math.max(1, PANEL / side) * side;
    }

    /**
     * Draws the figure.
     *
     * @param model the model
     * @param images (B, 3, H, W) in [0, 1]
     * @param values for each latent, the codes that it gets
     * @return an image
     */
    static Image draw(DiscreteModel model, NDArray images, List<List<Integer>> values) {
        ParameterStore store = new ParameterStore(images.getManager(), false);
        DiscreteModel.Description found = model.describe(store, images);
        int columns = values.stream().mapToInt(List::size).max().orElse(0);
        int side = (int) images.getShape().get(2);
        PictureGrid grid =
                PictureGrid.builder()
                        .setColumns(2 + columns)
                        .setPanelSize(panel(side), panel(side))
                        .optGap(GAP)
                        .optBar(GAP)
                        .build();
        NDArray codes = found.quantized().codes();
        int[] objects = largestObjects(found.decoding().masks());
        for (int scene = 0; scene < objects.length; scene++) {
            for (int latent = 0; latent < values.size(); latent++) {
                grid.add(image(images.get(scene)));
                grid.add(image(found.decoding().reconstruction().get(scene)));
                int slot = objects[scene];
                long[] were = codes.get(":, {}, {}", slot, latent).toLongArray();
                for (int code : values.get(latent)) {
                    long[] become = were.clone();
                    become[scene] = code;
                    EditedScene edited = EditedScene.of(model, store, found, slot, latent, become);
                    Image picture = image(edited.after().reconstruction().get(scene));
                    if (code == were[scene]) {
                        grid.add(picture, Palette.colourBlindSafe().rgb(0));
                    } else {
                        grid.add(picture);
                    }
                }
                for (int k = values.get(latent).size(); k < columns; k++) {
                    grid.skip();
                }
            }
        }
        return grid.draw();
    }

    /** For each scene the slot that is seen most after the background. */
    private static int[] largestObjects(NDArray masks) {
        int slots = (int) masks.getShape().get(1);
        float[] areas = masks.sum(new int[] {2, 3}).toFloatArray();
        int[] objects = new int[areas.length / slots];
        for (int b = 0; b < objects.length; b++) {
            float[] of = Arrays.copyOfRange(areas, b * slots, (b + 1) * slots);
            float[] sorted = of.clone();
            Arrays.sort(sorted);
            float second = sorted[Math.max(0, slots - 2)];
            for (int k = 0; k < slots; k++) {
                if (of[k] == second) {
                    objects[b] = k;
                }
            }
        }
        return objects;
    }

    /** A picture of (3, H, W) in [0, 1]. */
    private static Image image(NDArray array) {
        int height = (int) array.getShape().get(1);
        int width = (int) array.getShape().get(2);
        float[] values = array.toFloatArray();
        int size = height * width;
        int[] colours = new int[size];
        for (int i = 0; i < 3 * size; i++) {
            int level = Math.round(255 * Math.max(0, Math.min(1, values[i])));
            colours[i % size] = colours[i % size] << 8 | level;
        }
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, width, height, colours, 0, width);
        return ImageFactory.getInstance().fromImage(image);
    }
}
