package org.slotwise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.evaluator.Evaluator;
import ai.djl.training.listener.EvaluatorTrainingListener;
import ai.djl.training.loss.Loss;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.PropertyLayout;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.ClevrLikeScenes;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.ImagePatchDecoder;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.decoder.PropertyDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.image.SlotMasks;
import org.slotwise.loss.HungarianLoss;
import org.slotwise.loss.ReconstructionLoss;
import org.slotwise.loss.SetPredictionLoss;
import org.slotwise.metric.AdjustedRandIndex;
import org.slotwise.metric.Background;
import org.slotwise.metric.MeanBestOverlap;
import org.slotwise.metric.MeanIntersectionOverUnion;
import org.slotwise.metric.SegmentationEvaluator;
import org.slotwise.metric.SegmentationMetric;
import org.slotwise.metric.SetAveragePrecisionEvaluator;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;
import org.slotwise.training.Adam;
import org.slotwise.training.LearningRate;

/**
 * What one part of the library gives, the next takes as it comes: data sets, decoders and groupings
 * on one side, losses, metrics and evaluators on the other, each with each.
 */
@ExtendWith(OnDevice.class)
class PartsFitTest {

    private static final int SIZE = 16;
    private static final int SLOTS = 5;
    private static final int DIM = 6;
    private static final int OBJECTS = 6;

    /** Scenes with masks, some of whose pixels belong to nothing, and with properties. */
    private static SceneDataset dataset() {
        Scenes scenes = ClevrLikeScenes.builder().setSize(4).optObjects(2, 4).build();
        List<Scene> small =
                IntStream.range(0, 4).mapToObj(i -> withVoid(get(scenes, i), i)).toList();
        return SceneDataset.builder()
                .setScenes(Scenes.of(small))
                .optProperties(OBJECTS)
                .setSampling(2, false)
                .build();
    }

