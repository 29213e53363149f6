package org.slotwise.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.Batch;
import ai.djl.training.dataset.Dataset;
import ai.djl.training.dataset.RandomAccessDataset;
import ai.djl.training.loss.IndexLoss;
import ai.djl.training.loss.Loss;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class SceneDatasetTest {

    private static final Scenes SCENES = Tetrominoes.builder().setSize(10).optSeed(3).build();

    private static SceneDataset.Builder dataset() {
        return SceneDataset.builder().setScenes(SCENES);
    }

    /** Which scene each image of the batches is, batch by batch; closes them. */
    static List<List<Integer>> order(Iterable<Batch> batches) {
        List<Scene> known = SCENES.open().toList();
        List<List<Integer>> order = new ArrayList<>();
        for (Batch batch : batches) {
            List<Integer> which = new ArrayList<>();
            NDArray images = batch.getData().singletonOrThrow();
            for (long i = 0; i < images.size(0); i++) {
                try (NDArray image = images.get(i)) {
                    float[] pixels = image.toFloatArray();
                    for (int k = 0; k < known.size(); k++) {
                        if (Arrays.equals(pixels, pixels(known.get(k)))) {
                            which.add(k);
                        }
                    }
                }
            }
            assertEquals(images.size(0), which.size(), "each image is one of the scenes");
            order.add(which);
            batch.close();
        }
        return order;
    }

    static float[] pixels(Scene scene) {
        float[] pixels = new float[scene.image().length];
        scene.imageInto(pixels, 0);
        return pixels;
    }

    @Test
    void batchHoldsImagesAndMasks(NDManager manager) throws Exception {
        SceneDataset dataset = dataset().setSampling(4, false).build();
        assertEquals(10, dataset.size());
        int seen = 0;
        for (Batch batch : dataset.getData(manager)) {
            int size = seen < 8 ? 4 : 2;
            assertEquals(size, batch.getSize());
            NDArray images = batch.getData().singletonOrThrow();
            assertEquals(new Shape(size, 3, 35, 35), images.getShape());
            assertEquals(DataType.FLOAT32, images.getDataType());
            assertEquals(manager.getDevice(), images.getDevice());
            assertEquals(2, batch.getLabels().size());
            assertSame(images, batch.getLabels().get(0));
            NDArray masks = batch.getLabels().get(1);
            assertEquals(new Shape(size, 35 * 35), masks.getShape());
            assertEquals(DataType.INT64, masks.getDataType());
            float[] pixels = images.toFloatArray();
            long[] labels = masks.toLongArray();
            for (int b = 0; b < size; b++) {
                Scene scene = SCENES.get(seen++);
                int each = 3 * 35 * 35;
                assertArrayEquals(
                        pixels(scene), Arrays.copyOfRange(pixels, b * each, (b + 1) * each));
                for (int p = 0; p < 35 * 35; p++) {
                    assertEquals(scene.mask()[p], labels[b * 35 * 35 + p]);
                }
            }
            for (float pixel : pixels) {
                assertTrue(pixel >= 0 && pixel <= 1);
            }
            batch.close();
        }
        assertEquals(10, seen);
    }

    @Test
    void shufflesBySeedAndAnewEachTime(NDManager manager) throws Exception {
        SceneDataset one = dataset().setShuffledSampling(3, 7, false).build();
        SceneDataset same = dataset().setShuffledSampling(3, 7, false).build();
        SceneDataset other = dataset().setShuffledSampling(3, 8, false).build();
        List<List<Integer>> first = order(one.getData(manager));
        List<List<Integer>> second = order(one.getData(manager));
        assertEquals(first, order(same.getData(manager)));
        assertEquals(second, order(same.getData(manager)));
        assertNotEquals(first, second);
        assertNotEquals(first, order(other.getData(manager)));
        for (List<List<Integer>> epoch : List.of(first, second)) {
            assertEquals(4, epoch.size());
            assertEquals(10, new HashSet<>(epoch.stream().flatMap(List::stream).toList()).size());
        }
        assertEquals(
                3,
                order(dataset().setShuffledSampling(3, 7, true).build().getData(manager)).size());
    }

    /** Every scene comes first equally often, which DJL's own sampler does not give. */
    @Test
    void everyOrderIsPossible() {
        SceneDataset dataset = dataset().setSampling(1, false).build();
        ShuffledIndices shuffled = new ShuffledIndices(1);
        int[][] counts = new int[10][10];
        for (int epoch = 0; epoch < 5000; epoch++) {
            var indices = shuffled.sample(dataset);
            for (int place = 0; place < 10; place++) {
                counts[place][Math.toIntExact(indices.next())]++;
            }
        }
        for (int[] row : counts) {
            for (int count : row) {
                assertEquals(500, count, 5 * Math.sqrt(450));
            }
        }
    }

    @Test
    void prefetchingGivesTheSameBatches(NDManager manager) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(3);
        try {
            List<List<Integer>> expected =
                    order(dataset().setShuffledSampling(3, 7, false).build().getData(manager));
            SceneDataset dataset =
                    dataset().setShuffledSampling(3, 7, false).optPrefetchNumber(3).build();
            assertEquals(expected, order(dataset.getData(manager, executor)));
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void transformsChangeTheDataAndNotTheLabels(NDManager manager) throws Exception {
        // A transform takes DJL's way, scene by scene.
        SceneDataset slow =
                dataset().setSampling(5, false).addTransform(image -> image.neg()).build();
        SceneDataset fast = dataset().setSampling(5, false).build();
        var expected = fast.getData(manager).iterator();
        for (Batch batch : slow.getData(manager)) {
            try (Batch b = batch;
                    Batch e = expected.next()) {
                NDArray image = e.getData().singletonOrThrow();
                Tensors.assertSame("negated", image.neg(), b.getData().singletonOrThrow());
                Tensors.assertSame("label", image, b.getLabels().get(0));
                Tensors.assertSame("mask", e.getLabels().get(1), b.getLabels().get(1));
            }
        }
    }

    @Test
    void partsAndLimitsWork(NDManager manager) throws Exception {
        RandomAccessDataset part = dataset().setSampling(2, false).build().subDataset(4, 7);
        assertEquals(List.of(List.of(4, 5), List.of(6)), order(part.getData(manager)));
        SceneDataset limited = dataset().setSampling(2, false).optLimit(3).build();
        assertEquals(List.of(List.of(0, 1), List.of(2)), order(limited.getData(manager)));
        SceneDataset empty =
                SceneDataset.builder().setScenes(Scenes.of(List.of())).setSampling(2, true).build();
        assertEquals(List.of(), order(empty.getData(manager)));
    }

    @Test
    void scenesWithoutMasksHaveTheImageAsOnlyLabel(NDManager manager) throws Exception {
        Scenes plain = SCENES.map(s -> new Scene(s.height(), s.width(), s.image()));
        SceneDataset dataset =
                SceneDataset.builder().setScenes(plain).setSampling(4, false).build();
        for (Batch batch : dataset.getData(manager)) {
            assertSame(batch.getData().singletonOrThrow(), batch.getLabels().singletonOrThrow());
            batch.close();
        }
        assertEquals(1, dataset.get(manager, 0).getLabels().size());
    }

    @Test
    void closedBatchesLeaveNothing(NDManager manager) throws Exception {
        NDManager own = manager.newSubManager();
        for (Batch batch : dataset().setSampling(4, false).build().getData(own)) {
            batch.close();
        }
        assertEquals(List.of(), own.getManagedArrays());
        own.close();
    }

    @Test
    void aBatchMustBeOfOneKind(NDManager manager) throws Exception {
        List<Scene> sizes = List.of(SCENES.get(0), SCENES.get(1).resize(8, 9));
        assertBatchFails(
                manager,
                sizes,
                "SceneDataset: all images of a batch must have one size; there are 35 x 35 and 8 x"
                        + " 9; crop and resize the scenes with map(...)");
        Scene without = new Scene(35, 35, SCENES.get(1).image());
        assertBatchFails(
                manager,
                List.of(SCENES.get(0), without),
                "SceneDataset: some scenes of a batch have a mask and some have none");
    }

    private static void assertBatchFails(NDManager manager, List<Scene> scenes, String message)
            throws Exception {
        SceneDataset dataset =
                SceneDataset.builder().setScenes(Scenes.of(scenes)).setSampling(2, false).build();
        var batches = dataset.getData(manager).iterator();
        assertRefused(message, batches::next);
    }

    @Test
    void saysWhatCouldNotBeRead(NDManager manager) throws Exception {
        Scenes damaged =
                new Scenes() {
                    @Override
                    public long size() {
                        return 3;
                    }

                    @Override
                    public Scene get(long index) throws IOException {
                        throw new SceneFileException(Path.of("a.h5"), index, "broken");
                    }
                };
        SceneDataset dataset =
                SceneDataset.builder().setScenes(damaged).setSampling(2, false).build();
        var batches = dataset.getData(manager).iterator();
        IllegalStateException e = assertThrows(IllegalStateException.class, batches::next);
        assertEquals("a.h5, record 0: broken", e.getCause().getMessage());
        Exception streamed = assertThrows(RuntimeException.class, () -> damaged.open().toList());
        assertEquals("a.h5, record 0: broken", streamed.getMessage());
    }

    @Test
    void optionsAreChecked(NDManager manager) {
        assertRefused(
                "SceneDataset: scenes are missing",
                () -> SceneDataset.builder().setSampling(1, false).build());
        assertRefused("SceneDataset: the sampling is missing", () -> dataset().build());
        assertRefused(
                "SceneDataset: batchSize must be at least 1, got 0",
                () -> dataset().setSampling(0, false).build());
        assertRefused(
                "SceneDataset: batchSize must be at least 1, got -2",
                () -> dataset().setShuffledSampling(-2, 0, false));
        SceneDataset endless =
                SceneDataset.builder()
                        .setScenes(Tetrominoes.builder().setSize(1L << 40).build())
                        .setShuffledSampling(2, 0, false)
                        .build();
        assertRefused(
                "SceneDataset: too many scenes to shuffle, 1099511627776; take a range of them",
                () -> endless.getData(manager));
    }

    /** Both kinds of data set in DJL's own loop, which reads the first label. */
    @Test
    void easyTrainTrains(NDManager manager) throws Exception {
        SceneDataset random = dataset().setShuffledSampling(5, 1, false).build();
        SceneStreamDataset streamed =
                SceneStreamDataset.builder().setSource(SCENES).setBatchSize(5).build();
        for (Dataset dataset : List.of(random, streamed)) {
            try (Model model = Model.newInstance("copy", OnDevice.device(), "PyTorch")) {
                model.setBlock(
                        Conv2d.builder().setFilters(3).setKernelShape(new Shape(1, 1)).build());
                DefaultTrainingConfig config =
                        new DefaultTrainingConfig(new IndexLoss(Loss.l2Loss(), 0, 0))
                                .optDevices(new Device[] {OnDevice.device()});
                try (Trainer trainer = model.newTrainer(config)) {
                    trainer.initialize(new Shape(5, 3, 35, 35));
                    NDArray weight =
                            model.getBlock().getDirectParameters().get("weight").getArray();
                    double[] before = Tensors.doubles(weight);
                    EasyTrain.fit(trainer, 2, dataset, dataset);
                    assertNotEquals(
                            Arrays.toString(before), Arrays.toString(Tensors.doubles(weight)));
                }
            }
        }
    }

    @Test
    void deviceIsAnOption(NDManager manager) throws Exception {
        SceneDataset dataset =
                dataset().setSampling(4, false).optDevice(Device.cpu()).optLimit(4).build();
        for (Batch batch : dataset.getData(manager)) {
            assertEquals(Device.cpu(), batch.getData().singletonOrThrow().getDevice());
            assertEquals(Device.cpu(), batch.getLabels().get(1).getDevice());
            batch.close();
        }
    }

    @Test
    void getGivesOneScene(NDManager manager) throws Exception {
        NDList data = dataset().setSampling(1, false).build().get(manager, 3).getData();
        assertEquals(new Shape(3, 35, 35), data.singletonOrThrow().getShape());
        assertArrayEquals(pixels(SCENES.get(3)), data.singletonOrThrow().toFloatArray());
    }
}
