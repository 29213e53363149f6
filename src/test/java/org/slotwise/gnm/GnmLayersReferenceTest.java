package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Pass;
import org.slotwise.layer.ConvolutionalLstmCell;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;
import org.slotwise.layer.RelaxedBernoulli;
import org.slotwise.layer.SpatialTransformer;
import org.slotwise.layer.Window;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of the parts beside the original's: {@code resources/gnm}. */
@ExtendWith(OnDevice.class)
class GnmLayersReferenceTest {

    /** Of a single layer in float32, by the scale of each array. */
    private static final double LAYER = 1e-6;

    /** Of sums over a batch of places, whose order is the engine's; float64 is held to 1e-10. */
    private static final double WEIGHT_GRADIENT = 3e-6;

    private static void check(
            NDManager manager,
            ReferenceCase reference,
            Function<Declarer, BiFunction<Pass, NDList, NDList>> equations,
            String[] inputs,
            String[] outputs) {
        EquationBlock block = new EquationBlock(equations);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> named(run(block, store, in, inputs), outputs),
                LAYER,
                WEIGHT_GRADIENT);
    }

    private static NDList run(
            Block block, ParameterStore store, Map<String, NDArray> in, String... inputs) {
        NDList list = new NDList();
        for (String input : inputs) {
            list.add(in.get(input));
        }
        return block.forward(store, list, true);
    }

    private static Map<String, NDArray> named(NDList list, String... outputs) {
        Map<String, NDArray> named = new LinkedHashMap<>();
        for (int i = 0; i < outputs.length; i++) {
            named.put(outputs[i], list.get(i));
        }
        return named;
    }

    private static String[] names(String... names) {
        return names;
    }

    static Stream<ReferenceCase> convolutions() {
        return GnmCases.of("StackConvNorm");
    }

    @ParameterizedTest
    @MethodSource("convolutions")
    void convolutionStack(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                p -> {
                    NormedStack.Builder stack =
                            NormedStack.of(p.under("conv"), reference.integer("dim_inp"));
                    int[] filters = reference.integers("filters");
                    int[] kernels = reference.integers("kernel_sizes");
                    int[] strides = reference.integers("strides");
                    int[] groups = reference.integers("groupings");
                    for (int i = 0; i < filters.length; i++) {
                        int k = kernels[i];
                        Window window =
                                strides[i] == 0
                                        ? Window.valid(k)
                                        : new Window(k, strides[i], (k - 1) / 2);
                        stack.convolution(filters[i], window, groups[i]);
                    }
                    return layer(stack, reference);
                },
                names("x"),
                names("y"));
    }

    private static BiFunction<Pass, NDList, NDList> layer(
            NormedStack.Builder stack, ReferenceCase reference) {
        NormedStack made = stack.optOpenEnd(!reference.flag("norm_act_final")).build();
        return (pass, in) -> new NDList(made.apply(pass, in.head()));
    }

    static Stream<ReferenceCase> subPixels() {
        return GnmCases.of("StackSubPixelNorm");
    }

    @ParameterizedTest
    @MethodSource("subPixels")
    void subPixelStack(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                p -> {
                    NormedStack.Builder stack =
                            NormedStack.of(p.under("conv"), reference.integer("dim_inp"));
                    int[] filters = reference.integers("filters");
                    int[] kernels = reference.integers("kernel_sizes");
                    int[] factors = reference.integers("upscale");
                    int[] groups = reference.integers("groupings");
                    for (int i = 0; i < filters.length; i++) {
                        stack.subPixel(filters[i], kernels[i], factors[i], groups[i]);
                    }
                    return layer(stack, reference);
                },
                names("x"),
                names("y"));
    }

    static Stream<ReferenceCase> perceptrons() {
        return GnmCases.of("StackMLP");
    }

    @ParameterizedTest
    @MethodSource("perceptrons")
    void perceptron(ReferenceCase reference, NDManager manager) {
        check(
                manager,
                reference,
                p -> {
                    NormedStack.Builder stack =
                            NormedStack.of(p.under("mlp"), reference.integer("dim_inp"));
                    for (int size : reference.integers("filters")) {
                        stack.linear(size);
                    }
                    return layer(stack, reference);
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

    static Stream<ReferenceCase> scenes() {
        return GnmCases.of("StructDRAW");
    }

    @ParameterizedTest
    @MethodSource("scenes")
    void sceneLatent(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> given = ReferenceCase.under("in/", reference.arrays(manager));
        boolean generated = reference.toString().matches(".*(prior|given)");
        GnmConfiguration sizes = GnmCases.sizes(reference);
        int seen =
                generated ? 0 : reference.toString().endsWith("step") ? 1 : sizes.latents().steps();
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            SceneLatent scene = SceneLatent.of(p, sizes);
                            return (pass, in) -> {
                                SceneSteps steps =
                                        scene.draw(
                                                pass,
                                                2,
                                                in.head(),
                                                seen,
                                                given.get("z_given"),
                                                given.get("noise_global"));
                                return steps.arrays();
                            };
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    NDList out = run(block, store, in, "x");
                    Map<String, NDArray> named = new LinkedHashMap<>();
                    named.put("global_dec", out.get(0));
                    String[] rest = {"z_global", "p_mean", "p_std", "q_mean", "q_std"};
                    for (int i = 1; i < out.size(); i++) {
                        named.put(rest[i - 1], out.get(i).expandDims(3).expandDims(4));
                    }
                    return named;
                },
                LAYER * 10,
                LAYER * 10);
    }

    @Test
    void cellNetwork(NDManager manager) {
        ReferenceCase reference = GnmCases.named("LocalLatentDecoder", "local_latent_decoder");
        check(
                manager,
                reference,
                p -> {
                    CellNetwork network = CellNetwork.of(p, GnmCases.sizes(reference));
                    return (pass, in) -> network.apply(pass, in.head()).arrays();
                },
                names("x"),
                names(
                        "pres_logits",
                        "where_mean",
                        "where_std",
                        "depth_mean",
                        "depth_std",
                        "what_mean",
                        "what_std"));
    }

    static Stream<ReferenceCase> samplers() {
        return GnmCases.of("LocalSampler");
    }

    @ParameterizedTest
    @MethodSource("samplers")
    void cellSampler(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> given = ReferenceCase.under("in/", reference.arrays(manager));
        boolean opaque = reference.toString().endsWith("opaque");
        check(
                manager,
                reference,
                p -> {
                    CellSampler sampler = CellSampler.of(p, GnmCases.sizes(reference));
                    return (pass, in) -> {
                        CellLatents latents =
                                new CellLatents(
                                        in.get(0),
                                        new Gaussian(in.get(1), in.get(2)),
                                        new Gaussian(in.get(3), in.get(4)),
                                        new Gaussian(in.get(5), in.get(6)));
                        Cells drawn =
                                reference.flag("phase_use_mode")
                                        ? sampler.mode(pass, latents)
                                        : sampler.draw(
                                                pass, latents, 0.7, GnmCases.noise(given, false));
                        NDArray all = sampler.glimpses(pass, Cells.rows(drawn.what()));
                        long colours = GnmCases.sizes(reference).picture().channels();
                        NDArray picture = all.get(":, :{}", colours);
                        // Where there is no alpha, it is 1.
                        NDArray alpha =
                                all.getShape().get(1) == colours
                                        ? all.get(":, :1").onesLike()
                                        : all.get(":, {}:", colours);
                        NDArray one = alpha.onesLike().get("0, 0, 0, 0");
                        return new NDList(
                                picture,
                                // The original has as many channels of ones as of colours.
                                opaque ? picture.onesLike() : alpha.mul(one),
                                drawn.presence(),
                                drawn.where().mul(one),
                                drawn.depth().mul(one),
                                drawn.what().mul(one),
                                drawn.whereDrawn().mul(one));
                    };
                },
                names(
                        "pres_logits",
                        "where_mean",
                        "where_std",
                        "depth_mean",
                        "depth_std",
                        "what_mean",
                        "what_std"),
                names(
                        "glimpse",
                        "alpha",
                        "z_pres",
                        "z_where",
                        "z_depth",
                        "z_what",
                        "z_where_origin"));
    }

    @Test
    void backgroundDecoder(NDManager manager) {
        ReferenceCase reference = GnmCases.named("BgDecoder", "bg_decoder");
        GnmConfiguration sizes = GnmCases.sizes(reference);
        check(
                manager,
                reference,
                p -> {
                    NormedStack decoder =
                            GnmLayers.subPixels(
                                    p.under("p_bg_decoder"),
                                    sizes.latents().background(),
                                    sizes.networks().background());
                    return (pass, in) ->
                            new NDList(Activation.sigmoid(decoder.apply(pass, in.head())));
                },
                names("z_bg"),
                names("background"));
    }

    static Stream<ReferenceCase> backgrounds() {
        return Stream.concat(GnmCases.of("BgEncoder"), GnmCases.of("BgGenerator"));
    }

    @ParameterizedTest
    @MethodSource("backgrounds")
    void backgroundLatents(ReferenceCase reference, NDManager manager) {
        GnmConfiguration sizes = GnmCases.sizes(reference);
        boolean posterior = reference.toString().equals("bg_encoder");
        Map<String, NDArray> given = ReferenceCase.under("in/", reference.arrays(manager));
        NDArray noise = given.get(posterior ? "noise_bg" : "noise_bg_prior");
        check(
                manager,
                reference,
                p -> {
                    NormedStack net =
                            posterior
                                    ? GnmLayers.perceptron(
                                            p.under("p_bg_encoder"),
                                            12L * 16,
                                            sizes.networks().backgroundPosterior(),
                                            6,
                                            true)
                                    : GnmLayers.perceptron(
                                            p.under("p_bg_generator"),
                                            15,
                                            sizes.networks().backgroundPrior(),
                                            6,
                                            true);
                    return (pass, in) -> {
                        NDArray x = in.head();
                        Gaussian z = Gaussian.halves(net.apply(pass, x.reshape(2, -1)), 1);
                        NDArray drawn = noise == null ? z.mean() : z.sample(GnmCases.flat(noise));
                        Shape to = new Shape(2, 3, 1, 1);
                        return new NDList(
                                drawn.reshape(to), z.mean().reshape(to), z.deviation().reshape(to));
                    };
                },
                names(posterior ? "x" : "z_global"),
                names("z_bg", "mean", "std"));
    }

    static Stream<ReferenceCase> renders() {
        return GnmCases.of("GNM.render");
    }

    @ParameterizedTest
    @MethodSource("renders")
    void renderer(ReferenceCase reference, NDManager manager) {
        // The crowded scene has more cells than an encoder leaves: there is no whole model of it.
        Renderer renderer =
                new Renderer(
                        reference.option("data").getAsJsonObject().get("img_w").getAsInt(),
                        reference
                                .option("arch")
                                .getAsJsonObject()
                                .get("phase_overlap")
                                .getAsBoolean());
        GnmSetting setting = GnmCases.schedules(reference).at(reference.integer("step"));
        check(
                manager,
                reference,
                p ->
                        (pass, in) -> {
                            NDArray where = in.get(4);
                            NDArray what = in.get(3).zerosLike();
                            Cells cells = new Cells(in.get(3), where, where, in.get(5), what);
                            NDArray rows = Cells.rows(where);
                            int glimpse = (int) in.head().getShape().get(2);
                            PasteWindows windows = renderer.windows(rows, glimpse);
                            NDArray glimpses = in.get(0).concat(in.get(1), 1);
                            NDArray ordered =
                                    windows == null ? glimpses : ordered(glimpses, windows.order());
                            RenderedScenes drawn =
                                    renderer.draw(
                                            ordered, cells, windows, in.get(2), setting.covered());
                            Shape s = drawn.picture().getShape();
                            NDArray patches =
                                    SpatialTransformer.paste(
                                            in.get(0), rows, (int) s.get(2), (int) s.get(3));
                            return new NDList(
                                    drawn.picture(),
                                    drawn.foreground(),
                                    drawn.alpha(),
                                    patches.reshape(s.get(0), -1, s.get(1), s.get(2), s.get(3)),
                                    drawn.masks());
                        },
                names("glimpse", "alpha", "background", "z_pres", "z_where", "z_depth"),
                names("canvas", "foreground", "alpha_map", "patches", "masks"));
    }

    private static NDArray ordered(NDArray glimpses, NDArray order) {
        Shape s = glimpses.getShape();
        NDArray rows = glimpses.reshape(s.get(0), s.size() / s.get(0));
        return Ops.rows(rows, order).reshape(s);
    }
}
