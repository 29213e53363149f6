package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.SceneFileException;
import org.slotwise.testing.ChildJvm;
import org.slotwise.testing.OnDevice;

/** Features on disk, whole, cut short and damaged. */
@ExtendWith(OnDevice.class)
class FeatureCacheTest {

    private static final int IMAGES = 19;
    private static final int N = 3;
    private static final int F = 2;

    @TempDir private Path folder;

    /** Which images were extracted, in order. */
    private final List<Integer> extracted = new ArrayList<>();

    private static FeatureOrigin origin(String extractor) {
        return new FeatureOrigin(
                extractor, IntStream.range(0, IMAGES).mapToObj(i -> "image " + i).toList());
    }

    /** Image i has the numbers 100 i, 100 i + 1, ... */
    private static NDArray features(NDManager manager, int from, int to) {
        return manager.arange(N * F)
                .toType(DataType.FLOAT32, false)
                .reshape(1, N, F)
                .add(
                        manager.arange(from, to)
                                .toType(DataType.FLOAT32, false)
                                .mul(100)
                                .reshape(to - from, 1, 1));
    }

    private NDArray extract(NDManager manager, int from, int to) {
        for (int i = from; i < to; i++) {
            extracted.add(i);
        }
        return features(manager, from, to);
    }

    private FeatureCache open(NDManager manager) throws IOException {
        return FeatureCache.open(folder, origin("vit"), manager, this::extract);
    }

    private Path file() {
        return FeatureCache.file(folder, origin("vit"));
    }

    private static void assertWhole(FeatureCache cache, NDManager manager) throws IOException {
        int[] all = IntStream.range(0, IMAGES).toArray();
        assertSame("features", features(manager, 0, IMAGES), cache.read(manager, all));
    }

    @Test
    void extractsOnceAndReadsInAnyOrder(NDManager manager) throws IOException {
        FeatureCache cache = open(manager);
        assertEquals(IMAGES, extracted.size());
        assertEquals(IMAGES, cache.size());
        assertEquals(N, cache.patches());
        assertEquals(F, cache.featureDim());
        assertWhole(cache, manager);
        NDArray some = cache.read(manager, 18, 0, 18, 7);
        assertEquals(new Shape(4, N, F), some.getShape());
        assertSame("last", features(manager, 18, 19), some.get("0:1"));
        assertSame("first", features(manager, 0, 1), some.get("1:2"));
        assertSame("again", features(manager, 18, 19), some.get("2:3"));
        int arrays = manager.getManagedArrays().size();
        cache.read(manager, 1);
        assertEquals(arrays + 1, manager.getManagedArrays().size());
        assertWhole(open(manager), manager);
        assertEquals(IMAGES, extracted.size(), "the second time nothing is extracted");
    }

    @Test
    void anotherOriginIsAnotherFile(NDManager manager) throws IOException {
        open(manager);
        FeatureCache.open(folder, origin("vit, larger"), manager, this::extract);
        assertEquals(2 * IMAGES, extracted.size());
        List<String> fewer = origin("vit").images().subList(0, 5);
        assertEquals(
                5,
                FeatureCache.open(folder, new FeatureOrigin("vit", fewer), manager, this::extract)
                        .size());
        assertEquals(3, folder.toFile().list().length);
        // Texts do not run into each other.
        assertNotEquals(
                FeatureCache.file(folder, new FeatureOrigin("a", List.of("b", "c"))),
                FeatureCache.file(folder, new FeatureOrigin("a", List.of("bc"))));
    }

    @Test
    void filesAreKnownByNameSizeAndTime() throws IOException {
        Path image = Files.writeString(folder.resolve("a.png"), "one");
        FeatureOrigin before = FeatureOrigin.ofFiles("vit", List.of(image));
        assertEquals(before, FeatureOrigin.ofFiles("vit", List.of(image)));
        Files.setLastModifiedTime(image, FileTime.fromMillis(1000));
        FeatureOrigin touched = FeatureOrigin.ofFiles("vit", List.of(image));
        assertNotEquals(before, touched);
        Files.writeString(image, "longer");
        Files.setLastModifiedTime(image, FileTime.fromMillis(1000));
        assertNotEquals(touched, FeatureOrigin.ofFiles("vit", List.of(image)));
        assertThrows(
                IOException.class,
                () -> FeatureOrigin.ofFiles("vit", List.of(folder.resolve("b.png"))));
        assertRefused(
                "FeatureOrigin: there must be at least one image",
                () -> new FeatureOrigin("vit", List.of()));
    }

