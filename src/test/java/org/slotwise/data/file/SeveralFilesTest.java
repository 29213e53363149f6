package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.NDManager;
import ai.djl.training.dataset.Batch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.data.file.SceneFormat.MaskOrder;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ThreadPools;

/** Files that are read by several threads. */
@Timeout(120)
@ExtendWith(OnDevice.class)
class SeveralFilesTest {

    private static final SceneFormat TINY =
            new SceneFormat("tiny", 1, 2, 3, 3, MaskOrder.ENTITY_FIRST);

    @TempDir Path folder;

    @RegisterExtension private final ThreadPools pools = new ThreadPools();

    private List<@Nullable ExecutorService> executors() {
        return pools.noneAnd(1, 2, 5);
    }

    /** Scenes whose first colour is a number. */
    private static List<Scene> numbered(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(
                        i ->
                                new Scene(
                                        1,
                                        2,
                                        new byte[] {(byte) i, 2, 3, 4, 5, 6},
                                        new byte[] {1, 2},
                                        2))
                .toList();
    }

    private Path file(String name, int from, int to) throws IOException {
        return TfRecordFile.write(folder.resolve(name), numbered(from, to), TINY);
    }

    private static SceneStreamDataset.Builder dataset(SceneSource source) {
        return SceneStreamDataset.builder().setSource(source).setBatchSize(1).optInterleave(2);
    }

    /** The numbers of the scenes up to the end or an error, which is the last. */
    private static List<Object> read(
            SceneStreamDataset dataset, NDManager manager, @Nullable ExecutorService executor) {
        List<Object> all = new ArrayList<>();
        try {
            for (Batch batch : dataset.getData(manager, executor)) {
                all.add(Math.round(batch.getData().head().toFloatArray()[0] * 255));
                batch.close();
            }
        } catch (UncheckedIOException e) {
            assertEquals(e.getMessage(), e.getCause().getMessage());
            all.add(e.getMessage());
        } catch (IOException e) {
            all.add("at once: " + e.getMessage());
        }
        return all;
    }

    @Test
    void filesOfDifferentLengths(NDManager manager) throws IOException {
        SceneSource files =
                new TfRecordScenes(
                        TINY, List.of(file("a", 0, 4), file("b", 4, 5), file("c", 5, 7)));
        for (ExecutorService executor : executors()) {
            assertEquals(
                    List.of(0, 4, 1, 5, 2, 6, 3), read(dataset(files).build(), manager, executor));
            assertEquals(
                    List.of(0, 1, 2, 3, 4, 5, 6),
                    read(dataset(files).optInterleave(1).build(), manager, executor));
        }
    }

    @Test
    void oneBrokenFileOfSeveralIsToldInItsTurn(NDManager manager) throws IOException {
        Path a = file("a", 0, 6);
        Path b = file("b", 10, 13);
        Path c = file("c", 20, 26);
        Path without = Files.write(folder.resolve("d"), plain(30, 33));
        byte[] broken = plain(30, 33);
        broken[broken.length / 3 + 20]++;
        SceneSource files = new TfRecordScenes(TINY, List.of(a, b, without, c));
        for (ExecutorService executor : executors()) {
            Files.write(without, broken);
            assertEquals(
                    List.of(
                            0,
                            10,
                            1,
                            11,
                            2,
                            12,
                            3,
                            30,
                            4,
                            without + ", record 1: the checksum of the data does not fit"),
                    read(dataset(files).build(), manager, executor));
            Files.write(without, Arrays.copyOf(broken, 5));
            assertEquals(
                    List.of(
                            0,
                            10,
                            1,
                            11,
                            2,
                            12,
                            3,
                            without
                                    + ", record 0: neither GZIP nor the start of a TFRecord file,"
                                    + " or damaged at its start"),
                    read(dataset(files).build(), manager, executor));
            Files.write(without, new byte[0]);
            assertEquals(
                    List.of(0, 10, 1, 11, 2, 12, 3, without + ": the file is empty"),
                    read(dataset(files).build(), manager, executor));
            // No scenes, and well so.
            Files.write(without, TfRecordFile.gzip(new byte[0]));
            assertEquals(
                    List.of(0, 10, 1, 11, 2, 12, 3, 20, 4, 21, 5, 22, 23, 24, 25),
                    read(dataset(files).build(), manager, executor));
        }
    }

    private static byte[] plain(int from, int to) throws IOException {
        List<byte[]> records = new ArrayList<>();
        for (Scene scene : numbered(from, to)) {
            records.add(TfRecordFile.example(scene, TINY));
        }
        return TfRecordFile.content(records);
    }

    @Test
    void aFileThatDisappearsBetweenEpochs(NDManager manager) throws IOException {
        for (ExecutorService executor : executors()) {
            Path a = file("a", 0, 3);
            Path b = file("b", 3, 5);
            SceneStreamDataset dataset = dataset(new TfRecordScenes(TINY, List.of(a, b))).build();
            assertEquals(List.of(0, 3, 1, 4, 2), read(dataset, manager, executor));
            Files.delete(b);
            List<Object> second = read(dataset, manager, executor);
            assertEquals(0, second.get(0));
            assertEquals(2, second.size());
            assertTrue(second.get(1).toString().contains(b.toString()), "" + second);
            Files.delete(a);
            assertThrows(NoSuchFileException.class, () -> dataset.getData(manager, executor));
            file("a", 0, 3);
            file("b", 3, 5);
            assertEquals(List.of(0, 3, 1, 4, 2), read(dataset, manager, executor));
        }
    }

