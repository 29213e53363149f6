package org.slotwise.grouping;

import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.conditioning.Conditioning;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.encoder.InstanceNormEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.internal.Ops;
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
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.DiffusionLayouts;

/** Backbones and slots of models of latent diffusion, of our parts: {@code resources/unet}. */
@ExtendWith(OnDevice.class)
class DiffusionSlotsReferenceTest {

    /** Parts under their names; a child named "_" has none of its own. */
    private static final class Parts extends AbstractBlock {
        private final Map<String, Block> parts;

        Parts(Map<String, Block> parts) {
            this.parts = parts;
            parts.forEach(this::addChildBlock);
        }

        @Override
        protected void initializeChildBlocks(NDManager manager, DataType type, Shape... shapes) {
            parts.values().forEach(part -> part.initialize(manager, type, shapes));
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

    private static ReferenceCase named(String kind, String name) {
        return ReferenceCase.of("unet", kind)
                .filter(c -> c.toString().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Block perceptron(int dim, int hidden) {
        return new LayerBlock(
                p -> {
                    Perceptron mlp = Perceptron.of(p, dim, hidden, 1, dim);
                    return (pass, s) -> s.add(mlp.apply(pass, s));
                },
                s -> s);
    }

    @Test
    void col775(NDManager manager) {
        ReferenceCase reference =
                named("seed Encoder and SlotAttention", "seed_encoder_and_slots")
                        .converted(DiffusionLayouts.col775());
        SlotAttentionEncoder encoder =
                SlotAttentionEncoder.builder()
                        .setBackbone(new InstanceNormEncoder(6, reference.integer("shift")))
                        .build();
        LearntConditioning starts = LearntConditioning.builder().setDim(6).setSlots(3).build();
        SlotAttention grouping =
                SlotAttention.builder()
                        .setDim(6)
                        .setFeatureDim(6)
                        .optFeedForward(perceptron(6, 12))
                        .build();
        Map<String, Block> parts = new LinkedHashMap<>();
        parts.put("encoder", encoder);
        parts.put("conditioning", starts);
        parts.put("grouping", grouping);
        AgainstReference.check(
                manager,
                reference,
                new Parts(parts),
                (store, in) -> {
                    FeatureExtractorOutput seen = encoder.extract(store, in.get("image"), true);
                    NDList attentions = new NDList();
                    PerceptualGroupingOutput out =
                            grouping.group(
                                    store,
                                    seen,
                                    starts.sample(store, manager, 2, 3, true),
                                    null,
                                    true,
                                    attentions);
                    NDArray a = attentions.head().swapAxes(2, 3); // (B, T, N, K)
                    return Map.of(
                            "features", seen.features(),
                            "slots", out.objects(),
                            "attn", a.add(Scalars.like(a, 1e-8)));
                });
    }

    @Test
    void backboneOfLatentSlotDiffusion(NDManager manager) {
        ReferenceCase reference = named("UNetEncoder", "lsd_backbone");
        UNetEncoder encoder =
                new UNetEncoder(
                        UNetConfiguration.builder()
                                .setChannels(8, 10)
                                .setWidths(reference.integers("block_out_channels"))
                                .optGroups(4)
                                .optMiddle(Heads.size(reference.integer("attention_head_dim")))
                                .build(),
                        2);
        AgainstReference.check(
                manager,
                reference,
                encoder,
                (store, in) ->
                        Map.of(
                                "out",
                                encoder.extract(store, in.get("x"), true)
                                        .features()
                                        .swapAxes(1, 2)
                                        .reshape(2, 10, 4, 4)));
    }

    /** What is before, within and after slot attention. */
    private record Slots(
            SoftPositionEmbed positions,
            Block head,
            Conditioning starts,
            SlotAttention grouping,
            Block last) {

        static Slots of(int heads, int iterations, Conditioning starts) {
            return new Slots(
                    SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(10).build(),
                    new LayerBlock(
                            p -> {
                                LayerNorm norm = LayerNorm.of(p.under("norm"), 10);
                                Perceptron mlp = Perceptron.of(p.under("mlp"), 10, 10, 1, 10);
                                return (pass, x) -> mlp.apply(pass, norm.apply(pass, x));
                            },
                            s -> s),
                    starts,
                    SlotAttention.builder()
                            .setDim(10)
                            .setFeatureDim(10)
                            .optHeads(heads)
                            .optIterations(iterations)
                            .optEps(1e-6)
                            .optFeedForward(new FeedForward(10, 12))
                            .build(),
                    new LayerBlock(
                            p -> {
                                LayerNorm norm = LayerNorm.of(p.under("out_layer_norm"), 10);
                                Linear linear = Linear.of(p.under("out_linear"), 10, 10);
                                return (pass, x) -> linear.apply(pass, norm.apply(pass, x));
                            },
                            s -> s));
        }

        Block block() {
            Map<String, Block> parts = new LinkedHashMap<>();
            parts.put("encoder.positional_embedding", positions);
            parts.put("encoder", head);
            parts.put("conditioning", starts);
            parts.put("grouping", grouping);
            parts.put("slots", last);
            return new Parts(parts);
        }

        /** Slots (B, K, D) and attention (B, K, N), of features (B, 1, C, 4, 4). */
        PerceptualGroupingOutput of(ParameterStore store, NDArray x, NDArray start) {
            return grouping.group(store, seen(store, x), start, null, true);
        }

        /** What slots attend to. */
        FeatureExtractorOutput seen(ParameterStore store, NDArray x) {
            double[] middles = new double[32];
            for (int i = 0; i < 16; i++) {
                middles[2 * i] = (Math.floorDiv(i, 4) + 0.5) / 4;
                middles[2 * i + 1] = (i % 4 + 0.5) / 4;
            }
            NDArray places =
                    Scalars.of(
                            x.getManager(),
                            x.getDevice(),
                            middles,
                            new Shape(16, 2),
                            x.getDataType());
            NDArray tokens = x.reshape(2, 10, 16).swapAxes(1, 2);
            NDArray placed = positions.embed(store, tokens, places, true);
            return new FeatureExtractorOutput(head.forward(store, new NDList(placed), true).head());
        }
    }

    @Test
    void slotsOfLatentSlotDiffusion(NDManager manager) {
        ReferenceCase reference =
                named("MultiHeadSTEVESA", "lsd_slot_attention")
                        .converted(DiffusionLayouts.latentSlotDiffusionSlots(1, false));
        Slots slots = Slots.of(1, 3, RandomConditioning.builder().setDim(10).setSlots(3).build());
        AgainstReference.check(
                manager,
                reference,
                slots.block(),
                (store, in) -> {
                    NDArray start = slots.starts().sample(store, in.get("noise"), true);
                    PerceptualGroupingOutput out = slots.of(store, in.get("x"), start);
                    NDArray last =
                            slots.last().forward(store, new NDList(out.objects()), true).head();
                    return Map.of(
                            "slots", last.reshape(2, 1, 3, 10),
                            "attn",
                                    out.featureAttributions()
                                            .swapAxes(1, 2)
                                            .reshape(2, 1, 1, 16, 3));
                });
    }

    /**
     * Of two heads the attention is a mean here: each head's is computed beside it, of the slots
     * before the last iteration. Three blocks of one iteration are one of three.
     */
    @Test
    void slotsOfTwoHeads(NDManager manager) {
        String queries = "grouping.to_q.weight";
        ReferenceCase reference =
                named("MultiHeadSTEVESA", "lsd_slot_attention_heads_learnt")
                        .converted(DiffusionLayouts.latentSlotDiffusionSlots(2, true))
                        // Queries are divided by the root of 2, so gradients are multiplied by it.
                        .scaled("grad/param/" + queries, 2);
        Slots slots = Slots.of(2, 1, LearntConditioning.builder().setDim(10).setSlots(3).build());
        Block block = slots.block();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    FeatureExtractorOutput seen = slots.seen(store, in.get("x"));
                    NDArray before = slots.starts().sample(store, manager, 2, 3, true);
                    PerceptualGroupingOutput out = null;
                    for (int i = 0; i < 3; i++) {
                        before = out == null ? before : out.objects();
                        out = slots.grouping().group(store, seen, before, null, true);
                    }
                    NDArray last =
                            slots.last().forward(store, new NDList(out.objects()), true).head();
                    NDArray attention =
                            heads(ReferenceCase.parameters(block), seen.features(), before);
                    assertClose(
                            "the mean over heads",
                            attention.mean(new int[] {2}).squeeze(1),
                            out.featureAttributions().swapAxes(1, 2),
                            1e-5);
                    return Map.of("slots", last.reshape(2, 1, 3, 10), "attn", attention);
                });
        // The block that repeats by itself comes to the same.
        Map<String, NDArray> arrays = reference.arrays(manager);
        Slots whole = Slots.of(2, 3, LearntConditioning.builder().setDim(10).setSlots(3).build());
        AgainstReference.load(manager, whole.block(), DataType.FLOAT32, arrays);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray start = whole.starts().sample(store, manager, 2, 3, false);
        PerceptualGroupingOutput out = whole.of(store, arrays.get("in/x"), start);
        NDArray last = whole.last().forward(store, new NDList(out.objects()), false).head();
        assertClose("slots", arrays.get("out/slots").reshape(2, 3, 10), last, 1e-5);
    }

    /** (B, 1, H, N, K): softmax over slots and heads of q . k / sqrt(C / H). */
    private static NDArray heads(Map<String, NDArray> weights, NDArray features, NDArray slots) {
        NDArray q = projected(weights, "norm_slots", "to_q", slots);
        NDArray k = projected(weights, "norm_input", "to_k", features);
        NDArray logits = q.matMul(k.swapAxes(2, 3));
        NDArray scaled = logits.mul(Scalars.like(logits, Math.sqrt(2 / 10.0)));
        NDArray a = scaled.reshape(2, 6, 16).softmax(1).reshape(2, 2, 3, 16);
        return a.swapAxes(2, 3).expandDims(1);
    }

    /** (B, H, any, C / H). */
    private static NDArray projected(
            Map<String, NDArray> weights, String norm, String projection, NDArray x) {
        NDArray normed =
                Ops.layerNorm(
                        x,
                        weights.get("grouping." + norm + ".weight"),
                        weights.get("grouping." + norm + ".bias"));
        NDArray y = Ops.linear(normed, weights.get("grouping." + projection + ".weight"), null);
        return y.reshape(2, x.getShape().get(1), 2, 5).swapAxes(1, 2);
    }
}
