package org.slotwise.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.dataset.Batch;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.testing.OnDevice;

@ExtendWith(OnDevice.class)
class SceneStreamDatasetTest {

    private static final Scenes SCENES = Tetrominoes.builder().setSize(10).optSeed(3).build();

    private final AtomicInteger read = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();

    /** Counts what is read and closed. */
    private final SceneSource source =
            () ->
                    SCENES.open()
                            .peek(scene -> read.incrementAndGet())
                            .onClose(closed::incrementAndGet);

    private SceneStreamDataset.Builder dataset(int batchSize) {
        return SceneStreamDataset.builder().setSource(source).setBatchSize(batchSize);
    }

    private static List<List<Integer>> order(Iterable<Batch> batches) {
        return SceneDatasetTest.order(batches);
    }

    @Test
    void keepsTheOrderOfTheSource(NDManager manager) throws Exception {
        SceneStreamDataset dataset = dataset(4).build();
        for (int epoch = 0; epoch < 2; epoch++) {
            assertEquals(
                    List.of(List.of(0, 1, 2, 3), List.of(4, 5, 6, 7), List.of(8, 9)),
                    order(dataset.getData(manager)));
        }
        assertEquals(2, closed.get());
        assertEquals(2, order(dataset(4).optDropLast(true).build().getData(manager)).size());
        assertEquals(
                List.of(List.of(0, 1, 2)), order(dataset(4).optLimit(3).build().getData(manager)));
        assertEquals(List.of(), order(dataset(4).optLimit(0).build().getData(manager)));
    }

    @Test
    void batchHoldsWhatOneOfSceneDatasetHolds(NDManager manager) throws Exception {
        for (Batch batch : dataset(5).optLimit(5).build().getData(manager)) {
            assertEquals(new Shape(5, 3, 35, 35), batch.getData().singletonOrThrow().getShape());
            assertSame(batch.getData().get(0), batch.getLabels().get(0));
            assertEquals(new Shape(5, 35 * 35), batch.getLabels().get(1).getShape());
            assertEquals(DataType.INT64, batch.getLabels().get(1).getDataType());
            assertEquals(5, batch.getProgress());
            assertEquals(5, batch.getProgressTotal());
            batch.close();
        }
    }

    @Test
    void shufflesWithinTheBufferBySeed(NDManager manager) throws Exception {
        SceneStreamDataset one = dataset(1).optShuffle(4, 7).build();
        SceneStreamDataset same = dataset(1).optShuffle(4, 7).build();
        List<List<Integer>> first = order(one.getData(manager));
        List<List<Integer>> second = order(one.getData(manager));
        assertEquals(first, order(same.getData(manager)));
        assertEquals(second, order(same.getData(manager)));
        assertNotEquals(first, second);
        assertNotEquals(first, order(dataset(1).optShuffle(4, 8).build().getData(manager)));
        for (List<List<Integer>> epoch : List.of(first, second)) {
            List<Integer> flat = epoch.stream().flatMap(List::stream).toList();
            assertEquals(10, new HashSet<>(flat).size());
            assertTrue(IntStream.range(0, 10).allMatch(i -> flat.get(i) <= i + 3), "" + flat);
        }
        // A buffer larger than the source shuffles all of it.
        List<List<Integer>> all = order(dataset(10).optShuffle(1000, 1).build().getData(manager));
        assertEquals(10, new HashSet<>(all.get(0)).size());
        assertNotEquals(IntStream.range(0, 10).boxed().toList(), all.get(0));
    }

    @Test
    void holdsNoMoreThanItsBuffer(NDManager manager) throws Exception {
        Iterator<Batch> batches = dataset(2).optShuffle(3, 1).build().getData(manager).iterator();
        batches.next().close();
        assertTrue(read.get() <= 3 + 2, "read " + read.get());
    }

    @Test
    void readsOneBatchAheadOnAnExecutor(NDManager manager) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(3);
        try {
            SceneStreamDataset dataset = dataset(3).optShuffle(4, 7).build();
            List<List<Integer>> expected =
                    order(dataset(3).optShuffle(4, 7).build().getData(manager));
            assertEquals(expected, order(dataset.getData(manager, executor)));
            // Left early: the manager closes the file, while a batch may be on its way.
            for (int i = 0; i < 20; i++) {
                int before = closed.get();
                NDManager own = manager.newSubManager();
                Iterator<Batch> batches = dataset.getData(own, executor).iterator();
                assertTrue(batches.hasNext());
                batches.next();
                own.close();
                assertEquals(before + 1, closed.get());
                assertFalse(batches.hasNext());
            }
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void closesTheFileWithTheManager(NDManager manager) throws Exception {
        NDManager own = manager.newSubManager();
        Iterator<Batch> batches = dataset(3).build().getData(own).iterator();
        batches.next().close();
        assertEquals(0, closed.get());
        own.close();
        assertEquals(1, closed.get());
        assertFalse(batches.hasNext());
        assertThrows(NoSuchElementException.class, batches::next);
    }

    @Test
    void closedBatchesLeaveNothing(NDManager manager) throws Exception {
        NDManager own = manager.newSubManager();
        for (Batch batch : dataset(3).build().getData(own)) {
            batch.close();
        }
        assertEquals(List.of(), own.getManagedArrays());
        assertEquals(1, closed.get());
        own.close();
        assertEquals(1, closed.get(), "closed once");
    }

    @Test
    void saysWhatCouldNotBeRead(NDManager manager) throws Exception {
        SceneSource damaged =
                () ->
                        Stream.concat(
                                        SCENES.open(),
                                        Stream.generate(
                                                () -> {
                                                    throw new UncheckedIOException(
                                                            new SceneFileException(
                                                                    Path.of("a"), 10, "broken"));
                                                }))
                                .onClose(closed::incrementAndGet);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            for (ExecutorService with : new ExecutorService[] {null, executor}) {
                SceneStreamDataset dataset =
                        SceneStreamDataset.builder().setSource(damaged).setBatchSize(5).build();
                Iterator<Batch> batches = dataset.getData(manager, with).iterator();
                batches.next().close();
                batches.next().close();
                UncheckedIOException e = assertThrows(UncheckedIOException.class, batches::hasNext);
                assertTrue(e.getMessage().endsWith("a, record 10: broken"), e.getMessage());
                assertFalse(batches.hasNext());
            }
        } finally {
            executor.shutdown();
        }
        assertEquals(2, closed.get());
    }

    @Test
    void optionsAreChecked() {
        String who = "SceneStreamDataset: ";
        assertRefused(
                who + "the source is missing",
                () -> SceneStreamDataset.builder().setBatchSize(1).build());
        assertRefused(
                who + "batchSize must be at least 1, got 0",
                () -> SceneStreamDataset.builder().setSource(source).build());
        assertRefused(
                who + "bufferSize must be at least 1, got 0",
                () -> dataset(1).optShuffle(0, 1).build());
        assertRefused(
                who + "limit must be at least 0, got -1", () -> dataset(1).optLimit(-1).build());
    }
}
