package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * Breaks the unit mass of each feature into pieces, one for each centre: the arithmetic of {@link
 * StickBreakingGrouping}.
 *
 * <p>Which features become centres is decided first, step by step and without a graph, since no
 * gradient flows through a choice. Then alphas and scopes of all centres are computed at once: one
 * matrix product, and one more in the backward pass, in place of (B, N, F) differences for each
 * step.
 */
final class StickBreaking {

    private final NDArray features; // x (B, N, F)
    private final UnaryOperator<NDArray> projection;
    private final @Nullable NDArray shift; // (N, F)
    private final Projected all; // N of them
    private final Kernel kernel;
    private final NDArray minusKernelVar; // ()
    private final double eps;
    private final double rounding; // of ||c||^2 + ||p||^2, where c = p

    /**
     * Prepares features.
     *
     * @param features (B, N, F)
     * @param projection what the features pass before they are compared, the size unchanged
     * @param shift what is then added to each, (N, F); null to normalise them instead
     * @param kernel how alphas follow from distances
     * @param kernelLogVar the logarithm of the kernel's variance, ()
     * @param eps the least value of U, of alphas and of what they leave; above 0 in the features'
     *     type
     */
    StickBreaking(
            NDArray features,
            UnaryOperator<NDArray> projection,
            @Nullable NDArray shift,
            Kernel kernel,
            NDArray kernelLogVar,
            double eps) {
        DataType type = features.getDataType();
        this.features = features;
        this.projection = projection;
        this.shift = shift;
        this.kernel = kernel;
        all = new Projected(features, shift);
        minusKernelVar = kernelLogVar.exp().neg();
        this.eps = eps;
        rounding = rounding(type, features.getShape().get(2)) / 2;
    }

    /** Some features' y, of which p = y / ||y||; p = y where there is a shift. */
    private final class Projected {
        final NDArray y; // (B, M, F)
        final @Nullable NDArray norms; // max(||y||, floor), (B, M)
        final NDArray squares; // ||p||^2: 1 if normalised, but 0 where y = 0; (B, M)

        Projected(NDArray x, @Nullable NDArray shift) {
            if (shift != null) {
                y = projection.apply(x).add(shift);
                norms = null;
                squares = y.square().sum(new int[] {2});
                return;
            }
            y = projection.apply(x);
            NDArray norm = y.norm(2, new int[] {2}, false);
            norms = Ops.clampMin(norm, normFloor(y.getDataType()));
            squares = norm.div(norms).square();
        }

        /** What y is divided by, (B, M). */
        NDArray norms() {
            return norms == null ? squares.onesLike() : norms;
        }

        /** p (B, M, F). */
        NDArray points() {
            return norms == null ? y : y.div(norms.expandDims(2));
        }

        /** c . p, (B, K, M), for c (B, K, F). */
        NDArray dot(NDArray c) {
            // c . p = (c . y) / ||y||
            NDArray dots = Ops.dots(c, y);
            return norms == null ? dots : dots.div(norms.expandDims(1));
        }
    }

    /** Masks and the logarithms of the scopes before each of them, both (B, K, N). */
    record Pieces(NDArray masks, NDArray logScopes) {

        static Pieces of(NDArray logAlphas, NDArray logScopes) {
            return new Pieces(logScopes.add(logAlphas).exp(), logScopes);
        }
    }

    /**
     * Breaks.
     *
     * @param uniform the draw U that decides among what is unexplained, (B, N)
     * @param pieces how many pieces to make, K
     * @param restAsLast whether the last piece is what the others leave, rather than a centre's
     */
    Pieces breakUp(NDArray uniform, int pieces, boolean restAsLast) {
        int centres = restAsLast ? pieces - 1 : pieces;
        StickBreakingSteps steps =
                NoGraph.during(
                        () ->
                                StickBreakingSteps.take(
                                        all.y,
                                        all.norms(),
                                        shift == null,
                                        all.squares,
                                        uniform,
                                        kernel,
                                        minusKernelVar,
                                        eps,
                                        rounding,
                                        centres,
                                        pieces));
        if (!NoGraph.isRecording() || centres == 0) {
            return Pieces.of(steps.logAlphas(), steps.logScopes());
        }
        // The same once more, for all centres at once and with a graph.
        NDArray certain = steps.logScopes().get(":, 0:1"); // log 1
        NDArray logAlphas = logAlphas(steps.chosen());
        if (restAsLast) {
            logAlphas = logAlphas.concat(certain, 1);
        }
        if (pieces == 1) {
            return Pieces.of(logAlphas, certain);
        }
        // log scope_k = sum of log (1 - alpha) before k
        NDArray spent = logRemainders(logAlphas.get(":, :-1")).cumSum(1);
        return Pieces.of(logAlphas, certain.concat(spent, 1));
    }

    /** log alpha = max(-||c - p||^2 / kernel_var, log eps), (B, K, N), for centres (B, K). */
    private NDArray logAlphas(NDArray chosen) {
        Shape shape = features.getShape();
        NDArray index =
                chosen.expandDims(2)
                        .broadcast(shape.get(0), chosen.getShape().get(1), shape.get(2));
        // Projected anew: gradients then reach the weights by K features instead of by N of which
        // all but K are zero.
        Projected centres =
                new Projected(
                        features.gather(index, 1), shift == null ? null : Ops.rows(shift, chosen));
        NDArray c = centres.points(); // (B, K, F)
        // ||c - p||^2 = ||c||^2 + ||p||^2 - 2 c . p
        NDArray cosine2 = all.dot(c.add(c));
        NDArray squares = centres.squares.expandDims(2).add(all.squares.expandDims(1));
        NDArray distances = squares.sub(cosine2);
        // What rounding leaves where c = p counts as 0, as it would in c - p.
        NDArray equal = distances.lte(squares.mul(Scalars.like(squares, rounding)));
        distances = Ops.maskedFill(distances, equal, 0);
        return kernel.logAlphas(distances, minusKernelVar, eps);
    }

    /** log of what alpha leaves: log max(1 - alpha, eps). */
    private NDArray logRemainders(NDArray logAlphas) {
        NDArray alphas = logAlphas.exp();
        return Ops.clampMin(Scalars.like(alphas, 1).sub(alphas), eps).log();
    }

    /** What PyTorch's normalize takes for the least norm; in float16 the least normal number. */
    private static double normFloor(DataType type) {
        return type == DataType.FLOAT16 ? 0x1p-14 : 1e-12;
    }

    /** Which ||c - p||^2 of points of norm 1 counts as 0. */
    static double threshold(DataType type, long size) {
        return rounding(type, size); // half of ||c||^2 + ||p||^2 times this
    }

    /**
     * A bound on the rounding error of ||c - p||^2 as computed here: about twice what was measured
     * between equal vectors of 1 to 16384 elements, in units of the type's spacing at 1. (float16
     * sums in float32; the norm in float64 sums element after element.)
     */
    static double rounding(DataType type, long size) {
        double growth = Math.sqrt((double) size);
        return switch (type) {
            case FLOAT16 -> 4 * 0x1p-10;
            case FLOAT32 -> (8 + growth / 2) * 0x1p-23;
            default -> (8 + growth * 4) * 0x1p-52;
        };
    }

    /**
     * eps as far as the type goes: a logarithm must not be of 0. In float16 the spacing of numbers
     * at 1, since gradients are divided by what eps leaves.
     */
    static double least(double eps, DataType type) {
        return Math.max(eps, type == DataType.FLOAT16 ? 0x1p-10 : Scalars.smallest(type));
    }
}
