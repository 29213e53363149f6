package org.slotwise.autoencoder;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.internal.Scope;
import org.slotwise.layer.StartingValues;

/**
 * The nearest of learnt codes, with a straight-through gradient.
 *
 * <p>Source: van den Oord et al., "Neural Discrete Representation Learning" (2017), section 3.
 *
 * <pre>{@code
 * k = argmin |z - e_k|²             the first of equals
 * q = z + stop(e_k - z)
 * loss = mean (stop(e_k) - z)² + 1/4 mean (e_k - stop(z))²
 * }</pre>
 *
 * <p>As SlotDiffusion has it, whose weights of the two terms are the paper's exchanged. Codes:
 * {@code embedding.weight} (codes, C), started uniformly in ±1 / codes.
 */
final class NearestCode {

    private static final double WEIGHT = 0.25;

    private final Parameter table;

    NearestCode(Declarer parameters, int codes, int channels) {
        table =
                parameters
                        .under("embedding")
                        .weight("weight", StartingValues.uniform(1.0 / codes), codes, channels);
    }

    /** Latents (B, C, h, w), codes (B, h, w) int64, loss. */
    NDList quantize(Pass pass, NDArray z) {
        try (Scope scope = new Scope()) {
            NDArray e = pass.value(table);
            NDArray codes = NoGraph.during(() -> nearest(z, e));
            NDArray found = Ops.rows(e, codes).transpose(0, 3, 1, 2); // (B, C, h, w)
            NDArray stopped = z.stopGradient();
            NDArray toCode = found.stopGradient().sub(z).square().mean();
            NDArray toLatent = found.sub(stopped).square().mean();
            NDArray loss = toCode.add(toLatent.mul(Scalars.like(z, WEIGHT)));
            NDArray q = z.add(found.sub(z).stopGradient());
            return new NDList(scope.keep(q), scope.keep(codes), scope.keep(loss));
        }
    }

    /** Which code is nearest, image by image: distances to all codes take much room. */
    private static NDArray nearest(NDArray z, NDArray e) {
        try (Scope scope = new Scope()) {
            Shape s = z.getShape();
            NDArray tokens = FusedOps.tokens(z); // (B, h w, C)
            // Products in float64, around the codes' mean: what is far, or far apart, costs no
            // digits.
            NDArray wide = e.toType(DataType.FLOAT64, false);
            NDArray mean = wide.mean(new int[] {0}, true); // (1, C)
            NDArray around = wide.sub(mean);
            NDArray columns = around.swapAxes(0, 1);
            NDArray half = around.square().sum(new int[] {1}).mul(Scalars.like(around, 0.5));
            NDList all = new NDList();
            for (long b = 0; b < s.get(0); b++) {
                try (Scope image = new Scope()) {
                    // |z - e|² = |z|² - 2 (z e - |e|² / 2)
                    NDArray token = tokens.get(b).toType(DataType.FLOAT64, false).sub(mean);
                    NDArray near = token.matMul(columns).subi(half);
                    all.add(image.keep(near.argMax(1)));
                }
            }
            NDArray codes = NDArrays.stack(all).reshape(s.get(0), s.get(2), s.get(3));
            return scope.keep(codes);
        }
    }
}
