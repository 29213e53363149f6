package org.slotwise.matching;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

/**
 * Which rows of a matrix are matched with which of its columns, for each image.
 *
 * @param rows (B, P) int64, ascending in each image, where P is the number of pairs
 * @param columns (B, P) int64, the column that each of these rows is matched with
 */
public record Assignment(NDArray rows, NDArray columns) {

    /**
     * Picks the elements of the matched pairs, such as their costs. Gradients flow to them.
     *
     * @param matrices (B, N, M) where the smaller of N and M is P; of any type
     * @return (B, P), in the matrices' manager
     * @throws IllegalArgumentException if the matrices do not have this shape, or are on another
     *     device
     */
    public NDArray pick(NDArray matrices) {
        String who = "Assignment";
        Check.shape(who, "matrices", matrices, rows.getShape().get(0), "N", "M");
        Check.sameDevice(who, "matrices", matrices, "the matched rows", rows);
        Shape shape = matrices.getShape();
        long pairs = rows.getShape().get(1);
        Check.option(
                Math.min(shape.get(1), shape.get(2)) == pairs,
                who
                        + ": the smaller of rows and columns of matrices must be "
                        + pairs
                        + ", got "
                        + shape);
        try (Scope scope = new Scope()) {
            NDArray width = Scalars.ofType(rows, (double) shape.get(2), DataType.INT64);
            NDArray index = rows.mul(width).add(columns);
            NDArray flat = matrices.reshape(shape.get(0), shape.get(1) * shape.get(2));
            return scope.keep(flat.gather(index, 1), matrices.getManager());
        }
    }
}
