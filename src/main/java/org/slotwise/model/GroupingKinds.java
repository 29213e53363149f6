package org.slotwise.model;

import ai.djl.ndarray.NDArray;
import ai.djl.nn.Block;
import org.jspecify.annotations.Nullable;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.IterativeGrouping;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PlacedSlotAttention;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotMixtureGrouping;
import org.slotwise.grouping.SlotMlp;
import org.slotwise.grouping.SoftKMeansGrouping;
import org.slotwise.grouping.SteveOptions;
import org.slotwise.grouping.SteveSlotAttention;
import org.slotwise.grouping.StickBreakingGrouping;
import org.slotwise.internal.Check;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.LayerBlock;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Perceptron;
import org.slotwise.model.SlotGrouping.Found;

/** The kinds of groupings. */
final class GroupingKinds {

    static final Kinds<GroupingConfiguration, SlotGrouping> ALL =
            new Kinds<GroupingConfiguration, SlotGrouping>()
                    .with(
                            "slot_attention",
                            GroupingConfiguration.SlotAttention.class,
                            GroupingKinds::slotAttention)
                    .with(
                            "steve_slot_attention",
                            GroupingConfiguration.SteveSlotAttention.class,
                            GroupingKinds::steve)
                    .with(
                            "invariant_slot_attention",
                            GroupingConfiguration.InvariantSlotAttention.class,
                            GroupingKinds::invariant)
                    .with(
                            "placed_slot_attention",
                            GroupingConfiguration.PlacedSlotAttention.class,
                            GroupingKinds::placed)
                    .with(
                            "slot_mixture",
                            GroupingConfiguration.SlotMixture.class,
                            GroupingKinds::mixture)
                    .with(
                            "stick_breaking",
                            GroupingConfiguration.StickBreaking.class,
                            GroupingKinds::stickBreaking)
                    .with("k_means", GroupingConfiguration.KMeans.class, GroupingKinds::kMeans)
                    .with(
                            "soft_k_means",
                            GroupingConfiguration.SoftKMeans.class,
                            GroupingKinds::softKMeans)
                    .with("slot_mlp", GroupingConfiguration.SlotMlp.class, GroupingKinds::slotMlp);

    private GroupingKinds() {}

    private static SlotGrouping slotAttention(GroupingConfiguration.SlotAttention c, Sizes sizes) {
        SlotAttention.Builder builder =
                iterative(
                                SlotAttention.builder(),
                                sizes,
                                c.hiddenNorm()
                                        ? feedForward(sizes.slotDim(), c.hidden(), c.normEps())
                                        : withoutNorm(sizes.slotDim(), c.hidden()))
                        .optIterations(c.iterations())
                        .optEps(c.eps())
                        .optImplicitDifferentiation(c.implicitDifferentiation());
        if (c.trainingIterations() != null) {
            builder.optTrainingIterations(c.trainingIterations());
        }
        return SlotGrouping.masked(
                builder.optHeads(c.heads())
                        .optKvqDim(c.kvqDim())
                        .optNormEps(c.normEps())
                        .optProjectionBias(c.projectionBias())
                        .build());
    }

    /** s + W2 relu(W1 s + b1) + b2; null for none. */
    private static @Nullable Block withoutNorm(int dim, @Nullable Integer hidden) {
        return hidden == null
                ? null
                : new LayerBlock(
                        parameters -> {
                            Perceptron perceptron = Perceptron.of(parameters, dim, hidden, 1, dim);
                            return (pass, s) -> s.add(perceptron.apply(pass, s));
                        },
                        shape -> shape);
    }

    private static SlotGrouping steve(GroupingConfiguration.SteveSlotAttention c, Sizes sizes) {
        int side = (int) Math.round(Math.sqrt(sizes.features()));
        Check.option(
                side * side == sizes.features(),
                "GroupingConfiguration.SteveSlotAttention: features must lie on as many rows as"
                        + " columns, got "
                        + sizes.features()
                        + " of an image");
        SteveSlotAttention block =
                new SteveSlotAttention(
                        new SteveOptions(
                                side,
                                sizes.featureDim(),
                                sizes.slots(),
                                c.dim(),
                                sizes.slotDim(),
                                c.hidden(),
                                c.iterations(),
                                c.heads(),
                                c.eps(),
                                c.learntStarts()));
        SettledNoise settled =
                c.inferenceSeed() == null
                        ? null
                        : new SettledNoise(sizes.slots(), c.dim(), false, c.inferenceSeed());
        return new SlotGrouping(
                block,
                (store, features, from, training) ->
                        new Found(
                                block.group(
                                        store,
                                        features,
                                        training || settled == null
                                                ? null
                                                : block.starts(
                                                        store,
                                                        settled.like(features.features()),
                                                        false),
                                        training),
                                null));
    }

    private static SlotGrouping invariant(
            GroupingConfiguration.InvariantSlotAttention c, Sizes sizes) {
        Check.atLeast("GroupingConfiguration", "trainingIterations", c.trainingIterations(), 1);
        InvariantSlotAttention block =
                iterative(
                                InvariantSlotAttention.builder(),
                                sizes,
                                feedForward(sizes.slotDim(), c.hidden(), LayerNorm.EPS))
                        .optIterations(c.iterations())
                        .optEps(c.eps())
                        .optImplicitDifferentiation(c.implicitDifferentiation())
                        .optRelativeDim(c.relativeDim())
                        .optFrequencies(c.frequencies())
                        .build();
        return new SlotGrouping(
                block,
                (store, features, from, training) -> {
                    int times = training ? c.trainingIterations() : c.iterations();
                    return Found.of(
                            from.guess() == null
                                    ? block.group(
                                            store,
                                            features,
                                            from.values(),
                                            from.positions(),
                                            times,
                                            training)
                                    : block.refine(
                                            store,
                                            features,
                                            from.values(),
                                            from.guess(),
                                            times,
                                            training));
                });
    }

