package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import java.util.Map;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Scalars;
import org.slotwise.testing.ReferenceCase;

/**
 * Stick-breaking grouping as the reference writes it, difference by difference: what the block is
 * compared with, in values, gradients and time. It knows no stopping rule.
 */
final class PlainStickBreaking {

    private PlainStickBreaking() {}

    /** Objects (B, K, D) and masks (B, K, N), with the parameters of a block. */
    static NDList run(Block block, NDArray x, NDArray uniform, int slots, double eps) {
        Map<String, NDArray> w = ReferenceCase.parameters(block);
        boolean norm = w.containsKey("in_proj.0.weight");
        String in = norm ? "in_proj.1." : "in_proj.";
        NDArray normed =
                norm ? Ops.layerNorm(x, w.get("in_proj.0.weight"), w.get("in_proj.0.bias")) : x;
        NDArray y = Ops.linear(normed, w.get(in + "weight"), w.get(in + "bias"));
        NDArray p = y.div(Ops.clampMin(y.norm(2, new int[] {2}, true), 1e-12));
        NDArray kernelVar = w.get("kernel_logvar").exp();
        Shape shape = p.getShape();

        NDArray logScope = uniform.zerosLike();
        NDArray logSeeds = Ops.clampMin(uniform, eps).log();
        NDList masks = new NDList();
        for (int k = 0; k < slots; k++) {
            NDArray index = logScope.add(logSeeds).argMax(1);
            NDArray centre =
                    p.gather(index.reshape(-1, 1, 1).broadcast(shape.get(0), 1, shape.get(2)), 1);
            NDArray distances = centre.sub(p).square().sum(new int[] {2});
            NDArray logAlpha = Ops.clampMin(distances.neg().div(kernelVar), Math.log(eps));
            masks.add(logScope.add(logAlpha).exp());
            NDArray one = Scalars.like(logAlpha, 1);
            logScope = logScope.add(Ops.clampMin(one.sub(logAlpha.exp()), eps).log());
        }
        NDArray slotMasks = NDArrays.stack(masks, 1);
        NDArray total = Ops.clampMin(slotMasks.sum(new int[] {2}, true), eps);
        NDArray objects =
                Ops.linear(
                        slotMasks.matMul(x).div(total),
                        w.get("out_proj.weight"),
                        w.get("out_proj.bias"));
        return new NDList(objects, slotMasks);
    }
}
