package org.slotwise.examples.shared;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingLogTest {

    @TempDir Path folder;

    private static void print(StringWriter out, Path file, boolean goOn, String... lines)
            throws IOException {
        try (TrainingLog log = new TrainingLog(out, file, goOn)) {
            PrintWriter both = new PrintWriter(log, true);
            for (String line : lines) {
                both.println(line);
            }
        }
    }

    @Test
    void startsAnewOrGoesOn() throws IOException {
        Path file = folder.resolve("log");
        StringWriter out = new StringWriter();
        print(out, file, false, "a", "b");
        print(out, file, true, "c");
        assertEquals(out.toString(), Files.readString(file));
        print(out, file, false, "d");
        assertEquals("d", Files.readString(file).strip());
        assertEquals(4, out.toString().lines().count());
    }

    @Test
    void goesOnWhereTheFileCannotBeWrittenAndTellsAtTheEnd() throws IOException {
        Path sub = Files.createDirectory(folder.resolve("sub"));
        Path file = sub.resolve("log");
        StringWriter out = new StringWriter();
        TrainingLog log = new TrainingLog(out, file, false);
        Files.delete(file);
        Files.delete(sub);
        PrintWriter both = new PrintWriter(log, true);
        both.println("a");
        both.println("b");
        assertEquals(2, out.toString().lines().count());
        String says = assertThrows(IOException.class, log::close).getMessage();
        assertTrue(says.startsWith(file + " cannot be written: "), says);
    }
}