    private static SlotGrouping placed(GroupingConfiguration.PlacedSlotAttention c, Sizes sizes) {
        PlacedSlotAttention block =
                iterative(
                                PlacedSlotAttention.builder(),
                                sizes,
                                feedForward(sizes.slotDim(), c.hidden(), LayerNorm.EPS))
                        .optIterations(c.iterations())
                        .optEps(c.eps())
                        .optPlaceWeight(c.placeWeight())
                        .build();
        return new SlotGrouping(
                block,
                (store, features, from, training) -> {
                    PerceptualGroupingOutput guess = from.guess();
                    return new Found(
                            guess == null
                                    ? block.group(store, features, from.values(), training)
                                    : block.refine(
                                            store,
                                            features,
                                            from.values(),
                                            guess.attributions(),
                                            guess.isEmpty(),
                                            training),
                            null);
                });
    }

    private static SlotGrouping mixture(GroupingConfiguration.SlotMixture c, Sizes sizes) {
        SlotMixtureGrouping block =
                iterative(
                                SlotMixtureGrouping.builder(),
                                sizes,
                                // The means alone are updated: half of a slot.
                                feedForward(
                                        Math.max(1, sizes.slotDim() / 2),
                                        c.hidden(),
                                        LayerNorm.EPS))
                        .optIterations(c.iterations())
                        .optEps(c.eps())
                        .optImplicitDifferentiation(c.implicitDifferentiation())
                        .optLeastVariance(c.leastVariance())
                        .optLikelihood(c.likelihood())
                        .build();
        Long seed = c.inferenceSeed();
        return new SlotGrouping(
                block,
                (store, features, from, training) -> {
                    NDArray start =
                            from.values() == null
                                    ? block.startOnFeatures(
                                            store,
                                            features,
                                            draws(features, training ? null : seed),
                                            sizes.slots())
                                    : from.values();
                    return new Found(
                            block.group(store, features, start, from.isEmpty(), training), null);
                });
    }

    /** What decides between features of each image; null to have it drawn. */
    private static @Nullable NDArray draws(FeatureExtractorOutput features, @Nullable Long seed) {
        return seed == null ? null : SettledNoise.uniform(features.features(), seed);
    }

    private static <T extends IterativeGrouping.Builder<T>> T iterative(
            T builder, Sizes sizes, @Nullable Block feedForward) {
        builder.setDim(sizes.slotDim()).setFeatureDim(sizes.featureDim());
        return feedForward == null ? builder : builder.optFeedForward(feedForward);
    }

    private static @Nullable Block feedForward(int dim, @Nullable Integer hidden, double normEps) {
        return hidden == null ? null : new FeedForward(dim, hidden, normEps);
    }

    private static SlotGrouping stickBreaking(GroupingConfiguration.StickBreaking c, Sizes sizes) {
        StickBreakingGrouping.Builder builder =
                StickBreakingGrouping.builder()
                        .setFeatureDim(sizes.featureDim())
                        .setObjectDim(sizes.slotDim())
                        .setSlots(sizes.slots())
                        .optLearnKernelVar(c.learnKernelVar())
                        .optDetachFeatures(c.detachFeatures())
                        .optInputLayerNorm(c.inputLayerNorm());
        StickBreakingGrouping block =
                (c.kernelVar() == null ? builder : builder.optKernelVar(c.kernelVar())).build();
        Long seed = c.inferenceSeed();
        return new SlotGrouping(
                block,
                (store, features, from, training) ->
                        new Found(
                                block.group(
                                        store,
                                        features,
                                        draws(features, training ? null : seed),
                                        training),
                                null));
    }

    private static SlotGrouping kMeans(GroupingConfiguration.KMeans c, Sizes sizes) {
        requireFeatureSize("KMeans", sizes);
        KMeansOptions.Builder options =
                KMeansOptions.builder()
                        .optNInit(c.starts())
                        .optMaxIter(c.maxIterations())
                        .optTol(c.tolerance());
        return SlotGrouping.of(
                KMeansGrouping.builder()
                        .setSlots(sizes.slots())
                        .optL2Normalization(c.l2Normalization())
                        .optClustering(
                                (c.seed() == null ? options : options.optSeed(c.seed())).build())
                        .build());
    }

    private static SlotGrouping softKMeans(GroupingConfiguration.SoftKMeans c, Sizes sizes) {
        requireFeatureSize("SoftKMeans", sizes);
        SoftKMeansGrouping.Builder builder =
                SoftKMeansGrouping.builder().optIterations(c.iterations()).optEps(c.eps());
        return SlotGrouping.masked(
                (c.temperature() == null ? builder : builder.optTemperature(c.temperature()))
                        .build());
    }

    private static void requireFeatureSize(String kind, Sizes sizes) {
        Check.option(
                sizes.slotDim() == sizes.featureDim(),
                "GroupingConfiguration."
                        + kind
                        + ": slotDim must be the features' size "
                        + sizes.featureDim()
                        + ", got "
                        + sizes.slotDim());
    }

    private static SlotGrouping slotMlp(GroupingConfiguration.SlotMlp c, Sizes sizes) {
        return SlotGrouping.of(
                SlotMlp.builder()
                        .setFeatureCount(sizes.features())
                        .setFeatureDim(sizes.featureDim())
                        .setSlots(sizes.slots())
                        .setDim(sizes.slotDim())
                        .optHidden(c.hidden())
                        .optHiddenLayers(c.hiddenLayers())
                        .build());
    }
}
