package org.slotwise.conditioning;

/**
 * The equations of conditionings in TorchScript: {@code forward(like, slots, noise)}, where like is
 * any array of B images and says the type, and noise (B, K, D) takes the place of the draw.
 */
final class ConditioningScript {

    private ConditioningScript() {}

    /** mu + exp(logsigma) noise, with numbers for all slots alike or for each its own. */
    static String drawn(int dim, int slots, boolean slotwise) {
        return """
                def forward(self, like: Tensor, slots: int=%1$s, noise: Optional[Tensor]=None) -> Tensor:
                  if torch.__is__(noise, None):
                    b = torch.size(like, 0)
                    t = ops.prim.dtype(like)
                    d = ops.prim.device(like)
                    z = torch.randn([b, slots, %2$s], dtype=t, layout=None, device=d)
                  else:
                    z = unchecked_cast(Tensor, noise)
                %3$s
                  return torch.add(torch.mul(z, torch.exp(s)), m)
                """
                .formatted(slots, dim, (slotwise ? firstSlots(slots) : ALL).stripTrailing());
    }

    private static final String ALL =
            """
              m = self.slots_mu
              s = self.slots_logsigma
            """;

    private static String firstSlots(int slots) {
        return """
                  k = torch.size(z, 1)
                  if torch.gt(k, %1$s):
                    ops.prim.RaiseException("slots must be 1 to %1$s")
                  m = torch.slice(self.slots_mu, 1, 0, k, 1)
                  s = torch.slice(self.slots_logsigma, 1, 0, k, 1)
                """
                .formatted(slots);
    }

    /** The values of the first slots, for each image. */
    static String learnt(int slots) {
        return """
                def forward(self, like: Tensor, slots: int=%1$s, noise: Optional[Tensor]=None) -> Tensor:
                  if torch.__is__(noise, None):
                    k = slots
                  else:
                    k = torch.size(unchecked_cast(Tensor, noise), 1)
                  if torch.gt(k, %1$s):
                    ops.prim.RaiseException("slots must be 1 to %1$s")
                  first = torch.slice(self.slots, 1, 0, k, 1)
                  return torch.repeat(first, [torch.size(like, 0), 1, 1])
                """
                .formatted(slots);
    }
}
