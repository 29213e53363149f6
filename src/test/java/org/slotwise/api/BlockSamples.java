package org.slotwise.api;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slotwise.autoencoder.AutoencoderKl;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.autoencoder.PatchAutoencoder;
import org.slotwise.autoencoder.PatchLatents;
import org.slotwise.autoencoder.VqAutoencoder;
import org.slotwise.conditioning.CoordinateConditioning;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.conditioning.SlotwiseLearntConditioning;
import org.slotwise.decoder.AttendedColourDecoder;
import org.slotwise.decoder.AttendedRampDecoder;
import org.slotwise.decoder.AutoregressivePatchDecoder;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.ImagePatchDecoder;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.decoder.PropertyDecoder;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.decoder.TransformerDecoder;
import org.slotwise.diffusion.DenoisingLoss;
import org.slotwise.diffusion.LatentDiffusionDecoder;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Noising;
import org.slotwise.diffusion.Prediction;
import org.slotwise.encoder.ContentAndPlaceEncoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.encoder.InstanceNormEncoder;
import org.slotwise.encoder.ResNetArchitecture;
import org.slotwise.encoder.ResNetEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.encoder.UNetEncoder;
import org.slotwise.encoder.VisionTransformer;
import org.slotwise.encoder.VisionTransformerArchitecture;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.grouping.PlacedSlotAttention;
import org.slotwise.grouping.RecurrentGrouping;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.grouping.SlotMixtureGrouping;
import org.slotwise.grouping.SlotMlp;
import org.slotwise.grouping.SlotPredictor;
import org.slotwise.grouping.SoftKMeansGrouping;
import org.slotwise.grouping.SteveOptions;
import org.slotwise.grouping.SteveSlotAttention;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.internal.Declarer;
import org.slotwise.layer.BatchNorm;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Downsample;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.GeGlu;
import org.slotwise.layer.GroupNorm;
import org.slotwise.layer.ImageAttention;
import org.slotwise.layer.Layer;
import org.slotwise.layer.LayerBlock;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.MultiHeadAttention;
import org.slotwise.layer.NormedStack;
import org.slotwise.layer.Perceptron;
import org.slotwise.layer.PointwiseConvolution;
import org.slotwise.layer.PositionTable;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.TransformerLayer;
import org.slotwise.layer.TransposedConvolution;
import org.slotwise.layer.Upsample;
import org.slotwise.layer.Window;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.model.LatentsConfiguration;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.model.SmallModels;
import org.slotwise.position.SoftPositionEmbed;
import org.slotwise.quantization.SlotQuantizer;
import org.slotwise.slate.DiscreteVae;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.slate.SlateConfiguration.Slots;
import org.slotwise.slate.SlateConfiguration.Transformer;
import org.slotwise.slate.TokenDecoder;
import org.slotwise.slate.TokenGrouping;
import org.slotwise.testing.Tensors;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.BranchNormUNet;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/** A small block of each kind, and inputs that it takes. */
final class BlockSamples {

    /**
     * A block.
     *
     * @param type its class
     * @param builder makes a builder with what is required set, or the block where it has none
     * @param inputs makes inputs of a type, each with its name
     */
    record Sample(
            Class<?> type, Supplier<?> builder, BiFunction<NDManager, DataType, NDList> inputs) {

        Block block() {
            Object made = builder.get();
            return made instanceof Block block ? block : (Block) Reflected.build(made);
        }
    }

    private BlockSamples() {}

    private static BiFunction<NDManager, DataType, NDList> arrays(Object... namesAndShapes) {
        return (manager, type) -> {
            NDList list = new NDList();
            for (int i = 0; i < namesAndShapes.length; i += 2) {
                long[] shape = ((Shape) namesAndShapes[i + 1]).getShape();
                NDArray array = Tensors.uniform(manager, i + 1, type, shape);
                array.setName((String) namesAndShapes[i]);
                list.add(array);
            }
            return list;
        };
    }

    private static Shape shape(long... sizes) {
        return new Shape(sizes);
    }

    static List<Sample> all() {
        List<Sample> all = new ArrayList<>(groupings());
        all.addAll(conditionings());
        all.addAll(decoders());
        all.addAll(encodersAndLayers());
        all.addAll(slate());
        all.add(
                new Sample(
                        Gnm.class,
                        () -> new Gnm(GnmConfiguration.small(32)),
                        arrays("images", shape(2, 3, 32, 32))));
        all.addAll(diffusion());
        return all;
    }

    /** The sizes of a small U-Net. */
    static UNetConfiguration.Builder unet() {
        return UNetConfiguration.builder()
                .setChannels(2, 2)
                .setWidths(4, 4)
                .optGroups(2)
                .optMiddle(Heads.size(2));
    }

