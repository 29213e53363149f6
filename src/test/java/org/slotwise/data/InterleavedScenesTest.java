package org.slotwise.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slotwise.internal.SplitMix;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ThreadPools;

/** {@link SceneStreamDataset.Builder#optInterleave}. */
@Timeout(120)
@ExtendWith(OnDevice.class)
class InterleavedScenesTest {

    @RegisterExtension private final ThreadPools pools = new ThreadPools();

    /** Nobody, one thread, as many as there are files, and more. */
    private List<@Nullable ExecutorService> executors() {
        return pools.noneAnd(1, 2, 3, 9);
    }

    /** Files whose scenes have numbers, counted through; tells what is open and read. */
    private static final class Files implements SceneSource {
        private final List<List<Integer>> files = new ArrayList<>();
        final AtomicInteger opened = new AtomicInteger();
        final AtomicInteger open = new AtomicInteger();
        final AtomicInteger mostOpen = new AtomicInteger();
        final AtomicInteger read = new AtomicInteger();
        private IntConsumer before = scene -> {};

        Files(int... lengths) {
            int next = 0;
            for (int length : lengths) {
                files.add(IntStream.range(next, next + length).boxed().toList());
                next += length;
            }
        }

        Files before(IntConsumer what) {
            before = what;
            return this;
        }

        @Override
        public Stream<Scene> open() {
            return files.stream().flatMap(this::stream);
        }

        @Override
        public List<SceneSource> parts() {
            List<SceneSource> parts = new ArrayList<>();
            for (List<Integer> file : files) {
                parts.add(() -> stream(file));
            }
            return parts;
        }

        private Stream<Scene> stream(List<Integer> file) {
            opened.incrementAndGet();
            mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
            return file.stream()
                    .map(
                            scene -> {
                                before.accept(scene);
                                read.incrementAndGet();
                                return new Scene(1, 1, new byte[] {(byte) (int) scene, 0, 0});
                            })
                    .onClose(open::decrementAndGet);
        }

        /** The rule as it is told, step by step. */
        List<Integer> inTurn(int atOnce) {
            Deque<Deque<Integer>> waiting = new ArrayDeque<>();
            files.forEach(file -> waiting.add(new ArrayDeque<>(file)));
            List<Deque<Integer>> places = new ArrayList<>();
            while (places.size() < atOnce && !waiting.isEmpty()) {
                places.add(waiting.remove());
            }
            List<Integer> order = new ArrayList<>();
            while (!places.isEmpty()) {
                List<Deque<Integer>> left = new ArrayList<>();
                for (Deque<Integer> place : places) {
                    Deque<Integer> file = place;
                    while (file.isEmpty() && !waiting.isEmpty()) {
                        file = waiting.remove();
                    }
                    if (!file.isEmpty()) {
                        order.add(file.remove());
                        left.add(file);
                    }
                }
                places = left;
            }
            return order;
        }
    }

    private static SceneStreamDataset.Builder dataset(SceneSource source, int atOnce) {
        return SceneStreamDataset.builder().setSource(source).setBatchSize(3).optInterleave(atOnce);
    }

    private static void add(Batch batch, List<Integer> order) {
        float[] values = batch.getData().head().toFloatArray();
        for (int i = 0; i < values.length; i += 3) {
            order.add(Math.round(values[i] * 255));
        }
        batch.close();
    }

    private static List<Integer> order(
            SceneStreamDataset dataset, NDManager manager, @Nullable ExecutorService executor)
            throws IOException {
        List<Integer> order = new ArrayList<>();
        for (Batch batch : dataset.getData(manager, executor)) {
            add(batch, order);
        }
        return order;
    }

    @Test
    void takesOneOfEachInTurn(NDManager manager) throws IOException {
        Files files = new Files(4, 1, 2);
        for (ExecutorService executor : executors()) {
            assertEquals(
                    List.of(0, 4, 1, 5, 2, 6, 3),
                    order(dataset(files, 2).build(), manager, executor));
            assertEquals(
                    List.of(0, 4, 5, 1, 6, 2, 3),
                    order(dataset(files, 3).build(), manager, executor));
        }
        assertEquals(0, files.open.get());
    }

    /** Files of any lengths, empty ones among them, threads of any speed. */
    @Test
    void orderIsTheRulesWithAnyThreads(NDManager manager) throws IOException {
        List<@Nullable ExecutorService> executors = executors();
        SplitMix random = new SplitMix(5, 0);
        for (int round = 0; round < 40; round++) {
            int[] lengths = new int[1 + random.below(7)];
            for (int i = 0; i < lengths.length; i++) {
                lengths[i] = random.below(3) == 0 ? 0 : random.below(30);
            }
            int slow = random.below(4);
            Files files =
                    new Files(lengths)
                            .before(
                                    scene -> {
                                        if (scene % 4 == slow) {
                                            LockSupport.parkNanos(10_000);
                                        }
                                    });
            int atOnce = 1 + random.below(9);
            for (ExecutorService executor : executors) {
                SceneStreamDataset dataset = dataset(files, atOnce).build();
                List<Integer> expected = files.inTurn(atOnce);
                assertEquals(expected, order(dataset, manager, executor));
                assertEquals(expected, order(dataset, manager, executor), "the second time");
                assertEquals(0, files.open.get());
                assertTrue(files.mostOpen.get() <= atOnce, files.mostOpen + " files were open");
            }
        }
    }

