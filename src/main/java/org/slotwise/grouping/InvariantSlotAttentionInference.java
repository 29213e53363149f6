package org.slotwise.grouping;

import org.jspecify.annotations.Nullable;
import org.slotwise.layer.FeedForward;

/**
 * All iterations of {@link InvariantSlotAttention} without a graph, in the order that takes the
 * fewest operations: on the features of a single picture these are what takes time. Slots of all
 * images are rows.
 *
 * <pre>{@code
 * sin(a (x - c)) = sin(a x) cos(a c) - cos(a x) sin(a c)        cosines likewise
 * }</pre>
 *
 * <p>so that it is the map of relative places that turns with a slot, and not all places that are
 * seen from it. Values are means of features mapped, and not of mapped features. Places are twice
 * as large as elsewhere, which spares products with 2.
 */
record InvariantSlotAttentionInference(
        @Nullable Object feedForward, int dim, int iterations, double eps, int frequencies) {

    /** Where all the weights of a slot may vanish. */
    private static final double VANISHING = 1e-30;

    private static final String NOTHING =
            """
                lost = torch.eq(total, 0)
                total = torch.masked_fill(total, lost, 1)
            """;

    /** A slot that receives nothing is at (0, 0), which is (-1, -1) here. */
    private static final String AT_ZERO =
            """
                feature = torch.select(torch.select(x, 0, 0), 0, 0)
                corner = torch.cat([torch.zeros_like(feature), torch.ones_like(torch.select(places, 0, 0))], 0)
                y = torch.sub(y, torch.mul(torch.view(lost, [rows, 1]), corner))
            """;

    private static final String SETTLED =
            """
            def settled(self, positions: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
              places = torch.sub(torch.mul(positions, 2), 1)
              columns = torch.contiguous(torch.transpose(places, 0, 1))
              waves = torch.slice(self.relative.waves(torch.mul(places, 2)), 1, 2, %1$s, 1)
              ones = torch.ones_like(torch.slice(positions, 1, 0, 1, 1))
              eye = torch.eye(2, dtype=ops.prim.dtype(positions), layout=None, device=ops.prim.device(positions), pin_memory=None)
              turns = annotate(List[Tensor], [torch.slice(eye, 1, 0, 0, 1)])
              for k in range(%2$s):
                turn = torch.mul(eye, torch.mul(torch.add(k, 1), %3$s))
                _0 = torch.append(turns, turn)
                _1 = torch.append(turns, turn)
              return (places, columns, torch.cat([waves, ones], 1), torch.cat(turns, 1))
            """;

    private static final String ITERATE =
            """
            def iterate(self, x: Tensor, near: Tensor, places: Tensor, columns: Tensor, waves: Tensor, turns: Tensor, conditioning: Tensor, slot_positions: Optional[Tensor], guess: Optional[Tensor], is_empty: Optional[Tensor], times: int) -> Tuple[Tensor, Tensor, Tensor]:
              b = torch.size(x, 0)
              n = torch.size(x, 1)
              f = torch.size(x, 2)
              k = torch.size(conditioning, 1)
              rows = torch.mul(b, k)
              keys = torch.transpose(self.to_k.forward(x), 1, 2)
              seen = torch.cat([x, torch.expand(torch.unsqueeze(places, 0), [b, n, 2])], 2)
              by_place = self.relative.positions.weight
              r = torch.size(by_place, 0)
              along = torch.mul(torch.transpose(torch.slice(by_place, 1, 0, 2, 1), 0, 1), 2)
              near = torch.unsqueeze(torch.add(near, torch.matmul(places, along)), 1)
              pairs = torch.reshape(torch.slice(by_place, 1, 2, %1$s, 1), [r, %2$s, 2, 2])
              turned = torch.stack([torch.select(pairs, 2, 1), torch.neg(torch.select(pairs, 2, 0))], 2)
              straight = torch.transpose(torch.reshape(pairs, [r, %3$s]), 0, 1)
              turned = torch.transpose(torch.reshape(turned, [r, %3$s]), 0, 1)
              back = torch.neg(along)
              all_waves = torch.expand(torch.unsqueeze(waves, 0), [rows, n, %4$s])
              by_query = torch.t(torch.cat([torch.mul(self.to_q.weight, %5$s), self.to_scale.weight, self.to_direction.weight], 0))
              width = torch.sub(torch.add(self.to_scale.bias, self.log_scale, alpha=-2), %6$s)
              none = torch.zeros([%7$s], dtype=ops.prim.dtype(x), layout=None, device=ops.prim.device(x), pin_memory=None)
              query_bias = torch.cat([none, width, self.to_direction.bias], 0)
              moves = self.displacement.weight
              step = torch.slice(moves, 1, 0, 2, 1)
              by_seen = torch.t(torch.cat([self.to_v.weight, step, self.relative.output.weight, torch.neg(step), torch.slice(moves, 1, 2, 4, 1)], 1))
              seen_bias = torch.add(self.relative.output.bias, self.displacement.bias)
              gru = self.gru
              w = torch.t(gru.weight_ih)
              gates_of_input = torch.slice(w, 1, 0, %8$s, 1)
              new_of_input = torch.slice(w, 1, %8$s, %9$s, 1)
              w = torch.t(gru.weight_hh)
              gates_of_state = torch.slice(w, 1, 0, %8$s, 1)
              new_of_state = torch.slice(w, 1, %8$s, %9$s, 1)
              gates_bias = torch.slice(torch.add(gru.bias_ih, gru.bias_hh), 0, 0, %8$s, 1)
              input_bias = torch.slice(gru.bias_ih, 0, %8$s, %9$s, 1)
              state_bias = torch.slice(gru.bias_hh, 0, %8$s, %9$s, 1)
            %13$s
              s = torch.reshape(conditioning, [rows, %7$s])
              if torch.__is__(slot_positions, None):
                p = torch.slice(s, 1, 0, 2, 1)
              else:
                p = torch.mul(unchecked_cast(Tensor, slot_positions), 2)
                p = torch.reshape(torch.sub(p, 1), [rows, 2])
              a = none
              for i in range(times):
                guessed = False
                if torch.__isnot__(guess, None):
                  guessed = torch.eq(i, 0)
                if guessed:
                  a = unchecked_cast(Tensor, guess)
                else:
                  g = torch.addmm(query_bias, self.norm_slots.forward(s), by_query)
                  d = torch.sub(columns, torch.unsqueeze(p, 2))
                  nearness = torch.unsqueeze(torch.exp(torch.slice(g, 1, %7$s, %15$s, 1)), 2)
                  side = torch.unsqueeze(torch.slice(g, 1, %15$s, %16$s, 1), 2)
                  side = torch.sum(torch.mul_(torch.addcmul(side, d, nearness, value=-1), d), [1])
                  q = torch.view(torch.slice(g, 1, 0, %7$s, 1), [b, k, %7$s])
                  logits = torch.baddbmm(torch.view(side, [b, k, n]), q, keys)
                  if torch.__is__(is_empty, None):
                    a = torch.softmax(logits, 1)
                  else:
                    m = torch.unsqueeze(unchecked_cast(Tensor, is_empty), 2)
                    a = torch.softmax(torch.masked_fill_(logits, m, -inf), 1)
                    a = torch.masked_fill_(a, m, 0)
                w = torch.add(a, %10$s)
                total = torch.sum(w, [2], True)
            %11$s
                w = torch.div_(w, total)
                y = torch.view(torch.bmm(w, seen), [rows, torch.add(f, 2)])
            %14$s
                c = torch.slice(y, 1, f, torch.add(f, 2), 1)
                if guessed:
                  p = c
                angles = torch.unsqueeze(torch.mm(c, turns), 2)
                across = torch.mul(straight, torch.cos(angles))
                across = torch.addcmul(across, turned, torch.sin_(angles))
                from_here = torch.cat([across, torch.unsqueeze(torch.mm(c, back), 1)], 1)
                h = torch.bmm(all_waves, from_here)
                h = torch._add_relu_(torch.view(h, [b, k, n, r]), near)
                h = torch.bmm(torch.view(w, [rows, 1, n]), torch.view(h, [rows, n, r]))
                moved = torch.abs(torch.sub(c, p))
                u = torch.addmm(seen_bias, torch.cat([y, torch.squeeze(h, 1), p, moved], 1), by_seen)
                gates = torch.addmm(torch.addmm(gates_bias, s, gates_of_state), u, gates_of_input)
                gates = torch.sigmoid_(gates)
                state = torch.addmm(state_bias, s, new_of_state)
                new = torch.addmm(input_bias, u, new_of_input)
                new = torch.tanh_(torch.addcmul_(new, torch.slice(gates, 1, 0, %7$s, 1), state))
                s = torch.lerp(new, s, torch.slice(gates, 1, %7$s, %8$s, 1))
            %12$s
                p = c
              p = torch.view(torch.div(torch.add(p, 1), 2), [b, k, 2])
              return (torch.view(s, [b, k, %7$s]), p, a)
            """;

    private static final String LAY =
            """
            def lay(self, features: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
              x = self.norm_input.forward(features)
              keys = torch.contiguous(torch.transpose(self.to_k.forward(x), 1, 2))
              return (keys, x, self.relative.features.forward(x))
            """;

    private static final String WHOLE =
            """
            def infer(self, features: Tensor, places: Tensor, columns: Tensor, waves: Tensor, turns: Tensor, conditioning: Tensor, slot_positions: Optional[Tensor], guess: Optional[Tensor], is_empty: Optional[Tensor]) -> Dict[str, Tensor]:
              x = self.norm_input.forward(features)
              near = self.relative.features.forward(x)
              s, p, a, = self.iterate(x, near, places, columns, waves, turns, conditioning, slot_positions, guess, is_empty, %s)
              out = annotate(Dict[str, Tensor], {"objects": s, "feature_attributions": a, "slot_positions": p})
              if torch.__isnot__(is_empty, None):
                torch._set_item(out, "is_empty", unchecked_cast(Tensor, is_empty))
              return out
            """;

    private static final String STEPS =
            """
            def %1$s(self, x: Tensor, near: Tensor, positions: Tensor, times: Tensor, conditioning: Tensor, start: Tensor, is_empty: Optional[Tensor]=None) -> Tuple[Tensor, Tensor, Tensor]:
              places, columns, waves, turns, = self.settled(positions)
              count = int(torch.select(times, 0, 0))
              return self.iterate(x, near, places, columns, waves, turns, conditioning, %2$s, is_empty, count)
            """;

    /**
     * The methods {@code settled}, {@code infer}, {@code lay}, {@code place_steps} and {@code
     * guess_steps}.
     */
    String methods() {
        return SETTLED.formatted(Integer.MAX_VALUE, frequencies, Math.PI)
                + WHOLE.formatted(iterations)
                + LAY
                + STEPS.formatted("place_steps", "start, None")
                + STEPS.formatted("guess_steps", "None, start")
                + ITERATE.formatted(
                        Integer.MAX_VALUE,
                        frequencies,
                        4 * frequencies,
                        4 * frequencies + 1,
                        1 / Math.sqrt((double) dim),
                        Math.log(2),
                        dim,
                        2 * dim,
                        3 * dim,
                        eps,
                        eps < VANISHING ? NOTHING.stripTrailing() : "    # never 0",
                        fed(),
                        feedForward instanceof FeedForward
                                ? "  w1, b1, w2, b2, = self.ff_mlp.maps()"
                                : "",
                        eps < VANISHING ? AT_ZERO.stripTrailing() : "    # weights sum to 1",
                        dim + 1,
                        dim + 3);
    }

    private String fed() {
        if (feedForward == null) {
            return "    # no perceptron";
        }
        return feedForward instanceof FeedForward
                ? """
                      h = torch.addmm(b1, self.ff_mlp.norm(s), w1)
                      s = torch.add_(torch.addmm(b2, torch.relu_(h), w2), s)
                  """
                        .stripTrailing()
                : "    s = self.ff_mlp.forward(s)";
    }
}
