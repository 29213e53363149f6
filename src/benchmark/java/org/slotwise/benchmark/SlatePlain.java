package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.slotwise.internal.Script;
import org.slotwise.weights.StateDict;

/**
 * SLATE written plainly in TorchScript, as the authors' code computes it: a training step, and
 * generation that runs the whole prefix for each token, from one-hot vectors. The parameters of all
 * blocks lie in one array for each kind.
 */
final class SlatePlain {

    private static final String[] BLOCK = {
        "self_attn_layer_norm.weight",
        "self_attn_layer_norm.bias",
        "self_attn.proj_q.weight",
        "self_attn.proj_k.weight",
        "self_attn.proj_v.weight",
        "self_attn.proj_o.weight",
        "encoder_decoder_attn_layer_norm.weight",
        "encoder_decoder_attn_layer_norm.bias",
        "encoder_decoder_attn.proj_q.weight",
        "encoder_decoder_attn.proj_k.weight",
        "encoder_decoder_attn.proj_v.weight",
        "encoder_decoder_attn.proj_o.weight",
        "ffn_layer_norm.weight",
        "ffn_layer_norm.bias",
        "ffn.0.weight",
        "ffn.0.bias",
        "ffn.2.weight",
        "ffn.2.bias"
    };

    private static final String[] DECODER = {
        "slot_proj.weight",
        "tf_dec.layer_norm.weight",
        "tf_dec.layer_norm.bias",
        "out.weight",
        "dictionary.dictionary.weight",
        "positional_encoder.pe"
    };

    private static final String[] SLOTS = {
        "slot_mu",
        "slot_log_sigma",
        "layer_norm.weight",
        "layer_norm.bias",
        "mlp.0.weight",
        "mlp.0.bias",
        "mlp.2.weight",
        "mlp.2.bias",
        "slot_attention.norm_inputs.weight",
        "slot_attention.norm_inputs.bias",
        "slot_attention.norm_slots.weight",
        "slot_attention.norm_slots.bias",
        "slot_attention.norm_mlp.weight",
        "slot_attention.norm_mlp.bias",
        "slot_attention.project_q.weight",
        "slot_attention.project_k.weight",
        "slot_attention.project_v.weight",
        "slot_attention.gru.weight_ih",
        "slot_attention.gru.weight_hh",
        "slot_attention.gru.bias_ih",
        "slot_attention.gru.bias_hh",
        "slot_attention.mlp.0.weight",
        "slot_attention.mlp.0.bias",
        "slot_attention.mlp.2.weight",
        "slot_attention.mlp.2.bias"
    };

    private static final int[] ENCODER_BLOCKS = {0, 1, 2, 3, 4, 5, 6};
    private static final int[] DECODER_BLOCKS = {0, 1, 2, 3, 4, 6, 7, 8, 9};

    private final Script script;
    private final List<NDArray> transformer = new ArrayList<>();
    private final List<NDArray> slots = new ArrayList<>();
    private final List<NDArray> dvae = new ArrayList<>();
    private final List<String> dvaeNames = new ArrayList<>();

    /** Takes copies of a model's parameters, of which it computes gradients. */
    SlatePlain(NDManager manager, StateDict weights, int blocks, int iterations, double dropout) {
        Map<String, NDArray> all = weights.arrays();
        for (String name : BLOCK) {
            NDList stacked = new NDList();
            for (int n = 0; n < blocks; n++) {
                stacked.add(all.get("tf_dec.blocks." + n + "." + name));
            }
            transformer.add(leaf(NDArrays.stack(stacked), manager));
        }
        for (String name : DECODER) {
            transformer.add(leaf(all.get(name).duplicate(), manager));
        }
        for (String name : SLOTS) {
            slots.add(leaf(all.get("slot_attn." + name).duplicate(), manager));
        }
        convolutions("dvae.encoder.", ENCODER_BLOCKS, 7);
        convolutions("dvae.decoder.", DECODER_BLOCKS, 11);
        dvaeNames.forEach(name -> dvae.add(leaf(all.get(name).duplicate(), manager)));
        script = new Script(source(blocks, iterations, dropout));
    }

    private void convolutions(String part, int[] blocks, int last) {
        for (int i : blocks) {
            for (String name : new String[] {".m.weight", ".weight", ".bias"}) {
                dvaeNames.add(part + i + name);
            }
        }
        dvaeNames.add(part + last + ".weight");
        dvaeNames.add(part + last + ".bias");
    }

    /** Gradients by the names of the model's parameters. */
    Map<String, NDArray> gradients() {
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        for (int i = 0; i < BLOCK.length; i++) {
            NDArray stacked = transformer.get(i).getGradient();
            for (int n = 0; n < stacked.getShape().get(0); n++) {
                gradients.put("tf_dec.blocks." + n + "." + BLOCK[i], stacked.get(n));
            }
        }
        for (int i = 0; i < DECODER.length; i++) {
            gradients.put(DECODER[i], transformer.get(BLOCK.length + i).getGradient());
        }
        for (int i = 0; i < SLOTS.length; i++) {
            gradients.put("slot_attn." + SLOTS[i], slots.get(i).getGradient());
        }
        for (int i = 0; i < dvae.size(); i++) {
            gradients.put(dvaeNames.get(i), dvae.get(i).getGradient());
        }
        return gradients;
    }