    @Test
    void oneFileOrOneAtATimeKeepsTheOrder(NDManager manager) throws IOException {
        for (ExecutorService executor : executors()) {
            List<Integer> expected = IntStream.range(0, 20).boxed().toList();
            assertEquals(expected, order(dataset(new Files(20), 8).build(), manager, executor));
            assertEquals(expected, order(dataset(new Files(9, 11), 1).build(), manager, executor));
            assertEquals(
                    expected,
                    order(
                            SceneStreamDataset.builder()
                                    .setSource(new Files(9, 11))
                                    .setBatchSize(3)
                                    .build(),
                            manager,
                            executor));
            assertEquals(List.of(), order(dataset(new Files(0, 0), 2).build(), manager, executor));
        }
    }

    @Test
    void shufflesTheSameWithAnyThreads(NDManager manager) throws IOException {
        SceneStreamDataset alone = dataset(new Files(9, 30, 14), 2).optShuffle(8, 3).build();
        List<Integer> first = order(alone, manager, null);
        List<Integer> second = order(alone, manager, null);
        assertNotEquals(first, second);
        assertEquals(53, new HashSet<>(first).size());
        for (ExecutorService executor : executors()) {
            SceneStreamDataset same = dataset(new Files(9, 30, 14), 2).optShuffle(8, 3).build();
            assertEquals(first, order(same, manager, executor));
            assertEquals(second, order(same, manager, executor));
        }
    }

    @Test
    void mapsAndFiltersTheParts(NDManager manager) throws IOException {
        Files files = new Files(10, 10, 10);
        SceneSource even =
                files.map(
                                scene ->
                                        new Scene(
                                                1,
                                                1,
                                                new byte[] {(byte) (scene.image()[0] + 1), 0, 0}))
                        .filter(scene -> scene.image()[0] % 2 == 0);
        assertEquals(3, even.parts().size());
        for (ExecutorService executor : executors()) {
            assertEquals(
                    List.of(2, 12, 4, 14, 6, 16, 8, 18, 10, 20, 22, 24, 26, 28, 30),
                    order(dataset(even, 2).build(), manager, executor));
            assertEquals(
                    List.of(2, 12, 4, 14),
                    order(dataset(even, 2).optLimit(4).build(), manager, executor));
            assertEquals(
                    15 / 4 * 4,
                    order(
                                    dataset(even, 2).setBatchSize(4).optDropLast(true).build(),
                                    manager,
                                    executor)
                            .size());
        }
        assertEquals(0, files.open.get());
    }

    @Test
    void memoryIsBounded(NDManager manager) throws Exception {
        for (ExecutorService executor : executors()) {
            Files files = new Files(50, 50, 50, 50);
            NDManager own = manager.newSubManager();
            Iterator<Batch> batches = dataset(files, 3).build().getData(own, executor).iterator();
            assertTrue(batches.hasNext());
            batches.next();
            Thread.sleep(20); // for those who would read on
            // Two batches, what is drawn from, and what each file is ahead and reading.
            int most = 2 * 3 + 1 + 1 + 3 * (PartReader.AHEAD + 1);
            assertTrue(files.read.get() <= most, files.read + " were read");
            assertTrue(files.opened.get() <= 3);
            own.close();
        }
    }

    /** Left early, at any place, while threads read. */
    @Test
    void leavingEarlyClosesAllFiles(NDManager manager) throws Exception {
        List<@Nullable ExecutorService> executors = executors();
        for (int leave = 0; leave < 12; leave++) {
            for (ExecutorService executor : executors) {
                Files files = new Files(7, 9, 4, 40);
                NDManager own = manager.newSubManager();
                Iterator<Batch> batches =
                        dataset(files, 3).build().getData(own, executor).iterator();
                for (int i = 0; i < leave; i++) {
                    batches.next();
                }
                own.close();
                assertEquals(0, files.open.get());
                int read = files.read.get();
                LockSupport.parkNanos(10_000);
                assertFalse(batches.hasNext());
                assertEquals(read, files.read.get(), "nothing is read any more");
            }
        }
    }

