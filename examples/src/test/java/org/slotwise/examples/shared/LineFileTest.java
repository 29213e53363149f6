package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class LineFileTest {

    @TempDir Path folder;
    private Path path;
    private LineFile file;

    @BeforeEach
    void choose() {
        path = folder.resolve("lines");
        file = new LineFile(path);
    }

    @Test
    void growsBelowOneHeader() throws IOException {
        file.append("names\n", "1\n");
        file.append("names\n", "2\n3\n");
        assertEquals("names\n1\n2\n3\n", file.read());
    }

    @Test
    void anEmptyFileGetsAHeader() throws IOException {
        Files.createFile(path);
        file.append("names\n", "1\n");
        assertEquals("names\n1\n", Files.readString(path));
    }

    @Test
    void aLineThatWasCutIsNone() throws IOException {
        Files.writeString(path, "names\n1\n2, hal");
        assertEquals("names\n1\n", file.read());
        file.append("names\n", "2, whole\n");
        assertEquals("names\n1\n2, whole\n", Files.readString(path));
    }

    @Test
    void saysWhichFileFails() throws IOException {
        assertSays(path + " does not exist", () -> file.read());
        Files.write(path, new byte[] {(byte) 0xff, '\n'});
        assertSays(path + " is no text", () -> file.read());
        LineFile under = new LineFile(folder.resolve("no/lines"));
        assertSays(under.path() + " cannot be written: ", () -> under.append("", "1\n"));
    }

    private static void assertSays(String start, Executable action) {
        String says = assertThrows(IOException.class, action).getMessage();
        assertTrue(says.startsWith(start), says);
    }
}
