package org.slotwise.gnm;

import static org.slotwise.gnm.GnmPart.LAYER;
import static org.slotwise.gnm.GnmPart.check;
import static org.slotwise.gnm.GnmPart.names;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Ops;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.NormedStack;
import org.slotwise.layer.SpatialTransformer;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of what a GNM is made of beside the original's: {@code resources/gnm}. */
@ExtendWith(OnDevice.class)
class GnmPartsReferenceTest {

    private static final String[] LATENTS = {
        "pres_logits", "where_mean", "where_std", "depth_mean", "depth_std", "what_mean", "what_std"
    };

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
        check(
                manager,
                reference,
                p -> {
                    SceneLatent scene = SceneLatent.of(p, sizes);
                    return (pass, in) ->
                            scene.draw(
                                            pass,
                                            2,
                                            in.head(),
                                            seen,
                                            given.get("z_given"),
                                            given.get("noise_global"))
                                    .arrays();
                },
                names("x"),
                (in, out) -> {
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
                LATENTS);
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
                LATENTS,
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