    /** What was read before a broken scene comes before it is told, whoever read it. */
    @Test
    void aBrokenSceneIsToldInItsTurn(NDManager manager) throws IOException {
        for (ExecutorService executor : executors()) {
            for (int broken : new int[] {0, 12, 19, 20, 29}) {
                Files files = new Files(12, 8, 10);
                files.before(
                        scene -> {
                            if (scene == broken) {
                                throw new UncheckedIOException(
                                        new SceneFileException(Path.of("f"), scene, "broken"));
                            }
                        });
                List<Integer> expected = files.inTurn(2);
                int whole = expected.indexOf(broken) / 3 * 3;
                List<Integer> order = new ArrayList<>();
                Iterator<Batch> batches =
                        dataset(files, 2).build().getData(manager, executor).iterator();
                UncheckedIOException e =
                        assertThrows(
                                UncheckedIOException.class,
                                () -> {
                                    while (batches.hasNext()) {
                                        add(batches.next(), order);
                                    }
                                });
                assertTrue(e.getMessage().endsWith("f, record " + broken + ": broken"));
                assertEquals(expected.subList(0, whole), order);
                assertFalse(batches.hasNext());
                assertEquals(0, files.open.get());
            }
        }
    }

    @Test
    void errorsOfWhatIsDoneToScenesAreTold(NDManager manager) throws IOException {
        for (ExecutorService executor : executors()) {
            Files files = new Files(5, 5);
            for (RuntimeException thrown :
                    new RuntimeException[] {new IllegalArgumentException("map")}) {
                SceneSource source =
                        files.map(
                                scene -> {
                                    if (scene.image()[0] == 7) {
                                        throw thrown;
                                    }
                                    return scene;
                                });
                SceneStreamDataset dataset = dataset(source, 2).build();
                assertEquals(
                        thrown,
                        assertThrows(
                                RuntimeException.class, () -> order(dataset, manager, executor)));
                assertEquals(0, files.open.get());
            }
        }
    }

    @Test
    void aFileThatCannotBeOpenedIsToldInItsTurn(NDManager manager) throws IOException {
        for (ExecutorService executor : executors()) {
            for (int missing = 0; missing < 3; missing++) {
                Files files = new Files(4, 2, 4);
                List<SceneSource> parts = new ArrayList<>(files.parts());
                int gone = missing;
                parts.set(
                        gone,
                        () -> {
                            throw new SceneFileException(Path.of("f" + gone), "gone", null);
                        });
                SceneSource source =
                        new SceneSource() {
                            @Override
                            public Stream<Scene> open() {
                                throw new AssertionError("parts are opened");
                            }

                            @Override
                            public List<SceneSource> parts() {
                                return parts;
                            }
                        };
                SceneStreamDataset dataset = dataset(source, 2).setBatchSize(1).build();
                List<Integer> order = new ArrayList<>();
                Exception e =
                        assertThrows(
                                Exception.class,
                                () -> {
                                    for (Batch batch : dataset.getData(manager, executor)) {
                                        add(batch, order);
                                    }
                                });
                assertEquals(
                        missing == 0 ? SceneFileException.class : UncheckedIOException.class,
                        e.getClass());
                assertEquals("f" + gone + ": gone", e.getMessage());
                // The third one takes the place of the second.
                List<List<Integer>> before = List.of(List.of(), List.of(0), List.of(0, 4, 1, 5, 2));
                assertEquals(before.get(missing), order);
                assertEquals(0, files.open.get());
            }
        }
    }

    @Test
    void anInterruptedThreadLeavesNothingOpen(NDManager manager) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(2);
        pools.add(executor);
        CountDownLatch goOn = new CountDownLatch(1);
        Files files = new Files(30, 30);
        files.before(
                scene -> {
                    try {
                        goOn.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
        Iterator<Batch> batches = dataset(files, 2).build().getData(manager, executor).iterator();
        // Interrupted while nothing can be read; what was begun ends before the files are closed.
        Thread.currentThread().interrupt();
        ExecutorService later = Executors.newSingleThreadExecutor();
        pools.add(later);
        later.execute(
                () -> {
                    LockSupport.parkNanos(50_000_000);
                    goOn.countDown();
                });
        assertThrows(IllegalStateException.class, batches::hasNext);
        assertTrue(Thread.interrupted());
        assertEquals(0, files.open.get());
        assertFalse(batches.hasNext());
    }

    /** Without the executor's help, by its only thread, and by as many threads as files. */
    @Test
    void severalThreadsRead(NDManager manager) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(2);
        pools.add(executor);
        Set<Thread> readers = ConcurrentHashMap.newKeySet();
        CountDownLatch both = new CountDownLatch(2);
        Files files =
                new Files(5, 5)
                        .before(
                                scene -> {
                                    if (readers.add(Thread.currentThread())) {
                                        both.countDown();
                                    }
                                    try { // for a reader of the other file
                                        assertTrue(both.await(60, TimeUnit.SECONDS));
                                    } catch (InterruptedException e) {
                                        throw new IllegalStateException(e);
                                    }
                                });
        assertEquals(10, order(dataset(files, 2).build(), manager, executor).size());
        assertEquals(2, readers.size());
    }

    @Test
    void theNumberIsChecked() {
        assertRefused(
                "SceneStreamDataset: interleaved files must be at least 1, got 0",
                () -> dataset(new Files(1), 0).build());
    }
}
