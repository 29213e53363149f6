package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.slotwise.internal.Ops;

/**
 * What is in scenes, cell by cell: N = G G cells, row by row.
 *
 * @param rendered the scenes, drawn again
 * @param latents the distributions of what cells have
 * @param cells what they have: the most probable, or a draw
 */
public record ExplainedScenes(RenderedScenes rendered, CellLatents latents, Cells cells) {

    private static final double HALF = 0.5;

    /** All arrays. */
    NDList arrays() {
        NDList all = rendered.arrays();
        all.addAll(latents.arrays());
        all.addAll(cells.arrays());
        return all;
    }

    /**
     * How many objects there are in each scene: cells whose presence rounds to 1.
     *
     * @return one number a scene
     */
    public int[] counts() {
        return objects().stream().mapToInt(List::size).toArray();
    }

    /**
     * The objects of each scene, the nearest first: cells whose presence rounds to 1.
     *
     * @return one list a scene
     */
    public List<List<PlacedObject>> objects() {
        Shape s = cells.where().getShape();
        int scenes = (int) s.get(0);
        int n = (int) (s.get(2) * s.get(3));
        double size = rendered.picture().getShape().get(3);
        double[] presence = read(cells.presence());
        double[] where = read(cells.where());
        double[] depth = read(cells.depth());
        double[] what = read(cells.what());
        int dim = what.length / (scenes * n);
        List<List<PlacedObject>> all = new ArrayList<>();
        for (int b = 0; b < scenes; b++) {
            List<PlacedObject> objects = new ArrayList<>();
            for (int i = 0; i < n; i++) {
                int row = b * n + i;
                if (presence[row] > HALF) {
                    float[] vector = new float[dim];
                    for (int d = 0; d < dim; d++) {
                        vector[d] = (float) what[row * dim + d];
                    }
                    objects.add(
                            new PlacedObject(
                                    i, presence[row], depth[row], box(where, row, size), vector));
                }
            }
            objects.sort(Comparator.comparingDouble(PlacedObject::depth));
            all.add(List.copyOf(objects));
        }
        return List.copyOf(all);
    }

    private static PlacedObject.Box box(double[] where, int row, double size) {
        double width = where[4 * row] * size;
        double height = where[4 * row + 1] * size;
        double x = (where[4 * row + 2] + 1) / 2 * size;
        double y = (where[4 * row + 3] + 1) / 2 * size;
        return new PlacedObject.Box(x - width / 2, y - height / 2, width, height);
    }

    private static double[] read(NDArray map) {
        try (NDArray rows = Cells.rows(map)) {
            return Ops.read(rows);
        }
    }
}