    /** As after a kill at any byte. */
    @Test
    void completesAFileThatWasCutShort(NDManager manager) throws IOException {
        open(manager);
        byte[] whole = Files.readAllBytes(file());
        int record = N * F * 4 + 4;
        assertEquals(56 + IMAGES * record, whole.length);
        for (int length = 0; length < whole.length; length++) {
            extracted.clear();
            Files.write(file(), Arrays.copyOf(whole, length));
            assertWhole(open(manager), manager);
            int kept = Math.max(0, length - 56) / record;
            assertEquals(
                    IntStream.range(kept, IMAGES).boxed().toList(), extracted, "cut at " + length);
            assertArrayEquals(whole, Files.readAllBytes(file()));
        }
    }

    /** As after a loss of power: the file has its length, but its end was never written. */
    @Test
    void completesAFileWithoutAnEnd(NDManager manager) throws IOException {
        open(manager);
        byte[] whole = Files.readAllBytes(file());
        byte[] hole = whole.clone();
        Arrays.fill(hole, 56 + 5 * 28 + 3, hole.length, (byte) 0);
        extracted.clear();
        Files.write(file(), hole);
        assertWhole(open(manager), manager);
        assertEquals(IntStream.range(5, IMAGES).boxed().toList(), extracted);
        assertArrayEquals(whole, Files.readAllBytes(file()));
        // And one that is longer than it should be.
        Files.write(file(), Arrays.copyOf(whole, whole.length + 40));
        assertWhole(open(manager), manager);
        assertArrayEquals(whole, Files.readAllBytes(file()));
    }

    @Test
    void keepsWhatWasDoneBeforeAFailure(NDManager manager) throws IOException {
        IOException failure =
                assertThrows(
                        IOException.class,
                        () ->
                                FeatureCache.open(
                                        folder,
                                        origin("vit"),
                                        manager,
                                        (m, from, to) -> {
                                            if (to > 16) {
                                                throw new IOException("image 16 is broken");
                                            }
                                            return extract(m, from, to);
                                        }));
        assertEquals("image 16 is broken", failure.getMessage());
        extracted.clear();
        assertWhole(open(manager), manager);
        assertEquals(List.of(16, 17, 18), extracted);
    }