    private static NDArray leaf(NDArray array, NDManager manager) {
        array.setName(null);
        array.attach(manager);
        array.setRequiresGradient(true);
        return array;
    }

    /** Tokens (B, n) of slots (B, K, E), one after the other, each from the whole prefix. */
    NDArray generate(NDArray given, long tokens) {
        List<NDArray> arguments =
                new ArrayList<>(List.of(given, given.getManager().create(tokens)));
        arguments.addAll(transformer);
        return script.call("generate", arguments.toArray(NDArray[]::new)).singletonOrThrow();
    }

    /** Cross entropy and squared error of images. */
    NDList step(NDArray images, NDArray codes, NDArray tokens, NDArray noise) {
        List<NDArray> arguments = new ArrayList<>(List.of(images, codes, tokens, noise));
        arguments.addAll(transformer);
        arguments.addAll(slots);
        arguments.addAll(dvae);
        return script.call("step", arguments.toArray(NDArray[]::new));
    }

    private static String names(String prefix, int from, int count) {
        return String.join(
                ", ", IntStream.range(from, from + count).mapToObj(i -> prefix + i).toList());
    }

    private static String typed(String prefix, int count) {
        return String.join(
                ", ", IntStream.range(0, count).mapToObj(i -> prefix + i + ": Tensor").toList());
    }

