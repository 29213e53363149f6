package org.slotwise.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * A training step of a U-Net in TorchScript, in stages: the graph is cut before the feed-forward
 * part of each transformer block, whose gradients are written out ({@link FeedForwardScript}) and
 * which keeps half of what a graph would.
 *
 * <pre>{@code
 * begin    stage 0 ─▶ v │ feed-forward ─▶ y │ stage 1 ─▶ v │ feed-forward ─▶ y │ stage 2 ─▶ prediction
 * back     stage 0 ◀─ dv │ written out ◀─ dy │ stage 1 ◀─ dv │ written out ◀─ dy │ stage 2 ◀─ gradient
 * }</pre>
 *
 * <p>What passes a cut beside it, the way around a transformer and what the way down keeps for the
 * way up, ends in the one stage and begins anew, as a leaf, in the other; so do the slots and what
 * blocks are told of the time, which all stages see.
 */
final class UNetStages {

    private static final String CODE =
            """
            def begin(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor) -> List[Tensor]:
              batch = torch.size(sample, 0)
              slots0 = torch.flatten(encoder_hidden_states, 0, 1)
              slots = torch.requires_grad_(torch.detach(slots0), ops.prim.requires_grad(slots0))
              times0 = self.all_projected(sample, timestep, self.projection())
              times = self.leaf(times0)
              t = torch.split_with_sizes(times, [SPLIT], 1)
              h = self.conv_in.forward(sample)
            BEGIN\
              y = self.conv_out.forward(self.conv_norm_out.activated(h))
              return [y, slots0, slots, times0, timesKEPT]
            def back(self, state: List[Tensor], gradient: Tensor) -> Tensor:
            TAKEN\
              _0 = self.go([state[0]], [gradient])
            BACK\
              _1 = self.go([state[3], state[1]], [ops.prim.grad(state[4]), ops.prim.grad(state[2])])
              return gradient
            def leaf(self, x: Tensor) -> Tensor:
              return torch.requires_grad_(torch.detach(x), True)
            def go(self, ends: List[Tensor], gradients: List[Tensor]) -> int:
              learning = annotate(List[Tensor], [])
              theirs = annotate(List[Optional[Tensor]], [])
              for i in range(torch.len(ends)):
                if ops.prim.requires_grad(ends[i]):
                  _0 = torch.append(learning, ends[i])
                  _1 = torch.append(theirs, gradients[i])
              if torch.gt(torch.len(learning), 0):
                _2 = torch.autograd.backward(learning, theirs)
              return torch.len(learning)
            """;

    private final StringBuilder begin = new StringBuilder();
    private final Deque<String> back = new ArrayDeque<>(); // the last stage first
    private final List<String> state = new ArrayList<>();
    private final List<String> keptHere = new ArrayList<>(); // since the last cut
    private int cuts;

    /** Adds a line of the way through the network. */
    void line(String line) {
        begin.append("  ").append(line).append('\n');
    }

    /** Notes that the way down keeps something for the way up. */
    void keep(String name) {
        keptHere.add(name);
    }

    /** Adds a transformer, with a cut in each of its blocks. */
    void transformer(String path, int blocks) {
        line("y = " + path + ".tokens(h)");
        for (int i = 0; i < blocks; i++) {
            String block = "getattr(" + path + ".transformer_blocks, \"" + i + "\")";
            List<String> ends = new ArrayList<>();
            List<String> leaves = new ArrayList<>();
            String v = "v" + cuts;
            String y = "y" + cuts;
            line(v + " = " + block + ".seen(y, slots, batch)");
            if (i == 0) {
                end("h", "around" + cuts, ends, leaves);
            }
            for (String kept : keptHere) {
                end(kept, kept + "_end", ends, leaves);
            }
            keptHere.clear();
            String list = "f" + cuts;
            line(list + " = " + block + ".feed(" + v + ")");
            line(y + " = torch.requires_grad_(" + list + "[0], True)");
            line("y = " + y);
            String arguments = v + ", ops.prim.grad(" + y + ")";
            state.add(v);
            state.add(y);
            for (int k = 1; k <= FeedForwardScript.KEPT; k++) {
                String kept = list + "_" + k;
                line(kept + " = " + list + "[" + k + "]");
                state.add(kept);
                arguments += ", " + kept;
            }
            StringBuilder gradients = new StringBuilder("d");
            leaves.forEach(leaf -> gradients.append(", ops.prim.grad(").append(leaf).append(')'));
            StringBuilder all = new StringBuilder(v);
            ends.forEach(end -> all.append(", ").append(end));
            back.push(
                    "  d = %s.back(%s)\n  _ = self.go([%s], [%s])\n"
                            .formatted(block, arguments, all, gradients));
            cuts++;
        }
        line("h = " + path + ".image(y, h)");
    }

    /** Ends what a variable holds, which is a leaf from here on. */
    private void end(String variable, String end, List<String> ends, List<String> leaves) {
        String leaf = end + "_leaf";
        line(end + " = " + variable);
        line(leaf + " = self.leaf(" + variable + ")");
        line(variable + " = " + leaf);
        ends.add(end);
        leaves.add(leaf);
        state.add(end);
        state.add(leaf);
    }

    /** The methods of the network's module. */
    String code(String sizesOfTimes) {
        StringBuilder taken = new StringBuilder();
        StringBuilder kept = new StringBuilder();
        for (int i = 0; i < state.size(); i++) {
            kept.append(", ").append(state.get(i));
            taken.append("  ").append(state.get(i)).append(" = state[").append(i + 5).append("]\n");
        }
        return CODE.replace("SPLIT", sizesOfTimes)
                .replace("BEGIN", begin)
                .replace("KEPT", kept)
                .replace("TAKEN", taken)
                .replace("BACK", String.join("", back));
    }
}