    @Test
    void refusesADamagedRecord(NDManager manager) throws IOException {
        open(manager);
        byte[] bytes = Files.readAllBytes(file());
        for (int at : new int[] {56 + 4 * 28, 56 + 4 * 28 + 23, 56 + 4 * 28 + 27}) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 1;
            Files.write(file(), damaged);
            FeatureCache cache = open(manager);
            assertSame("another", features(manager, 3, 4), cache.read(manager, 3));
            SceneFileException e =
                    assertThrows(SceneFileException.class, () -> cache.read(manager, 3, 4));
            assertEquals(4, e.record());
            assertEquals(
                    file()
                            + ", record 4: the features are damaged; delete the file to make it"
                            + " anew",
                    e.getMessage());
        }
        // Two records that changed places: each is whole, and in the wrong one.
        byte[] swapped = bytes.clone();
        System.arraycopy(bytes, 56, swapped, 56 + 28, 28);
        System.arraycopy(bytes, 56 + 28, swapped, 56, 28);
        Files.write(file(), swapped);
        assertThrows(SceneFileException.class, () -> open(manager).read(manager, 0));
        extracted.clear();
        Files.delete(file());
        assertWhole(open(manager), manager);
    }

    @Test
    void refusesADamagedHeaderAndForeignFiles(NDManager manager) throws IOException {
        open(manager);
        byte[] bytes = Files.readAllBytes(file());
        for (int at = 0; at < 56; at++) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 64;
            Files.write(file(), damaged);
            String what =
                    at < 8
                            ? "not a feature cache"
                            : "the header is damaged; delete the file to make it anew";
            assertEquals(
                    file() + ": " + what,
                    assertThrows(SceneFileException.class, () -> open(manager)).getMessage());
        }
        Files.write(file(), bytes);
        Path other = FeatureCache.file(folder, origin("another"));
        Files.move(file(), other);
        assertEquals(
                other + ": these features were made by another extractor or of other images",
                assertThrows(
                                SceneFileException.class,
                                () ->
                                        FeatureCache.open(
                                                folder, origin("another"), manager, this::extract))
                        .getMessage());
    }

    @Test
    void oneWritesAtATime(NDManager manager) throws IOException {
        FeatureCache.open(
                folder,
                origin("vit"),
                manager,
                (m, from, to) -> {
                    assertEquals(
                            file() + ": somebody else is writing this feature cache",
                            assertThrows(IOException.class, () -> open(manager)).getMessage());
                    return extract(m, from, to);
                });
        assertWhole(open(manager), manager);
    }

    /** Says whether nobody holds a lock on a file. */
    public static void main(String[] arguments) throws IOException {
        try (FileChannel channel =
                        FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            System.out.print(lock == null ? "locked" : "free");
        }
    }

    private static String lockSeenByAnotherProcess(Path file) throws IOException {
        String said = ChildJvm.said(ChildJvm.start(FeatureCacheTest.class, List.of(), file));
        // Before it a JVM may tell which options the environment gave it.
        return said.lines().reduce("", (before, line) -> line);
    }

    /** To close a file gives up all locks of a process on it. */
    @Test
    void whoIsRefusedLeavesTheLockInPlace(NDManager manager) throws IOException {
        FeatureCache.open(
                folder,
                origin("vit"),
                manager,
                (m, from, to) -> {
                    assertThrows(IOException.class, () -> open(manager));
                    assertEquals("locked", lockSeenByAnotherProcess(file()));
                    return extract(m, from, to);
                });
        assertEquals("free", lockSeenByAnotherProcess(file()));
        assertWhole(open(manager), manager);
    }

    @Test
    void aFinishedFileIsOnlyRead(NDManager manager) throws IOException {
        FeatureCache cache = open(manager);
        try (FileChannel other = FileChannel.open(file(), StandardOpenOption.WRITE);
                FileLock lock = other.lock()) {
            assertTrue(lock.isValid());
            assertWhole(open(manager), manager);
            assertWhole(cache, manager);
        }
        assertTrue(file().toFile().setWritable(false));
        assertTrue(folder.toFile().setWritable(false));
        assertWhole(open(manager), manager);
        assertTrue(folder.toFile().setWritable(true));
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder);
        FeatureCache.open(link, origin("a"), manager, this::extract);
    }

    /** What is mapped into memory would end the process here. */
    @Test
    void aFileThatChangesWhileItIsOpenIsAnError(NDManager manager) throws IOException {
        FeatureCache cache = open(manager);
        byte[] content = Files.readAllBytes(file());
        for (int length : new int[] {0, 10, 60, content.length - 1}) {
            Files.write(file(), Arrays.copyOf(content, length));
            assertThrows(SceneFileException.class, () -> cache.read(manager, IMAGES - 1));
        }
        Files.write(file(), new byte[content.length]);
        assertThrows(SceneFileException.class, () -> cache.read(manager, 0));
        Files.delete(file());
        assertThrows(NoSuchFileException.class, () -> cache.read(manager, 0));
        Files.write(file(), content);
        assertWhole(cache, manager);
    }

    @Test
    void readsInManyThreads(NDManager manager) throws Exception {
        FeatureCache cache = open(manager);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            Callable<Void> work =
                    () -> {
                        try (NDManager own = manager.newSubManager()) {
                            for (int i = 0; i < 50; i++) {
                                assertWhole(cache, own);
                            }
                        }
                        return null;
                    };
            for (Future<Void> done : threads.invokeAll(List.of(work, work, work, work))) {
                done.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void errors(NDManager manager) throws IOException {
        FeatureCache cache = open(manager);
        assertRefused(
                "FeatureCache: images must be from 0 to 18, got 19", () -> cache.read(manager, 19));
        assertRefused(
                "FeatureCache: images must be from 0 to 18, got -1", () -> cache.read(manager, -1));
        assertRefused(
                "FeatureCache: images must be at least one, got none", () -> cache.read(manager));
        FeatureOrigin other = origin("other");
        assertRefused(
                "FeatureCache: features must be (8, N, F), got (7, 3, 2)",
                () ->
                        FeatureCache.open(
                                folder, other, manager, (m, from, to) -> features(m, 0, 7)));
        assertRefused(
                "FeatureCache: features must be (8, 3, 2), got (8, 1, 2)",
                () ->
                        FeatureCache.open(
                                folder,
                                other,
                                manager,
                                (m, from, to) ->
                                        from == 0
                                                ? features(m, from, to)
                                                : m.zeros(new Shape(8, 1, 2))));
        assertRefused(
                "FeatureCache: features must be float32, got float64",
                () ->
                        FeatureCache.open(
                                folder,
                                origin("double"),
                                manager,
                                (m, from, to) -> m.zeros(new Shape(8, 3, 2), DataType.FLOAT64)));
        assertTrue(Files.exists(file()));
    }
}
