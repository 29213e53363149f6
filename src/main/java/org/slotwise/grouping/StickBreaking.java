package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;

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

    private final NDArray projected; // y (B, N, F)
    private final NDArray norms; // max(||y||, floor), (B, N)
    private final NDArray squares; // ||p||^2: 1, but 0 where y = 0; (B, N)
    private final NDArray minusKernelVar; // ()
    private final double eps;
    private final double logEps;
    private final double nearlyZero;

    /**
     * Prepares features.
     *
     * @param projected the features before they are normalised, (B, N, F)
     * @param kernelLogVar the logarithm of the kernel's variance, ()
     * @param eps the least value of alphas and of what they leave, before logarithms
     */
    StickBreaking(NDArray projected, NDArray kernelLogVar, double eps) {
        DataType type = projected.getDataType();
        this.projected = projected;
        NDArray norm = projected.norm(2, new int[] {2}, false);
        norms = Ops.clampMin(norm, normFloor(type));
        squares = norm.div(norms).square();
        minusKernelVar = kernelLogVar.exp().neg();
        this.eps = Math.max(eps, Scalars.smallest(type));
        logEps = Math.log(eps);
        nearlyZero = rounding(type, projected.getShape().get(2));
    }

    /** Masks and the logarithms of the scopes before each of them, both (B, K, N). */
    record Pieces(NDArray masks, NDArray logScopes) {}

    /**
     * Breaks.
     *
     * @param uniform the draw U that decides among what is unexplained, (B, N)
     * @param pieces how many pieces to make, K
     * @param restAsLast whether the last piece is what the others leave, rather than a centre's
     */
    Pieces breakUp(NDArray uniform, int pieces, boolean restAsLast) {
        NDArray certain = uniform.zerosLike().expandDims(1); // log 1, (B, 1, N)
        if (restAsLast && pieces == 1) {
            return new Pieces(certain.exp(), certain);
        }
        int centres = restAsLast ? pieces - 1 : pieces;
        NDArray chosen = NoGraph.during(() -> choose(uniform, centres));
        NDArray logAlphas = logAlphas(chosen);
        NDArray logScopes = certain;
        if (pieces > 1) {
            // log scope_k = sum of log (1 - alpha) before k, for all k at once
            NDArray before = restAsLast ? logAlphas : logAlphas.get(":, :-1");
            logScopes = certain.concat(logRemainders(before).cumSum(1), 1);
        }
        // The rest is a piece with alpha = 1.
        NDArray all = restAsLast ? logAlphas.concat(certain, 1) : logAlphas;
        return new Pieces(logScopes.add(all).exp(), logScopes);
    }

    /** The features that become centres, (B, K). */
    private NDArray choose(NDArray uniform, int centres) {
        NDArray logSeeds = Ops.clampMin(uniform, eps).log();
        NDArray logScope = logSeeds.zerosLike();
        NDList chosen = new NDList();
        for (int k = 0; k < centres; k++) {
            try (Scope scope = new Scope()) {
                NDArray score = logScope.add(logSeeds);
                NDArray next = Ops.argMax(score, 1); // (B, 1)
                chosen.add(scope.keep(next));
                if (k < centres - 1) {
                    NDArray left = logRemainders(logAlphas(next)).squeeze(1);
                    NDArray nextScope = scope.keep(logScope.add(left));
                    logScope.close();
                    logScope = nextScope;
                }
            }
        }
        return NDArrays.concat(chosen, 1);
    }

    /** log alpha = max(-||c - p||^2 / kernel_var, log eps), (B, K, N), for centres (B, K). */
    private NDArray logAlphas(NDArray chosen) {
        Shape shape = projected.getShape();
        NDArray index =
                chosen.expandDims(2)
                        .broadcast(shape.get(0), chosen.getShape().get(1), shape.get(2));
        NDArray y = projected.gather(index, 1); // (B, K, F)
        NDArray c = y.div(norms.gather(chosen, 1).expandDims(2));
        // ||c - p||^2 = ||c||^2 + ||p||^2 - 2 c . p, where c . p = (c . y) / ||y||
        NDArray cosine2 = dot(c.add(c)).div(norms.expandDims(1));
        NDArray lengths = squares.gather(chosen, 1).expandDims(2).add(squares.expandDims(1));
        NDArray distances = lengths.sub(cosine2);
        // What is left by rounding where c = p counts as 0, as it would in c - p.
        NDArray equal = distances.lt(Scalars.like(distances, nearlyZero));
        distances = Ops.maskedFill(distances, equal, 0);
        return Ops.clampMin(distances.div(minusKernelVar), logEps);
    }

    /** c . y, (B, K, N), for c (B, K, F). */
    private NDArray dot(NDArray c) {
        return projected.batchMatMul(c.swapAxes(1, 2)).swapAxes(1, 2);
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

    /**
     * A bound on the rounding error of ||c - p||^2 as computed here: about twice what was measured
     * between equal vectors of 1 to 16384 elements, in units of the type's spacing at 1. (float16
     * sums in float32; the norm in float64 sums element after element.)
     */
    private static double rounding(DataType type, long size) {
        double growth = Math.sqrt((double) size);
        return switch (type) {
            case FLOAT16 -> 4 * 0x1p-10;
            case FLOAT32 -> (8 + growth / 2) * 0x1p-23;
            default -> (8 + growth * 4) * 0x1p-52;
        };
    }
}