    private static List<Sample> diffusion() {
        TransformerOptions transformer = TransformerOptions.of(4, Heads.count(2));
        AutoencoderSizes sizes = new AutoencoderSizes(3, 2, List.of(4, 4), 1, 2, 1);
        var images = arrays("images", shape(2, 3, 8, 8));
        BiFunction<NDManager, DataType, NDList> noisy =
                (manager, type) -> {
                    NDList list =
                            arrays("latents", shape(2, 2, 8, 8), "slots", shape(2, 3, 4))
                                    .apply(manager, type);
                    NDArray timesteps = manager.create(new long[] {3, 5});
                    timesteps.setName("timesteps");
                    list.add(1, timesteps);
                    return list;
                };
        return List.of(
                new Sample(
                        UNet.class,
                        () -> new UNet(unet().setTransformer(transformer).build()),
                        noisy),
                new Sample(
                        BranchNormUNet.class,
                        () -> new BranchNormUNet(new BranchNormConfiguration(2, 4, 6, 4, 4, 1, 0)),
                        noisy),
                new Sample(
                        LatentDiffusionDecoder.class,
                        () ->
                                new LatentDiffusionDecoder(
                                        new UNet(unet().setTransformer(transformer).build()),
                                        DenoisingLoss.of(
                                                new Noising(NoiseSchedule.cosine(10)),
                                                Prediction.NOISE),
                                        shape(2, 8, 8)),
                        noisy),
                new Sample(
                        LatentSlotDiffusion.class,
                        () ->
                                new LatentSlotDiffusion(
                                        SmallModels.diffusion(
                                                new LatentsConfiguration.Patches(2),
                                                12,
                                                Prediction.DATA)),
                        images),
                new Sample(AutoencoderKl.class, () -> new AutoencoderKl(sizes), images),
                new Sample(VqAutoencoder.class, () -> new VqAutoencoder(sizes, 5), images),
                new Sample(
                        PatchAutoencoder.class, () -> new PatchAutoencoder(2, 2, 8, 1, 1), images),
                new Sample(PatchLatents.class, () -> new PatchLatents(3, 2), images),
                new Sample(InstanceNormEncoder.class, () -> new InstanceNormEncoder(4, 1), images),
                new Sample(UNetEncoder.class, () -> new UNetEncoder(unet().build(), 2), images),
                layer(p -> PointwiseConvolution.of(p, 4, 5), arrays("x", shape(2, 3, 4))),
                layer(p -> Downsample.of(p, 3, true), images),
                layer(p -> Upsample.of(p, 3), images),
                layer(p -> ImageAttention.of(p, 3, 1, 1e-6, 1), images),
                layer(
                        p ->
                                new ResnetBlock(
                                        p,
                                        3,
                                        4,
                                        0,
                                        ResnetBlock.Options.of(1, 1e-5),
                                        ResnetBlock.Resize.HALF,
                                        null),
                        images));
    }

    private static List<Sample> slate() {
        Transformer transformer = new Transformer(2, 2, 0);
        Slots slots = new Slots(3, 4, 2, 2, 5, false);
        return List.of(
                new Sample(
                        DiscreteVae.class,
                        () -> new DiscreteVae(2, 5),
                        arrays("images", shape(2, 2, 8, 12), "gumbel", shape(2, 5, 2, 3))),
                new Sample(
                        TokenDecoder.class,
                        () -> new TokenDecoder(6, transformer),
                        arrays("input", shape(2, 5, 6), "memory", shape(2, 3, 6))),
                new Sample(
                        TokenGrouping.class,
                        () -> new TokenGrouping(6, slots),
                        arrays("tokens", shape(2, 7, 6), "noise", shape(2, 3, 4))),
                new Sample(
                        Slate.class,
                        () -> new Slate(new SlateConfiguration(8, 2, 5, 6, transformer, slots)),
                        arrays("images", shape(2, 2, 8, 8))));
    }

    private static SlotAttention.Builder slotAttention() {
        return SlotAttention.builder().setDim(4).setFeatureDim(5);
    }

