package org.slotwise.diffusion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.LayerBlock;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.Perceptron;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.Conversion;
import org.slotwise.weights.NameMap;

/**
 * A whole training step of Latent Slot Diffusion, of our parts and by {@link
 * LatentDiffusionDecoder}, against its own code: values on the way, the loss, and gradients of all
 * that learns.
 */
@ExtendWith(OnDevice.class)
class LatentSlotDiffusionLossTest {

    private static final int SLOT = 10;
    private static final int SIDE = 4;
    private static final double SCALE = 0.18215;

    static Stream<ReferenceCase> steps() {
        return DiffusionCases.of("LSD training loss");
    }

    @ParameterizedTest
    @MethodSource("steps")
    void step(ReferenceCase reference, NDManager manager) {
        Model model = new Model(reference);
        AgainstReference.check(
                manager, reference.converted(names()), model, (store, in) -> model.run(store, in));
    }

    /** Our names of its parameters. */
    private static NameMap names() {
        String slots = "slot_attn.";
        return NameMap.builder()
                .rule("vae.*", "vae.*")
                .rule("backbone.*", "backbone.*")
                .rule("unet.*", "decoder.denoiser.*")
                .rule(slots + "slot_mu", "starts.slots_mu")
                .rule(slots + "slot_log_sigma", "starts.slots_logsigma")
                .drop(slots + "pos.pe")
                .rule(slots + "pos.projection.*", "positions.dense.*", Conversion.pointwise())
                .rule(slots + "in_layer_norm.*", "head.norm.*")
                .rule(slots + "in_mlp.*", "head.mlp.*")
                .rule(slots + "norm_inputs.*", "grouping.norm_input.*")
                .rule(slots + "norm_slots.*", "grouping.norm_slots.*")
                .rule(slots + "norm_mlp.*", "grouping.ff_mlp.module.0.*")
                .rule(slots + "mlp.0.*", "grouping.ff_mlp.module.1.*")
                .rule(slots + "mlp.2.*", "grouping.ff_mlp.module.3.*")
                .rule(slots + "project_q.weight", "grouping.to_q.weight")
                .rule(slots + "project_k.weight", "grouping.to_k.weight")
                .rule(slots + "project_v.weight", "grouping.to_v.weight")
                .rule(slots + "gru.*", "grouping.gru.*")
                .rule(slots + "out_layer_norm.*", "last.norm.*")
                .rule(slots + "out_linear.*", "last.linear.*")
                .build();
    }

    /** All parts, at the sizes of the cases. */
    private static final class Model extends AbstractBlock {

        private final AutoencoderKl vae =
                new AutoencoderKl(new AutoencoderSizes(3, 4, List.of(8, 12), 1, 4, SCALE));
        private final UNetEncoder backbone =
                new UNetEncoder(
                        UNetConfiguration.builder()
                                .setChannels(8, SLOT)
                                .setWidths(8, 8)
                                .optGroups(4)
                                .optMiddle(Heads.size(8))
                                .build(),
                        2);
        private final SoftPositionEmbed positions =
                SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(SLOT).build();
        private final Block head =
                new LayerBlock(
                        p -> {
                            LayerNorm norm = LayerNorm.of(p.under("norm"), SLOT);
                            Perceptron mlp = Perceptron.of(p.under("mlp"), SLOT, SLOT, 1, SLOT);
                            return (pass, x) -> mlp.apply(pass, norm.apply(pass, x));
                        },
                        s -> s);
        private final RandomConditioning starts =
                RandomConditioning.builder().setDim(SLOT).setSlots(3).build();
        private final SlotAttention grouping =
                SlotAttention.builder()
                        .setDim(SLOT)
                        .setFeatureDim(SLOT)
                        .optEps(1e-6)
                        .optFeedForward(new FeedForward(SLOT, 12))
                        .build();
        private final Block last =
                new LayerBlock(
                        p -> {
                            LayerNorm norm = LayerNorm.of(p.under("norm"), SLOT);
                            Linear linear = Linear.of(p.under("linear"), SLOT, SLOT);
                            return (pass, x) -> linear.apply(pass, norm.apply(pass, x));
                        },
                        s -> s);
        private final LatentDiffusionDecoder decoder;

