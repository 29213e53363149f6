package org.slotwise.model;

import org.jspecify.annotations.Nullable;
import org.slotwise.conditioning.Conditioning;
import org.slotwise.conditioning.LearntConditioning;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.conditioning.SlotwiseLearntConditioning;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.internal.Check;
import org.slotwise.model.ConditioningConfiguration.Clusters;
import org.slotwise.model.ConditioningConfiguration.ColourClusters;
import org.slotwise.model.ConditioningConfiguration.Colours;
import org.slotwise.model.ConditioningConfiguration.Grid;
import org.slotwise.model.ConditioningConfiguration.GroundAndClusters;
import org.slotwise.model.ConditioningConfiguration.Learnt;
import org.slotwise.model.ConditioningConfiguration.None;
import org.slotwise.model.ConditioningConfiguration.Random;
import org.slotwise.model.ConditioningConfiguration.RandomFeatures;
import org.slotwise.model.ConditioningConfiguration.SlotwiseLearnt;
import org.slotwise.model.SlotStart.Beginning;

/** The kinds of what slots start from. */
final class ConditioningKinds {

    static final Kinds<ConditioningConfiguration, SlotStart> ALL =
            new Kinds<ConditioningConfiguration, SlotStart>()
                    .with("random", Random.class, ConditioningKinds::random)
                    .with("learnt", Learnt.class, ConditioningKinds::learnt)
                    .with("slotwise_learnt", SlotwiseLearnt.class, ConditioningKinds::slotwise)
                    .with("clusters", Clusters.class, ConditioningKinds::clusters)
                    .with(
                            "colour_clusters",
                            ColourClusters.class,
                            ConditioningKinds::colourClusters)
                    .with(
                            "ground_and_clusters",
                            GroundAndClusters.class,
                            ConditioningKinds::groundAndClusters)
                    .with("random_features", RandomFeatures.class, ConditioningKinds::features)
                    .with("grid", Grid.class, ConditioningKinds::grid)
                    .with("colours", Colours.class, ConditioningKinds::colours)
                    .with("none", None.class, ConditioningKinds::none);

    private ConditioningKinds() {}

    private static SlotStart random(Random c, Sizes sizes) {
        RandomConditioning block =
                RandomConditioning.builder()
                        .setDim(sizes.slotDim())
                        .setSlots(sizes.slots())
                        .optLearnMean(c.learnMean())
                        .optLearnDeviation(c.learnDeviation())
                        .optQuasiRandom(c.quasiRandom())
                        .build();
        return noisy(
                block,
                c.inferenceSeed() == null
                        ? null
                        : new SettledNoise(
                                sizes.slots(), sizes.slotDim(), c.quasiRandom(), c.inferenceSeed()),
                sizes.slots());
    }

    private static SlotStart slotwise(SlotwiseLearnt c, Sizes sizes) {
        SlotwiseLearntConditioning block =
                SlotwiseLearntConditioning.builder()
                        .setDim(sizes.slotDim())
                        .setSlots(sizes.slots())
                        .build();
        return noisy(
                block,
                c.inferenceSeed() == null
                        ? null
                        : new SettledNoise(
                                sizes.slots(), sizes.slotDim(), false, c.inferenceSeed()),
                sizes.slots());
    }

    private static SlotStart learnt(Learnt c, Sizes sizes) {
        LearntConditioning block =
                LearntConditioning.builder()
                        .setDim(sizes.slotDim())
                        .setSlots(sizes.slots())
                        .build();
        return noisy(block, null, sizes.slots());
    }

    private static SlotStart noisy(Conditioning block, @Nullable SettledNoise settled, int slots) {
        return SlotStart.unseeing(
                block,
                (store, images, training) ->
                        training || settled == null
                                ? block.sample(
                                        store,
                                        images.getManager(),
                                        images.getShape().get(0),
                                        slots,
                                        training)
                                : block.sample(store, settled.like(images), false));
    }

    private static SlotStart clusters(Clusters c, Sizes sizes) {
        requireFeatures(sizes);
        return ofFeatures(FeatureStart.ofClusters(c.starts(), c.trainingIterations(), null, sizes));
    }

    private static SlotStart colourClusters(ColourClusters c, Sizes sizes) {
        requireFeatures(sizes);
        requireStride("ColourClusters: patchSize", c.patchSize(), sizes);
        PatchColours colours = new PatchColours(c.patchSize(), c.around());
        return ofFeatures(
                FeatureStart.ofClusters(c.starts(), c.trainingIterations(), colours, sizes));
    }

    private static SlotStart groundAndClusters(GroundAndClusters c, Sizes sizes) {
        requireFeatures(sizes);
        requireStride("GroundAndClusters: patchSize", c.patchSize(), sizes);
        GroundStart block = new GroundStart(c, sizes);
        return new SlotStart(block, block::begin);
    }

    private static SlotStart features(RandomFeatures c, Sizes sizes) {
        requireFeatures(sizes);
        return ofFeatures(FeatureStart.ofRandomFeatures(c.inferenceSeed(), sizes));
    }

    /** Requires a feature for each slot. */
    static void requireFeatures(Sizes sizes) {
        Check.option(
                sizes.features() >= sizes.slots(),
                "ConditioningConfiguration: slots must be at most the "
                        + sizes.features()
                        + " features of an image, got "
                        + sizes.slots());
    }

    /** Requires an option to be the encoder's stride. */
    private static void requireStride(String option, int stride, Sizes sizes) {
        long patches = sizes.patches(stride);
        Check.option(
                patches == sizes.features(),
                "ConditioningConfiguration."
                        + option
                        + " must be the stride of the encoder, which makes "
                        + sizes.features()
                        + " features of an image, got "
                        + stride
                        + ", which makes "
                        + patches);
    }

    private static SlotStart ofFeatures(FeatureStart block) {
        return new SlotStart(
                block,
                (store, images, features, training) ->
                        Beginning.of(block.values(store, images, features.features(), training)));
    }

    private static SlotStart grid(Grid c, Sizes sizes) {
        GridPlaces places = GridPlaces.of(c);
        Check.option(
                places.count() == sizes.slots(),
                "ConditioningConfiguration.Grid: slots must be "
                        + places.count()
                        + ", the places of the grid, got "
                        + sizes.slots());
        VectorStart block =
                new VectorStart(
                        sizes.slots(),
                        sizes.slotDim(),
                        places::script,
                        PositionedSlots.SLOT_POSITIONS);
        return new SlotStart(
                block,
                (store, images, features, training) ->
                        new Beginning(
                                block.values(store, images, training),
                                places.like(images, training),
                                null));
    }

    private static SlotStart colours(Colours c, Sizes sizes) {
        requireStride("Colours: stride", c.stride(), sizes);
        ColourGuess guess = new ColourGuess(sizes.slots(), c.stride());
        VectorStart block =
                new VectorStart(
                        sizes.slots(),
                        sizes.slotDim(),
                        () -> guess.script(sizes.features()),
                        "guess",
                        PerceptualGroupingOutput.IS_EMPTY);
        return new SlotStart(
                block,
                (store, images, features, training) ->
                        new Beginning(
                                block.values(store, images, training),
                                null,
                                guess.of(images, training)));
    }

    private static SlotStart none(None c, Sizes sizes) {
        return new SlotStart(null, (store, images, features, training) -> Beginning.of(null));
    }
}