    private static Scene get(Scenes scenes, int i) {
        try {
            return scenes.get(i).resize(SIZE, SIZE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Scene withVoid(Scene scene, int i) {
        return i % 2 == 0 ? scene : scene.withVoid(2);
    }

    private static Batch batch(NDManager manager) throws Exception {
        return dataset().getData(manager).iterator().next();
    }

    private static List<SegmentationMetric> metrics() {
        List<SegmentationMetric> metrics = new ArrayList<>();
        for (Background background : Background.values()) {
            metrics.add(new AdjustedRandIndex(background));
            metrics.add(new MeanBestOverlap(background));
            metrics.add(new MeanIntersectionOverUnion(background));
        }
        return metrics;
    }

    /** Blocks that give masks, and what they take. */
    @SuppressWarnings("ArrayRecordComponent")
    record Masked(String name, Block block, long... in) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Masked> masked() {
        SpatialBroadcastDecoder broadcast =
                SpatialBroadcastDecoder.builder()
                        .setSlotDim(DIM)
                        .setArchitecture(BroadcastArchitecture.tetrominoes(SIZE))
                        .build();
        ImagePatchDecoder patches =
                ImagePatchDecoder.builder()
                        .setSlotDim(DIM)
                        .setImageSize(SIZE, SIZE)
                        .setPatchSize(4)
                        .build();
        PatchDecoder features =
                PatchDecoder.builder()
                        .setSlotDim(DIM)
                        .setFeatureDim(3)
                        .setPatches(SIZE * SIZE)
                        .optHidden(4)
                        .build();
        return Stream.of(
                new Masked("SpatialBroadcastDecoder", broadcast, 2, SLOTS, DIM),
                new Masked("ImagePatchDecoder", patches, 2, SLOTS, DIM),
                new Masked("PatchDecoder", features, 2, SLOTS, DIM),
                new Masked(
                        "KMeansGrouping",
                        KMeansGrouping.builder().setSlots(SLOTS).build(),
                        2,
                        SIZE * SIZE,
                        3));
    }

    @ParameterizedTest
    @MethodSource("masked")
    void evaluatorsTakeWhatBlocksGive(Masked it, NDManager manager) throws Exception {
        for (DataType type : new DataType[] {DataType.FLOAT32, DataType.FLOAT64}) {
            it.block().clear();
            it.block().initialize(manager, type, new Shape(it.in()));
            NDArray in = Tensors.normal(manager, 1, type, it.in());
            NDList out =
                    it.block().forward(new ParameterStore(manager, false), new NDList(in), false);
            NDArray masks =
                    out.get("masks") == null ? out.get("feature_attributions") : out.get("masks");
            try (Batch batch = batch(manager)) {
                NDList labels = batch.getLabels();
                assertEquals(3, labels.size());
                for (SegmentationMetric metric : metrics()) {
                    double direct = metric.score(labels.get(1), masks).mean().getDouble();
                    SegmentationEvaluator evaluator = new SegmentationEvaluator(metric);
                    assertEquals(direct, evaluator.evaluate(labels, out).getDouble());
                    evaluator.addAccumulator("all");
                    evaluator.updateAccumulator("all", labels, out);
                    assertEquals((float) direct, evaluator.getAccumulator("all"));
                }
            }
        }
    }

    /** The forms in which masks go about: as pictures, with a channel, as rows, as objects. */
    @Test
    void metricsTakeAllForms(NDManager manager) throws Exception {
        NDArray rows =
                Tensors.uniform(manager, 2, DataType.FLOAT32, 2, SLOTS, SIZE * SIZE).softmax(1);
        NDArray pictures = rows.reshape(2, SLOTS, SIZE, SIZE);
        NDArray channel = rows.reshape(2, SLOTS, 1, SIZE, SIZE);
        NDList found = new NDList();
        for (SlotMasks masks : SlotMasks.each(channel)) {
            List<String> names = names(masks);
            DiscoveredObjects objects =
                    new DiscoveredObjects(
                            masks.categories(SIZE, SIZE, names),
                            masks,
                            new float[0][],
                            List.of(),
                            List.of(),
                            null);
            found.add(objects.objects(0).labels(manager));
        }
        NDArray labels = NDArrays.concat(found);
        try (Batch batch = batch(manager)) {
            NDArray truth = batch.getLabels().get(1);
            for (SegmentationMetric metric : metrics()) {
                double expected = metric.score(truth, rows).mean().getDouble();
                assertTrue(Double.isFinite(expected), metric.name());
                for (NDArray form : List.of(pictures, channel, labels, labels.reshape(2, -1))) {
                    assertEquals(expected, metric.score(truth, form).mean().getDouble());
                    NDArray map = truth.reshape(2, SIZE, SIZE);
                    assertEquals(expected, metric.score(map, form).mean().getDouble());
                }
            }
        }
    }

    /** Masks of patches are brought to the pixels of the labels. */
    @Test
    void masksOfPatchesComeToTheSizeOfImages(NDManager manager) throws Exception {
        NDArray patches = Tensors.uniform(manager, 5, DataType.FLOAT32, 2, SLOTS, 16);
        NDList large = new NDList();
        for (SlotMasks masks : SlotMasks.each(patches.reshape(2, SLOTS, 4, 4))) {
            large.add(masks.resize(SIZE, SIZE).toNDArray(manager));
        }
        NDArray pixels = NDArrays.concat(large);
        pixels.setName("masks");
        try (Batch batch = batch(manager)) {
            SegmentationEvaluator evaluator =
                    new SegmentationEvaluator(new MeanBestOverlap(Background.LEFT_OUT));
            double score = evaluator.evaluate(batch.getLabels(), new NDList(pixels)).getDouble();
            assertTrue(score > 0 && score < 1);
            NDArray same = SlotMasks.of(patches.get(0).reshape(SLOTS, 4, 4)).toNDArray(manager);
            Tensors.assertSame("masks", patches.get(0).reshape(1, SLOTS, 4, 4), same);
        }
    }

    private static List<String> names(SlotMasks masks) {
        return IntStream.range(0, masks.slots())
                .mapToObj(i -> i == 1 ? "background" : "slot " + i)
                .toList();
    }

    /** A data set's labels, float32, beside what a model of any type gives. */
    @ParameterizedTest
    @EnumSource(names = {"FLOAT16", "FLOAT32", "FLOAT64"})
    void lossesTakeLabelsAsTheyCome(DataType type, NDManager manager) throws Exception {
        try (Batch batch = batch(manager)) {
            NDList labels = batch.getLabels();
            NDArray image = Tensors.uniform(manager, 1, type, 2, 3, SIZE, SIZE);
            NDArray other = Tensors.uniform(manager, 2, type, 2, SLOTS, 3, SIZE, SIZE);
            NDArray masks = Tensors.uniform(manager, 3, type, 2, SLOTS, SIZE, SIZE);
            NDList decoding = new SlotDecoding(image, other, masks).toNDList();
            NDArray images = labels.get(0).toType(type, false);
            same(new ReconstructionLoss(), new NDList(images), new NDList(image), labels, decoding);
            int length = ClevrObject.PROPERTIES;
            NDArray sets = Tensors.uniform(manager, 4, type, 2, OBJECTS, length);
            NDArray rows = labels.get(2).toType(type, false);
            for (Loss loss :
                    List.of(new SetPredictionLoss(), new HungarianLoss(PropertyLayout.CLEVR))) {
                same(loss, new NDList(rows), new NDList(sets), labels, new NDList(sets));
            }
            Evaluator precision = new SetAveragePrecisionEvaluator(PropertyLayout.CLEVR, 1);
            same(precision, new NDList(labels.get(2)), new NDList(sets), labels, new NDList(sets));
        }
    }

    private static void same(
            Evaluator of, NDList label, NDList prediction, NDList labels, NDList predictions) {
        double expected = Tensors.doubles(of.evaluate(label, prediction))[0];
        assertTrue(Double.isFinite(expected), of.getName());
        NDArray actual = of.evaluate(labels, predictions);
        assertEquals(expected, Tensors.doubles(actual)[0], of.getName());
        of.addAccumulator("all");
        of.updateAccumulators(new String[] {"all"}, labels, predictions);
        assertEquals(expected, of.getAccumulator("all"), 1e-3 * Math.abs(expected), of.getName());
    }

    /** A whole model in DJL's own training loop, with nothing picked by hand. */
    @Test
    void aTrainingNeedsNoIndices(NDManager manager) throws Exception {
        Block model =
                new SequentialBlock()
                        .add(ConvolutionalEncoder.builder().optChannels(DIM).build())
                        .add(KMeansGrouping.builder().setSlots(SLOTS).build())
                        .add(
                                SpatialBroadcastDecoder.builder()
                                        .setSlotDim(DIM)
                                        .setArchitecture(BroadcastArchitecture.tetrominoes(SIZE))
                                        .build());
        DefaultTrainingConfig config =
                new DefaultTrainingConfig(new ReconstructionLoss())
                        .optOptimizer(
                                Adam.builder().optLearningRate(LearningRate.constant(1e-3)).build())
                        .optDevices(new Device[] {OnDevice.device()})
                        .addTrainingListeners(new EvaluatorTrainingListener());
        metrics().forEach(metric -> config.addEvaluator(new SegmentationEvaluator(metric)));
        try (Model holder = Model.newInstance("parts", OnDevice.device(), "PyTorch")) {
            holder.setBlock(model);
            try (Trainer trainer = holder.newTrainer(config)) {
                trainer.initialize(new Shape(2, 3, SIZE, SIZE));
                EasyTrain.fit(trainer, 1, dataset(), dataset());
            }
        }
    }

    /** Sets too: properties of slots beside a data set's labels. */
    @Test
    void setsNeedNoIndices(NDManager manager) throws Exception {
        PropertyDecoder decoder =
                PropertyDecoder.builder()
                        .setSlotDim(DIM)
                        .setProperties(ClevrObject.PROPERTIES)
                        .build();
        decoder.initialize(manager, DataType.FLOAT64, new Shape(-1, -1, DIM));
        NDArray slots = Tensors.normal(manager, 1, DataType.FLOAT64, 2, OBJECTS, DIM);
        NDList out = decoder.forward(new ParameterStore(manager, false), new NDList(slots), false);
        try (Batch batch = batch(manager)) {
            NDArray loss = new SetPredictionLoss().evaluate(batch.getLabels(), out);
            assertTrue(loss.getDouble() > 0);
            assertEquals(DataType.FLOAT64, loss.getDataType());
        }
    }

    /** Where two arrays may be meant, neither is taken in silence. */
    @Test
    void refusesToGuess(NDManager manager) throws Exception {
        NDArray masks = Tensors.uniform(manager, 1, DataType.FLOAT32, 2, SLOTS, SIZE * SIZE);
        try (Batch batch = batch(manager)) {
            NDList labels = batch.getLabels();
            SegmentationEvaluator evaluator =
                    new SegmentationEvaluator(new AdjustedRandIndex(Background.COUNTED));
            assertRefused(
                    "SegmentationEvaluator: expected one array of predictions, got 2; see"
                            + " IndexEvaluator",
                    () -> evaluator.evaluate(labels, new NDList(masks, masks)));
            NDList twice = new NDList(labels).addAll(new NDList(labels.get(0)));
            assertRefused(
                    "ReconstructionLoss: expected one array of labels, got 4; see IndexLoss",
                    () -> new ReconstructionLoss().evaluate(twice, new NDList(labels.get(0))));
        }
    }
}