    private static List<Sample> groupings() {
        var slots = arrays("features", shape(2, 9, 5), "conditioning", shape(2, 3, 4));
        var sameSize = arrays("features", shape(2, 9, 5), "conditioning", shape(2, 3, 5));
        var placed =
                arrays(
                        "features",
                        shape(2, 9, 5),
                        "positions",
                        shape(9, 2),
                        "conditioning",
                        shape(2, 3, 4));
        var positioned =
                arrays(
                        "features",
                        shape(2, 9, 5),
                        "positions",
                        shape(9, 2),
                        "conditioning",
                        shape(2, 3, 4),
                        "slot_positions",
                        shape(2, 3, 2));
        var uniform = arrays("features", shape(2, 9, 5), "conditioning", shape(2, 9));
        var video = arrays("features", shape(2, 2, 9, 5), "conditioning", shape(2, 3, 4));
        return List.of(
                new Sample(SlotAttention.class, BlockSamples::slotAttention, slots),
                new Sample(
                        SlotAttentionGrouping.class,
                        () ->
                                SlotAttentionGrouping.builder()
                                        .setSlotAttention(slotAttention().build())
                                        .optEmptySlotForMasked(true),
                        slots),
                new Sample(
                        SteveSlotAttention.class,
                        () ->
                                new SteveSlotAttention(
                                        new SteveOptions(3, 5, 3, 4, 6, 5, 2, 1, 1e-6, true)),
                        slots),
                new Sample(
                        SlotMixtureGrouping.class,
                        () -> SlotMixtureGrouping.builder().setDim(4).setFeatureDim(5),
                        slots),
                new Sample(
                        InvariantSlotAttention.class,
                        () -> InvariantSlotAttention.builder().setDim(4).setFeatureDim(5),
                        positioned),
                new Sample(
                        PlacedSlotAttention.class,
                        () -> PlacedSlotAttention.builder().setDim(4).setFeatureDim(5),
                        placed),
                new Sample(SoftKMeansGrouping.class, SoftKMeansGrouping::builder, sameSize),
                new Sample(
                        KMeansGrouping.class, () -> KMeansGrouping.builder().setSlots(3), sameSize),
                new Sample(
                        StickBreakingGrouping.class,
                        () ->
                                StickBreakingGrouping.builder()
                                        .setObjectDim(4)
                                        .setFeatureDim(5)
                                        .setSlots(3),
                        uniform),
                new Sample(
                        SlotMlp.class,
                        () ->
                                SlotMlp.builder()
                                        .setFeatureCount(9)
                                        .setFeatureDim(5)
                                        .setSlots(3)
                                        .setDim(4)
                                        .optHidden(6),
                        arrays("features", shape(2, 9, 5))),
                new Sample(
                        RecurrentGrouping.class,
                        () -> RecurrentGrouping.builder().setGrouping(slotAttention().build()),
                        video),
                new Sample(
                        SlotPredictor.class,
                        () -> SlotPredictor.builder().setDim(4).optHeads(2).optHidden(6),
                        arrays("slots", shape(2, 3, 4))));
    }

    private static List<Sample> conditionings() {
        var noise = arrays("noise", shape(2, 3, 4));
        return List.of(
                new Sample(
                        RandomConditioning.class,
                        () -> RandomConditioning.builder().setDim(4).setSlots(3),
                        noise),
                new Sample(
                        LearntConditioning.class,
                        () -> LearntConditioning.builder().setDim(4).setSlots(3),
                        noise),
                new Sample(
                        SlotwiseLearntConditioning.class,
                        () -> SlotwiseLearntConditioning.builder().setDim(4).setSlots(3),
                        noise),
                new Sample(
                        CoordinateConditioning.class,
                        () -> CoordinateConditioning.builder().setDim(4).optHidden(6),
                        arrays("coordinates", shape(2, 3, 4))),
                new Sample(
                        SlotQuantizer.class,
                        () -> SlotQuantizer.builder().setDim(4).setCodes(3).optLatents(2),
                        arrays("slots", shape(2, 3, 4))));
    }

    private static TransformerDecoder.Builder transformer() {
        return TransformerDecoder.builder().setDim(4).optHeads(2).optLayers(1).optHidden(6);
    }