    /** Unpacked by one thread and taken apart by another: each cut is told as without threads. */
    @Test
    void everyCutOfOneFileIsToldTheSame() throws IOException {
        byte[] plain = plain(0, 4);
        byte[] packed = TfRecordFile.gzip(plain);
        List<@Nullable ExecutorService> executors = executors();
        Path file = folder.resolve("cut");
        for (byte[] whole : new byte[][] {plain, packed}) {
            for (int length = 1; length <= whole.length; length++) {
                Files.write(file, Arrays.copyOf(whole, length));
                List<Object> alone = all(new TfRecordScenes(TINY, file), null);
                for (ExecutorService executor : executors) {
                    assertEquals(alone, all(new TfRecordScenes(TINY, file), executor));
                }
            }
            assertEquals(4, all(new TfRecordScenes(TINY, file), null).size());
        }
        // Fits its checksum, and is no scene.
        List<byte[]> records = new ArrayList<>();
        for (Scene scene : numbered(0, 9)) {
            records.add(TfRecordFile.example(scene, TINY));
        }
        records.set(6, new byte[] {1});
        Files.write(file, TfRecordFile.content(records));
        for (ExecutorService executor : executors) {
            List<Object> all = all(new TfRecordScenes(TINY, file), executor);
            assertEquals(numbered(0, 6), all.subList(0, 6));
            assertTrue(all.get(6).toString().startsWith(file + ", record 6: not a scene of tiny"));
        }
    }

    /** The scenes, and what is thrown last. */
    private static List<Object> all(SceneSource source, @Nullable ExecutorService executor) {
        List<Object> all = new ArrayList<>();
        try (Stream<Scene> scenes = executor == null ? source.open() : source.open(executor)) {
            scenes.iterator().forEachRemaining(all::add);
        } catch (IOException | UncheckedIOException e) {
            all.add(e.getMessage());
        }
        return all;
    }

    @Test
    void leavingOneFileEarlyClosesIt() throws IOException {
        Path file = file("a", 0, 50);
        for (ExecutorService executor : executors()) {
            for (int some = 0; some < 20; some++) {
                if (executor != null) {
                    Stream<Scene> scenes = new TfRecordScenes(TINY, file).open(executor);
                    Iterator<Scene> iterator = scenes.iterator();
                    for (int i = 0; i < some; i++) {
                        assertEquals(numbered(i, i + 1).get(0), iterator.next());
                    }
                    scenes.close();
                    assertFalse(iterator.hasNext());
                }
            }
        }
        assertEquals(0, openFiles(file));
    }

    /** How often this process has a file open, where the system tells. */
    private static long openFiles(Path file) throws IOException {
        Path open = Path.of("/proc/self/fd");
        if (!Files.isDirectory(open)) {
            return 0;
        }
        try (Stream<Path> all = Files.list(open)) {
            Path real = file.toRealPath();
            return all.filter(
                            link -> {
                                try {
                                    return Files.readSymbolicLink(link).equals(real);
                                } catch (IOException e) { // closed meanwhile
                                    return false;
                                }
                            })
                    .count();
        }
    }

    @Test
    void leavingSeveralFilesEarlyClosesThem(NDManager manager) throws IOException {
        List<Path> files = List.of(file("a", 0, 40), file("b", 40, 80), file("c", 80, 120));
        SceneSource source = new TfRecordScenes(TINY, files);
        for (ExecutorService executor : executors()) {
            for (int some = 0; some < 20; some++) {
                NDManager own = manager.newSubManager();
                Iterator<Batch> batches =
                        dataset(source).optInterleave(3).build().getData(own, executor).iterator();
                for (int i = 0; i < some; i++) {
                    batches.next();
                }
                own.close();
            }
        }
        for (Path file : files) {
            assertEquals(0, openFiles(file));
        }
    }

    @Test
    void partsAreTheFiles() throws IOException {
        byte[] picture = Pictures.png(3, 4, 1);
        byte[] mask = Pictures.mask(3, 4, 0, 1, 2);
        List<Path> shards = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            byte[] tar =
                    TarFile.of(
                            "0.png",
                            Pictures.png(3, 4, i),
                            "0.mask.png",
                            mask,
                            "1.png",
                            picture,
                            "1.mask.png",
                            mask);
            shards.add(Files.write(folder.resolve("s-" + i + ".tar"), tar));
        }
        assertParts(
                2,
                WebDatasetScenes.builder()
                        .setShards(shards)
                        .setSize(3, 4)
                        .optMasks("mask.png")
                        .build());
        try (SceneFiles files = SceneFiles.open(folder, 3, 4)) {
            assertParts(2, files);
            assertParts(2, files.filter(scene -> scene.hasMask()).map(scene -> scene.resize(6, 8)));
        }
        SceneSource records = new TfRecordScenes(TINY, List.of(file("a", 0, 3), file("b", 3, 4)));
        assertParts(2, records);
        assertParts(2, records.map(scene -> scene.resize(2, 4)));
    }

    /** One after the other they are the whole. */
    static void assertParts(int count, SceneSource source) throws IOException {
        List<SceneSource> parts = source.parts();
        assertEquals(count, parts.size());
        List<Scene> scenes = new ArrayList<>();
        for (SceneSource part : parts) {
            assertEquals(1, part.parts().size());
            scenes.addAll(Pictures.read(part));
        }
        assertFalse(scenes.isEmpty());
        assertEquals(Pictures.read(source), scenes);
    }
}
