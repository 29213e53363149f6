package org.slotwise.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.diffusion.Prediction;
import org.slotwise.grouping.SlotMixtureGrouping.Likelihood;
import org.slotwise.model.EncoderConfiguration.Perceptron;
import org.slotwise.model.EncoderConfiguration.Positions;
import org.slotwise.model.ObjectDiscoveryConfiguration.Colours;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNetConfiguration;

/** Small models, such that each kind of part is in one of them. */
public final class SmallModels {

    private static final EncoderConfiguration CONVOLUTIONAL =
            new EncoderConfiguration.Convolutional(
                    List.of(3, 4),
                    List.of(1, 2),
                    3,
                    0,
                    new Perceptron(Positions.ADDED, true, 1e-5, 5, 6));

    private static final DecoderConfiguration BROADCAST =
            new DecoderConfiguration.SpatialBroadcast(architecture(), 0, false);

    private static final GroupingConfiguration SLOT_ATTENTION =
            new GroupingConfiguration.SlotAttention(2, 1, 4, 1e-8, 1e-5, false, 5, false, null);

    private static final GroupingConfiguration INVARIANT =
            new GroupingConfiguration.InvariantSlotAttention(3, 2, 4, 2, 1e-8, 5, false);

    private SmallModels() {}

    private static BroadcastArchitecture architecture() {
        return new BroadcastArchitecture(
                4, 4, List.of(Layer.transposed(3, 3, 2), Layer.convolution(4, 3)));
    }

    private static ObjectDiscoveryConfiguration of(
            int slotDim,
            EncoderConfiguration encoder,
            ConditioningConfiguration conditioning,
            GroupingConfiguration grouping,
            DecoderConfiguration decoder) {
        return new ObjectDiscoveryConfiguration(
                8,
                8,
                Colours.FROM_MINUS_1_TO_1,
                4,
                slotDim,
                encoder,
                conditioning,
                grouping,
                decoder);
    }

    /** A model whose slots start from learnt values: nothing is drawn in a call. */
    public static ObjectDiscoveryConfiguration settled() {
        return of(
                4,
                CONVOLUTIONAL,
                new ConditioningConfiguration.Learnt(),
                SLOT_ATTENTION,
                BROADCAST);
    }

    /** A latent slot diffusion of {@link #settled} in few steps. */
    public static LatentSlotDiffusionConfiguration diffusion(
            LatentsConfiguration latents, int channels, Prediction prediction) {
        return new LatentSlotDiffusionConfiguration(
                settled(),
                0,
                latents,
                new DiffusionConfiguration(
                        DiffusionConfiguration.Schedule.LINEAR,
                        20,
                        0.01,
                        0.4,
                        false,
                        prediction,
                        null),
                new DenoiserConfiguration.UNet(
                        UNetConfiguration.builder()
                                .setChannels(channels, channels)
                                .setWidths(4, 6)
                                .setTransformer(TransformerOptions.of(4, Heads.count(2)))
                                .optGroups(2)
                                .build()));
    }

    /** A U-Net for features of size 6. */
    private static UNetConfiguration backbone() {
        return UNetConfiguration.builder()
                .setChannels(3, 6)
                .setWidths(4, 6)
                .optGroups(2)
                .optMiddle(Heads.size(3))
                .build();
    }

    /** The usual one. */
    static ObjectDiscoveryConfiguration random() {
        return of(
                4,
                CONVOLUTIONAL,
                new ConditioningConfiguration.Random(true, true, false, 3L),
                SLOT_ATTENTION,
                BROADCAST);
    }

