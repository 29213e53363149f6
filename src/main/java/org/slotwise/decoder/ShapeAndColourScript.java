package org.slotwise.decoder;

import java.util.Map;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.internal.FourierFeatures;
import org.slotwise.torchscript.ScriptModule;

/** The equations of {@link ShapeAndColourDecoder} in TorchScript. */
final class ShapeAndColourScript {

    /** An empty slot's logit: finite, so that masks are equal where all slots are empty. */
    private static final double LOWEST = -3e38;

    private static final String FORWARD =
            """
            def forward(self, slots: Tensor, slot_positions: Tensor, is_empty: Optional[Tensor]=None) -> Dict[str, Tensor]:
              b = torch.size(slots, 0)
              k = torch.size(slots, 1)
              d = self.shift.forward(slots)
              g = torch.unsqueeze(torch.add(self.gain.forward(slots), 1), 2)
              o = torch.unsqueeze(self.offset.forward(slots), 2)
              y = self.row.forward(self.code(%1$s, slot_positions, d, 0))
              x = self.column.forward(self.code(%2$s, slot_positions, d, 1))
              y = torch.unsqueeze(torch.add(torch.mul(y, g), o), 3)
              h = torch.relu(torch.add(y, torch.unsqueeze(torch.mul(x, g), 2)))
              h = torch.relu(self.hidden.forward(h))
              a = torch.squeeze(self.alpha.forward(h), 4)
              if torch.__isnot__(is_empty, None):
                m = torch.reshape(unchecked_cast(Tensor, is_empty), [b, k, 1, 1])
                a = torch.masked_fill(a, m, %3$s)
              masks = torch.softmax(a, 1)
              c = torch.sigmoid(self.colour.forward(slots))
              made = torch.matmul(torch.transpose(c, 1, 2), torch.flatten(masks, 2))
              flat = torch.expand(torch.reshape(c, [b, k, 3, 1, 1]), [-1, -1, -1, %1$s, %2$s])
              return {"reconstruction": torch.reshape(made, [b, 3, %1$s, %2$s]), "slot_images": flat, "masks": masks}
            def code(self, size: int, at: Tensor, shift: Tensor, axis: int) -> Tensor:
              i = torch.arange(0, size, 1, dtype=ops.prim.dtype(at), layout=None, device=ops.prim.device(at), pin_memory=None)
              places = torch.div(torch.add(i, 0.5), size)
              p = torch.unsqueeze(torch.select(at, 2, axis), 2)
              s = torch.unsqueeze(torch.select(shift, 2, axis), 2)
              d = torch.sub(torch.mul(torch.sub(places, p), 2), s)
              return self.waves(torch.unsqueeze(torch.mul(d, 2), 3))
            """;

    private ShapeAndColourScript() {}

    /**
     * The decoder.
     *
     * @param parts its linear maps by their names
     * @param height of images
     * @param width of images
     * @param hidden R
     * @param frequencies L
     */
    static ScriptModule of(
            Map<String, ScriptModule> parts, int height, int width, int hidden, int frequencies) {
        ScriptModule.Builder builder = ScriptModule.builder("ShapeAndColourDecoder");
        parts.forEach(builder::module);
        return builder.optInputs(
                        "objects",
                        PositionedSlots.SLOT_POSITIONS,
                        PerceptualGroupingOutput.IS_EMPTY)
                .setCode(
                        FORWARD.formatted(height, width, LOWEST)
                                + FourierFeatures.script("waves", frequencies))
                .optInference(
                        new ShapeAndColourInference(height, width, hidden, frequencies, LOWEST)
                                .methods())
                .build();
    }
}