    private static String source(int blocks, int iterations, double dropout) {
        int t = BLOCK.length + DECODER.length;
        int s = SLOTS.length;
        int v = 3 * (ENCODER_BLOCKS.length + DECODER_BLOCKS.length) + 4;
        StringBuilder dvae = new StringBuilder();
        dvae.append("  x = images\n");
        int next = 0;
        for (int i : ENCODER_BLOCKS) {
            next = block(dvae, next, i == 0 ? 4 : 1, 0);
        }
        dvae.append("  logits = torch.conv2d(x, v").append(next).append(", v").append(next + 1);
        dvae.append(", [1, 1], [0, 0], [1, 1], 1)\n");
        next += 2;
        dvae.append("  logp = torch.log_softmax(logits, 1, None)\n");
        dvae.append("  x = torch.softmax(torch.add(logp, codes), 1, None)\n");
        for (int i : DECODER_BLOCKS) {
            next = block(dvae, next, 1, i == 1 || i == 6 ? 1 : 0);
            if (i == 4 || i == 9) {
                dvae.append("  x = torch.pixel_shuffle(x, 2)\n");
            }
        }
        dvae.append("  recon = torch.conv2d(x, v").append(next).append(", v").append(next + 1);
        dvae.append(", [1, 1], [0, 0], [1, 1], 1)\n");
        String drop = dropout > 0 ? "torch.dropout(%s, " + dropout + ", True)" : "%s";
        return """
        def attend(self: __torch__.Script, x: Tensor, m: Tensor, wq: Tensor, wk: Tensor, wv: Tensor, wo: Tensor, causal: bool) -> Tensor:
          b = torch.size(x, 0)
          t = torch.size(x, 1)
          s = torch.size(m, 1)
          d = torch.size(x, 2)
          q = torch.transpose(torch.view(torch.linear(x, wq), [b, t, 4, -1]), 1, 2)
          k = torch.transpose(torch.view(torch.linear(m, wk), [b, s, 4, -1]), 1, 2)
          v = torch.transpose(torch.view(torch.linear(m, wv), [b, s, 4, -1]), 1, 2)
          q0 = torch.mul(q, torch.pow(torch.size(q, 3), -0.5))
          a = torch.matmul(q0, torch.transpose(k, -1, -2))
          if causal:
            mask = torch.triu(torch.ones([t, t], dtype=None, layout=None, device=ops.prim.device(x)), 1)
            a1 = torch.masked_fill(a, torch.gt(mask, 0), -1.0e38)
          else:
            a1 = a
          p = DROP_A
          y = torch.reshape(torch.transpose(torch.matmul(p, v), 1, 2), [b, t, d])
          return DROP_Y
        def decode(self: __torch__.Script, x: Tensor, m: Tensor, TYPED_T) -> Tensor:
          d = torch.size(x, 2)
          for n in range(BLOCKS):
            u = torch.layer_norm(x, [d], torch.select(t0, 0, n), torch.select(t1, 0, n))
            if torch.eq(n, 0):
              x0 = u
            else:
              x0 = x
            x1 = torch.add(x0, (self).attend(u, u, torch.select(t2, 0, n), torch.select(t3, 0, n), torch.select(t4, 0, n), torch.select(t5, 0, n), True))
            c = torch.layer_norm(x1, [d], torch.select(t6, 0, n), torch.select(t7, 0, n))
            x2 = torch.add(x1, (self).attend(c, m, torch.select(t8, 0, n), torch.select(t9, 0, n), torch.select(t10, 0, n), torch.select(t11, 0, n), False))
            f = torch.layer_norm(x2, [d], torch.select(t12, 0, n), torch.select(t13, 0, n))
            h = torch.relu(torch.linear(f, torch.select(t14, 0, n), torch.select(t15, 0, n)))
            y = torch.linear(h, torch.select(t16, 0, n), torch.select(t17, 0, n))
            x = torch.add(x2, DROP_Y)
          return torch.linear(torch.layer_norm(x, [d], t19, t20), t21)
        def generate(self: __torch__.Script, slots: Tensor, count: Tensor, TYPED_T) -> Tensor:
          m = torch.linear(slots, t18)
          b = torch.size(slots, 0)
          vocabulary = torch.size(t22, 0)
          tokens = torch.zeros([b, 1], dtype=4, layout=None, device=ops.prim.device(slots))
          for i in range(int(count)):
            one = torch.one_hot(tokens, vocabulary)
            rows = torch.argmax(one, -1)
            e = torch.add(torch.embedding(t22, rows), torch.slice(t23, 1, 0, torch.size(tokens, 1)))
            y = (self).decode(e, m, NAMES_T)
            last = torch.argmax(torch.select(y, 1, -1), -1)
            tokens = torch.cat([tokens, torch.unsqueeze(torch.add(last, 1), 1)], 1)
          return torch.sub(torch.slice(tokens, 1, 1), 1)
        def step(self: __torch__.Script, images: Tensor, codes: Tensor, draws: Tensor, noise: Tensor, TYPED_T, TYPED_S, TYPED_V) -> Tuple[Tensor, Tensor]:
          b = torch.size(images, 0)
        DVAE
          mse = torch.div(torch.sum(torch.pow(torch.sub(images, recon), 2)), b)
          z = torch.detach(torch.argmax(torch.add(logp, draws), 1))
          tokens = torch.flatten(z, 1)
          start = torch.zeros([b, 1], dtype=4, layout=None, device=ops.prim.device(images))
          rows = torch.cat([start, torch.add(tokens, 1)], 1)
          y = torch.add(torch.embedding(t22, rows), t23)
          e = DROP_Y
          d = torch.size(e, 2)
          x0 = torch.layer_norm(torch.slice(e, 1, 1), [d], s2, s3)
          x1 = torch.linear(torch.relu(torch.linear(x0, s4, s5)), s6, s7)
          x2 = torch.layer_norm(x1, [d], s8, s9)
          k = torch.mul(torch.linear(x2, s15), torch.pow(torch.size(s14, 0), -0.5))
          v = torch.linear(x2, s16)
          slots = torch.add(torch.mul(torch.exp(s1), noise), s0)
          w = torch.size(slots, 2)
          n = torch.size(slots, 1)
          for i in range(ITERATIONS):
            q = torch.linear(torch.layer_norm(slots, [w], s10, s11), s14)
            a = torch.softmax(torch.matmul(k, torch.transpose(q, 1, 2)), -1, None)
            a0 = torch.add(a, 1e-08)
            a1 = torch.div(a0, torch.sum(a0, [1], True))
            u = torch.matmul(torch.transpose(a1, 1, 2), v)
            g = torch.gru_cell(torch.reshape(u, [-1, w]), torch.reshape(slots, [-1, w]), s17, s18, s19, s20)
            g0 = torch.view(g, [b, n, w])
            h = torch.relu(torch.linear(torch.layer_norm(g0, [w], s12, s13), s21, s22))
            slots = torch.add(g0, torch.linear(h, s23, s24))
          m = torch.linear(slots, t18)
          pred = (self).decode(torch.slice(e, 1, 0, -1), m, NAMES_T)
          lp = torch.gather(torch.log_softmax(pred, -1, None), 2, torch.unsqueeze(tokens, 2))
          return (torch.div(torch.neg(torch.sum(lp)), b), mse)
        """
                .replace("DROP_A", String.format(drop, "torch.softmax(a1, -1, None)"))
                .replace("return DROP_Y", "return " + String.format(drop, "torch.linear(y, wo)"))
                .replace("DROP_Y", String.format(drop, "y"))
                .replace("TYPED_T", typed("t", t))
                .replace("TYPED_S", typed("s", s))
                .replace("TYPED_V", typed("v", v))
                .replace("NAMES_T", names("t", 0, t))
                .replace("BLOCKS", Integer.toString(blocks))
                .replace("ITERATIONS", Integer.toString(iterations))
                .replace("DVAE\n", dvae.toString());
    }

    /** Convolution, group norm, ReLU. */
    private static int block(StringBuilder out, int next, int stride, int padding) {
        out.append(
                String.format(
                        "  x = torch.relu(torch.group_norm(torch.conv2d(x, v%d, None, [%d, %d],"
                                + " [%d, %d], [1, 1], 1), 1, v%d, v%d, 1e-05, True))%n",
                        next, stride, stride, padding, padding, next + 1, next + 2));
        return next + 3;
    }
}