    /** All by what is special in them. */
    static Map<String, ObjectDiscoveryConfiguration> all() {
        Map<String, ObjectDiscoveryConfiguration> all = new LinkedHashMap<>();
        all.put("learnt", settled());
        all.put("random", random());
        all.put(
                "quasi-random",
                of(
                        4,
                        CONVOLUTIONAL,
                        new ConditioningConfiguration.Random(true, false, true, 3L),
                        SLOT_ATTENTION,
                        BROADCAST));
        all.put(
                "slotwise, leaky, joined, no norm",
                of(
                        4,
                        new EncoderConfiguration.Convolutional(
                                List.of(3, 4),
                                List.of(1, 1),
                                3,
                                0.01,
                                new Perceptron(Positions.JOINED, false, 1e-5, 5, 6)),
                        new ConditioningConfiguration.SlotwiseLearnt(1L),
                        SLOT_ATTENTION,
                        new DecoderConfiguration.SpatialBroadcast(architecture(), 0.01, true)));
        all.put(
                "residual, clusters, patches",
                of(
                        4,
                        new EncoderConfiguration.Residual(
                                false,
                                4,
                                List.of(1),
                                1,
                                true,
                                new Perceptron(Positions.ADDED, true, 1e-5, 5, 6)),
                        new ConditioningConfiguration.Clusters(2, 3),
                        SLOT_ATTENTION,
                        new DecoderConfiguration.ImagePatch(4, 5, 1, 2)));
        all.put(
                "u-net, steve",
                of(
                        4,
                        new EncoderConfiguration.UNet(backbone(), 2, null),
                        new ConditioningConfiguration.None(),
                        new GroupingConfiguration.SteveSlotAttention(6, 5, 2, 2, 1e-6, false, 3L),
                        BROADCAST));
        all.put(
                "u-net with a perceptron",
                of(
                        4,
                        new EncoderConfiguration.UNet(
                                backbone(), 1, new Perceptron(Positions.ADDED, true, 1e-5, 5, 6)),
                        new ConditioningConfiguration.Learnt(),
                        SLOT_ATTENTION,
                        BROADCAST));
        all.put(
                "instance norm, no norm before the feed-forward",
                of(
                        4,
                        new EncoderConfiguration.InstanceNorm(
                                5, 1, new Perceptron(Positions.ADDED, true, 1e-5, 5, 6)),
                        new ConditioningConfiguration.Learnt(),
                        new GroupingConfiguration.SlotAttention(
                                2, 1, 4, 1e-8, 1e-5, false, 5, false, null, false),
                        BROADCAST));
        all.put(
                "colour clusters, attended colour",
                of(
                        4,
                        CONVOLUTIONAL,
                        new ConditioningConfiguration.ColourClusters(2, 3, 2, 3),
                        SLOT_ATTENTION,
                        new DecoderConfiguration.AttendedColour(2)));
        all.put(
                "random features",
                of(
                        4,
                        CONVOLUTIONAL,
                        new ConditioningConfiguration.RandomFeatures(2L),
                        SLOT_ATTENTION,
                        BROADCAST));
        all.put(
                "grid, shape and colour",
                of(
                        4,
                        new EncoderConfiguration.ContentAndPlace(2, 3),
                        new ConditioningConfiguration.Grid(
                                List.of(0.3, 0.7), List.of(0.3, 0.7), 0.1),
                        INVARIANT,
                        new DecoderConfiguration.ShapeAndColour(5, 2, 2)));
        all.put(
                "colours",
                of(
                        4,
                        new EncoderConfiguration.ContentAndPlace(2, 3),
                        new ConditioningConfiguration.Colours(2),
                        INVARIANT,
                        new DecoderConfiguration.ShapeAndColour(5, 2, 1)));
        ConditioningConfiguration ground =
                new ConditioningConfiguration.GroundAndClusters(2, 3, 1.5, 0.06, 0.1, 2, 3);
        all.put(
                "ground and clusters, placed slots, ramps",
                of(
                        4,
                        CONVOLUTIONAL,
                        ground,
                        new GroupingConfiguration.PlacedSlotAttention(2, 0.5, 1e-8, 5),
                        new DecoderConfiguration.AttendedRamp(2)));
        all.put("ground and clusters", of(4, CONVOLUTIONAL, ground, SLOT_ATTENTION, BROADCAST));
        all.put(
                "ground and clusters, mixture",
                of(
                        4,
                        CONVOLUTIONAL,
                        ground,
                        new GroupingConfiguration.SlotMixture(
                                2, 1e-8, 1e-4, Likelihood.FULL, 5, false, null),
                        BROADCAST));
        all.put(
                "mixture",
                of(
                        4,
                        CONVOLUTIONAL,
                        new ConditioningConfiguration.Random(true, true, false, 3L),
                        new GroupingConfiguration.SlotMixture(
                                2, 1e-8, 1e-4, Likelihood.FULL, 5, false, null),
                        BROADCAST));
        ConditioningConfiguration none = new ConditioningConfiguration.None();
        all.put("mixture that starts on features", startingOnFeatures(3L));
        all.put(
                "stick-breaking",
                of(
                        4,
                        CONVOLUTIONAL,
                        none,
                        new GroupingConfiguration.StickBreaking(null, false, false, true, 1L),
                        BROADCAST));
        all.put(
                "slot mlp",
                of(4, CONVOLUTIONAL, none, new GroupingConfiguration.SlotMlp(5, 1), BROADCAST));
        all.put(
                "k-means, feature perceptron",
                of(
                        5,
                        new EncoderConfiguration.Pixels(2, 0.5),
                        none,
                        new GroupingConfiguration.KMeans(false, 2, 10, 1e-4, 1L),
                        new DecoderConfiguration.Features(List.of(6), 3)));
        all.put(
                "autoregressive",
                of(
                        4,
                        new EncoderConfiguration.Pixels(2, 0.5),
                        new ConditioningConfiguration.Random(true, true, false, 3L),
                        SLOT_ATTENTION,
                        new DecoderConfiguration.Autoregressive(4, 2, 1, 8, true, true, true)));
        all.put(
                "soft k-means, appearance",
                of(
                        5,
                        new EncoderConfiguration.Pixels(2, 0.5),
                        new ConditioningConfiguration.RandomFeatures(1L),
                        new GroupingConfiguration.SoftKMeans(3, 1e-8, null),
                        new DecoderConfiguration.Appearance()));
        return all;
    }

    /** A mixture that begins by itself, on features that a seed decides on. */
    static ObjectDiscoveryConfiguration startingOnFeatures(@Nullable Long seed) {
        return of(
                4,
                CONVOLUTIONAL,
                new ConditioningConfiguration.None(),
                new GroupingConfiguration.SlotMixture(
                        2, 1e-8, 1e-4, Likelihood.FULL, 5, false, seed),
                BROADCAST);
    }

    /** All, as arguments of a test. */
    static List<ObjectDiscoveryConfiguration> list() {
        return new ArrayList<>(all().values());
    }
}
