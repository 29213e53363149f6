package org.slotwise.grouping;

import org.jspecify.annotations.Nullable;
import org.slotwise.grouping.SlotAttentionVariant.Aggregation;
import org.slotwise.grouping.SlotAttentionVariant.SoftmaxOver;
import org.slotwise.layer.Layer;
import org.slotwise.torchscript.ScriptModule;

/**
 * The equations of {@link SlotAttention} in TorchScript. Keys and values are made once, whatever
 * takes fewer multiplications; a masked slot's logits are -infinity, since a module may change its
 * type.
 */
record SlotAttentionScript(
        SlotAttentionLayers layers,
        @Nullable Object feedForward,
        SlotAttentionVariant variant,
        int heads,
        int iterations,
        double eps,
        boolean implicitDifferentiation) {

    private static final String FORWARD =
            """
            def forward(self, features: Tensor, conditioning: Tensor, slot_mask: Optional[Tensor]=None) -> Dict[str, Tensor]:
              x = %1$s
              keys = torch.permute(self.by_heads(%2$s), [0, 1, 3, 2])
              values = self.by_heads(%3$s)
              s = conditioning
              a = torch.zeros([0])
              for i in range(%4$s):
                s, a, = self.step(keys, values, s, slot_mask)
            %5$s
              out = annotate(Dict[str, Tensor], {"objects": s, "feature_attributions": torch.mean(a, [1])})
              if torch.__isnot__(slot_mask, None):
                m = unchecked_cast(Tensor, slot_mask)
                torch._set_item(out, "is_empty", torch.clone(m))
              return out
            def group(self, features: Tensor, positions: Tensor, conditioning: Tensor) -> Dict[str, Tensor]:
              return self.forward(features, conditioning, None)
            def by_heads(self, x: Tensor) -> Tensor:
              y = torch.reshape(x, [torch.size(x, 0), torch.size(x, 1), %6$s, -1])
              return torch.transpose(y, 1, 2)
            """;

    private static final String IMPLICIT =
            """
              s, a, = self.step(keys, values, torch.detach(s), slot_mask)
            """;

    private static final String STEP =
            """
            def step(self, keys: Tensor, values: Tensor, s: Tensor, slot_mask: Optional[Tensor]) -> Tuple[Tensor, Tensor]:
              q = torch.mul(%1$s, %2$s)
              logits = torch.matmul(self.by_heads(q), keys)
              if torch.__is__(slot_mask, None):
                a = self.compete(logits)
              else:
                m = torch.unsqueeze(torch.unsqueeze(unchecked_cast(Tensor, slot_mask), 1), 3)
                a = torch.masked_fill(self.compete(torch.masked_fill(logits, m, -inf)), m, 0)
              u = torch.add(torch.matmul(a, values), torch.mul(torch.sum(values, [2], True), %3$s))
              n = torch.size(values, 2)
              total = torch.add(torch.sum(a, [3], True), torch.mul(n, %3$s))
              total = torch.masked_fill(total, torch.eq(total, 0), 1)
              u = %4$s
              u = torch.reshape(torch.transpose(u, 1, 2), [torch.size(s, 0), torch.size(s, 1), %5$s])
              u = %6$s
              return (%7$s, a)
            def compete(self, logits: Tensor) -> Tensor:
              return %8$s
            """;

    ScriptModule module() {
        return ScriptModule.builder("SlotAttention")
                .module("to_q", script(layers.query()))
                .module("to_k", script(layers.key()))
                .module("to_v", script(layers.value()))
                .module("gru", script(layers.gru()))
                .module("norm_input", script(layers.inputNorm()))
                .module("norm_slots", script(layers.slotNorm()))
                .module("norm_updates", script(layers.updateNorm()))
                .module("ff_mlp", script(feedForward))
                .setCode(forward() + step())
                .build();
    }

    /** What was left out has no module. */
    private static @Nullable ScriptModule script(@Nullable Object part) {
        return isThere(part) ? ScriptModule.of("SlotAttention", part) : null;
    }

    private static boolean isThere(@Nullable Object part) {
        return part != null && part != (Object) Layer.NONE;
    }

    /** The call of a part, or what it would be given. */
    private static String call(@Nullable Object part, String name, String of) {
        return isThere(part) ? "self." + name + ".forward(" + of + ")" : of;
    }

    private String forward() {
        return FORWARD.formatted(
                call(layers.inputNorm(), "norm_input", "features"),
                call(layers.key(), "to_k", "x"),
                call(layers.value(), "to_v", "x"),
                iterations,
                implicitDifferentiation ? IMPLICIT.stripTrailing() : "",
                heads);
    }

    private String step() {
        String norm = call(layers.slotNorm(), "norm_slots", "s");
        String updated = layers.gru() == null ? "u" : "self.gru.forward(u, s)";
        boolean mean = variant.aggregation() == Aggregation.WEIGHTED_MEAN;
        return STEP.formatted(
                call(layers.query(), "to_q", norm),
                Math.sqrt(heads / (double) layers.kvqDim()),
                eps,
                mean ? "torch.div(u, total)" : "u",
                layers.kvqDim(),
                call(layers.updateNorm(), "norm_updates", "u"),
                call(feedForward, "ff_mlp", updated),
                variant.softmaxOver() == SoftmaxOver.FEATURES
                        ? "torch.softmax(logits, 3)"
                        : "torch.reshape(torch.softmax(torch.flatten(logits, 1, 2), 1), torch.size(logits))");
    }
}