    private static List<Sample> decoders() {
        var slots = arrays("slots", shape(2, 3, 4));
        return List.of(
                new Sample(
                        SpatialBroadcastDecoder.class,
                        () ->
                                SpatialBroadcastDecoder.builder()
                                        .setSlotDim(4)
                                        .setArchitecture(
                                                new BroadcastArchitecture(
                                                        4,
                                                        5,
                                                        List.of(
                                                                BroadcastArchitecture.Layer
                                                                        .convolution(4, 3)))),
                        slots),
                new Sample(
                        ImagePatchDecoder.class,
                        () ->
                                ImagePatchDecoder.builder()
                                        .setSlotDim(4)
                                        .setImageSize(4, 6)
                                        .setPatchSize(2)
                                        .optHidden(5),
                        slots),
                new Sample(
                        ShapeAndColourDecoder.class,
                        () ->
                                ShapeAndColourDecoder.builder()
                                        .setSlotDim(4)
                                        .setImageSize(4, 6)
                                        .optHidden(5),
                        arrays("slots", shape(2, 3, 4), "slot_positions", shape(2, 3, 2))),
                new Sample(
                        AttendedColourDecoder.class,
                        () ->
                                AttendedColourDecoder.builder()
                                        .setSlotDim(4)
                                        .setImageSize(4, 6)
                                        .optPatchSize(2),
                        arrays("objects", shape(2, 3, 4), "feature_attributions", shape(2, 3, 6))),
                new Sample(
                        AttendedRampDecoder.class,
                        () ->
                                AttendedRampDecoder.builder()
                                        .setSlotDim(4)
                                        .setImageSize(4, 6)
                                        .optPatchSize(2),
                        arrays("objects", shape(2, 3, 4), "feature_attributions", shape(2, 3, 6))),
                new Sample(
                        PropertyDecoder.class,
                        () -> PropertyDecoder.builder().setSlotDim(4).setProperties(5).optHidden(6),
                        slots),
                new Sample(
                        PatchDecoder.class,
                        () ->
                                PatchDecoder.builder()
                                        .setSlotDim(4)
                                        .setFeatureDim(5)
                                        .setPatches(9)
                                        .optHidden(6),
                        slots),
                new Sample(
                        AutoregressivePatchDecoder.class,
                        () ->
                                AutoregressivePatchDecoder.builder()
                                        .setSlotDim(4)
                                        .setFeatureDim(5)
                                        .optTransformer(transformer().build()),
                        arrays("slots", shape(2, 3, 4), "features", shape(2, 9, 5))),
                new Sample(
                        TransformerDecoder.class,
                        BlockSamples::transformer,
                        arrays("targets", shape(2, 9, 4), "memory", shape(2, 3, 4))));
    }

    private static List<Sample> encodersAndLayers() {
        var images = arrays("images", shape(2, 3, 8, 9));
        var slots = arrays("slots", shape(2, 3, 4));
        return List.of(
                new Sample(
                        ContentAndPlaceEncoder.class,
                        () -> ContentAndPlaceEncoder.builder().setStride(2).setChannels(3),
                        images),
                new Sample(
                        ObjectDiscovery.class,
                        () -> new ObjectDiscovery(SmallModels.settled()),
                        arrays("images", shape(2, 3, 8, 8))),
                new Sample(
                        ConvolutionalEncoder.class,
                        () -> ConvolutionalEncoder.builder().optChannels(4, 5).optKernelSize(3),
                        images),
                new Sample(
                        ResNetEncoder.class,
                        () ->
                                ResNetEncoder.builder()
                                        .setArchitecture(
                                                new ResNetArchitecture(false, 4, List.of(1))),
                        images),
                new Sample(
                        VisionTransformer.class,
                        () ->
                                VisionTransformer.builder()
                                        .setArchitecture(
                                                new VisionTransformerArchitecture(
                                                        8, 9, 1, 4, 1, 2, 8, 0, true, false)),
                        images),
                new Sample(
                        SlotAttentionEncoder.class,
                        () ->
                                SlotAttentionEncoder.builder()
                                        .setBackbone(
                                                ConvolutionalEncoder.builder()
                                                        .optChannels(4)
                                                        .optKernelSize(3)
                                                        .build()),
                        images),
                new Sample(
                        SoftPositionEmbed.class,
                        () -> SoftPositionEmbed.builder().setSpatialDims(2).setFeatureDim(5),
                        arrays("features", shape(2, 9, 5), "positions", shape(9, 2))),
                new Sample(FeedForward.class, () -> new FeedForward(4, 6), slots),
                new Sample(MultiHeadAttention.class, () -> new MultiHeadAttention(4, 2), slots),
                new Sample(
                        TransformerLayer.class,
                        () -> new TransformerLayer(4, 2, 6, true, false),
                        slots),
                layer(p -> Linear.of(p, 4, 5), slots),
                layer(p -> LayerNorm.of(p, 4), slots),
                layer(p -> Perceptron.of(p, 4, 5, 1, 3), slots),
                layer(p -> GeGlu.of(p, 4, 3), slots),
                layer(p -> PositionTable.of(p, "pe", 3, 4, Initializer.ONES), slots),
                layer(p -> GroupNorm.of(p, 1, 3), images),
                layer(p -> NormedStack.of(p, 3).subPixel(4, 3, 2, 2).build(), images),
                layer(p -> BatchNorm.of(p, 3, true), images),
                layer(p -> Convolution.of(p, 3, 4, Window.same(3)), images),
                layer(p -> TransposedConvolution.of(p, 3, 4, Window.same(3), 0), images));
    }

    private static Sample layer(
            Function<Declarer, Layer> layer, BiFunction<NDManager, DataType, NDList> inputs) {
        return new Sample(LayerBlock.class, () -> new LayerBlock(layer, s -> s), inputs);
    }
}
