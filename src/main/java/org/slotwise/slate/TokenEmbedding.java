package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.PositionTable;
import org.slotwise.layer.StartingValues;

/**
 * A learnt vector for each token and for the beginning of a picture, and for each place. Row 0 of
 * the table is the beginning (BOS), row v + 1 is token v.
 */
record TokenEmbedding(Parameter table, PositionTable positions) {

    static TokenEmbedding of(Declarer parameters, SlateConfiguration sizes) {
        PositionTable positions =
                PositionTable.of(
                        parameters.under("positional_encoder"),
                        "pe",
                        sizes.tokens() + 1L,
                        sizes.dim(),
                        StartingValues.truncatedNormal());
        return new TokenEmbedding(table(parameters, sizes.vocabulary(), sizes.dim()), positions);
    }

    private static Parameter table(Declarer parameters, int vocabulary, int dim) {
        return parameters
                .under("dictionary")
                .under("dictionary")
                .weight("weight", StartingValues.normal(1), vocabulary + 1L, dim);
    }

    /** BOS and tokens (B, n) int64 with their positions: (B, n + 1, D). */
    NDArray apply(Pass pass, NDArray tokens) {
        NDArray start = start(tokens, tokens.getShape().get(0)).expandDims(1);
        NDArray rows = NDArrays.concat(new NDList(start, rowsOf(tokens)), 1);
        return positions.apply(pass, rows(pass, rows));
    }

    /** The rows of BOS, (B). */
    static NDArray start(NDArray like, long batch) {
        return Scalars.full(like, new Shape(batch), 0, DataType.INT64);
    }

    /** The rows of tokens. */
    static NDArray rowsOf(NDArray tokens) {
        return tokens.add(Scalars.like(tokens, 1));
    }

    /** The vectors of rows (B, n), without positions: (B, n, D). */
    NDArray rows(Pass pass, NDArray rows) {
        return Ops.rows(pass.value(table), rows);
    }

    /** The vectors of rows (B, 1) with the position of a place: (B, 1, D). */
    NDArray at(Pass pass, NDArray rows, int place) {
        return positions.at(pass, rows(pass, rows), place);
    }
}
