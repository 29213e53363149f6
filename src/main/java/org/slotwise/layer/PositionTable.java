package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.initializer.Initializer;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;

/**
 * A learnt vector for each place of a sequence, added to what lies there.
 *
 * <pre>{@code
 * y_i = x_i + p_i            for the places i = 0, 1, ... that x has
 * }</pre>
 *
 * <p>x and y are (B, N, D), N at most the table's length; the table is (1, length, D).
 */
public final class PositionTable implements Layer {

    private final long length;
    private final long size;
    private final Parameter table;

    private PositionTable(long length, long size, Parameter table) {
        this.length = length;
        this.size = size;
        this.table = table;
    }

    /**
     * A table.
     *
     * @param parameters declares under the layer's name
     * @param name the table's own name, "pe" for instance
     * @param length the longest sequence
     * @param size D
     * @param start how it starts, {@link StartingValues#truncatedNormal} for instance
     * @return the layer
     */
    public static PositionTable of(
            Declarer parameters, String name, long length, long size, Initializer start) {
        return new PositionTable(length, size, parameters.weight(name, start, 1, length, size));
    }

    /**
     * Adds the positions.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @return (B, N, D)
     * @throws IllegalArgumentException if x is longer than the table
     */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        Check.shape("PositionTable", "input", x, "B", "N", size);
        Shape shape = x.getShape();
        long n = shape.get(1);
        Check.option(
                n <= length,
                "PositionTable: sequences must have at most " + length + " places, got " + n);
        NDArray all = pass.value(table);
        return x.add(n == length ? all : all.get(":, 0:{}", n));
    }

    /**
     * Adds the positions from a place on, for sequences that come piece by piece.
     *
     * @param pass the call of the block
     * @param x (B, N, D)
     * @param first the place of the first of them, from 0
     * @return (B, N, D)
     * @throws IllegalArgumentException if they end after the table
     */
    public NDArray at(Pass pass, NDArray x, long first) {
        long end = first + x.getShape().get(1);
        Check.option(
                first >= 0 && end <= length,
                "PositionTable: places must be from 0 to "
                        + (length - 1)
                        + ", got "
                        + first
                        + " to "
                        + (end - 1));
        return x.add(pass.value(table).get(":, {}:{}", first, end));
    }
}
