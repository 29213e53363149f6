package org.slotwise.grouping;

import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.doubles;
import static org.slotwise.testing.Tensors.normal;
import static org.slotwise.testing.Tensors.uniform;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slotwise.internal.Ops;
import org.slotwise.testing.OnDevice;

/** The documented equations of {@link InvariantSlotAttention} in plain loops, for one image. */
@ExtendWith(OnDevice.class)
class InvariantSlotAttentionAgainstPlainTest {

    private static final int D = 4;
    private static final int F = 3;
    private static final int N = 7;
    private static final int K = 3;
    private static final int R = 5;
    private static final int TIMES = 3;

    private final Map<String, double[]> w = new HashMap<>();
    private int frequencies;

    /** How the iterations may be taken: in one call, or one by one, with a graph or without. */
    private enum Way {
        INFERENCE,
        TRACED,
        TRAINING,
        IMPLICIT
    }

    @ParameterizedTest
    @CsvSource({
        "INFERENCE, 2", "INFERENCE, 0", "TRACED, 2", "TRACED, 0",
        "TRAINING, 2", "TRAINING, 0", "IMPLICIT, 2", "IMPLICIT, 1"
    })
    void agrees(Way way, int frequencies, NDManager manager) {
        this.frequencies = frequencies;
        InvariantSlotAttention block =
                InvariantSlotAttention.builder()
                        .setDim(D)
                        .setFeatureDim(F)
                        .optRelativeDim(R)
                        .optFrequencies(frequencies)
                        .optImplicitDifferentiation(way == Way.IMPLICIT)
                        .build();
        block.initialize(manager, DataType.FLOAT64);
        long seed = 1;
        for (var entry : block.getParameters()) {
            Parameter parameter = entry.getValue();
            NDArray array = parameter.getArray();
            NDArray draw =
                    normal(manager, seed++, DataType.FLOAT64, array.getShape().getShape()).mul(0.5);
            Ops.overwrite(array, draw);
            w.put(parameter.getName(), doubles(draw));
        }
        NDArray x = normal(manager, 101, DataType.FLOAT64, 1, N, F);
        NDArray p = uniform(manager, 102, DataType.FLOAT64, N, 2);
        NDArray s = normal(manager, 103, DataType.FLOAT64, 1, K, D);
        NDArray where = uniform(manager, 104, DataType.FLOAT64, 1, K, 2);
        PositionedSlots got =
                slots(way, manager, block, new FeatureExtractorOutput(x, p), s, where);

        double[][] features = rows(doubles(x), F);
        for (int j = 0; j < N; j++) {
            features[j] = norm(features[j], "norm_input");
        }
        double[][] slots = rows(doubles(s), D);
        double[][] places = rows(doubles(where), 2);
        double[][] a = new double[0][];
        for (int t = 0; t < TIMES; t++) {
            a = step(features, rows(doubles(p), 2), slots, places);
        }
        assertClose("objects", array(manager, slots), got.objects(), 1e-10);
        assertClose("positions", array(manager, places), got.positions(), 1e-10);
        assertClose("attributions", array(manager, a), got.attributions(), 1e-10);
    }

    private static PositionedSlots slots(
            Way way,
            NDManager manager,
            InvariantSlotAttention block,
            FeatureExtractorOutput features,
            NDArray start,
            NDArray where) {
        ParameterStore store = new ParameterStore(manager, false);
        if (way == Way.TRACED) {
            return block.trace(store, features, start, where, TIMES).result();
        }
        boolean training = way != Way.INFERENCE;
        return block.group(store, features, start, where, TIMES, training);
    }

    /** One iteration; changes slots and places, and returns the attention. */
    private double[][] step(double[][] x, double[][] p, double[][] slots, double[][] places) {
        double[][] a = new double[K][N];
        for (int i = 0; i < K; i++) {
            double[] z = norm(slots[i], "norm_slots");
            double[] q = linear("to_q.weight", z);
            double g = linear("to_scale", z)[0];
            double[] r = linear("to_direction", z);
            for (int j = 0; j < N; j++) {
                double dy = 2 * (p[j][0] - places[i][0]);
                double dx = 2 * (p[j][1] - places[i][1]);
                double dot = 0;
                double[] k = linear("to_k.weight", x[j]);
                for (int c = 0; c < D; c++) {
                    dot += q[c] * k[c] / Math.sqrt(D);
                }
                double bell = Math.exp(g - 2 * w.get("log_scale")[0]);
                a[i][j] = Math.exp(dot - bell * (dy * dy + dx * dx) / 2 + r[0] * dy + r[1] * dx);
            }
        }
        for (int j = 0; j < N; j++) {
            double sum = a[0][j] + a[1][j] + a[2][j];
            for (int i = 0; i < K; i++) {
                a[i][j] /= sum;
            }
        }
        for (int i = 0; i < K; i++) {
            update(x, p, a[i], slots, places, i);
        }
        return a;
    }

