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

    ScriptModule module(int featureDim) {
        return ScriptModule.builder("StickBreaking")
                .setCode(
                        FORWARD.formatted(
                                        Math.log(kernelVar),
                                        StickBreaking.threshold(DataType.FLOAT32, featureDim),
                                        StickBreaking.threshold(DataType.FLOAT64, featureDim),
                                        eps,
                                        Math.log(eps),
                                        slots)
                                + StickBreakingSteps.body(kernel)
                                + rule.script())
                .build();
    }
}
