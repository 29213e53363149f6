package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.data.Crop;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;

/** Images below each other, and beside each what a model sees in it. */
public final class DiscoveryFigure {

    /** About how high and wide a panel is. */
    public static final int PANEL = 140;

    /** Room between panels. */
    public static final int GAP = 6;

    /** The bar of a slot's colour under what belongs to it. */
    public static final int BAR = 6;

    private final SlotPictures pictures = SlotPictures.builder().build();
    private final int panelHeight;
    private final int panelWidth;

    /** Rows of panels; each row's first panels have no bar, the others are slots. */
    private record Row(List<Image> whole, List<Image> slots) {}

    /** What a figure shows. */
    public enum What {
        /** A row for each image: the image, made again, its segmentation, each slot. */
        SCENES,
        /** The image, its segmentation, and both over each other. */
        OVERLAY,
        /** What of the image belongs to each slot; below, what the model makes of the slot. */
        SLOTS,
        /** For each slot the image where its mask is above a half. */
        THRESHOLD,
        /** What each slot attended to, a row for each iteration. */
        ATTENTION,
        /** All of these. */
        ALL
    }

    /** Chooses the size of panels by that of an image. */
    private DiscoveryFigure(Image image) {
        // Whole squares for pixels, so that small images are seen as they are.
        int side = Math.max(image.getHeight(), image.getWidth());
        int scale = Math.max(1, Math.round((float) PANEL / side));
        panelHeight = image.getHeight() * scale;
        panelWidth = image.getWidth() * scale;
    }

    /**
     * Draws a figure.
     *
     * @param what what it shows
     * @param images images of one size, at least one
     * @param found what was found in each
     * @return an image
     */
    public static Image draw(What what, List<Image> images, List<DiscoveredObjects> found) {
        return new DiscoveryFigure(images.get(0)).sheet(what, images, found);
    }

    private Image sheet(What what, List<Image> images, List<DiscoveredObjects> found) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            add(what, images.get(i), found.get(i), rows);
        }
        int whole = rows.stream().mapToInt(row -> row.whole().size()).max().orElseThrow();
        int slots = rows.stream().mapToInt(row -> row.slots().size()).max().orElseThrow();
        PictureGrid grid =
                PictureGrid.builder()
                        .setColumns(whole + slots)
                        .setPanelSize(panelHeight, panelWidth)
                        .optGap(GAP)
                        .optBar(slots == 0 ? 0 : BAR)
                        .build();
        for (Row row : rows) {
            row.whole().forEach(grid::add);
            for (int k = row.whole().size(); k < whole; k++) {
                grid.skip();
            }
            for (int k = 0; k < row.slots().size(); k++) {
                grid.add(row.slots().get(k), Palette.colourBlindSafe().rgb(k));
            }
            for (int k = row.slots().size(); k < slots; k++) {
                grid.skip();
            }
        }
        return grid.draw();
    }

    private void add(What what, Image whole, DiscoveredObjects found, List<Row> rows) {
        SlotMasks masks = found.masks();
        Image image = seen(whole, found.window());
        Image segmentation = like(image, pictures.segmentation(masks));
        List<Image> parts = pictures.slots(image, masks);
        Row made = new Row(again(image, found), like(image, pictures.slotImages(found)));
        List<Image> thresholded = pictures.thresholded(image, masks);
        switch (what) {
            case SCENES -> {
                List<Image> all = new ArrayList<>(List.of(image));
                all.addAll(made.whole());
                all.add(segmentation);
                rows.add(new Row(all, parts));
            }
            case OVERLAY ->
                    rows.add(
                            new Row(
                                    List.of(image, segmentation, overlay(image, masks)),
                                    List.of()));
            case SLOTS -> {
                rows.add(new Row(List.of(image), parts));
                addMade(made, rows);
            }
            case THRESHOLD -> rows.add(new Row(List.of(image), thresholded));
            case ATTENTION -> addAttention(image, image, found, rows);
            case ALL -> {
                rows.add(new Row(List.of(image), parts));
                addMade(made, rows);
                rows.add(new Row(List.of(segmentation), thresholded));
                addAttention(overlay(image, masks), image, found, rows);
            }
        }
    }

    /** What of an image the model saw. */
    private static Image seen(Image whole, Crop window) {
        return window.height() == whole.getHeight() && window.width() == whole.getWidth()
                ? whole
                : whole.getSubImage(window.left(), window.top(), window.width(), window.height());
    }

    private static void addMade(Row made, List<Row> rows) {
        if (!made.whole().isEmpty() || !made.slots().isEmpty()) {
            rows.add(made);
        }
    }

    private void addAttention(Image first, Image image, DiscoveredObjects found, List<Row> rows) {
        List<Image> whole = List.of(first);
        for (SlotMasks step : found.attention()) {
            rows.add(new Row(whole, like(image, pictures.masks(step))));
            whole = List.of();
        }
    }

    /** In the proportions of an image, which the model sees without them. */
    private static Image like(Image image, Image drawn) {
        boolean same = image.getHeight() * drawn.getWidth() == image.getWidth() * drawn.getHeight();
        return same ? drawn : drawn.resize(image.getWidth(), image.getHeight(), true);
    }

    private static List<Image> like(Image image, List<Image> drawn) {
        return drawn.stream().map(one -> like(image, one)).toList();
    }

    /** The image made again, where the model does that. */
    private static List<Image> again(Image image, DiscoveredObjects found) {
        Image reconstruction = found.reconstruction();
        return reconstruction == null ? List.of() : List.of(like(image, reconstruction));
    }

    /** At the panel's size: outlines would hide small images. */
    private Image overlay(Image image, SlotMasks masks) {
        double scale =
                Math.min(
                        (double) panelHeight / image.getHeight(),
                        (double) panelWidth / image.getWidth());
        int width = Math.max(1, (int) Math.round(image.getWidth() * scale));
        int height = Math.max(1, (int) Math.round(image.getHeight() * scale));
        return pictures.overlay(image.resize(width, height, true), masks);
    }
}
