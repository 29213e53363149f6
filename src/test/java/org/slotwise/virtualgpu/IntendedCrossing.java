package org.slotwise.virtualgpu;

import static org.slotwise.virtualgpu.Direction.FROM_HOST;
import static org.slotwise.virtualgpu.Direction.TO_HOST;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The copies between host and GPU that are meant to be, each with its reason. */
enum IntendedCrossing {
    SEEDED_NOISE(
            FROM_HOST,
            "Java's generator draws it, so that a seed gives the same numbers on every device",
            "conditioning.NormalNoise",
            "conditioning.SobolNoise",
            "clustering.UniformDraws",
            "model.SettledNoise",
            "diffusion.StepNoise.seeded",
            "diffusion.DiffusionDraws.of"),
    NOISE_LEVELS(
            FROM_HOST,
            "which steps of a schedule, and their numbers: once a batch or step",
            "diffusion.DenoisingLoss.of",
            "diffusion.LatentDiffusionDecoder.times",
            "diffusion.Noising.each"),
    MAP_SIZES(FROM_HOST, "height and width of a map: once a call", "encoder.UNetEncoder.sizes"),
    SEEDED_PLACES(
            FROM_HOST,
            "a configuration says them, or Java's generator draws them: once a batch",
            "model.GridPlaces.like",
            "model.FeatureStart.chosen"),
    GROUND_AND_CLUSTERS(
            "Java decides how many clusters a picture has: once a batch",
            "model.GroundStart.members",
            "model.GroundStart.floats"),
    STARTING_VALUES(
            "drawn once, and computed in Java in double precision",
            "layer.StartingValues.orthogonal",
            "layer.StartingValues.orthonormal",
            "layer.StartingValues.truncatedNormal",
            "layer.StartingValues.uniformNumbers",
            "unet.CartesianPositions.coordinates",
            "gnm.CellNetwork.of",
            "gnm.CellSampler.of",
            "gnm.FixedPriors",
            "gnm.GnmStart"),

    SCENES(
            FROM_HOST,
            "Java reads or draws them: once a batch",
            "data.SceneBatch",
            "data.SceneDataset.get",
            "model.SceneImages.of",
            "model.SceneEvaluation.truth"),
    PICTURES(
            FROM_HOST, "Java reads them: once a batch", "image.ObjectDiscoveryTranslator.prepared"),

    FINITE_WEIGHTS(
            TO_HOST,
            "whether an array of weights is finite: once an array that is checked",
            "weights.StateDict.requireFinite"),
    PARAMETERS_READ(
            FROM_HOST,
            "they come from a file",
            "internal.DeclaredBlock.loadParameters",
            "encoder.PretrainedBackbone.loadParameters",
            "weights.BlockParameters.overwrite"),
    PARAMETERS_WRITTEN(
            TO_HOST,
            "they go to a file, or to another layout on the way there",
            "weights.SafetensorsWriter.write",
            "weights.StateDictFormat.encode",
            "weights.NameMap.own",
            "model.AuthorsFolders.scale",
            "training.Checksum.add",
            "torchscript.TorchScript.write"),
    OPTIMIZER_READ(
            "its state comes from a file, or moves with a parameter before the first step",
            "training.Moments.of",
            "training.WeightAverage.restore",
            "training.MomentNames.steps"),

    KMEANS_INPUT(
            "before the first round: what tolerances are relative to, which images have features far"
                    + " away, and whether float32 will do",
            "clustering.CentredFeatures"),
    KMEANS_SAMPLE("Java draws it: once a clustering, where asked for", "clustering.StartSample"),
    KMEANS_DIGITS(
            TO_HOST,
            "whether float32 tells what is near: some numbers of each cluster, once a clustering",
            "clustering.TightClusters",
            "clustering.ClusterMembers"),
    KMEANS_ROUND(
            "once a round: how far each start is; Java decides which of them go on",
            "clustering.BatchedLloyd"),
    KMEANS_BEST(
            FROM_HOST,
            "which start was the best, and after how many rounds",
            "clustering.KMeansStarts.run"),
    KMEANS_BATCHES(
            "counts and centres are kept in double precision in Java: once a batch",
            "clustering.MiniBatchKMeans"),
    SLOT_LIBRARY(
            "a library lies in Java's memory, or in a file: once a batch of slots",
            "composition.SlotClustering",
            "composition.SlotCollection",
            "composition.SlotLibrary",
            "composition.Composition"),
    DISTANCE_FEATURES(
            "sums over many batches are kept in Java, and pictures come from files: once a batch",
            "distance.FeatureMoments.add",
            "distance.FeatureRows.sums",
            "distance.FeatureSample",
            "distance.FeatureStatistics",
            "distance.PictureFeatures.extract"),
    DISTANCE(
            "decompositions in double precision, and draws of subsets: once a distance",
            "distance.CovarianceFactor.read",
            "distance.KernelDistance"),
    MATCHING(
            "computed in Java: costs once a batch, and back what is matched with what",
            "matching.HungarianMatching.match",
            "matching.HungarianMatching.onDevice",
            "loss.MatchedRows.isFinite"),
    ONNX("its engine takes and gives memory of the host", "encoder.BackboneNetwork.convert"),

