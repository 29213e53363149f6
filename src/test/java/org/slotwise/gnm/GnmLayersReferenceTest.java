package org.slotwise.gnm;

import static org.slotwise.gnm.GnmPart.check;
import static org.slotwise.gnm.GnmPart.names;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import java.util.function.ObjIntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.layer.ConvolutionalLstmCell;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;
import org.slotwise.layer.RelaxedBernoulli;
import org.slotwise.layer.SpatialTransformer;
import org.slotwise.layer.Window;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of the layers beside the original's: {@code resources/gnm}. */
@ExtendWith(OnDevice.class)
class GnmLayersReferenceTest {

    static Stream<ReferenceCase> convolutions() {
        return GnmCases.of("StackConvNorm");
    }

    @ParameterizedTest
    @MethodSource("convolutions")
    void convolutionStack(ReferenceCase reference, NDManager manager) {
        int[] strides = reference.integers("strides");
        stack(
                manager,
                reference,
                "conv",
                (stack, i) -> {
                    int k = reference.integers("kernel_sizes")[i];
                    Window window =
                            strides[i] == 0
                                    ? Window.valid(k)
                                    : new Window(k, strides[i], (k - 1) / 2);
                    stack.convolution(filters(reference, i), window, groups(reference, i));
                });
    }

    static Stream<ReferenceCase> subPixels() {
        return GnmCases.of("StackSubPixelNorm");
    }

    @ParameterizedTest
    @MethodSource("subPixels")
    void subPixelStack(ReferenceCase reference, NDManager manager) {
        stack(
                manager,
                reference,
                "conv",
                (stack, i) ->
                        stack.subPixel(
                                filters(reference, i),
                                reference.integers("kernel_sizes")[i],
                                reference.integers("upscale")[i],
                                groups(reference, i)));
    }

    static Stream<ReferenceCase> perceptrons() {
        return GnmCases.of("StackMLP");
    }

    @ParameterizedTest
    @MethodSource("perceptrons")
    void perceptron(ReferenceCase reference, NDManager manager) {
        stack(manager, reference, "mlp", (stack, i) -> stack.linear(filters(reference, i)));
    }

    private static int filters(ReferenceCase reference, int layer) {
        return reference.integers("filters")[layer];
    }

    private static int groups(ReferenceCase reference, int layer) {
        return reference.integers("groupings")[layer];
    }

    /** A stack to which layers are added by their number. */
    private static void stack(
            NDManager manager,
            ReferenceCase reference,
            String name,
            ObjIntConsumer<NormedStack.Builder> layer) {
        check(
                manager,
                reference,
                p -> {
                    NormedStack.Builder stack =
                            NormedStack.of(p.under(name), reference.integer("dim_inp"));
                    for (int i = 0; i < reference.integers("filters").length; i++) {
                        layer.accept(stack, i);
                    }
                    NormedStack made = stack.optOpenEnd(!reference.flag("norm_act_final")).build();
                    return (pass, in) -> new NDList(made.apply(pass, in.head()));
                },
                names("x"),
                names("y"));
    }

    static Stream<ReferenceCase> cells() {
        return GnmCases.of("ConvLSTMCell");
    }

    @ParameterizedTest
    @MethodSource("cells")
    void convolutionalLstm(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                p -> {
                    ConvolutionalLstmCell cell =
                            new ConvolutionalLstmCell(
                                    p,
                                    reference.integer("input_dim"),
                                    reference.integer("hidden_dim"),
                                    reference.integer("kernel_size"),
                                    reference.integer("num_cell"));
                    return (pass, in) -> {
                        var first = cell.step(pass, in.head().get(":, 0"), cell.start(pass, 2));
                        var second = cell.step(pass, in.head().get(":, 1"), first);
                        return new NDList(
                                first.hidden(), first.cell(), second.hidden(), second.cell());
                    };
                },
                names("x"),
                names("h_1", "c_1", "h_2", "c_2"));
    }

    static Stream<ReferenceCase> transforms() {
        return GnmCases.of("spatial_transform");
    }

    @ParameterizedTest
    @MethodSource("transforms")
    void spatialTransformer(ReferenceCase reference, NDManager manager) {
        int[] size = reference.integers("out");
        check(
                manager,
                reference,
                p ->
                        (pass, in) ->
                                new NDList(
                                        reference.flag("inverse")
                                                ? SpatialTransformer.paste(
                                                        in.get(0), in.get(1), size[0], size[1])
                                                : SpatialTransformer.crop(
                                                        in.get(0), in.get(1), size[0], size[1])),
                names("image", "z_where"),
                names("y"));
    }

    static Stream<ReferenceCase> relaxed() {
        return GnmCases.of("RelaxedBernoulli.rsample");
    }

    @ParameterizedTest
    @MethodSource("relaxed")
    void relaxedBernoulli(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                p ->
                        (pass, in) -> {
                            NDList all = new NDList();
                            for (double tau : new double[] {1, 0.5, 0.1}) {
                                all.add(new RelaxedBernoulli(tau).sample(in.get(0), in.get(1)));
                            }
                            return all;
                        },
                names("logits", "uniform_pres"),
                names("sample_tau_1.0", "sample_tau_0.5", "sample_tau_0.1"));
    }

    @Test
    void densityOfTheRelaxedBernoulli(NDManager manager) {
        check(
                manager,
                GnmCases.named("RelaxedBernoulli.log_prob", "relaxed_bernoulli_log_prob"),
                p ->
                        (pass, in) ->
                                new NDList(
                                        new RelaxedBernoulli(1).logDensity(in.get(0), in.get(1)),
                                        new RelaxedBernoulli(0.5).logDensity(in.get(0), in.get(1))),
                names("logits", "value"),
                names("log_prob_tau_1.0", "log_prob_tau_0.5"));
    }

    @Test
    void divergenceOfPresence(NDManager manager) {
        NDArray prior = manager.full(new Shape(), 0.001f);
        check(
                manager,
                GnmCases.named("kl_divergence_bern_bern", "bernoulli_kl"),
                p ->
                        (pass, in) -> {
                            NDArray q = Activation.sigmoid(in.get(0));
                            NDArray other = Activation.sigmoid(in.get(1));
                            return new NDList(
                                    GnmLoss.bernoulli(q, other), GnmLoss.bernoulli(q, prior));
                        },
                names("q_logits", "p_logits"),
                names("kl", "kl_to_prior"));
    }

    @Test
    void normalDistribution(NDManager manager) {
        check(
                manager,
                GnmCases.named("Normal", "normal_kl"),
                p ->
                        (pass, in) -> {
                            Gaussian q = new Gaussian(in.get(0), in.get(1));
                            Gaussian prior = new Gaussian(in.get(2), in.get(3));
                            return new NDList(q.divergence(prior), q.logDensity(in.get(4)));
                        },
                names("q_mean", "q_std", "p_mean", "p_std", "x"),
                names("kl", "log_prob"));
    }
}
