package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.loss.TotalVariationLoss;
import org.slotwise.testing.Tensors;
import org.slotwise.training.HistoryListener;
import org.slotwise.training.ScalarLog;
import org.slotwise.weights.StateDict;

class ObjectDiscoveryTrainingTest {

    private static final TrainingRecipe RECIPE =
            new TrainingRecipe(
                    8,
                    4,
                    LearningRateSchedule.cosine(3e-3, 8),
                    1,
                    new Augmentation(true, 0.7),
                    0.01,
                    2);

    @TempDir Path folder;

    /** A bright square before a dark ground, of another size than the model's. */
    private static Scenes scenes(int count) {
        List<Scene> scenes = new ArrayList<>();
        Random random = new Random(1);
        for (int i = 0; i < count; i++) {
            int size = 12;
            byte[] image = new byte[3 * size * size];
            byte[] mask = new byte[size * size];
            int top = random.nextInt(6);
            int left = random.nextInt(6);
            for (int p = 0; p < size * size; p++) {
                boolean inside =
                        p / size >= top
                                && p / size < top + 6
                                && p % size >= left
                                && p % size < left + 6;
                mask[p] = (byte) (inside ? 1 : 0);
                image[3 * p] = (byte) (inside ? 250 : 20);
                image[3 * p + 1] = (byte) (inside ? 30 : 20);
            }
            scenes.add(new Scene(size, size, image, mask));
        }
        return Scenes.of(scenes);
    }

    private static Map<String, List<Double>> weights(ObjectDiscoveryModel model) {
        TreeMap<String, List<Double>> weights = new TreeMap<>();
        StateDict.of(model.block())
                .arrays()
                .forEach(
                        (name, array) -> {
                            List<Double> values = new ArrayList<>();
                            for (double value : Tensors.doubles(array)) {
                                values.add(value);
                            }
                            weights.put(name, values);
                        });
        return weights;
    }

    private ObjectDiscoveryTraining.Builder training(ObjectDiscoveryModel model) {
        return ObjectDiscoveryTraining.builder()
                .setModel(model)
                .setScenes(scenes(10))
                .setRecipe(RECIPE);
    }

