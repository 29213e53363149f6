package org.slotwise.layer;

import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.nn.Activation;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.internal.Declarer;
import org.slotwise.layer.TimeEmbedding.Order;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of single layers beside the originals': {@code resources/layer}. */
@ExtendWith(OnDevice.class)
class LayerReferenceTest {

    private static ReferenceCase named(String kind) {
        return ReferenceCase.of("layer", kind).findFirst().orElseThrow();
    }

    private static Linear plain(Declarer parameters, int in, int out) {
        return Linear.of(parameters, in, out, false);
    }

    static Stream<ReferenceCase> slateAttention() {
        return ReferenceCase.of("layer", "SlateAttention");
    }

    @ParameterizedTest
    @MethodSource("slateAttention")
    void attention(ReferenceCase reference, NDManager manager) {
        int d = reference.integer("d_model");
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            Attention attention =
                                    new Attention(
                                            plain(p.under("proj_q"), d, d),
                                            plain(p.under("proj_k"), d, d),
                                            plain(p.under("proj_v"), d, d),
                                            plain(p.under("proj_o"), d, d),
                                            reference.integer("num_heads"));
                            boolean causal = reference.flag("causal");
                            return (pass, in) ->
                                    new NDList(
                                            attention
                                                    .attend(
                                                            pass, in.get(0), in.get(1), causal,
                                                            null)
                                                    .output());
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "y",
                                block.forward(
                                                store,
                                                new NDList(in.get("q"), in.get("memory")),
                                                true)
                                        .head()));
    }

    @Test
    void attentionOfTwoSizes(NDManager manager) {
        ReferenceCase reference = named("DiffusersAttention");
        int d = reference.integer("query_dim");
        int other = reference.integer("cross_attention_dim");
        int heads = reference.integer("heads");
        int inner = heads * reference.integer("dim_head");
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            Attention attention =
                                    new Attention(
                                            plain(p.under("to_q"), d, inner),
                                            plain(p.under("to_k"), other, inner),
                                            plain(p.under("to_v"), other, inner),
                                            Linear.of(p.under("to_out").under("0"), inner, d),
                                            heads);
                            return (pass, in) ->
                                    new NDList(
                                            attention
                                                    .attend(pass, in.get(0), in.get(1), false, null)
                                                    .output());
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "out",
                                block.forward(
                                                store,
                                                new NDList(in.get("x"), in.get("context")),
                                                true)
                                        .head()));
    }

    @Test
    void geGlu(NDManager manager) {
        ReferenceCase reference = named("FeedForwardGeglu");
        int d = reference.integer("dim");
        LayerBlock block =
                new LayerBlock(
                        p -> {
                            GeGlu gate = GeGlu.of(p.under("net").under("0"), d, 4L * d);
                            Linear out = Linear.of(p.under("net").under("2"), 4L * d, d);
                            return (pass, x) -> out.apply(pass, gate.apply(pass, x));
                        },
                        shape -> shape);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of("out", block.forward(store, new NDList(in.get("x")), true).head()));
    }

    static Stream<ReferenceCase> positions() {
        return ReferenceCase.of("layer", "PositionalEncoding");
    }

    @ParameterizedTest
    @MethodSource("positions")
    void positionTable(ReferenceCase reference, NDManager manager) {
        LayerBlock block =
                new LayerBlock(
                        p ->
                                PositionTable.of(
                                        p,
                                        "pe",
                                        reference.integer("max_len"),
                                        reference.integer("d_model"),
                                        StartingValues.truncatedNormal()),
                        shape -> shape);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "output",
                                block.forward(store, new NDList(in.get("input")), true).head()));
    }

    static Stream<ReferenceCase> convolutionBlocks() {
        return ReferenceCase.of("layer", "Conv2dBlock");
    }

    @ParameterizedTest
    @MethodSource("convolutionBlocks")
    void groupNorm(ReferenceCase reference, NDManager manager) {
        int in = reference.integer("in_channels");
        int out = reference.integer("out_channels");
        int kernel = reference.integer("kernel_size");
        LayerBlock block =
                new LayerBlock(
                        p -> {
                            GroupNorm norm = GroupNorm.of(p, 1, out);
                            Window window =
                                    Window.valid(kernel)
                                            .withStride(reference.integer("stride"))
                                            .withPadding(reference.integer("padding"));
                            Convolution convolution =
                                    Convolution.of(
                                            p.under("m"),
                                            in,
                                            out,
                                            window,
                                            StartingValues.kaiming((long) in * kernel * kernel),
                                            null);
                            return (pass, x) ->
                                    Activation.relu(norm.apply(pass, convolution.apply(pass, x)));
                        },
                        shape -> shape);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, arrays) ->
                        Map.of(
                                "y",
                                block.forward(store, new NDList(arrays.get("x")), true).head()));
    }

    @Test
    void timeEmbedding(NDManager manager) {
        Map<String, NDArray> arrays = named("TimestepEmbedding").arrays(manager);
        NDArray t = arrays.get("in/t");
        assertClose(
                "Stable Diffusion",
                arrays.get("out/sd_16"),
                new TimeEmbedding(16, Order.COSINE_FIRST, 0).of(t),
                1e-5);
        assertClose(
                "DDPM",
                arrays.get("out/ddpm_16"),
                new TimeEmbedding(16, Order.SINE_FIRST, 1).of(t),
                1e-5);
        assertClose(
                "SlotDiffusion",
                arrays.get("out/slotdiffusion_16"),
                new TimeEmbedding(16, Order.COSINE_FIRST, 0).of(t),
                1e-5);
        assertClose(
                "odd",
                arrays.get("out/odd_15"),
                new TimeEmbedding(15, Order.COSINE_FIRST, 0).of(t),
                1e-5);
        assertClose(
                "interleaved",
                arrays.get("out/seed_16"),
                new TimeEmbedding(16, Order.INTERLEAVED, 0)
                        .of(manager.create(new float[] {0, 1, 7, 500, 999})),
                1e-5);
    }
}