    private void update(
            double[][] x, double[][] p, double[] a, double[][] slots, double[][] places, int i) {
        double total = 0;
        for (double value : a) {
            total += value + 1e-8;
        }
        double[] c = new double[2];
        double[] v = new double[D];
        double[] h = new double[R];
        for (int j = 0; j < N; j++) {
            add(c, p[j], (a[j] + 1e-8) / total);
            add(v, linear("to_v.weight", x[j]), (a[j] + 1e-8) / total);
        }
        for (int j = 0; j < N; j++) {
            double[] phi = phi(4 * (p[j][0] - c[0]), 4 * (p[j][1] - c[1]));
            double[] one = linear("relative.features", x[j]);
            add(one, linear("relative.positions.weight", phi), 1);
            for (int r = 0; r < R; r++) {
                h[r] += (a[j] + 1e-8) / total * Math.max(0, one[r]);
            }
        }
        double my = 2 * (c[0] - places[i][0]);
        double mx = 2 * (c[1] - places[i][1]);
        double[] u = v;
        add(u, linear("relative.output", h), 1);
        add(u, linear("displacement", new double[] {my, mx, Math.abs(my), Math.abs(mx)}), 1);
        slots[i] = gru(u, slots[i]);
        places[i] = c;
    }

    /** Both numbers, then for each frequency the sines of both and the cosines of both. */
    private double[] phi(double y, double x) {
        double[] phi = new double[2 + 4 * frequencies];
        phi[0] = y;
        phi[1] = x;
        for (int k = 1; k <= frequencies; k++) {
            phi[4 * k - 2] = Math.sin(k * Math.PI * y / 2);
            phi[4 * k - 1] = Math.sin(k * Math.PI * x / 2);
            phi[4 * k] = Math.cos(k * Math.PI * y / 2);
            phi[4 * k + 1] = Math.cos(k * Math.PI * x / 2);
        }
        return phi;
    }

    private double[] gru(double[] u, double[] s) {
        double[] in = product(w.get("gru.weight_ih"), u, w.get("gru.bias_ih"));
        double[] state = product(w.get("gru.weight_hh"), s, w.get("gru.bias_hh"));
        double[] next = new double[D];
        for (int c = 0; c < D; c++) {
            double r = 1 / (1 + Math.exp(-in[c] - state[c]));
            double z = 1 / (1 + Math.exp(-in[D + c] - state[D + c]));
            next[c] = (1 - z) * Math.tanh(in[2 * D + c] + r * state[2 * D + c]) + z * s[c];
        }
        return next;
    }

    private double[] norm(double[] x, String name) {
        double mean = 0;
        double square = 0;
        for (double value : x) {
            mean += value / x.length;
        }
        for (double value : x) {
            square += (value - mean) * (value - mean) / x.length;
        }
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double unit = (x[i] - mean) / Math.sqrt(square + 1e-5);
            y[i] = unit * w.get(name + ".weight")[i] + w.get(name + ".bias")[i];
        }
        return y;
    }

    /** W x, or W x + b if the name is that of both. */
    private double[] linear(String name, double[] x) {
        return name.endsWith(".weight")
                ? product(w.get(name), x, new double[w.get(name).length / x.length])
                : product(w.get(name + ".weight"), x, w.get(name + ".bias"));
    }

    private static double[] product(double[] weight, double[] x, double[] bias) {
        double[] y = bias.clone();
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < x.length; j++) {
                y[i] += weight[i * x.length + j] * x[j];
            }
        }
        return y;
    }

    private static void add(double[] to, double[] what, double times) {
        for (int i = 0; i < to.length; i++) {
            to[i] += times * what[i];
        }
    }

    private static double[][] rows(double[] values, int size) {
        double[][] rows = new double[values.length / size][size];
        for (int i = 0; i < values.length; i++) {
            rows[i / size][i % size] = values[i];
        }
        return rows;
    }

    private static NDArray array(NDManager manager, double[][] rows) {
        double[] flat = new double[rows.length * rows[0].length];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = rows[i / rows[0].length][i % rows[0].length];
        }
        return manager.create(flat, new Shape(1, rows.length, rows[0].length));
    }
}