    CODES_IN_RANGE(
            TO_HOST,
            "an index out of range would end the process on a GPU",
            "quantization.SlotCodebooks.checkRange"),
    GROUPS(
            TO_HOST,
            "how many groups labels name is the size of what is computed next",
            "metric.Membership.ofLabels"),
    SCORES(
            TO_HOST,
            "their results are Java's numbers",
            "metric.ImageScores.totals",
            "metric.SetAveragePrecision.add",
            "model.SceneEvaluation.score",
            "loss.ShownLoss.updateAccumulators"),
    MASKS_OR_LABELS(
            TO_HOST,
            "what arrays hold decides how they are read: once a batch",
            "metric.Segmentations.hasLabels"),
    GRADIENT_NORM(
            TO_HOST,
            "a metric of the training, once a step",
            "training.GradientClipping.onTrainingBatch"),
    LOSS(TO_HOST, "a metric of the training, once a step", "model.TrainingRun.step"),
    LATTICE(
            TO_HOST,
            "where the pixels that are made begin: once a step",
            "model.DecoderKinds.drawn"),

    MASKS_AND_IMAGES(
            TO_HOST,
            "they are drawn and counted in Java's memory: once an output",
            "image.SlotMasks.floats"),
    MASKS_AS_ARRAYS(
            FROM_HOST,
            "from Java's memory, to be scored: once an image",
            "image.SlotMasks.toNDArray",
            "image.ObjectList.labels",
            "model.SceneEvaluation.groups"),

    WEIGHTS_TO_KERAS(
            TO_HOST,
            "whether what Keras has no place for is zero: once an array that is written",
            "weights.KerasConversions"),

    FEATURES_ON_DISK(
            "a file keeps them: once an image",
            "data.file.FeatureCache.complete",
            "data.file.FeatureCache.read",
            "data.file.FeatureCache.write"),

    DRAWN_TOKENS(
            "Java's generator draws them, the same on every device: once a token",
            "slate.TokenSampling.draw"),

    TERM_WEIGHTS(FROM_HOST, "schedules in Java say them: once a step", "gnm.GnmLoss.loss"),
    PRESENT_CELLS(
            "which cells have an object, so that the others cost nothing: once a call",
            "gnm.GnmLayers.some",
            "gnm.PasteWindows"),
    EXPLAINED_SCENES(
            "objects and their frames as Java's: once a batch that is asked for",
            "gnm.ExplainedScenes.read",
            "gnm.Gnm.outputs",
            "gnm.BoxFrames.frame"),
    SCENE_SCORES(
            "classes are matched in Java: once an image that is scored",
            "gnm.GnmScores.images",
            "gnm.MatchedScene"),

    FIRST_STEP(
            "whether there are gradients: once a training",
            "training.Float64Trainer.requireGradients"),

    MASKS_IN_FILES(
            FROM_HOST,
            "a constant that the original keeps with its weights: once a file that is written",
            "weights.SlateLayouts"),

    ASKED_BY_TESTS(
            "a test calls these itself; what the library calls them for has the caller's name",
            "diffusion.SampledNetwork.predict", // whatever network is sampled
            "diffusion.Sampling.steps",
            "internal.NoGraph",
            "internal.Ops",
            "internal.Scalars");

    private final Direction only;

    @SuppressWarnings("ImmutableEnumChecker") // List.of is
    private final List<String> places;

    IntendedCrossing(String reason, String... places) {
        this(null, reason, places);
    }

    /**
     * Describes copies.
     *
     * @param only which way, or null for both
     * @param reason why they are made
     * @param places classes or methods that ask for them
     */
    @SuppressWarnings("UnusedVariable") // the reason is for readers
    IntendedCrossing(Direction only, String reason, String... places) {
        this.only = only;
        this.places = List.of(places);
    }

    List<String> places() {
        return places;
    }

    private boolean allows(Direction direction, String name) {
        return (only == null || only == direction)
                && places.stream().anyMatch(place -> (name + ".").startsWith(place + "."));
    }

    static Optional<IntendedCrossing> of(Direction direction, Place place) {
        return Arrays.stream(values())
                .filter(intended -> intended.allows(direction, place.name()))
                .findFirst();
    }
}
