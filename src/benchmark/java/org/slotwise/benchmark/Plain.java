package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.slotwise.internal.TorchScriptArchive;

/**
 * The reference's computation, written plainly in PyTorch and run by the same libtorch in the same
 * process: what the library is measured against.
 */
final class Plain {

    private static final String SLOT_ATTENTION =
            """
              def slot_attention(self: __torch__.Plain,
                inputs: Tensor,
                conditioning: Tensor,
                iters: Tensor,
                to_q: Tensor,
                to_k: Tensor,
                to_v: Tensor,
                w_ih: Tensor,
                w_hh: Tensor,
                b_ih: Tensor,
                b_hh: Tensor,
                ni_w: Tensor,
                ni_b: Tensor,
                ns_w: Tensor,
                ns_b: Tensor) -> Tuple[Tensor, Tensor]:
                b = torch.size(inputs, 0)
                n = torch.size(inputs, 1)
                f = torch.size(inputs, 2)
                k_slots = torch.size(conditioning, 1)
                d = torch.size(conditioning, 2)
                c = torch.size(to_q, 0)
                x = torch.layer_norm(inputs, [f], ni_w, ni_b)
                k = torch.view(torch.linear(x, to_k), [b, n, 1, c])
                v = torch.view(torch.linear(x, to_v), [b, n, 1, c])
                slots = conditioning
                attn = conditioning
                for i in range(int(iters)):
                  slots_prev = slots
                  s = torch.layer_norm(slots, [d], ns_w, ns_b)
                  q = torch.view(torch.linear(s, to_q), [b, k_slots, 1, c])
                  dots = torch.mul(torch.einsum("bihd,bjhd->bihj", [q, k]), torch.pow(c, -0.5))
                  a = torch.softmax(torch.flatten(dots, 1, 2), 1)
                  a0 = torch.view(a, [b, k_slots, 1, n])
                  a1 = torch.add(a0, 1e-08)
                  a2 = torch.div(a1, torch.sum(a1, [-1], True))
                  u = torch.einsum("bjhd,bihj->bihd", [v, a2])
                  h = torch.gru_cell(torch.reshape(u, [-1, c]), torch.reshape(slots_prev, [-1, d]), w_ih, w_hh, b_ih, b_hh)
                  slots = torch.reshape(h, [b, -1, d])
                  attn = torch.mean(a0, [2])
                return (slots, attn)
            """;

    private static final String STICK_BREAKING =
            """
              def stick_breaking(self: __torch__.Plain,
                features: Tensor,
                uniform: Tensor,
                n_slots: Tensor,
                kernel_logvar: Tensor,
                in_w: Tensor,
                in_b: Tensor,
                out_w: Tensor,
                out_b: Tensor) -> Tuple[Tensor, Tensor]:
                b = torch.size(features, 0)
                f = torch.size(features, 2)
                proj = torch.linear(features, in_w, in_b)
                norm = torch.expand_as(torch.clamp_min(torch.norm(proj, 2, [-1], True), 1e-12), proj)
                p = torch.div(proj, norm)
                log_scope = torch.zeros_like(torch.select(features, 2, 0))
                log_seeds = torch.log(torch.clamp_min(uniform, 1e-08))
                masks = annotate(List[Tensor], [])
                scopes = annotate(List[Tensor], [])
                for i in range(int(n_slots)):
                  _0 = torch.append(scopes, log_scope)
                  idx = torch.argmax(torch.add(log_scope, log_seeds), 1)
                  at = torch.expand(torch.view(idx, [b, 1, 1]), [-1, -1, f])
                  centers = torch.gather(p, 1, at)
                  dists = torch.sum(torch.pow(torch.sub(centers, p), 2), [-1])
                  log_alpha = torch.clamp_min(torch.div(torch.neg(dists), torch.exp(kernel_logvar)), -18.420680743952367)
                  _1 = torch.append(masks, torch.exp(torch.add(log_scope, log_alpha)))
                  rest = torch.log(torch.clamp_min(torch.rsub(torch.exp(log_alpha), 1), 1e-08))
                  log_scope = torch.add(log_scope, rest)
                slot_masks = torch.stack(masks, 1)
                scope = torch.exp(torch.stack(scopes, 1))
                empty = torch.lt(torch.mean(scope, [-1]), 0.)
                s = torch.einsum("bkp,bpd->bkd", [slot_masks, features])
                s1 = torch.div(s, torch.clamp_min(torch.sum(slot_masks, [-1], True), 1e-08))
                s2 = torch.linear(s1, out_w, out_b)
                s3 = torch.masked_fill(s2, torch.unsqueeze(empty, -1), 0.)
                return (s3, slot_masks)
            """;

    private final PtSymbolBlock module;
    private final NDManager manager;

    Plain(NDManager manager) {
        this.manager = manager;
        String source =
                "class Plain(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
                        + SLOT_ATTENTION
                        + STICK_BREAKING;
        try {
            module =
                    JniUtils.loadModule(
                            (PtNDManager) manager,
                            new ByteArrayInputStream(TorchScriptArchive.of("Plain", source)),
                            true,
                            false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Calls a method; arrays must have no names, and a number travels as an array without
     * dimensions.
     */
    NDList call(String method, NDArray... arguments) {
        NDArray tag = manager.zeros(new ai.djl.ndarray.types.Shape(1));
        tag.setName("module_method:" + method);
        NDList list = new NDList(arguments);
        list.add(tag);
        NDList out = IValueUtils.forward(module, list, true);
        tag.close();
        return out;
    }
}
