package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Script;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.StateDict;

/**
 * A U-Net written plainly in TorchScript, operation by operation as diffusers has it: a prediction,
 * a whole sampling and an update of Adam are one call each.
 */
final class DenoiserPlain {

    private final DenoiserSize size;
    private final UNetConfiguration sizes;
    private final List<String> names = new ArrayList<>();
    private final List<NDArray> weights = new ArrayList<>();
    private final List<NDArray> means = new ArrayList<>();
    private final List<NDArray> squares = new ArrayList<>();
    private final StringBuilder code = new StringBuilder();
    private final NDArray frequencies;
    private final Script script;
    private int steps;

    /**
     * Takes copies of a network's weights, of which it computes gradients.
     *
     * @param scores whether attention is the softmax of scores, as the papers write it, or the
     *     engine's own, which keeps no scores
     */
    DenoiserPlain(NDManager manager, StateDict network, DenoiserSize size, boolean scores) {
        this.size = size;
        sizes = size.sizes();
        network.arrays()
                .forEach(
                        (name, array) -> {
                            NDArray leaf = array.duplicate();
                            leaf.setName(null);
                            leaf.attach(manager);
                            means.add(leaf.zerosLike());
                            squares.add(leaf.zerosLike());
                            leaf.setRequiresGradient(true);
                            names.add(name);
                            weights.add(leaf);
                        });
        int half = sizes.widths().get(0) / 2;
        float[] f = new float[half];
        for (int i = 0; i < half; i++) {
            f[i] = (float) Math.exp(-Math.log(10000) * i / half);
        }
        frequencies = manager.create(f);
        network();
        script = new Script(source(scores));
    }

    /** What it predicts, with a graph if one is recorded in this thread. */
    NDArray predict(NDArray z, NDArray t, NDArray slots) {
        return call("predict", z, t, slots);
    }

    /** Samples from noise in steps z = a z + b o; coefficients (steps, 3) are t, a, b. */
    NDArray sample(NDArray z, NDArray slots, NDArray coefficients) {
        return NoGraph.during(() -> call("sample", z, coefficients, slots));
    }

    private NDArray call(String function, NDArray... inputs) {
        List<NDArray> all = new ArrayList<>(Arrays.asList(inputs));
        all.add(frequencies);
        all.addAll(weights);
        return script.call(function, all.toArray(NDArray[]::new)).singletonOrThrow();
    }

    /** Adam as PyTorch writes it, with one call for each weight. */
    void update() {
        steps++;
        NDManager manager = frequencies.getManager();
        double rate = 1e-3 / (1 - Math.pow(0.9, steps));
        double root = Math.sqrt(1 - Math.pow(0.999, steps));
        try (NDManager scratch = manager.newSubManager();
                NDArray setting = scratch.create(new double[] {rate, root})) {
            NoGraph.during(
                    () -> {
                        for (int i = 0; i < weights.size(); i++) {
                            NDArray w = weights.get(i);
                            try (NDArray g = w.getGradient()) {
                                NDList done =
                                        script.call(
                                                "adam",
                                                w,
                                                g,
                                                means.get(i),
                                                squares.get(i),
                                                setting);
                                done.close();
                            }
                        }
                        return setting;
                    });
        }
    }

    /** The weights, by names. */
    Map<String, NDArray> leaves() {
        Map<String, NDArray> leaves = new LinkedHashMap<>();
        for (int i = 0; i < names.size(); i++) {
            leaves.put(names.get(i), weights.get(i));
        }
        return leaves;
    }

    /** Samples' numbers as an array (steps, 3). */
    static NDArray coefficients(NDManager manager, double[][] rows) {
        double[] flat = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
        return manager.create(flat, new Shape(rows.length, 3));
    }

    private String p(String name) {
        int at = names.indexOf(name);
        if (at < 0) {
            throw new IllegalArgumentException("no weight " + name);
        }
        return "p" + at;
    }

    @FormatMethod
    private void line(@FormatString String format, Object... arguments) {
        code.append("  ").append(String.format(format, arguments)).append('\n');
    }