        Model(ReferenceCase reference) {
            var scheduler = reference.option("scheduler").getAsJsonObject();
            boolean velocity =
                    "v_prediction".equals(scheduler.get("prediction_type").getAsString());
            Noising noising =
                    new Noising(
                            NoiseSchedule.linear(
                                    1000,
                                    scheduler.get("beta_start").getAsDouble(),
                                    scheduler.get("beta_end").getAsDouble()));
            decoder =
                    new LatentDiffusionDecoder(
                            new UNet(
                                    UNetConfiguration.builder()
                                            .setChannels(4, 4)
                                            .setWidths(8, 12)
                                            .setTransformer(
                                                    TransformerOptions.of(SLOT, Heads.count(2))
                                                            .withPositions(SIDE))
                                            .optAttention(true, false)
                                            .optGroups(4)
                                            .build()),
                            DenoisingLoss.of(
                                    noising, velocity ? Prediction.VELOCITY : Prediction.NOISE),
                            new Shape(4, SIDE, SIDE));
            parts().forEach(this::addChildBlock);
        }

        private Map<String, Block> parts() {
            Map<String, Block> parts = new LinkedHashMap<>();
            parts.put("vae", vae);
            parts.put("backbone", backbone);
            parts.put("positions", positions);
            parts.put("head", head);
            parts.put("starts", starts);
            parts.put("grouping", grouping);
            parts.put("last", last);
            parts.put("decoder", decoder);
            return parts;
        }

        Map<String, NDArray> run(ParameterStore store, Map<String, NDArray> in) {
            NDArray image = in.get("image");
            NDArray z = vae.encode(store, image, false).sample(in.get("posterior_noise"));
            z = z.mul(Scalars.like(z, vae.scale()));
            NDArray features = backbone.extract(store, image, true).features();
            NDArray placed = positions.embed(store, features, places(features), true);
            NDArray seen = head.forward(store, new NDList(placed), true).head();
            NDArray start = starts.sample(store, in.get("slot_noise"), true);
            PerceptualGroupingOutput found =
                    grouping.group(store, new FeatureExtractorOutput(seen), start, null, true);
            NDArray slots = last.forward(store, new NDList(found.objects()), true).head();
            int[] t = Arrays.stream(in.get("t").toLongArray()).mapToInt(Math::toIntExact).toArray();
            NDArray noisy = decoder.learning().noising().noised(z, in.get("noise"), t);
            return Map.of(
                    "latent",
                    z,
                    "noisy",
                    noisy,
                    "slots",
                    slots,
                    "attn",
                    found.attributions().swapAxes(1, 2).reshape(2, 1, 1, (long) SIDE * SIDE, 3),
                    "pred",
                    decoder.denoiser().predict(store, noisy, in.get("t"), slots, true),
                    "loss",
                    decoder.loss(store, z, slots, new DiffusionDraws(in.get("noise"), t), true));
        }

        /** The middle of each place. */
        private static NDArray places(NDArray like) {
            double[] middles = new double[2 * SIDE * SIDE];
            for (int i = 0; i < SIDE * SIDE; i++) {
                middles[2 * i] = (Math.floorDiv(i, SIDE) + 0.5) / SIDE;
                middles[2 * i + 1] = (i % SIDE + 0.5) / SIDE;
            }
            return Scalars.of(
                    like.getManager(),
                    like.getDevice(),
                    middles,
                    new Shape(SIDE * SIDE, 2),
                    like.getDataType());
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            parts().values().forEach(part -> part.initialize(manager, type, shapes));
        }

        @Override
        protected NDList forwardInternal(
                ParameterStore store,
                NDList inputs,
                boolean training,
                PairList<String, Object> params) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Shape[] getOutputShapes(Shape[] shapes) {
            return shapes;
        }
    }
}
