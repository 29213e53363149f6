package org.slotwise.internal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.ChildJvm;

class AtomicFileTest {

    @TempDir Path folder;

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
        }
    }

    private static void write(Path file, String text) throws IOException {
        AtomicFile.write(file, out -> out.write(text.getBytes(UTF_8)));
    }

    @Test
    void replacesAFile() throws IOException {
        Path file = folder.resolve("a");
        write(file, "first, and longer");
        write(file, "second");
        assertEquals("second", Files.readString(file));
        assertEquals(List.of("a"), names());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 8191, 8192, 100_000})
    void keepsTheFormerFileWhenTheDiskIsFull(int fits) throws IOException {
        Path file = folder.resolve("a");
        write(file, "first");
        IOException full = new IOException("No space left on device");
        IOException thrown =
                assertThrows(
                        IOException.class,
                        () ->
                                AtomicFile.write(
                                        file,
                                        out -> {
                                            out.write(new byte[fits]);
                                            throw full;
                                        }));
        assertEquals(full, thrown.getCause());
        assertEquals("cannot write " + file + ": No space left on device", thrown.getMessage());
        assertEquals("first", Files.readString(file));
        assertEquals(List.of("a"), names());
    }

    @Test
    void leavesNothingBehindWhenTheTargetIsAFolder() throws IOException {
        Path taken = Files.createDirectory(folder.resolve("a"));
        Files.createFile(taken.resolve("inside"));
        assertThrows(IOException.class, () -> write(taken, "text"));
        assertEquals(List.of("a"), names());
    }

    @Test
    void removesItsOwnRemainsOnly() throws IOException {
        Files.createFile(folder.resolve(".a.1234.tmp"));
        Files.createFile(folder.resolve(".b.1234.tmp"));
        Files.createFile(folder.resolve(".a.1234"));
        Files.createFile(folder.resolve("a.tmp"));
        AtomicFile.deleteUnfinished(folder.resolve("a"));
        assertEquals(List.of(".a.1234", ".b.1234.tmp", "a.tmp"), names());
    }

    @Test
    void keepsPermissions() throws IOException {
        Path file = folder.resolve("a");
        write(file, "first");
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        Assumptions.assumeTrue(view != null, "no permissions on this system");
        Set<PosixFilePermission> permissions = PosixFilePermissions.fromString("rw-r-----");
        Files.setPosixFilePermissions(file, permissions);
        write(file, "second");
        assertEquals(permissions, Files.getPosixFilePermissions(file));
        assertEquals("second", Files.readString(file));
    }

    @Test
    void rewritesWhatALinkPointsTo() throws IOException {
        Path real = Files.createDirectory(folder.resolve("real")).resolve("file");
        Path link = folder.resolve("link");
        Path second = folder.resolve("second");
        Files.createSymbolicLink(link, Path.of("real", "file"));
        Files.createSymbolicLink(second, link);
        write(second, "new"); // through links that lead to nothing yet
        assertEquals("new", Files.readString(real));
        write(second, "newer");
        assertEquals("newer", Files.readString(real));
        assertTrue(Files.isSymbolicLink(link) && Files.isSymbolicLink(second));
        assertEquals(List.of("link", "real", "second"), names());
        Path round = folder.resolve("round");
        Files.createSymbolicLink(round, round);
        assertNames(round, "FileSystemLoopException");
    }

    private static void assertNames(Path file, String why) {
        IOException e = assertThrows(IOException.class, () -> write(file, "text"));
        assertTrue(e.getMessage().startsWith("cannot write " + file + ": "), e.getMessage());
        assertTrue(e.getMessage().contains(why), e.getMessage());
    }

    @Test
    void saysWhyItCannotBeWritten() throws IOException {
        assertNames(folder, "there is a folder of this name");
        assertNames(folder.resolve("none").resolve("a"), "there is no folder");
        Path file = folder.resolve("a");
        write(file, "text");
        assertNames(file.resolve("b"), "NotDirectoryException");
        Path device = Path.of("/dev/null");
        if (Files.exists(device)) {
            assertNames(device, "no file but a device");
            assertTrue(Files.exists(device));
        }
    }

    /** Writes a file so many times; any that fails ends the process. */
    public static void main(String[] arguments) throws IOException {
        Path file = Path.of(arguments[0]);
        for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
            AtomicFile.deleteUnfinished(file);
            AtomicFile.write(
                    file,
                    out -> {
                        for (int part = 0; part < 10; part++) {
                            out.write(new byte[10_000]);
                            out.flush();
                        }
                    });
        }
    }

    @Test
    void severalWriteOneFile() throws Exception {
        Path file = folder.resolve("a");
        Files.createFile(folder.resolve(".a.left.tmp"));
        List<Process> processes = List.of(writing(file, 100), writing(file, 100));
        List<Throwable> failed = new CopyOnWriteArrayList<>();
        List<Thread> threads =
                started(3, failed, () -> main(new String[] {file.toString(), "100"}));
        for (Thread thread : threads) {
            thread.join();
        }
        for (Process process : processes) {
            assertFinished(process);
        }
        assertEquals(List.of(), failed);
        assertEquals(100_000, Files.size(file));
        assertEquals(List.of("a"), names());
    }

    /**
     * To close a file gives up all locks of a process on it: of two threads that look at the file
     * that another process writes, neither may take the lock from the other.
     */
    @Test
    void severalThreadsLookForUnfinishedFiles() throws Exception {
        Path file = folder.resolve("a");
        Process process = writing(file, 2000);
        List<Throwable> failed = new CopyOnWriteArrayList<>();
        List<Thread> threads =
                started(
                        4,
                        failed,
                        () -> {
                            while (process.isAlive()) {
                                AtomicFile.deleteUnfinished(file);
                            }
                        });
        assertFinished(process);
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failed);
        assertEquals(List.of("a"), names());
    }

    private static List<Thread> started(int count, List<Throwable> failed, Executable work) {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Thread thread =
                    new Thread(
                            () -> {
                                try {
                                    work.execute();
                                } catch (Throwable e) {
                                    failed.add(e);
                                }
                            });
            thread.start();
            threads.add(thread);
        }
        return threads;
    }

    private static Process writing(Path file, int times) throws Exception {
        return ChildJvm.start(AtomicFileTest.class, List.of(), file, times);
    }

    private static void assertFinished(Process process) throws Exception {
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertEquals(0, process.waitFor(), said);
    }
}