    private String conv(String x, String name, int stride, int padding) {
        String weight = p(name + ".weight");
        String bias = p(name + ".bias");
        return String.format(
                "torch.conv2d(%s, %s, %s, [%d, %d], [%d, %d], [1, 1], 1)",
                x, weight, bias, stride, stride, padding, padding);
    }

    private String linear(String x, String name) {
        boolean biased = names.contains(name + ".bias");
        String bias = biased ? ", " + p(name + ".bias") : "";
        return "torch.linear(" + x + ", " + p(name + ".weight") + bias + ")";
    }

    private String groupNorm(String x, String name, double eps) {
        return String.format(
                "torch.group_norm(%s, %d, %s, %s, %s, True)",
                x,
                sizes.residual().groups(),
                p(name + ".weight"),
                p(name + ".bias"),
                Double.toString(eps));
    }

    /** From h to h. */
    private void residual(String name) {
        double eps = sizes.residual().eps();
        line("r = torch.silu(%s)", groupNorm("h", name + ".norm1", eps));
        line("r = %s", conv("r", name + ".conv1", 1, 1));
        String time = linear("torch.silu(e)", name + ".time_emb_proj");
        line("r = torch.add(r, torch.unsqueeze(torch.unsqueeze(%s, -1), -1))", time);
        line("r = torch.silu(%s)", groupNorm("r", name + ".norm2", eps));
        line("r = %s", conv("r", name + ".conv2", 1, 1));
        boolean changes = names.contains(name + ".conv_shortcut.weight");
        line("h = torch.add(%s, r)", changes ? conv("h", name + ".conv_shortcut", 1, 0) : "h");
    }

    /** From h to h. */
    private void transformer(String name, int width) {
        line("y = %s", conv(groupNorm("h", name + ".norm", 1e-6), name + ".proj_in", 1, 0));
        line("y = torch.flatten(torch.permute(y, [0, 2, 3, 1]), 1, 2)");
        String block = name + ".transformer_blocks.0";
        int heads = size.heads(width);
        attention(block, 1, "n", width, heads);
        attention(block, 2, "slots", width, heads);
        norm(block, 3, width);
        line("a, b = torch.chunk(%s, 2, -1)", linear("n", block + ".ff.net.0.proj"));
        line("n = torch.mul(a, torch.gelu(b))");
        line("y = torch.add(%s, y)", linear("n", block + ".ff.net.2"));
        line("y = torch.reshape(y, [B, torch.size(h, 2), torch.size(h, 3), %d])", width);
        line("y = torch.contiguous(torch.permute(y, [0, 3, 1, 2]))");
        line("h = torch.add(%s, h)", conv("y", name + ".proj_out", 1, 0));
    }

    private void norm(String block, int number, int width) {
        String name = block + ".norm" + number;
        String weight = p(name + ".weight");
        line("n = torch.layer_norm(y, [%d], %s, %s)", width, weight, p(name + ".bias"));
    }

    private void attention(String block, int number, String memory, int width, int heads) {
        norm(block, number, width);
        String name = block + ".attn" + number;
        line("q = %s", linear("n", name + ".to_q"));
        line("k = %s", linear(memory, name + ".to_k"));
        line("v = %s", linear(memory, name + ".to_v"));
        line("y = torch.add(%s, y)", linear(heard(heads), name + ".to_out.0"));
    }

    private static String heard(int heads) {
        return "(self).heard(q, k, v, " + heads + ")";
    }

