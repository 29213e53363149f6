package org.slotwise.internal;

import ai.djl.ndarray.NDArray;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * A step of Adam as one operation of the engine, on a CPU: weight and moments are read and written
 * once, where the single operations pass over them twelve times. The operation takes numbers as
 * they lie in memory, so that arrays that lie otherwise than row by row are copied and written
 * back.
 *
 * @param beta1 how much of the first moment is kept
 * @param beta2 how much of the second moment is kept
 * @param eps what is added to the root of the second moment
 * @param decay the weight decay
 * @param decoupled whether weights decay by themselves
 */
public record FusedAdam(double beta1, double beta2, double eps, double decay, boolean decoupled) {

    private static final ConcurrentMap<FusedAdam, Script> SCRIPTS = new ConcurrentHashMap<>();

    private Script script() {
        return Script.plain(
                """
                def step(self: __torch__.Script,
                  w: Tensor,
                  g: Tensor,
                  m: Tensor,
                  v: Tensor,
                  t: Tensor,
                  rate: Tensor) -> Tensor:
                  ws = [torch.contiguous(w)]
                  ms = [torch.contiguous(m)]
                  vs = [torch.contiguous(v)]
                  torch.%s(ws, [torch.contiguous(g)], ms, vs, annotate(List[Tensor], []), [t], lr=float(rate), beta1=%s, beta2=%s, weight_decay=%s, eps=%s, amsgrad=False, maximize=False)
                  _0 = torch.copy_(m, ms[0])
                  _1 = torch.copy_(v, vs[0])
                  return torch.copy_(w, ws[0])
                """
                        .formatted(
                                decoupled ? "_fused_adamw_" : "_fused_adam_",
                                beta1,
                                beta2,
                                decay,
                                eps));
    }

    /**
     * Takes a step; no graph is recorded in this thread.
     *
     * @param w the weight, changed in place
     * @param g its gradient, of the same type
     * @param m the first moment, changed in place
     * @param v the second moment, changed in place
     * @param t the number of the step, float64
     * @param rate the learning rate, float64
     */
    public void step(NDArray w, NDArray g, NDArray m, NDArray v, NDArray t, NDArray rate) {
        SCRIPTS.computeIfAbsent(this, FusedAdam::script).call("step", w, g, m, v, t, rate).close();
    }
}
