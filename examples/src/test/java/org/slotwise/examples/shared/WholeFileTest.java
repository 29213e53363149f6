package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {

    @TempDir Path folder;
    private Path file;

    @BeforeEach
    void choose() {
        file = folder.resolve("file");
    }

    private static void write(Path path, String text) throws IOException {
        WholeFile.write(path, text.getBytes(StandardCharsets.UTF_8));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(one -> one.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void writesAndReplaces() throws IOException {
        write(file, "once");
        write(file, "twice");
        assertEquals("twice", Files.readString(file));
        assertEquals(List.of("file"), files());
    }

    /** A file that is being written is as one that a killed process left. */
    @Test
    void whatWasNotFinishedIsTakenAway() throws Exception {
        Path far = folder.resolve("x.png");
        byte[] large = new byte[1 << 26];
        Thread writer = new Thread(() -> writeUnchecked(far, large));
        writer.start();
        List<String> seen = List.of();
        while (writer.isAlive() && seen.isEmpty()) {
            seen = files().stream().filter(name -> !name.equals("x.png")).toList();
        }
        writer.join();
        assertEquals(1, seen.size(), "seen while it is written");
        List<String> stay = List.of(".DS_Store", ".x.png", ".x.tmp", "a.tmp", "x.png");
        for (String name : stay) {
            Files.writeString(folder.resolve(name), "of others");
        }
        Files.writeString(folder.resolve(seen.get(0)), "of a killed process");
        WholeFile.deleteUnfinished(folder);
        assertEquals(stay, files());
    }

    private static void writeUnchecked(Path path, byte[] content) {
        try {
            WholeFile.write(path, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void keepsPermissionsAndLinks() throws IOException {
        write(file, "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw-r--"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("file"));
        Path far = Files.createSymbolicLink(folder.resolve("far"), link);
        write(far, "new");
        assertEquals("new", Files.readString(file));
        assertTrue(Files.isSymbolicLink(link) && Files.isSymbolicLink(far));
        assertEquals(
                "rw-rw-r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));

        Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("later"));
        write(dangling, "made");
        assertTrue(Files.isSymbolicLink(dangling));
        assertEquals("made", Files.readString(folder.resolve("later")));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void newFilesHaveTheUsualPermissions() throws IOException {
        Path usual = Files.writeString(folder.resolve("usual"), "");
        write(file, "new");
        assertEquals(Files.getPosixFilePermissions(usual), Files.getPosixFilePermissions(file));
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void devicesStay() throws IOException {
        write(Path.of("/dev/null"), "gone");
        assertTrue(!Files.isRegularFile(Path.of("/dev/null")));
    }

    @Test
    void saysWhichFileFailsAndLeavesNothing() throws IOException {
        Path under = folder.resolve("no/file");
        String says = assertThrows(IOException.class, () -> write(under, "x")).getMessage();
        assertTrue(says.startsWith(under + " cannot be written: "), says);
        Path loop = Files.createSymbolicLink(folder.resolve("loop"), Path.of("loop"));
        says = assertThrows(IOException.class, () -> write(loop, "x")).getMessage();
        assertTrue(says.contains("its links lead nowhere"), says);
        assertEquals(List.of("loop"), files());
    }
}