    private void network() {
        line("B = torch.size(z, 0)");
        line("angle = torch.mul(torch.unsqueeze(t, 1), torch.unsqueeze(f, 0))");
        line("e = torch.cat([torch.cos(angle), torch.sin(angle)], 1)");
        line("e = torch.silu(%s)", linear("e", "time_embedding.linear_1"));
        line("e = %s", linear("e", "time_embedding.linear_2"));
        line("h = %s", conv("z", "conv_in", 1, 1));
        int kept = 0;
        line("k%d = h", kept++);
        int levels = sizes.widths().size();
        for (int i = 0; i < levels; i++) {
            String level = "down_blocks." + i;
            for (int j = 0; j < sizes.blocks(); j++) {
                stage(level, j, i);
                line("k%d = h", kept++);
            }
            if (i < levels - 1) {
                line("h = %s", conv("h", level + ".downsamplers.0.conv", 2, 1));
                line("k%d = h", kept++);
            }
        }
        residual("mid_block.resnets.0");
        transformer("mid_block.attentions.0", sizes.widths().get(levels - 1));
        residual("mid_block.resnets.1");
        for (int i = levels - 1; i >= 0; i--) {
            String level = "up_blocks." + (levels - 1 - i);
            for (int j = 0; j <= sizes.blocks(); j++) {
                line("h = torch.cat([h, k%d], 1)", --kept);
                stage(level, j, i);
            }
            if (i > 0) {
                line("h = torch.upsample_nearest2d(h, None, [2., 2.])");
                line("h = %s", conv("h", level + ".upsamplers.0.conv", 1, 1));
            }
        }
        line("h = torch.silu(%s)", groupNorm("h", "conv_norm_out", sizes.residual().eps()));
        line("return %s", conv("h", "conv_out", 1, 1));
    }

    private void stage(String level, int number, int index) {
        residual(level + ".resnets." + number);
        if (sizes.attention().get(index)) {
            transformer(level + ".attentions." + number, sizes.widths().get(index));
        }
    }

    private String source(boolean scores) {
        String each =
                String.join(", ", IntStream.range(0, names.size()).mapToObj(i -> "p" + i).toList());
        String typed = each.replaceAll("(p\\d+)", "$1: Tensor");
        return """
        def heard(self: __torch__.Script, q: Tensor, k: Tensor, v: Tensor, heads: int) -> Tensor:
          b = torch.size(q, 0)
          n = torch.size(q, 1)
          d = torch.size(q, 2)
          qs = torch.transpose(torch.view(q, [b, n, heads, -1]), 1, 2)
          ks = torch.transpose(torch.view(k, [b, torch.size(k, 1), heads, -1]), 1, 2)
          vs = torch.transpose(torch.view(v, [b, torch.size(v, 1), heads, -1]), 1, 2)
          y = HEARD
          return torch.reshape(torch.transpose(y, 1, 2), [b, n, d])
        def predict(self: __torch__.Script, z: Tensor, t: Tensor, slots: Tensor, f: Tensor, TYPED) -> Tensor:
        CODE
        def sample(self: __torch__.Script, z: Tensor, c: Tensor, slots: Tensor, f: Tensor, TYPED) -> Tensor:
          for i in range(torch.size(c, 0)):
            row = torch.select(c, 0, i)
            t = torch.full([torch.size(z, 0)], float(torch.select(row, 0, 0)), dtype=6, layout=None, device=ops.prim.device(z))
            o = (self).predict(z, t, slots, f, EACH)
            z = torch.add(torch.mul(z, float(torch.select(row, 0, 1))), torch.mul(o, float(torch.select(row, 0, 2))))
          return z
        def adam(self: __torch__.Script, w: Tensor, g: Tensor, m: Tensor, v: Tensor, c: Tensor) -> Tensor:
          m0 = torch.add_(torch.mul_(m, 0.9), g, alpha=0.1)
          v0 = torch.addcmul_(torch.mul_(v, 0.999), g, g, value=0.001)
          size = torch.add_(torch.div(torch.sqrt(v0), float(torch.select(c, 0, 1))), 1e-08)
          w0 = torch.addcdiv_(w, m0, size, value=torch.neg(float(torch.select(c, 0, 0))))
          g0 = torch.zero_(g)
          return w
        """
                .replace(
                        "HEARD",
                        scores
                                ? "torch.matmul(torch.softmax(torch.mul(torch.matmul(qs,"
                                        + " torch.transpose(ks, -1, -2)), torch.pow(torch.size(qs,"
                                        + " 3), -0.5)), -1, None), vs)"
                                : "torch.scaled_dot_product_attention(qs, ks, vs)")
                .replace("CODE\n", code)
                .replace("TYPED", typed)
                .replace("EACH", each);
    }
}
