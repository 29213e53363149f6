package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;

/**
 * How much of a feature a centre of {@link StickBreakingGrouping} claims, by their distance d.
 *
 * <p>Source: Engelcke et al., "GENESIS-V2: Inferring Unordered Object Representations without
 * Iterative Refinement" (2021), the kernels of the instance colouring stick-breaking process
 * (Algorithm 1), held to the authors' implementation (applied-ai-lab/genesis, {@code
 * InstanceColouringSBP}). Their sigma is kernel_var here. They use the Gaussian if not told
 * otherwise.
 */
public enum Kernel {
    /** exp(-d² / kernel_var). */
    GAUSSIAN {
        @Override
        NDArray logAlphas(NDArray squares, NDArray minusKernelVar, double eps) {
            return Ops.clampMin(squares.div(minusKernelVar), Math.log(eps));
        }

        @Override
        String script() {
            return "torch.clamp_min(torch.div(squares, minus_var), log_eps)";
        }

        @Override
        double variance(double slots) {
            return 1 / (slots * Math.log(2));
        }
    },
    /** exp(-d / kernel_var). */
    LAPLACIAN {
        @Override
        NDArray logAlphas(NDArray squares, NDArray minusKernelVar, double eps) {
            // The root has no slope at 0: no gradient there.
            NDArray none = squares.eq(Scalars.like(squares, 0));
            NDArray roots = Ops.maskedFill(squares, none, 1).sqrt();
            NDArray distances = Ops.maskedFill(roots, none, 0);
            return Ops.clampMin(distances.div(minusKernelVar), Math.log(eps));
        }

        @Override
        String script() {
            return "torch.clamp_min(torch.div(torch.sqrt(squares), minus_var), log_eps)";
        }

        @Override
        double variance(double slots) {
            return 1 / (Math.sqrt(slots) * Math.log(2));
        }
    },
    /** max(1 - d² / kernel_var, 0). */
    EPANECHNIKOV {
        @Override
        NDArray logAlphas(NDArray squares, NDArray minusKernelVar, double eps) {
            NDArray alphas = squares.div(minusKernelVar).add(Scalars.like(squares, 1));
            return Ops.clampMin(alphas, eps).log();
        }

        @Override
        String script() {
            return "torch.log(torch.clamp_min(torch.add(torch.div(squares, minus_var), 1), eps))";
        }

        @Override
        double variance(double slots) {
            return 2 / slots;
        }
    };

    /**
     * The kernel_var that GENESIS-V2 starts from: the more slots, the narrower. All three kernels
     * are then 1/2 at d² = 1 / slots.
     *
     * <pre>{@code
     * GAUSSIAN 1 / (K ln 2)      LAPLACIAN 1 / (sqrt(K) ln 2)      EPANECHNIKOV 2 / K
     * }</pre>
     *
     * @param slots K, at least 1
     * @return what {@link StickBreakingGrouping.Builder#optKernelVar} takes
     * @throws IllegalArgumentException if there is no slot
     */
    public double startingVar(int slots) {
        Check.option(slots > 0, "Kernel: slots must be at least 1, got " + slots);
        return variance(slots);
    }

    abstract double variance(double slots);

    /**
     * log max(alpha, eps).
     *
     * @param squares d², at least 0
     * @param minusKernelVar the kernel's variance less its sign, ()
     * @param eps above 0 in the type of the distances
     */
    abstract NDArray logAlphas(NDArray squares, NDArray minusKernelVar, double eps);

    /**
     * The same as an expression of TorchScript, of squares, minus_var, eps and log_eps = log(eps).
     */
    abstract String script();
}
