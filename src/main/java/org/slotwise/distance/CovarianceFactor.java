package org.slotwise.distance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Script;

/**
 * A factor A of a covariance S = AᵀA, with the mean: what the Fréchet distance needs of a set. The
 * trace of (S1 S2)^(1/2) is the sum of the singular values of A Bᵀ.
 *
 * @param mean (d) float64
 * @param factor A, (any, d) float64
 * @param count n; 0 if it is not known
 */
record CovarianceFactor(NDArray mean, NDArray factor, long count) {

    /** Sums in float32 of thousands of features are off by less, beside the norm of all. */
    private static final double ROUNDING = 1e-5;

    private static final class Loaded {
        static final Script SCRIPT =
                new Script(
                        """
                        def triangle(self: __torch__.Script,
                          x: Tensor) -> Tensor:
                          q, r = torch.linalg_qr(x, "r")
                          return r
                        def nuclear(self: __torch__.Script,
                          x: Tensor) -> Tensor:
                          return torch.sum(torch.linalg_svdvals(x))
                        def missing(self: __torch__.Script,
                          x: Tensor,
                          e: Tensor) -> Tensor:
                          d = torch.mul(torch.ones_like(torch.diag(x)), e)
                          l, info = torch.linalg_cholesky_ex(torch.add(x, torch.diag(d)))
                          return info
                        def spectrum(self: __torch__.Script,
                          x: Tensor) -> Tensor:
                          return torch.linalg_eigvalsh(x)
                        def root(self: __torch__.Script,
                          x: Tensor) -> Tensor:
                          w, v = torch.linalg_eigh(x)
                          s = torch.sqrt(torch.clamp_min(w, 0))
                          return torch.mul(torch.unsqueeze(s, 1), torch.transpose(v, 0, 1))
                        """);
    }

    /** A = R of QR((f - mu) / sqrt(n - 1)), of features (n, d) in float64. */
    static CovarianceFactor of(NDArray features) {
        long n = features.getShape().get(0);
        NDArray mean = features.mean(new int[] {0}, true);
        NDArray scale = Scalars.like(features, 1 / Math.sqrt(n - 1.0));
        NDArray scaled = features.sub(mean).muli(scale);
        return new CovarianceFactor(mean.squeeze(0), call("triangle", scaled), n);
    }

    /** A = sqrt(w) Vᵀ with S = V w Vᵀ, in the manager of the mean. */
    static CovarianceFactor of(NDArray mean, NDArray covariance, long count) {
        return new CovarianceFactor(mean, call("root", covariance), count);
    }

    /**
     * The least eigenvalue of what should be a covariance, where it is lower than rounding makes
     * it: by Cholesky's method, which fails then, in a fraction of the time of eigenvalues.
     *
     * @param covariance (d, d) float64
     * @return the eigenvalue; 0 where none is below -1e-5 times the norm
     */
    static double shortfall(NDArray covariance) {
        // Of another scale, squares could be infinite, or 0.
        double largest = read(covariance.abs().max());
        if (largest == 0) {
            return 0;
        }
        NDArray scaled = covariance.div(Scalars.like(covariance, largest));
        double norm = Math.sqrt(read(scaled.square().sum()));
        NDArray allowed = Scalars.like(covariance, ROUNDING * norm);
        NDArray failed = Loaded.SCRIPT.call("missing", scaled, allowed).singletonOrThrow();
        return read(failed.toType(DataType.FLOAT64, false)) == 0
                ? 0
                : largest * read(call("spectrum", scaled).min());
    }

    /** |mu1 - mu2|² + tr S1 + tr S2 - 2 tr (S1 S2)^(1/2). */
    double distance(CovarianceFactor other) {
        NDArray moved = mean.sub(other.mean).square().sum();
        NDArray own = factor.square().sum();
        NDArray its = other.factor.square().sum();
        NDArray cross = call("nuclear", factor.matMul(other.factor.transpose()));
        return read(moved) + read(own) + read(its) - 2 * read(cross);
    }

    private static double read(NDArray scalar) {
        return Ops.read(scalar)[0];
    }

    private static NDArray call(String function, NDArray x) {
        NDArray wide = x.toType(DataType.FLOAT64, false);
        return Loaded.SCRIPT.call(function, wide).singletonOrThrow();
    }
}
