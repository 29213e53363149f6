package org.slotwise.api;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import ai.djl.training.tracker.ParameterTracker;
import ai.djl.training.tracker.Tracker;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.slotwise.autoencoder.AutoencoderSizes;
import org.slotwise.autoencoder.LatentDistribution;
import org.slotwise.clustering.KMeans;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.clustering.MiniBatchKMeans;
import org.slotwise.composition.ClusterPictures;
import org.slotwise.composition.Composition;
import org.slotwise.composition.CompositionRule;
import org.slotwise.composition.LibraryOptions;
import org.slotwise.composition.SlotCollection;
import org.slotwise.composition.SlotLibrary;
import org.slotwise.composition.SlotRenderer;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.Crop;
import org.slotwise.data.PropertyLayout;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.FeatureOrigin;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.data.generated.TexturedScenes;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.diffusion.BetaSchedule;
import org.slotwise.diffusion.CrossAttentionMasks;
import org.slotwise.diffusion.Ddim;
import org.slotwise.diffusion.Ddpm;
import org.slotwise.diffusion.DenoisingLoss;
import org.slotwise.diffusion.DiffusersScheduler;
import org.slotwise.diffusion.DiffusionDraws;
import org.slotwise.diffusion.DpmSolver;
import org.slotwise.diffusion.EstimateChange;
import org.slotwise.diffusion.NoiseSchedule;
import org.slotwise.diffusion.Noising;
import org.slotwise.diffusion.Prediction;
import org.slotwise.diffusion.SampledNetwork;
import org.slotwise.diffusion.Sampler;
import org.slotwise.diffusion.Sampling;
import org.slotwise.diffusion.SamplingProgress;
import org.slotwise.diffusion.SamplingStep;
import org.slotwise.diffusion.StepNoise;
import org.slotwise.diffusion.TimeChoice;
import org.slotwise.diffusion.TimestepSpacing;
import org.slotwise.distance.FeatureCollection;
import org.slotwise.distance.FeatureMoments;
import org.slotwise.distance.FeatureSample;
import org.slotwise.distance.FeatureStatistics;
import org.slotwise.distance.KernelSubsets;
import org.slotwise.distance.PictureFeatures;
import org.slotwise.encoder.ResNetArchitecture;
import org.slotwise.encoder.VisionTransformerArchitecture;
import org.slotwise.gnm.CellLatents;
import org.slotwise.gnm.Cells;
import org.slotwise.gnm.ExplainedScenes;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.gnm.GnmDraws;
import org.slotwise.gnm.GnmNetworks;
import org.slotwise.gnm.GnmNoise;
import org.slotwise.gnm.GnmOutput;
import org.slotwise.gnm.GnmSchedules;
import org.slotwise.gnm.GnmSetting;
import org.slotwise.gnm.GnmStart;
import org.slotwise.gnm.RenderedScenes;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGrouping;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotAttentionVariant;
import org.slotwise.grouping.SteveOptions;
import org.slotwise.image.BackgroundSlot;
import org.slotwise.image.CocoAnnotations;
import org.slotwise.image.DiscoveredObject;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.ObjectDiscoveryTranslator;
import org.slotwise.image.ObjectList;
import org.slotwise.image.Palette;
import org.slotwise.image.PictureGrid;
import org.slotwise.image.PixelMask;
import org.slotwise.image.RunLengthEncoding;
import org.slotwise.image.SlotMasks;
import org.slotwise.image.SlotPictures;
import org.slotwise.layer.DropoutMask;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.Gaussian;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.layer.ScaledDotProduct;
import org.slotwise.layer.TimeEmbedding;
import org.slotwise.layer.Window;
import org.slotwise.loss.HungarianLoss;
import org.slotwise.matching.HungarianMatching;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.ImageScores;
import org.slotwise.metric.SegmentationEvaluator;
import org.slotwise.metric.SegmentationMetric;
import org.slotwise.metric.SetAveragePrecision;
import org.slotwise.metric.SetAveragePrecisionEvaluator;
import org.slotwise.model.Augmentation;
import org.slotwise.model.ConditioningConfiguration;
import org.slotwise.model.DiffusionConfiguration;
import org.slotwise.model.GroupingConfiguration;
import org.slotwise.model.LatentSlotDiffusionConfiguration;
import org.slotwise.model.LatentsConfiguration;
import org.slotwise.model.LearningRateSchedule;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.Preset;
import org.slotwise.model.Presets;
import org.slotwise.model.SmallModels;
import org.slotwise.model.TrainingRecipe;
import org.slotwise.position.PositionGrid;
import org.slotwise.quantization.AnnealedTemperature;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.testing.Tensors;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;
import org.slotwise.torchscript.TorchScript;
import org.slotwise.training.Adam;
import org.slotwise.training.AveragingDecay;
import org.slotwise.training.DivergenceCheck;
import org.slotwise.training.GradientClipping;
import org.slotwise.training.HistoryListener;
import org.slotwise.training.LearningRate;
import org.slotwise.training.LearningRates;
import org.slotwise.training.PlateauDecay;
import org.slotwise.training.ProgressListener;
import org.slotwise.training.RmsProp;
import org.slotwise.training.ScalarLog;
import org.slotwise.training.WeightAverage;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.Heads;
import org.slotwise.unet.ToldDenoiser;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNetConfiguration;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.StateDict;