    @Test
    void everyKindOfModelTrains() throws IOException {
        for (var c : SmallModels.all().entrySet()) {
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(c.getValue(), 1)) {
                var before = weights(model);
                TrainingProgress end = model.fit(scenes(6), RECIPE.withSteps(2));
                assertEquals(2, end.step());
                assertTrue(Double.isFinite(end.loss()), c.getKey());
                assertNotEquals(before, weights(model), c.getKey());
                SegmentationScores scores = model.evaluate(scenes(5));
                assertEquals(5, scores.images());
                assertTrue(scores.ari() <= 1 && scores.meanIou() >= 0, c.getKey() + scores);
            }
        }
    }

    @Test
    void learnsAndIsTheSameEachTime() throws IOException {
        List<TrainingProgress> reports = new ArrayList<>();
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(SmallModels.settled(), 1);
                ObjectDiscoveryModel same = ObjectDiscoveryModel.create(SmallModels.settled(), 1);
                ObjectDiscoveryModel other =
                        ObjectDiscoveryModel.create(SmallModels.settled(), 2)) {
            assertEquals(weights(model), weights(same));
            assertNotEquals(weights(model), weights(other));
            double before = model.evaluate(scenes(10)).error();
            training(model)
                    .setRecipe(RECIPE.withSteps(100))
                    .optReports(50, reports::add)
                    .optValidation(scenes(3))
                    .build()
                    .train();
            assertTrue(model.evaluate(scenes(10)).error() < 0.6 * before);
            assertEquals(List.of(50L, 100L), reports.stream().map(r -> r.step()).toList());
            assertEquals(3, reports.get(0).scores().images());
            same.fit(scenes(10), RECIPE.withSteps(100));
            assertEquals(weights(model), weights(same));
        }
    }

    @Test
    void masksAreSmootherWhereThatCounts() throws IOException {
        for (String name : List.of("colour clusters, attended colour", "autoregressive")) {
            assertTrue(change(name, 1) < 0.7 * change(name, 0), name);
        }
    }

    /** How much the masks of a trained model change from pixel to pixel, or patch to patch. */
    private static double change(String name, double maskSmoothness) throws IOException {
        TrainingRecipe recipe =
                new TrainingRecipe(
                        60,
                        4,
                        LearningRateSchedule.constant(3e-3),
                        1,
                        Augmentation.NONE,
                        maskSmoothness,
                        2);
        try (ObjectDiscoveryModel model =
                        ObjectDiscoveryModel.create(SmallModels.all().get(name), 1);
                NDManager manager = NDManager.newBaseManager()) {
            model.fit(scenes(10), recipe);
            NDArray images = Tensors.normal(manager, 1, 4, 3, 8, 8).abs().clip(0, 1);
            NDArray masks =
                    model.block()
                            .discover(new ParameterStore(manager, false), images, false)
                            .masks();
            if (masks.getShape().dimension() == 3) {
                masks = masks.reshape(4, masks.getShape().get(1), 4, 4);
            }
            return new TotalVariationLoss().evaluate(new NDList(), new NDList(masks)).getFloat();
        }
    }

    @Test
    void goesOnAsIfNeverInterrupted() throws IOException {
        Path file = folder.resolve("run.safetensors");
        try (ObjectDiscoveryModel whole = ObjectDiscoveryModel.create(SmallModels.random(), 1);
                ObjectDiscoveryModel first = ObjectDiscoveryModel.create(SmallModels.random(), 1);
                ObjectDiscoveryModel second =
                        ObjectDiscoveryModel.create(SmallModels.random(), 9)) {
            training(whole).build().train();
            ObjectDiscoveryTraining interrupted =
                    training(first)
                            .optCheckpoint(file, 100)
                            .optReports(3, p -> Thread.currentThread().interrupt())
                            .build();
            // Told of after step 3, it takes one more step.
            assertThrows(InterruptedIOException.class, interrupted::train);
            assertTrue(Thread.interrupted());
            TrainingProgress end =
                    training(second).optCheckpoint(file, 3).optResume(true).build().train();
            assertEquals(8, end.step());
            assertEquals(weights(whole), weights(second));
            // Nothing is left to do: no loss, but scores.
            TrainingProgress finished =
                    training(second)
                            .optCheckpoint(file, 3)
                            .optValidation(scenes(5))
                            .optResume(true)
                            .build()
                            .train();
            assertEquals(8, finished.step());
            assertTrue(Double.isNaN(finished.loss()));
            assertEquals(second.evaluate(scenes(5)), finished.scores());
            assertTrue(
                    finished.toString().startsWith("step 8 of 8, taken before  "),
                    finished.toString());
            ObjectDiscoveryTraining otherRun =
                    training(second)
                            .setRecipe(RECIPE.withSeed(3))
                            .optCheckpoint(file, 3)
                            .optResume(true)
                            .build();
            assertThrows(IOException.class, otherRun::train);
            ObjectDiscoveryTraining otherFit =
                    training(second)
                            .setScenes(scenes(10).map(scene -> scene.crop(new Crop(0, 0, 8, 12))))
                            .optCheckpoint(file, 3)
                            .optResume(true)
                            .build();
            String says = assertThrows(IOException.class, otherFit::train).getMessage();
            assertTrue(says.contains("of another run: pictures was those of checksum"), says);
            Files.delete(file);
            ObjectDiscoveryTraining without =
                    training(second).optCheckpoint(file, 3).optResume(true).build();
            assertThrows(IOException.class, without::train);
        }
    }

    /** As if interrupted, but the thread is not marked. */
    @Test
    void endsEarlyWhenAskedTo() throws IOException {
        Path file = folder.resolve("run.safetensors");
        try (ObjectDiscoveryModel whole = ObjectDiscoveryModel.create(SmallModels.random(), 1);
                ObjectDiscoveryModel first = ObjectDiscoveryModel.create(SmallModels.random(), 1);
                ObjectDiscoveryModel second =
                        ObjectDiscoveryModel.create(SmallModels.random(), 9)) {
            training(whole).build().train();
            AtomicInteger steps = new AtomicInteger();
            ObjectDiscoveryTraining stopped =
                    training(first)
                            .optCheckpoint(file, 100)
                            .optStop(() -> steps.incrementAndGet() == 3)
                            .build();
            String says = assertThrows(InterruptedIOException.class, stopped::train).getMessage();
            assertTrue(says.contains("after step 3; go on from " + file), says);
            assertFalse(Thread.currentThread().isInterrupted());
            training(second).optCheckpoint(file, 3).optResume(true).build().train();
            assertEquals(weights(whole), weights(second));
        }
    }

    @Test
    void tellsListenersAndRefusesWhatIsMissing() throws IOException {
        AtomicInteger batches = new AtomicInteger();
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(SmallModels.settled(), 1)) {
            training(model)
                    .optListeners(
                            new TrainingListenerAdapter() {
                                @Override
                                public void onTrainingBatch(Trainer trainer, BatchData data) {
                                    batches.incrementAndGet();
                                }
                            })
                    .build()
                    .train();
            assertEquals(8, batches.get());
            assertRefused(
                    "ObjectDiscoveryTraining: model, scenes and recipe must be set",
                    () -> ObjectDiscoveryTraining.builder().setModel(model).build());
            assertRefused(
                    "ObjectDiscoveryTraining: scenes must be at least 1, got 0",
                    () -> training(model).setScenes(Scenes.of(List.of())).build());
            assertRefused(
                    "ObjectDiscoveryTraining: to resume there must be a checkpoint",
                    () -> training(model).optResume(true).build());
            assertRefused(
                    "ObjectDiscoveryModel: scene 0 has no mask to be scored by",
                    () -> model.evaluate(Scenes.of(List.of(new Scene(8, 8, new byte[192])))));
        }
    }

    /** The training gives its trainer new metrics at each step. */
    @Test
    void itsLossesGoIntoHistories() throws IOException {
        Map<Long, Double> written = new TreeMap<>();
        List<TrainingProgress> told = new ArrayList<>();
        ScalarLog log =
                new ScalarLog() {
                    @Override
                    public void write(long step, Map<String, ? extends Number> values) {
                        written.put(step, values.get("train/DiscoveryLoss").doubleValue());
                    }

                    @Override
                    public void close() {}
                };
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(SmallModels.settled(), 1)) {
            training(model)
                    .optReports(4, told::add)
                    .optListeners(HistoryListener.builder(log).optEverySteps(4).build())
                    .build()
                    .train();
        }
        assertEquals(List.of(4L, 8L), List.copyOf(written.keySet()));
        for (TrainingProgress progress : told) {
            assertEquals(progress.loss(), written.get(progress.step()), 1e-6 * progress.loss());
        }
    }

    @Test
    void seesEachSceneOnceInAnEpoch() {
        SceneOrder order = new SceneOrder(4, 10);
        List<Integer> seen = new ArrayList<>();
        for (int step = 1; step <= 5; step++) {
            for (int scene : order.of(step, 4)) {
                seen.add(scene);
            }
        }
        assertEquals(10, Set.copyOf(seen.subList(0, 10)).size());
        assertEquals(10, Set.copyOf(seen.subList(10, 20)).size());
        assertNotEquals(seen.subList(0, 10), seen.subList(10, 20));
        assertArrayEquals(order.of(3, 4), new SceneOrder(4, 10).of(3, 4));
        assertEquals(Set.of(0), new HashSet<>(List.of(new SceneOrder(1, 1).of(7, 2)[1])));
    }

    @Test
    void mirrorsAndCrops() {
        byte[] image = {1, 2, 3, 4, 5, 6};
        Scene scene = new Scene(1, 2, image);
        Set<String> seen = new HashSet<>();
        Random random = new Random(0);
        for (int i = 0; i < 20; i++) {
            seen.add(List.of(box(new Augmentation(true, 1).image(scene, 1, 2, random))).toString());
        }
        assertEquals(Set.of("[[1, 2, 3, 4, 5, 6]]", "[[4, 5, 6, 1, 2, 3]]"), seen);
        assertArrayEquals(image, Augmentation.NONE.image(scene, 1, 2, random));
        assertFalse(seen.isEmpty());
        assertEquals(12, new Augmentation(false, 0.5).image(scene, 2, 2, random).length);
    }

    private static List<Byte> box(byte[] bytes) {
        List<Byte> list = new ArrayList<>();
        for (byte b : bytes) {
            list.add(b);
        }
        return list;
    }

    @Test
    void learningRatesAreAsWritten() {
        LearningRateSchedule s =
                new LearningRateSchedule(2, 4, LearningRateSchedule.Decay.COSINE, 10, 10, 0.5);
        assertEquals(0.5, s.rate().at(1), 1e-12);
        assertEquals(2, s.rate().at(10), 1e-12);
        assertEquals(1.5, s.rate().at(15), 1e-12);
        assertEquals(1, s.rate().at(40), 1e-12);
        assertEquals(4e-4 * 0.5, LearningRateSchedule.paper().rate().at(100_000), 1e-12);
        assertEquals(3, LearningRateSchedule.constant(3).rate().at(1), 0);
    }
}
