package org.slotwise.composition;

import ai.djl.modality.cv.Image;
import java.util.function.IntFunction;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;
import org.slotwise.internal.Check;

/**
 * A picture of a library: a row for each cluster, with the members that are nearest to its centre,
 * over a bar in the cluster's colour.
 */
public final class ClusterPictures {

    private static final String WHO = "ClusterPictures";

    private final int columns;
    private final int height;
    private final int width;

    /**
     * Pictures of some size.
     *
     * @param columns how many members of each cluster are shown, at least 1
     * @param height the height of a member's panel in pixels, at least 1
     * @param width the width
     * @throws IllegalArgumentException if a number is below 1
     */
    public ClusterPictures(int columns, int height, int width) {
        Check.atLeast(WHO, "columns", columns, 1);
        Check.atLeast(WHO, "height", height, 1);
        Check.atLeast(WHO, "width", width, 1);
        this.columns = columns;
        this.height = height;
        this.width = width;
    }

    /**
     * Draws a library.
     *
     * @param library what is drawn
     * @param member the picture of a slot by its row: what a decoder makes of it, or the part of
     *     its source that it took; of any size
     * @return a sheet of as many rows as there are clusters; panels stay empty where a cluster has
     *     fewer members
     */
    public Image draw(SlotLibrary library, IntFunction<Image> member) {
        PictureGrid grid =
                PictureGrid.builder().setColumns(columns).setPanelSize(height, width).build();
        Palette palette = Palette.colourBlindSafe();
        for (int k = 0; k < library.clusters(); k++) {
            int[] nearest = library.nearest(k, columns);
            for (int column = 0; column < columns; column++) {
                if (column < nearest.length) {
                    grid.add(member.apply(nearest[column]), palette.rgb(k));
                } else {
                    grid.skip();
                }
            }
        }
        return grid.draw();
    }
}
