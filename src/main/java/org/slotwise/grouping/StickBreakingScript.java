package org.slotwise.grouping;

import ai.djl.ndarray.types.DataType;
import org.slotwise.torchscript.ScriptModule;

/**
 * Attributions of {@link StickBreakingGrouping} in TorchScript, for features that are compared as
 * they are: its projection is taken for the identity, and it makes no objects. That leaves nothing
 * to be learnt, and gradients end here.
 */
record StickBreakingScript(
        Kernel kernel, double kernelVar, double eps, int slots, StoppingRule rule) {

    private static final String FORWARD =
            """
            def forward(self, features: Tensor, uniform: Tensor) -> Dict[str, Tensor]:
              y = torch.detach(features)
              t = ops.prim.dtype(y)
              norm = torch.norm(y, 2, [2], False)
              norms = torch.clamp_min(norm, 1e-12)
              squares = torch.div(norm, norms)
              log_var = torch.tensor(%1$s, dtype=t, device=ops.prim.device(y))
              if torch.eq(t, 7):
                rounding = %3$s
              else:
                rounding = %2$s
              log_alphas, log_scopes = self.take(y, norms, torch.mul(squares, squares), uniform, torch.neg(torch.exp(log_var)), rounding)
              masks = torch.exp(torch.add(log_scopes, log_alphas))
              return {"guess": masks, "is_empty": self.empty(masks, log_scopes)}
            def take(self, y: Tensor, norms: Tensor, norm2: Tensor, uniform: Tensor, minus_var: Tensor, rounding: float) -> Tuple[Tensor, Tensor]:
              _6, log_alphas, log_scopes = self.steps(y, norms, norm2, uniform, minus_var, %4$s, %5$s, rounding, True, %6$s, %6$s)
              return (log_alphas, log_scopes)
            def steps(self, y: Tensor, norms: Tensor, norm2: Tensor, uniform: Tensor, minus_var: Tensor, eps: float, log_eps: float, rounding: float, normalised: bool, centres: int, pieces: int) -> Tuple[Tensor, Tensor, Tensor]:
            """;

    /**
     * The same in fewer operations, of features in columns (B, F, N), which are divided by their
     * norms before they are compared.
     */
    private static final String INFER =
            """
            def infer(self, columns: Tensor, uniform: Tensor) -> Dict[str, Tensor]:
              norm = torch.norm(columns, 2, [1], True)
              norms = torch.clamp_min(norm, 1e-12)
              y = torch.div(columns, norms)
              norm2 = torch.div(norm, norms)
              norm2 = torch.mul(norm2, norm2)
              b = torch.size(y, 0)
              n = torch.size(y, 2)
              t = ops.prim.dtype(y)
              minus_var = %7$s
              eps = %4$s
              log_eps = %5$s
              if torch.eq(t, 7):
                rounding = %3$s
              else:
                rounding = %2$s
              log_alphas = annotate(List[Tensor], [])
              log_scopes = annotate(List[Tensor], [])
              log_seeds = torch.log(torch.clamp_min(uniform, eps))
              log_scope = torch.zeros_like(log_seeds)
              for k in range(%6$s):
                choice = torch.argmax(torch.add(log_scope, log_seeds), 1, True)
                choice = torch.unsqueeze(choice, 1)
                c = torch.gather(y, 2, torch.expand(choice, [b, torch.size(y, 1), 1]))
                sums = torch.add(norm2, torch.gather(norm2, 2, choice))
                squares = torch.squeeze(torch.baddbmm(sums, torch.transpose(c, 1, 2), y, beta=1, alpha=-2), 1)
                squares = torch.threshold_(squares, rounding, 0)
                log_alpha = %8$s
                _1 = torch.append(log_alphas, log_alpha)
                _2 = torch.append(log_scopes, log_scope)
                left = torch.clamp_min_(torch.rsub(torch.exp(log_alpha), 1), eps)
                log_scope = torch.add(log_scope, torch.log_(left))
              all_scopes = torch.stack(log_scopes, 1)
              masks = torch.exp_(torch.add(all_scopes, torch.stack(log_alphas, 1)))
              return {"guess": masks, "is_empty": self.empty(masks, all_scopes)}
            """;

    ScriptModule module(int featureDim) {
        return ScriptModule.builder("StickBreaking")
                .setCode(
                        written(FORWARD, featureDim)
                                + StickBreakingSteps.body(kernel)
                                + rule.script())
                .optInference(written(INFER, featureDim))
                .build();
    }

    private String written(String code, int featureDim) {
        return code.formatted(
                Math.log(kernelVar),
                StickBreaking.threshold(DataType.FLOAT32, featureDim),
                StickBreaking.threshold(DataType.FLOAT64, featureDim),
                eps,
                Math.log(eps),
                slots,
                -kernelVar,
                kernel.script());
    }
}
