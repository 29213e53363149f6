package org.slotwise.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFolderTest {

    @TempDir Path folder;

    /** Two files that must be of one writing. */
    private static AtomicFolder.Content of(String text) {
        return into -> {
            Files.writeString(into.resolve("a"), text);
            Files.writeString(into.resolve("b"), text);
        };
    }

    private static String read(Path target) throws IOException {
        String a = Files.readString(target.resolve("a"));
        assertEquals(a, Files.readString(target.resolve("b")));
        return a;
    }

    private List<Path> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void replacesWhatIsThere() throws IOException {
        Path target = folder.resolve("model");
        AtomicFolder.write(target, of("one"));
        assertEquals("one", read(target));
        AtomicFolder.write(
                target, into -> Files.writeString(into.resolve("c"), "nothing of the former"));
        try (Stream<Path> files = Files.list(target)) {
            assertEquals(List.of(target.resolve("c")), files.toList());
        }
        assertEquals(List.of(target), left());
    }

    @Test
    void failuresLeaveWhatWasThere() throws IOException {
        Path target = folder.resolve("model");
        AtomicFolder.Content half =
                into -> {
                    Files.writeString(into.resolve("a"), "two");
                    throw new IOException("the disk is full");
                };
        assertEquals(
                "the disk is full",
                assertThrows(IOException.class, () -> AtomicFolder.write(target, half))
                        .getMessage());
        assertEquals(List.of(), left());
        AtomicFolder.write(target, of("one"));
        assertThrows(IOException.class, () -> AtomicFolder.write(target, half));
        assertThrows(
                StackOverflowError.class,
                () ->
                        AtomicFolder.write(
                                target,
                                into -> {
                                    Files.writeString(into.resolve("a"), "two");
                                    throw new StackOverflowError();
                                }));
        assertEquals("one", read(target));
        assertEquals(List.of(target), left());
    }

    /** What processes leave behind that are killed at each of the steps. */
    @Test
    void aKilledProcessIsNoLoss() throws IOException {
        Path target = folder.resolve("model");
        Path whole = folder.resolve(".model.123.new.tmp");
        Path former = folder.resolve(".model.123.former.tmp");
        // While it wrote: what is there is not looked at.
        AtomicFolder.write(target, of("one"));
        Files.createDirectory(whole);
        Files.writeString(whole.resolve("a"), "ha");
        AtomicFolder.finish(target);
        assertEquals("one", read(target));
        // Between the two moves: the new one is whole.
        AtomicFolder.delete(whole);
        Files.move(target, former);
        Files.createDirectory(whole);
        of("two").writeTo(whole);
        AtomicFolder.finish(target);
        assertEquals("two", read(target));
        AtomicFolder.finish(target);
        assertEquals("two", read(target));
        // After both, before the former one was deleted: the next writing does so.
        assertTrue(Files.exists(former));
        AtomicFolder.write(target, of("three"));
        assertEquals(List.of(target), left());
        // The former one alone, as after a failure to move it back.
        Files.move(target, former);
        AtomicFolder.finish(target);
        assertEquals("three", read(target));
        // Between the moves, and the next to come is a writing of the same folder.
        Files.move(target, former);
        Files.createDirectory(whole);
        AtomicFolder.write(target, of("four"));
        assertEquals("four", read(target));
        assertTrue(Files.exists(former), "it could be of one who is at work");
    }

    @Test
    void finishesNothingOfOthers() throws IOException {
        Path target = folder.resolve("model");
        Files.createDirectory(folder.resolve(".model2.123.former.tmp"));
        Files.createDirectory(folder.resolve(".model.123.new.tmp"));
        AtomicFolder.finish(target);
        assertFalse(Files.exists(target));
        AtomicFolder.finish(folder.resolve("no/such/folder"));
        AtomicFolder.finish(Path.of("/"));
    }

    @Test
    void placesThatAreNone() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        assertThrows(FileAlreadyExistsException.class, () -> AtomicFolder.write(file, of("one")));
        assertThrows(IOException.class, () -> AtomicFolder.write(file.resolve("x"), of("one")));
        assertThrows(
                NoSuchFileException.class,
                () -> AtomicFolder.write(folder.resolve("no/such"), of("one")));
        assertThrows(
                FileAlreadyExistsException.class,
                () -> AtomicFolder.write(folder.getRoot(), of("one")));
        assertEquals(List.of(file), left());
    }

    @Test
    void linksStay() throws IOException {
        Path real = Files.createDirectory(folder.resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        AtomicFolder.write(link, of("one"));
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("one", read(real));
        assertEquals(List.of(link, real), left());
    }

    /** Two write and one reads, which may find the folder between two moves. */
    @Test
    void manyAtOnce() throws Exception {
        Path target = folder.resolve("model");
        AtomicFolder.write(target, of("start"));
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        AtomicBoolean stop = new AtomicBoolean();
        List<Thread> writers =
                IntStream.range(0, 3)
                        .mapToObj(
                                t ->
                                        new Thread(
                                                () -> {
                                                    for (int i = 0; i < 100; i++) {
                                                        write(target, t + "-" + i, failures);
                                                    }
                                                }))
                        .toList();
        Thread finisher =
                new Thread(
                        () -> {
                            while (!stop.get()) {
                                try {
                                    AtomicFolder.finish(target);
                                } catch (IOException e) {
                                    failures.add(e);
                                }
                            }
                        });
        writers.forEach(Thread::start);
        finisher.start();
        for (Thread writer : writers) {
            writer.join();
        }
        stop.set(true);
        finisher.join();
        assertEquals(List.of(), failures);
        assertTrue(read(target).endsWith("-99"), read(target));
        AtomicFolder.write(target, of("end"));
        assertEquals(List.of(target), left());
    }

    private static void write(Path target, String text, List<Throwable> failures) {
        try {
            AtomicFolder.write(target, of(text));
        } catch (IOException | RuntimeException e) {
            failures.add(e);
        }
    }
}
