package org.slotwise.slate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.slate.SlateConfiguration.Slots;
import org.slotwise.slate.SlateConfiguration.Transformer;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** How parameters start, and how many there are. */
@ExtendWith(OnDevice.class)
class SlateStartTest {

    private static long count(NDManager manager, SlateConfiguration sizes, String prefix) {
        Slate slate = new Slate(sizes);
        slate.initialize(manager, DataType.FLOAT32, new Shape(-1));
        return ReferenceCase.parameters(slate).entrySet().stream()
                .filter(entry -> entry.getKey().startsWith(prefix))
                .mapToLong(entry -> entry.getValue().size())
                .sum();
    }

    @Test
    void sizesAreThoseOfTheOriginal(NDManager manager) {
        SlateConfiguration original = SlateConfiguration.shapes3d();
        assertEquals(3_616_451, count(manager, original, ""));
        assertEquals(285_635, count(manager, original, "dvae."));
        SlateConfiguration large = SlateConfiguration.clevr();
        assertEquals(7_707_587, count(manager, large, ""));
        assertEquals(681_923, count(manager, large, "dvae."));
    }

    /** Uniform in ±bound: the variance is a third of its square. */
    private static void uniform(Map<String, NDArray> all, String name, double bound) {
        double[] values = doubles(all.get(name));
        double largest = Arrays.stream(values).map(Math::abs).max().orElseThrow();
        assertTrue(largest <= bound * 1.000001 && largest > 0.9 * bound, name + ": " + largest);
        double variance = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
        double tolerance = 6 / Math.sqrt(values.length);
        assertEquals(1, variance / (bound * bound / 3), tolerance, name);
    }

    private static double xavier(long in, long out) {
        return Math.sqrt(6.0 / (in + out));
    }

    private static double kaiming(long in) {
        return Math.sqrt(6.0 / in);
    }

    @Test
    void parametersStartAsInTheOriginal(NDManager manager) {
        int d = 32;
        int e = 24;
        int hidden = 40;
        int vocabulary = 50;
        Slate slate =
                new Slate(
                        new SlateConfiguration(
                                32,
                                3,
                                vocabulary,
                                d,
                                new Transformer(3, 4, 0.1),
                                new Slots(4, e, 3, 1, hidden, false)));
        slate.initialize(manager, DataType.FLOAT32, new Shape(-1));
        Map<String, NDArray> all = ReferenceCase.parameters(slate);
        uniform(all, "dvae.encoder.0.m.weight", kaiming(48));
        uniform(all, "dvae.encoder.3.m.weight", kaiming(64));
        uniform(all, "dvae.encoder.7.weight", xavier(64, vocabulary));
        uniform(all, "dvae.decoder.0.m.weight", kaiming(vocabulary));
        uniform(all, "dvae.decoder.1.m.weight", kaiming(9 * 64));
        uniform(all, "dvae.decoder.11.weight", xavier(64, 3));
        uniform(all, "slot_attn.mlp.0.weight", kaiming(d));
        uniform(all, "slot_attn.mlp.2.weight", xavier(d, d));
        uniform(all, "slot_attn.slot_attention.project_k.weight", xavier(d, e));
        uniform(all, "slot_attn.slot_attention.project_q.weight", xavier(e, e));
        uniform(all, "slot_attn.slot_attention.mlp.0.weight", kaiming(e));
        uniform(all, "slot_attn.slot_attention.mlp.2.weight", xavier(hidden, e));
        uniform(all, "slot_attn.slot_attention.gru.weight_ih", xavier(e, 3L * e));
        uniform(all, "slot_proj.weight", xavier(e, d));
        uniform(all, "out.weight", xavier(d, vocabulary));
        String block = "tf_dec.blocks.2.";
        for (String attention : new String[] {"self_attn", "encoder_decoder_attn"}) {
            uniform(all, block + attention + ".proj_v.weight", xavier(d, d));
            uniform(all, block + attention + ".proj_o.weight", xavier(d, d) / 3);
        }
        uniform(all, block + "ffn.0.weight", kaiming(d));
        uniform(all, block + "ffn.2.weight", xavier(4L * d, d) / 3);

        NDArray hh = all.get("slot_attn.slot_attention.gru.weight_hh");
        assertClose("orthonormal columns", manager.eye(e), hh.transpose().matMul(hh), 1e-5);
        normal(all, "dictionary.dictionary.weight", 1);
        // Of a normal distribution that is cut at two deviations.
        normal(all, "positional_encoder.pe", 0.7737);
        assertTrue(all.get("positional_encoder.pe").abs().max().getFloat() <= 2);
        double bound = Math.sqrt(3.0 / e);
        for (String name : new String[] {"slot_attn.slot_mu", "slot_attn.slot_log_sigma"}) {
            double largest = all.get(name).abs().max().getFloat();
            assertTrue(largest <= bound && largest > bound / 2, name);
        }
        all.forEach(
                (name, array) -> {
                    if (name.contains("norm") || name.matches("dvae\\..*\\d\\.(weight|bias)")) {
                        boolean last =
                                name.startsWith("dvae.encoder.7.")
                                        || name.startsWith("dvae.decoder.11.");
                        if (!last || name.endsWith("bias")) {
                            constant(name, array, name.endsWith("weight") ? 1 : 0);
                        }
                    } else if (name.contains("bias")) {
                        constant(name, array, 0);
                    }
                });
    }

    private static void constant(String name, NDArray array, double value) {
        for (double v : doubles(array)) {
            assertEquals(value, v, name);
        }
    }

    private static void normal(Map<String, NDArray> all, String name, double variance) {
        double[] values = doubles(all.get(name));
        double got = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
        assertEquals(variance, got, 6 / Math.sqrt(values.length), name);
    }
}
