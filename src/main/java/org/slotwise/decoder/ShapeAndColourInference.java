package org.slotwise.decoder;

/**
 * {@link ShapeAndColourDecoder} without a graph, in the order that takes the fewest operations, and
 * numbers of some slots at a time that stay in the processor's cache.
 *
 * <pre>{@code
 * sin(a (x - c)) = sin(a x) cos(a c) - cos(a x) sin(a c)        cosines likewise
 * }</pre>
 *
 * <p>so that it is the maps of places that turn with a slot, and not all places that are seen from
 * it. What is added to all slots' logits alike changes no mask, and is left out.
 */
record ShapeAndColourInference(int height, int width, int hidden, int frequencies, double lowest) {

    /** Numbers of a layer that are computed at a time: less than a megabyte. */
    private static final int IN_CACHE = 200_000;

    private static final String METHODS =
            """
            def settled(self, like: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
              x = torch.ones([1], dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None)
              turns = annotate(List[Tensor], [torch.slice(x, 0, 0, 0, 1)])
              for k in range(%4$s):
                turn = torch.mul(x, torch.mul(torch.add(k, 1), %6$s))
                _0 = torch.append(turns, turn)
                _1 = torch.append(turns, turn)
              return (self.along(like, %1$s), self.along(like, %2$s), torch.cat(turns, 0))
            def along(self, like: Tensor, size: int) -> Tensor:
              i = torch.arange(0, size, 1, dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None)
              places = torch.unsqueeze(torch.sub(torch.mul(torch.div(torch.add(i, 0.5), size), 4), 2), 1)
              waves = torch.slice(self.waves(places), 1, 1, %8$s, 1)
              return torch.unsqueeze(torch.cat([waves, places, torch.ones_like(places)], 1), 0)
            def infer(self, slots: Tensor, slot_positions: Tensor, is_empty: Optional[Tensor], rows: Tensor, columns: Tensor, turns: Tensor) -> Dict[str, Tensor]:
              b = torch.size(slots, 0)
              k = torch.size(slots, 1)
              n = torch.mul(b, k)
              by_slot = torch.t(torch.cat([self.shift.weight, self.gain.weight, self.offset.weight, self.colour.weight], 0))
              bias = torch.cat([torch.sub(self.shift.bias, 1), self.gain.bias, self.offset.bias, self.colour.bias], 0)
              s = torch.addmm(bias, torch.flatten(slots, 0, 1), by_slot)
              shift = torch.slice(s, 1, 0, 2, 1)
              gain = torch.reshape(torch.slice(s, 1, 2, %9$s, 1), [n, 1, 1, %3$s])
              offset = torch.unsqueeze(torch.slice(s, 1, %9$s, %10$s, 1), 1)
              c = torch.view(torch.sigmoid(torch.slice(s, 1, %10$s, %11$s, 1)), [b, k, 3])
              at = torch.add(torch.mul(torch.flatten(slot_positions, 0, 1), 4), shift, alpha=2)
              at = torch.unsqueeze(at, 2)
              maps = torch.transpose(torch.stack([self.row.weight, self.column.weight], 0), 1, 2)
              line = torch.slice(maps, 1, 0, 1, 1)
              waves = torch.slice(maps, 1, 1, %8$s, 1)
              pairs = torch.reshape(waves, [2, %4$s, 2, %3$s])
              turned = torch.stack([torch.select(pairs, 2, 1), torch.neg(torch.select(pairs, 2, 0))], 2)
              turned = torch.reshape(turned, [2, %5$s, %3$s])
              angles = torch.unsqueeze(torch.mul(at, turns), 3)
              across = torch.mul(waves, torch.cos(angles))
              across = torch.addcmul(across, turned, torch.sin(angles))
              begin = torch.unsqueeze(torch.stack([self.row.bias, self.column.bias], 0), 1)
              begin = torch.addcmul(begin, torch.unsqueeze(at, 3), line, value=-1)
              maps = torch.cat([across, torch.expand(line, [n, 2, 1, %3$s]), begin], 2)
              maps = torch.addcmul(maps, maps, gain)
              y = torch.baddbmm(offset, torch.expand(rows, [n, %1$s, %7$s]), torch.select(maps, 1, 0))
              x = torch.bmm(torch.expand(columns, [n, %2$s, %7$s]), torch.select(maps, 1, 1))
              y = torch.unsqueeze(y, 2)
              x = torch.unsqueeze(x, 1)
              by_hidden = torch.view(self.alpha.weight, [%3$s])
              alphas = annotate(List[Tensor], [])
              for i in range(torch.floordiv(torch.add(n, %13$s), %12$s)):
                j = torch.mul(i, %12$s)
                l = torch.add(j, %12$s)
                h = torch._add_relu(torch.slice(y, 0, j, l, 1), torch.slice(x, 0, j, l, 1))
                h = self.hidden.activated(torch.view(h, [-1, %3$s]))
                _2 = torch.append(alphas, torch.mv(h, by_hidden))
              if torch.eq(torch.len(alphas), 1):
                a = alphas[0]
              else:
                a = torch.cat(alphas, 0)
              a = torch.view(a, [b, k, %14$s])
              if torch.__isnot__(is_empty, None):
                m = torch.unsqueeze(unchecked_cast(Tensor, is_empty), 2)
                a = torch.masked_fill_(a, m, %15$s)
              masks = torch.softmax(a, 1)
              made = torch.view(torch.bmm(torch.transpose(c, 1, 2), masks), [b, 3, %1$s, %2$s])
              flat = torch.expand(torch.view(c, [b, k, 3, 1, 1]), [-1, -1, -1, %1$s, %2$s])
              return {"reconstruction": made, "slot_images": flat, "masks": torch.view(masks, [b, k, %1$s, %2$s])}
            """;

    /** The methods {@code settled} and {@code infer}. */
    String methods() {
        int pixels = height * width;
        int together = Math.max(1, IN_CACHE / Math.max(1, pixels * hidden));
        return METHODS.formatted(
                height,
                width,
                hidden,
                frequencies,
                2 * frequencies,
                Math.PI / 2,
                2 * frequencies + 2,
                Integer.MAX_VALUE,
                2 + hidden,
                2 + 2 * hidden,
                5 + 2 * hidden,
                together,
                together - 1,
                pixels,
                lowest);
    }
}
