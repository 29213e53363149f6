package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import java.util.List;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;

/**
 * A picture and its slots side by side: the picture, the segmentation in colours, and for each slot
 * what belongs to it, over a bar of its colour.
 */
public final class Figure {

    /** How long a panel's longest side is, unless there are very many. */
    public static final int PANEL = 400;

    /** Room between panels. */
    public static final int GAP = 8;

    /** The bar under each panel. */
    public static final int BAR = 8;

    private static final int MAX_COLUMNS = 6;
    private static final int MAX_PIXELS = 12_000_000;

    private Figure() {}

    /**
     * How many rows so many panels take.
     *
     * @param panels a number of panels
     * @return a number of rows
     */
    static int rows(int panels) {
        return (panels + MAX_COLUMNS - 1) / MAX_COLUMNS;
    }

    /**
     * How many panels stand side by side.
     *
     * @param panels a number of panels
     * @return a number of columns
     */
    static int columns(int panels) {
        int rows = rows(panels);
        return (panels + rows - 1) / rows;
    }

    /**
     * Draws the figure.
     *
     * @param picture the picture
     * @param masks which pixel belongs to which slot
     * @return an image
     */
    public static Image draw(Picture picture, SlotMasks masks) {
        int panels = masks.slots() + 2;
        Image shown = picture.scaledTo(panelSide(panels));
        int width = shown.getWidth();
        int height = shown.getHeight();
        SlotPictures pictures = SlotPictures.builder().build();
        PictureGrid grid =
                PictureGrid.builder()
                        .setColumns(columns(panels))
                        .setPanelSize(height, width)
                        .optGap(GAP)
                        .optBar(BAR)
                        .build()
                        .add(shown)
                        .add(pictures.segmentation(masks.resize(height, width)));
        List<Image> slots = pictures.slots(shown, masks);
        for (int k = 0; k < slots.size(); k++) {
            grid.add(slots.get(k), Palette.colourBlindSafe().rgb(k));
        }
        return grid.draw();
    }

    private static int panelSide(int panels) {
        return Math.min(PANEL, (int) Math.sqrt((double) MAX_PIXELS / panels));
    }
}
