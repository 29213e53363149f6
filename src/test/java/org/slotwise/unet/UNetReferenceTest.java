package org.slotwise.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.diffusion.Ddim;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Prediction;
import org.slotwise.diffusion.SampledNetwork;
import org.slotwise.diffusion.Sampling;
import org.slotwise.diffusion.StepNoise;
import org.slotwise.diffusion.TimeChoice;
import org.slotwise.diffusion.TimestepSpacing;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.FusedOps;
import org.slotwise.internal.Pass;
import org.slotwise.layer.Downsample;
import org.slotwise.layer.ImageAttention;
import org.slotwise.layer.LayerBlock;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.ResnetBlock.Resize;
import org.slotwise.layer.Upsample;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.weights.DiffusionLayouts;

/** Values and gradients beside the originals': {@code resources/unet}. */
@ExtendWith(OnDevice.class)
class UNetReferenceTest {

    static ReferenceCase named(String kind, String name) {
        return ReferenceCase.of("unet", kind)
                .filter(c -> c.toString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Holds equations on some inputs, by their names, to a case with one output "out". */
    static void check(
            NDManager manager,
            ReferenceCase reference,
            Function<Declarer, BiFunction<Pass, NDList, NDArray>> made,
            String... inputs) {
        Block block =
                new EquationBlock(
                        p -> {
                            BiFunction<Pass, NDList, NDArray> equations = made.apply(p);
                            return (pass, in) -> new NDList(equations.apply(pass, in));
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    NDList list = new NDList();
                    Arrays.stream(inputs).forEach(name -> list.add(in.get(name)));
                    return Map.of("out", block.forward(store, list, true).head());
                });
    }

    @Test
    void timeMlp(NDManager manager) {
        check(
                manager,
                named("TimestepEmbedding", "time_mlp"),
                p -> {
                    TimeMlp mlp = TimeMlp.of(p, 16, 24);
                    return (pass, in) -> mlp.apply(pass, in.head());
                },
                "sample");
    }

    static Stream<ReferenceCase> residuals() {
        return ReferenceCase.of("unet", "ResnetBlock2D");
    }

    @ParameterizedTest
    @MethodSource("residuals")
    void residualBlock(ReferenceCase reference, NDManager manager) {
        int in = reference.integer("in_channels");
        int time = reference.option("temb_channels") == null ? 0 : 12;
        Resize resize =
                reference.flag("up")
                        ? Resize.TWICE
                        : reference.flag("down") ? Resize.HALF : Resize.SAME;
        ResnetBlock.Options options =
                new ResnetBlock.Options(
                        reference.integer("groups"),
                        reference.number("eps", 1e-6),
                        0.5,
                        reference.option("time_embedding_norm") != null);
        ResnetBlock.Options off =
                new ResnetBlock.Options(options.groups(), options.eps(), 0, options.scaleShift());
        check(
                manager,
                reference,
                p -> {
                    ResnetBlock block =
                            new ResnetBlock(
                                    p,
                                    in,
                                    (int) reference.number("out_channels", in),
                                    time,
                                    off,
                                    resize,
                                    null);
                    return (pass, list) ->
                            block.apply(
                                    pass,
                                    list.get(0),
                                    time == 0 ? null : FusedOps.silu(list.get(1)));
                },
                time == 0 ? new String[] {"x"} : new String[] {"x", "temb"});
    }

    private static void layer(
            NDManager manager, ReferenceCase reference, Function<Declarer, ?> made) {
        LayerBlock block =
                new LayerBlock(p -> (org.slotwise.layer.Layer) made.apply(p), shape -> shape);
        AgainstReference.check(
                manager,
                reference.renamed(name -> name.replace("Conv2d_0", "conv")),
                block,
                (store, in) ->
                        Map.of("out", block.forward(store, new NDList(in.get("x")), true).head()));
    }

    @Test
    void resizes(NDManager manager) {
        layer(manager, named("Downsample2D", "downsample_conv"), p -> Downsample.of(p, 4, false));
        layer(manager, named("Downsample2D", "downsample_vae"), p -> Downsample.of(p, 4, true));
        layer(manager, named("Upsample2D", "upsample_conv"), p -> Upsample.of(p, 4));
    }

    @Test
    void attention(NDManager manager) {
        layer(
                manager,
                named("Attention", "attention_self"),
                p -> TransformerBlock.attention(p, 8, 8, 2));
        layer(
                manager,
                named("Attention", "attention_vae"),
                p -> ImageAttention.of(p, 8, 4, 1e-6, 1));
    }

    static Stream<ReferenceCase> transformers() {
        return ReferenceCase.of("unet", "Transformer2DModel");
    }

    @ParameterizedTest
    @MethodSource("transformers")
    void spatialTransformer(ReferenceCase reference, NDManager manager) {
        TransformerOptions options =
                new TransformerOptions(
                        reference.integer("cross_attention_dim"),
                        Heads.count(reference.integer("num_attention_heads")),
                        (int) reference.number("num_layers", 1),
                        reference.flag("use_linear_projection"),
                        0);
        check(
                manager,
                reference,
                p -> {
                    SpatialTransformer transformer =
                            SpatialTransformer.of(p, 8, 4, options, 0, false);
                    return (pass, in) -> transformer.apply(pass, in.get(0), Told.of(in.get(1)));
                },
                "x",
                "slots");
    }

    /** The sizes that a case of diffusers was made with. */
    static UNetConfiguration sizes(ReferenceCase reference) {
        String[] types = reference.option("down_block_types").toString().split(",", -1);
        boolean[] attention = new boolean[types.length];
        for (int i = 0; i < types.length; i++) {
            attention[i] = types[i].contains("CrossAttn");
        }
        int side = reference.option("pos_type") == null ? 0 : reference.integer("sample_size");
        return UNetConfiguration.builder()
                .setChannels(reference.integer("in_channels"), reference.integer("out_channels"))
                .setWidths(reference.integers("block_out_channels"))
                .setTransformer(
                        TransformerOptions.of(
                                        reference.integer("cross_attention_dim"),
                                        Heads.count(reference.integer("attention_head_dim")))
                                .withPositions(side))
                .optAttention(attention)
                .optBlocks(reference.integer("layers_per_block"))
                .optGroups(reference.integer("norm_num_groups"))
                .build();
    }

    static Stream<ReferenceCase> networks() {
        return Stream.concat(
                ReferenceCase.of("unet", "UNet2DConditionModel"),
                ReferenceCase.of("unet", "UNet2DConditionModelWithPos"));
    }

    @ParameterizedTest
    @MethodSource("networks")
    void network(ReferenceCase reference, NDManager manager) {
        UNet unet = new UNet(sizes(reference));
        AgainstReference.check(
                manager,
                reference,
                unet,
                (store, in) ->
                        Map.of(
                                "out",
                                unet.predict(
                                        store, in.get("x"), in.get("t"), in.get("slots"), true)));
    }

    /** SlotDiffusion's network is the same under other names. */
    @Test
    void slotDiffusion(NDManager manager) {
        ReferenceCase reference = named("SlotDiffusion UNetModel", "slotdiffusion_unet");
        UNet unet =
                new UNet(
                        UNetConfiguration.builder()
                                .setChannels(3, 3)
                                .setWidths(8, 16)
                                .setTransformer(TransformerOptions.of(10, Heads.size(4)))
                                .optAttention(false, true)
                                .optGroups(4)
                                .build());
        AgainstReference.check(
                manager,
                reference.converted(DiffusionLayouts.compVisUNet(1, false, true)),
                unet,
                (store, in) ->
                        Map.of(
                                "out",
                                unet.predict(
                                        store, in.get("x"), in.get("t"), in.get("slots"), true)));
    }

    /** A whole sampling by DDIM, step by step: where each leads is what the next one sees. */
    @Test
    void trajectory(NDManager manager) {
        ReferenceCase reference = named("UNet2DConditionModel", "unet_tiny");
        Map<String, NDArray> arrays = reference.arrays(manager);
        UNet unet = new UNet(sizes(reference));
        AgainstReference.load(manager, unet, DataType.FLOAT32, arrays);
        ParameterStore store = new ParameterStore(manager, false);
        long[] times = arrays.get("traj/timesteps").toLongArray();
        Ddim ddim =
                Ddim.builder()
                        .setSchedule(NoiseSchedule.scaledLinear(1000, 0.00085, 0.012))
                        .optTimes(new TimeChoice(times.length, TimestepSpacing.LEADING, 1))
                        .optAlphaToOne(false)
                        .build();
        assertArrayEquals(times, Arrays.stream(ddim.times()).asLongStream().toArray());
        Sampling sampling =
                Sampling.builder().setSampler(ddim).setPrediction(Prediction.NOISE).build();
        NDArray slots = arrays.get("in/slots");
        // As it is asked plainly, and told its slots and times beforehand as decoders do.
        List<NDArray> seen = new ArrayList<>();
        NDArray end =
                sampling.sample(
                        (z, t) -> {
                            NDArray copy = z.duplicate();
                            copy.attach(manager);
                            seen.add(copy);
                            return unet.predict(store, z, t, slots, false);
                        },
                        arrays.get("traj/start"),
                        StepNoise.given(List.of()));
        seen.add(end);
        for (int i = 0; i < times.length; i++) {
            assertClose("step " + i, arrays.get("traj/samples").get(i), seen.get(i + 1), 1e-5);
        }
        try (ToldDenoiser told = unet.told(store, slots, ddim.times())) {
            NDArray same =
                    sampling.sample(
                            SampledNetwork.of(told),
                            arrays.get("traj/start"),
                            StepNoise.given(List.of()));
            assertClose("told", arrays.get("traj/samples").get(times.length - 1), same, 1e-5);
        }
    }
}
