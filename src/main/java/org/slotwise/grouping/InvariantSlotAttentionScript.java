package org.slotwise.grouping;

import org.jspecify.annotations.Nullable;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.torchscript.ScriptModule;

/**
 * The equations of {@link InvariantSlotAttention} in TorchScript, as {@link
 * InvariantSlotAttentionIteration} has them. Positions that are not given are drawn.
 */
record InvariantSlotAttentionScript(
        InvariantSlotAttentionLayers layers,
        @Nullable Object feedForward,
        int dim,
        int frequencies,
        int iterations,
        double eps,
        boolean implicitDifferentiation) {

    private static final String ARGUMENTS =
            "self, features: Tensor, positions: Tensor, conditioning: Tensor,"
                    + " slot_positions: Optional[Tensor]=None, guess: Optional[Tensor]=None,"
                    + " is_empty: Optional[Tensor]=None";

    private static final String FORWARD =
            """
            def forward(%1$s) -> Dict[str, Tensor]:
              x = self.norm_input.forward(features)
              keys = torch.transpose(torch.mul(self.to_k.forward(x), %2$s), 1, 2)
              values = self.to_v.forward(x)
              near = torch.unsqueeze(self.relative.features.forward(x), 1)
              s = conditioning
              if torch.__is__(slot_positions, None):
                shape = [torch.size(s, 0), torch.size(s, 1), 2]
                p = torch.rand(shape, dtype=ops.prim.dtype(s), layout=None, device=ops.prim.device(s), pin_memory=None)
              else:
                p = unchecked_cast(Tensor, slot_positions)
              a = torch.zeros([0])
              for i in range(%3$s):
            %4$s
                if torch.__isnot__(guess, None):
                  guessed = torch.eq(i, 0)
                else:
                  guessed = False
                if guessed:
                  a = unchecked_cast(Tensor, guess)
                else:
                  a = self.attend(keys, positions, s, p, is_empty)
                s, p, = self.update(values, near, positions, s, p, a, guessed)
              out = annotate(Dict[str, Tensor], {"objects": s, "feature_attributions": a, "slot_positions": p})
              if torch.__isnot__(is_empty, None):
                m = unchecked_cast(Tensor, is_empty)
                torch._set_item(out, "is_empty", torch.clone(m))
              return out
            def group(%1$s) -> Dict[str, Tensor]:
              return self.forward(features, positions, conditioning, slot_positions, guess, is_empty)
            """;

    private static final String IMPLICIT =
            """
                if torch.eq(i, %s):
                  s = torch.detach(s)
                  p = torch.detach(p)
            """;

    private static final String STEP =
            """
            def attend(self, keys: Tensor, positions: Tensor, s: Tensor, p: Tensor, is_empty: Optional[Tensor]) -> Tensor:
              z = self.norm_slots.forward(s)
              d = self.relative.to(positions, p)
              distance = torch.sum(torch.mul(d, d), [3])
              width = torch.sub(self.to_scale.forward(z), torch.mul(self.log_scale, 2))
              nearness = torch.mul(torch.div(torch.exp(width), 2), distance)
              side = torch.sum(torch.mul(d, torch.unsqueeze(self.to_direction.forward(z), 2)), [3])
              logits = torch.matmul(self.to_q.forward(z), keys)
              logits = torch.add(torch.sub(logits, nearness), side)
              if torch.__is__(is_empty, None):
                a = torch.softmax(logits, 1)
              else:
                m = torch.unsqueeze(unchecked_cast(Tensor, is_empty), 2)
                a = torch.masked_fill(torch.softmax(torch.masked_fill(logits, m, -inf), 1), m, 0)
              return a
            def update(self, values: Tensor, near: Tensor, positions: Tensor, s: Tensor, p: Tensor, a: Tensor, guessed: bool) -> Tuple[Tensor, Tensor]:
              w = torch.add(a, %1$s)
              total = torch.sum(w, [2], True)
              w = torch.div(w, torch.masked_fill(total, torch.eq(total, 0), 1))
              c = torch.matmul(w, positions)
              if guessed:
                moved = torch.zeros_like(c)
              else:
                moved = torch.mul(torch.sub(c, p), 2)
              u = torch.add(torch.matmul(w, values), self.relative.forward(near, positions, w, c))
              u = torch.add(u, self.displacement.forward(torch.cat([moved, torch.abs(moved)], 2)))
              return (%2$s, c)
            """;

    private static final String RELATIVE =
            """
            def to(self, positions: Tensor, p: Tensor) -> Tensor:
              return torch.mul(torch.sub(positions, torch.unsqueeze(p, 2)), 2)
            def forward(self, near: Tensor, positions: Tensor, w: Tensor, c: Tensor) -> Tensor:
              phi = self.waves(torch.mul(self.to(positions, c), 2))
              h = torch.relu(torch.add(near, self.positions.forward(phi)))
              return self.output.forward(torch.squeeze(torch.matmul(torch.unsqueeze(w, 2), h), 2))
            """;

    ScriptModule module() {
        String who = "InvariantSlotAttention";
        String updated = "self.gru.forward(u, s)";
        return ScriptModule.builder(who)
                .module("to_q", layers.query().script())
                .module("to_k", layers.key().script())
                .module("to_v", layers.value().script())
                .module("gru", layers.gru().script())
                .module("norm_input", layers.inputNorm().script())
                .module("norm_slots", layers.slotNorm().script())
                .parameter("log_scale", layers.logScale())
                .module("to_scale", layers.scale().script())
                .module("to_direction", layers.direction().script())
                .module(
                        "relative",
                        ScriptModule.builder("Relative")
                                .module("features", layers.relativeFeature().script())
                                .module("positions", layers.relativePosition().script())
                                .module("output", layers.relativeOutput().script())
                                .setCode(RELATIVE + FourierFeatures.script("waves", frequencies))
                                .build())
                .module("displacement", layers.displacement().script())
                .module("ff_mlp", feedForward == null ? null : ScriptModule.of(who, feedForward))
                .optInputs(
                        FeatureExtractorOutput.FEATURES,
                        FeatureExtractorOutput.POSITIONS,
                        GroupingInputs.CONDITIONING,
                        PositionedSlots.SLOT_POSITIONS,
                        "guess",
                        PerceptualGroupingOutput.IS_EMPTY)
                .setCode(
                        FORWARD.formatted(
                                        ARGUMENTS,
                                        1 / Math.sqrt((double) dim),
                                        iterations,
                                        implicitDifferentiation
                                                ? IMPLICIT.formatted(iterations - 1)
                                                : "")
                                + STEP.formatted(
                                        eps,
                                        feedForward == null
                                                ? updated
                                                : "self.ff_mlp.forward(" + updated + ")"))
                .optInference(
                        new InvariantSlotAttentionInference(
                                        feedForward, dim, iterations, eps, frequencies)
                                .methods())
                .build();
    }
}