/** A good value of each type that calls take, or that they are called on. */
final class ObjectSamples {

    private static final Map<Class<?>, Function<NDManager, Object>> ALL = new LinkedHashMap<>();

    private static final Shape RENDERED = new Shape(2, 3, 4, 6);

    private static <T> void add(Class<T> type, Function<NDManager, T> sample) {
        ALL.put(type, sample::apply);
    }

    static {
        javaAndDjl();
        imagesAndScenes();
        setsOfPictures();
        models();
    }

    private ObjectSamples() {}

    private static NDArray slots(NDManager manager) {
        return Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 4);
    }

    private static void javaAndDjl() {
        for (Class<?> integer : List.of(int.class, Integer.class)) {
            ALL.put(integer, m -> 2);
        }
        for (Class<?> integer : List.of(long.class, Long.class)) {
            ALL.put(integer, m -> 2L);
        }
        ALL.put(double.class, m -> 0.5);
        ALL.put(float.class, m -> 0.5f);
        ALL.put(boolean.class, m -> true);
        ALL.put(byte.class, m -> (byte) 1);
        add(Object.class, m -> "x");
        add(String.class, m -> "X");
        add(String[].class, m -> new String[] {"x"});
        add(Path.class, m -> Path.of("target", "no-such-file"));
        add(int[].class, m -> new int[] {2, 2});
        add(long[].class, m -> new long[] {2, 2});
        add(double[].class, m -> new double[] {0.5, 0.5, 0.5});
        add(float[].class, m -> new float[] {0.5f, 0.5f, 0.5f});
        add(float[][].class, m -> new float[][] {{0.5f}});
        add(byte[].class, m -> new byte[48]);
        add(List.class, m -> new ArrayList<>());
        add(Collection.class, m -> new ArrayList<>());
        add(Map.class, m -> Map.of());
        add(Duration.class, m -> Duration.ofDays(1));
        add(Runnable.class, m -> () -> {});
        add(NDManager.class, NDManager::newSubManager);
        add(NDArray.class, ObjectSamples::slots);
        add(NDList.class, m -> new NDList(slots(m)));
        add(Shape.class, m -> new Shape(2, 3, 4));
        add(Shape[].class, m -> new Shape[] {new Shape(2, 3, 4)});
        add(ParameterStore.class, m -> new ParameterStore(m, false));
        add(Device.class, NDManager::getDevice);
        add(Engine.class, NDManager::getEngine);
        add(Initializer.class, m -> Initializer.ONES);
        add(Tracker.class, m -> Tracker.fixed(0.1f));
        add(ParameterTracker.class, m -> Tracker.fixed(0.1f));
        add(Image.class, m -> image());
    }

    private static SceneDataset dataset() {
        return SceneDataset.builder()
                .setScenes(Tetrominoes.builder().setSize(2).build())
                .setSampling(1, false)
                .build();
    }

    private static Image image() {
        return ImageFactory.getInstance()
                .fromImage(new BufferedImage(6, 4, BufferedImage.TYPE_INT_RGB));
    }

    private static ImageScores scores(NDManager manager) {
        return new ImageScores(
                manager.zeros(new Shape(2), DataType.FLOAT64),
                manager.create(new boolean[] {true, false}));
    }

    private static SlotMasks masks(NDManager manager) {
        return SlotMasks.of(Tensors.uniform(manager, 1, DataType.FLOAT32, 3, 4, 6));
    }

    private static PixelMask mask() {
        return new PixelMask(4, 6, BitSet.valueOf(new long[] {6}));
    }

    private static ObjectList objects() {
        return new ObjectList(
                4, 6, List.of(new DiscoveredObject(1, 0.5, mask(), new float[4])), null);
    }

    private static void imagesAndScenes() {
        add(Scene.class, m -> new Scene(4, 4, new byte[48], new byte[16]));
        add(Tetrominoes.class, m -> Tetrominoes.builder().setSize(2).build());
        add(Scenes.class, m -> Tetrominoes.builder().setSize(2).build());
        add(SceneSource.class, m -> Tetrominoes.builder().setSize(2).build());
        add(
                SceneDataset.Builder.class,
                m ->
                        SceneDataset.builder()
                                .setScenes(Tetrominoes.builder().setSize(2).build())
                                .setSampling(1, false));
        add(
                SceneStreamDataset.Builder.class,
                m ->
                        SceneStreamDataset.builder()
                                .setSource(Tetrominoes.builder().setSize(2).build())
                                .setBatchSize(1));
        add(SceneDataset.class, m -> dataset());
        add(
                SceneStreamDataset.class,
                m ->
                        SceneStreamDataset.builder()
                                .setSource(Tetrominoes.builder().setSize(2).build())
                                .setBatchSize(1)
                                .build());
        add(MultiDSprites.class, m -> MultiDSprites.builder().setSize(2).build());
        add(TexturedScenes.class, m -> TexturedScenes.builder().setSize(2).build());
        add(ClevrLikeScenes.class, m -> ClevrLikeScenes.builder().setSize(2).build());
        add(
                ObjectDiscoveryTranslator.class,
                m -> ObjectDiscoveryTranslator.builder().setImageSize(4, 6).build());
        add(FeatureOrigin.class, m -> new FeatureOrigin("none", List.of("a")));
        add(ClevrObject.class, m -> ClevrObject.decode(new float[19]));
        add(Crop.class, m -> new Crop(0, 0, 2, 2));
        add(PropertyLayout.class, m -> PropertyLayout.CLEVR);
        add(SlotMasks.class, ObjectSamples::masks);
        add(Palette.class, m -> Palette.colourBlindSafe());
        add(PixelMask.class, m -> mask());
        add(RunLengthEncoding.class, m -> RunLengthEncoding.of(mask()));
        add(DiscoveredObject.class, m -> new DiscoveredObject(1, 0.5, mask(), new float[4]));
        add(ObjectList.class, m -> objects());
        add(
                CocoAnnotations.class,
                m ->
                        new CocoAnnotations(
                                List.of(new CocoAnnotations.Picture(1, "a.png", objects()))));
        add(SlotPictures.class, m -> SlotPictures.builder().build());
        add(BackgroundSlot.class, m -> BackgroundSlot.none());
        add(PictureGrid.Builder.class, m -> PictureGrid.builder().setColumns(2).setPanelSize(4, 6));
        add(PictureGrid.class, m -> PictureGrid.builder().setColumns(2).setPanelSize(4, 6).build());
        add(
                DiscoveredObjects.class,
                m ->
                        new DiscoveredObjects(
                                masks(m).categories(4, 6, List.of("a", "b", "c")),
                                masks(m),
                                new float[3][4],
                                List.of(),
                                List.of(),
                                null));
    }

    private static void diffusion() {
        add(ResnetBlock.Options.class, m -> ResnetBlock.Options.of(2, 1e-5));
        add(ResnetBlock.Resize.class, m -> ResnetBlock.Resize.SAME);
        add(Heads.class, m -> Heads.count(2));
        add(TransformerOptions.class, m -> TransformerOptions.of(4, Heads.count(2)));
        add(UNetConfiguration.class, m -> BlockSamples.unet().build());
        add(UNetConfiguration.Builder.class, m -> BlockSamples.unet());
        add(BranchNormConfiguration.class, m -> new BranchNormConfiguration(2, 4, 6, 4, 4, 1, 0));
        add(AutoencoderSizes.class, m -> new AutoencoderSizes(3, 2, List.of(4, 4), 1, 2, 1));
        add(
                LatentDistribution.class,
                m ->
                        new LatentDistribution(
                                m.ones(new Shape(1, 2, 2, 2)), m.ones(new Shape(1, 2, 2, 2))));
        add(DiffusersFolder.class, m -> folder());
        add(SteveOptions.class, m -> SteveOptions.latentSlotDiffusion());
        samplings();
    }

    private static void samplings() {
        NoiseSchedule schedule = NoiseSchedule.cosine(10);
        add(NoiseSchedule.class, m -> schedule);
        BetaSchedule betas = new BetaSchedule(BetaSchedule.Curve.LINEAR, 10, 0.1, 0.2, false);
        add(BetaSchedule.class, m -> betas);
        add(BetaSchedule.Curve.class, m -> BetaSchedule.Curve.LINEAR);
        add(
                DiffusersScheduler.class,
                m -> DiffusersScheduler.of(DiffusersScheduler.Kind.DDIM, betas, Prediction.DATA));
        add(DiffusersScheduler.Kind.class, m -> DiffusersScheduler.Kind.DDIM);
        add(Noising.class, m -> new Noising(schedule));
        add(DenoisingLoss.class, m -> DenoisingLoss.of(new Noising(schedule), Prediction.DATA));
        add(DiffusionDraws.class, m -> new DiffusionDraws(m.ones(new Shape(2, 2, 8, 8)), 1, 2));
        add(TimestepSpacing.class, m -> TimestepSpacing.LEADING);
        add(TimeChoice.class, m -> TimeChoice.all());
        add(SamplingStep.class, m -> new SamplingStep(1, 0, 0, List.of(), 0));
        add(Sampler.class, m -> Ddpm.builder().setSchedule(schedule).build());
        add(Ddpm.class, m -> Ddpm.builder().setSchedule(schedule).build());
        add(Ddpm.Builder.class, m -> Ddpm.builder().setSchedule(schedule));
        TimeChoice five = TimeChoice.leading(5);
        add(Ddim.class, m -> Ddim.builder().setSchedule(schedule).optTimes(five).build());
        add(Ddim.Builder.class, m -> Ddim.builder().setSchedule(schedule).optTimes(five));
        add(DpmSolver.class, m -> DpmSolver.builder().setSchedule(schedule).optTimes(five).build());
        add(DpmSolver.Builder.class, m -> DpmSolver.builder().setSchedule(schedule).optTimes(five));
        add(Sampling.class, m -> sampling().build());
        add(Sampling.Builder.class, m -> sampling());
        add(SampledNetwork.class, m -> (z, t) -> z);
        add(
                ToldDenoiser.class,
                m ->
                        new ToldDenoiser() {
                            @Override
                            public NDArray predict(NDArray latents, NDArray timesteps) {
                                return latents.duplicate();
                            }

                            @Override
                            public void close() {
                                // There is nothing to free.
                            }
                        });
        add(SamplingProgress.class, m -> SamplingProgress.NONE);
        add(StepNoise.class, m -> StepNoise.seeded(1));
        add(CrossAttentionMasks.class, m -> CrossAttentionMasks.builder().build());
        add(CrossAttentionMasks.Builder.class, m -> CrossAttentionMasks.builder());
        add(EstimateChange.class, m -> EstimateChange.clipped(1));
        add(DiffusionConfiguration.class, m -> DiffusionConfiguration.cosine(Prediction.VELOCITY));
        add(
                LatentSlotDiffusionConfiguration.class,
                m ->
                        SmallModels.diffusion(
                                new LatentsConfiguration.Patches(2), 12, Prediction.DATA));
    }

    private static Sampling.Builder sampling() {
        return Sampling.builder()
                .setSampler(Ddpm.builder().setSchedule(NoiseSchedule.cosine(10)).build())
                .setPrediction(Prediction.DATA);
    }

    private static DiffusersFolder folder() {
        try {
            Path folder = Files.createDirectories(Path.of("target", "diffusers"));
            Files.writeString(folder.resolve("config.json"), "{}");
            return DiffusersFolder.open(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PictureFeatures features() {
        return PictureFeatures.of(
                2, 2, "pixels", images -> images.reshape(images.getShape().get(0), -1));
    }

    private static SlotLibrary library(NDManager manager) {
        return SlotLibrary.of(slots(manager), null, LibraryOptions.builder().build());
    }

    private static void setsOfPictures() {
        add(PictureFeatures.class, m -> features());
        add(LongConsumer.class, m -> done -> {});
        add(IntFunction.class, m -> row -> image());
        add(KernelSubsets.class, m -> new KernelSubsets(2, 2, 0));
        add(FeatureMoments.class, m -> new FeatureMoments().add(slots(m).get(0)));
        add(FeatureSample.class, m -> new FeatureSample(2, 0).add(slots(m).get(0)));
        add(FeatureStatistics.class, m -> FeatureStatistics.of(slots(m).get(0)));
        add(FeatureCollection.class, m -> new FeatureCollection(2, 0).add(slots(m).get(0)));
        add(LibraryOptions.class, m -> LibraryOptions.builder().build());
        add(SlotLibrary.class, ObjectSamples::library);
        add(
                SlotCollection.class,
                m -> {
                    LibraryOptions options = LibraryOptions.builder().build();
                    return new SlotCollection(options, 5, 0).add(slots(m), null);
                });
        add(CompositionRule.class, m -> CompositionRule.shifted());
        add(Composition.class, m -> library(m).compose(2, CompositionRule.shifted(), 0));
        add(SlotRenderer.class, m -> slots -> slots.getManager().zeros(RENDERED));
        add(ClusterPictures.class, m -> new ClusterPictures(2, 4, 6));
    }

    private static void models() {
        add(ObjectDiscoveryConfiguration.class, m -> SmallModels.settled());
        add(
                GroupingConfiguration.SteveSlotAttention.class,
                m -> new GroupingConfiguration.SteveSlotAttention(4, 5, 2, 1, 1e-6, false, 3L));
        add(Preset.class, m -> Presets.named("tetrominoes"));
        add(TrainingRecipe.class, m -> Presets.named("tetrominoes").recipe().withSteps(1));
        add(LearningRateSchedule.class, m -> LearningRateSchedule.constant(0.1));
        add(Augmentation.class, m -> Augmentation.NONE);
        add(
                ConditioningConfiguration.ColourClusters.class,
                m -> new ConditioningConfiguration.ColourClusters(2, 3, 1, 1));
        add(
                ConditioningConfiguration.GroundAndClusters.class,
                m -> new ConditioningConfiguration.GroundAndClusters(2, 3, 1, 0.1, 0.1, 1, 1));
        add(
                ConditioningConfiguration.Grid.class,
                m -> new ConditioningConfiguration.Grid(List.of(0.5), List.of(0.5), 0));
        add(FeatureExtractorOutput.class, m -> new FeatureExtractorOutput(slots(m)));
        add(
                PerceptualGroupingOutput.class,
                m -> new PerceptualGroupingOutput(slots(m), slots(m), null));
        add(Block.class, m -> SlotAttention.builder().setDim(4).setFeatureDim(4).build());
        add(
                PerceptualGrouping.class,
                m -> SlotAttention.builder().setDim(4).setFeatureDim(4).build());
        add(BroadcastArchitecture.class, m -> BroadcastArchitecture.clevr());
        add(BroadcastArchitecture.Layer.class, m -> BroadcastArchitecture.Layer.convolution(4, 3));
        add(PixelLattice.class, m -> PixelLattice.ALL);
        add(ResNetArchitecture.class, m -> ResNetArchitecture.resNet18());
        add(VisionTransformerArchitecture.class, m -> VisionTransformerArchitecture.small(32, 16));
        add(SlotAttentionVariant.class, m -> SlotAttentionVariant.PAPER);
        add(TimeEmbedding.class, m -> new TimeEmbedding(8, TimeEmbedding.Order.SINE_FIRST, 0));
        add(ScriptModule.class, m -> PositionGrid.script());
        add(ScriptModule.Builder.class, m -> ScriptModule.builder("A").setCode("pass"));
        add(Scriptable.class, m -> PositionGrid::script);
        add(TorchScript.class, m -> TorchScript.of(PositionGrid.script()));
        add(StateDict.class, m -> StateDict.of(Map.of("a", slots(m))));
        add(ImageScores.class, m -> scores(m));
        add(KMeansOptions.class, m -> KMeansOptions.builder().build());
        add(KMeans.class, m -> new KMeans(2, KMeansOptions.builder().build()));
        add(
                MiniBatchKMeans.class,
                m -> new MiniBatchKMeans(2, KMeansOptions.builder().optSeed(0).build()));
        add(Window.class, m -> Window.same(3));
        add(DropoutMask.class, m -> DropoutMask.of(m.ones(new Shape(2, 2))));
        add(ScaledDotProduct.class, m -> new ScaledDotProduct(2));
        add(HungarianLoss.class, m -> new HungarianLoss(PropertyLayout.CLEVR));
        add(org.slotwise.matching.Assignment.class, m -> HungarianMatching.match(slots(m)));
        add(SegmentationMetric.class, m -> new AdjustedRandIndex(Background.COUNTED));
        add(
                SegmentationEvaluator.class,
                m -> new SegmentationEvaluator(new AdjustedRandIndex(Background.COUNTED)));
        add(SetAveragePrecision.class, m -> new SetAveragePrecision(PropertyLayout.CLEVR));
        add(
                SetAveragePrecisionEvaluator.class,
                m -> new SetAveragePrecisionEvaluator(PropertyLayout.CLEVR, 0.5));
        add(AnnealedTemperature.class, m -> new AnnealedTemperature(2, 1, 10));
        add(Adam.class, m -> Adam.builder().build());
        add(DivergenceCheck.class, m -> DivergenceCheck.builder().build());
        add(DivergenceCheck.Builder.class, m -> DivergenceCheck.builder());
        add(GradientClipping.class, m -> new GradientClipping(1));
        add(LearningRate.class, m -> LearningRate.constant(0.1));
        add(PlateauDecay.class, m -> new PlateauDecay(4, 0.5));
        add(AveragingDecay.class, m -> AveragingDecay.constant(0.5));
        add(
                WeightAverage.class,
                m -> {
                    Block block = new FeedForward(2, 3);
                    block.initialize(m, DataType.FLOAT32, new Shape(1, 2));
                    return new WeightAverage(block, AveragingDecay.constant(0.5));
                });
        add(LearningRates.class, m -> LearningRates.of(LearningRate.constant(0.1)));
        gnm();
        add(
                SlateConfiguration.class,
                m ->
                        new SlateConfiguration(
                                8,
                                2,
                                5,
                                6,
                                new SlateConfiguration.Transformer(2, 2, 0),
                                new SlateConfiguration.Slots(3, 4, 2, 2, 5, false)));
        diffusion();
        add(ScalarLog.class, m -> new NoLog());
        add(HistoryListener.class, m -> HistoryListener.builder(new NoLog()).build());
        add(HistoryListener.Builder.class, m -> HistoryListener.builder(new NoLog()));
        add(ProgressListener.class, m -> new ProgressListener(2, 0, Duration.ofDays(1)));
    }

    /** Forgets what is written. */
    private static void gnm() {
        GnmConfiguration sizes = GnmConfiguration.small(32);
        add(GnmConfiguration.class, m -> sizes);
        add(GnmConfiguration.Picture.class, m -> sizes.picture());
        add(GnmConfiguration.Latents.class, m -> sizes.latents());
        add(GnmNetworks.class, m -> sizes.networks());
        add(GnmNetworks.Stack.class, m -> sizes.networks().cells());
        add(GnmNetworks.Scene.class, m -> sizes.networks().scene());
        add(GnmNoise.class, m -> GnmNoise.drawn());
        add(GnmDraws.class, m -> GnmDraws.at(0.5));
        add(GnmStart.class, m -> GnmStart.likelyObjects());
        add(GnmSetting.class, m -> GnmSetting.of(0.5));
        add(GnmSchedules.class, m -> GnmSchedules.likelyObjects());
        add(GnmOutput.class, ObjectSamples::step);
        add(ExplainedScenes.class, ObjectSamples::explained);
        add(RenderedScenes.class, m -> explained(m).rendered());
        add(CellLatents.class, m -> explained(m).latents());
        add(Cells.class, m -> explained(m).cells());
        add(Gaussian.class, m -> new Gaussian(slots(m), slots(m)));
        add(RmsProp.class, m -> RmsProp.builder().build());
    }

    private static Gnm gnm(NDManager manager) {
        Gnm gnm = new Gnm(GnmConfiguration.small(32));
        gnm.initialize(manager, DataType.FLOAT32, new Shape(2, 3, 32, 32));
        return gnm;
    }

    private static GnmOutput step(NDManager manager) {
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 32, 32);
        ParameterStore store = new ParameterStore(manager, false);
        return gnm(manager).step(store, images, GnmSetting.of(1), GnmNoise.drawn(), false);
    }

    private static ExplainedScenes explained(NDManager manager) {
        NDArray images = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, 3, 32, 32);
        ParameterStore store = new ParameterStore(manager, false);
        return gnm(manager).explain(store, images, GnmDraws.mode());
    }

    /** Forgets what is written. */
    private static final class NoLog implements ScalarLog {
        @Override
        public void write(long step, Map<String, ? extends Number> values) {}

        @Override
        public void close() {}
    }

    /** A good value of a type, or null if there is none here. */
    static @Nullable Object of(Class<?> type, NDManager manager) {
        Function<NDManager, Object> sample = ALL.get(type);
        if (sample != null) {
            return sample.apply(manager);
        }
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        for (Map.Entry<Class<?>, Function<NDManager, Object>> entry : ALL.entrySet()) {
            if (type.isAssignableFrom(entry.getKey()) && type.getName().contains("slotwise")) {
                return entry.getValue().apply(manager);
            }
        }
        return made(type, manager);
    }

    /** Made by a builder without required options, or by a record's or class's constructor. */
    private static @Nullable Object made(Class<?> type, NDManager manager) {
        if (!type.getName().contains("slotwise")) {
            return null;
        }
        try {
            if (Reflected.isBuilder(type)) {
                return type.getDeclaringClass().getMethod("builder").invoke(null);
            }
            var constructors = type.getConstructors();
            if (constructors.length > 0) {
                Class<?>[] types = constructors[0].getParameterTypes();
                Object[] good = new Object[types.length];
                for (int i = 0; i < types.length; i++) {
                    good[i] = of(types[i], manager);
                }
                return constructors[0].newInstance(good);
            }
            return Reflected.build(type.getMethod("builder").invoke(null));
        } catch (ReflectiveOperationException | RuntimeException e) {
            return null;
        }
    }
}
