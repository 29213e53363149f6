package org.slotwise.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.testing.Python;

class CsvHistoryTest {

    private static final InstantSource NOON =
            InstantSource.fixed(Instant.parse("2026-11-28T12:00:00.125999Z"));
    private static final String TIME = "2026-11-28T12:00:00.125Z,";

    @TempDir private Path folder;

    private Path file() {
        return folder.resolve("history.csv");
    }

    private String text() throws IOException {
        return Files.readString(file());
    }

    @Test
    void writesLines() throws IOException {
        try (CsvHistory history = CsvHistory.create(file(), NOON)) {
            assertEquals("time,step\r\n", text());
            history.write(10, new LinkedHashMap<>(Map.of("train/loss", 0.5)));
            history.write(20, Map.of("train/loss", Double.NaN));
            assertEquals(
                    "time,step,train/loss\r\n" + TIME + "10,0.5\r\n" + TIME + "20,NaN\r\n", text());
            // Something new: a column at the right, empty before.
            history.write(20, Map.of("FG-ARI, \"all\"", 0.25f));
            assertEquals(
                    "time,step,train/loss,\"FG-ARI, \"\"all\"\"\"\r\n"
                            + (TIME + "10,0.5,\r\n")
                            + (TIME + "20,NaN,\r\n")
                            + (TIME + "20,,0.25\r\n"),
                    text());
            history.write(30, Map.of());
            assertTrue(text().endsWith(TIME + "30,,\r\n"));
        }
    }

    @Test
    void goesOnWithoutDoubledLines() throws IOException {
        try (CsvHistory history = CsvHistory.resume(file(), 0, NOON)) {
            for (int step = 10; step <= 50; step += 10) {
                history.write(step, Map.of("a\nb", step));
            }
        }
        String all = text();
        Files.writeString(file(), "2026-11-28T12:0", StandardOpenOption.APPEND); // killed
        try (CsvHistory history = CsvHistory.resume(file(), 30, NOON)) {
            history.write(40, Map.of("a\nb", 40));
            history.write(50, Map.of("a\nb", 50));
        }
        assertEquals(all, text());
        // Nothing to remove: the file stays as it is.
        Object before = Files.readAttributes(file(), "unix:ino").get("ino");
        CsvHistory.resume(file(), 50, NOON).close();
        assertEquals(before, Files.readAttributes(file(), "unix:ino").get("ino"));
        CsvHistory.resume(file(), 0, NOON).close();
        assertEquals("time,step,\"a\nb\"\r\n", text());
    }

    /** Wherever a process is killed, whole lines stay, and the history goes on. */
    @Test
    void survivesBeingCutAnywhere() throws IOException {
        try (CsvHistory history = CsvHistory.create(file(), NOON)) {
            history.write(1, Map.of("é,\"x\"\r\n", 1));
            history.write(2, Map.of("é,\"x\"\r\n", 2));
        }
        byte[] whole = Files.readAllBytes(file());
        for (int length = 0; length <= whole.length; length++) {
            Files.write(file(), Arrays.copyOf(whole, length));
            try (CsvHistory history = CsvHistory.resume(file(), 0, NOON)) {
                history.write(1, Map.of("é,\"x\"\r\n", 1));
                history.write(2, Map.of("é,\"x\"\r\n", 2));
            }
            assertEquals(new String(whole, StandardCharsets.UTF_8), text());
        }
    }

    @Test
    void readsItsOwnLines() {
        List<String> cells = List.of("", "a", "b,c", "d\"e", "\"", "f\r\ng", " h ", "é");
        assertEquals(
                List.of(cells, cells), CsvText.lines(CsvText.line(cells) + CsvText.line(cells)));
        assertEquals(List.of(List.of("a", "b")), CsvText.lines("a,b\nc,d"));
        assertEquals(List.of(), CsvText.lines(""));
    }

    @Test
    void refusesToOverwrite() throws IOException {
        CsvHistory.create(file()).close();
        String message =
                assertThrows(IOException.class, () -> CsvHistory.create(file())).getMessage();
        assertTrue(message.startsWith("CsvHistory: cannot write " + file()), message);
        assertThrows(IOException.class, () -> CsvHistory.create(folder.resolve("no/such.csv")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "epoch,loss\n1,2\n",
                "time\n",
                "time,step,a\nt,1\n",
                "time,step\nt,x\n",
                "time,step\nt,1\n\n"
            })
    void refusesOtherFiles(String text) throws IOException {
        Files.writeString(file(), text);
        String message =
                assertThrows(IOException.class, () -> CsvHistory.resume(file(), 5)).getMessage();
        assertTrue(message.startsWith("CsvHistory: ") && message.contains(file().toString()));
        assertEquals(text, text());
    }

    @Test
    void refusesWrongValues() throws IOException {
        assertRefused(
                "CsvHistory: lastStep must be at least 0, got -1",
                () -> CsvHistory.resume(file(), -1));
        CsvHistory history = CsvHistory.create(file());
        assertRefused(
                "CsvHistory: step must be at least 0, got -1",
                () -> history.write(-1, Map.of("a", 1)));
        assertRefused(
                "CsvHistory: no value may be named step",
                () -> history.write(1, Map.of("step", 1)));
        history.close();
        IOException late = assertThrows(IOException.class, () -> history.write(1, Map.of()));
        assertTrue(late.getCause().getCause() instanceof ClosedChannelException, late.toString());
    }

    @Test
    void threadsWriteWholeLines() throws Exception {
        try (CsvHistory history = CsvHistory.create(file())) {
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                String name = "thread " + t; // a column of its own, for which the file is rewritten
                Thread thread =
                        new Thread(
                                () -> {
                                    for (int step = 0; step < 50; step++) {
                                        try {
                                            history.write(step, Map.of(name, step));
                                        } catch (IOException e) {
                                            throw new UncheckedIOException(e);
                                        }
                                    }
                                });
                threads.add(thread);
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
        List<List<String>> lines = CsvText.lines(text());
        assertEquals(201, lines.size());
        lines.forEach(line -> assertEquals(6, line.size(), line.toString()));
        CsvHistory.resume(file(), 24).close();
        assertEquals(101, CsvText.lines(text()).size());
    }

    /** A device that is always full. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void saysThatTheDiskIsFull() {
        Path full = Path.of("/dev/full");
        if (Files.exists(full)) {
            String message =
                    assertThrows(
                                    IOException.class,
                                    () -> new AppendedFile(full).append(new byte[10]))
                            .getMessage();
            assertTrue(message.startsWith("cannot write /dev/full: "), message);
        }
    }

    @Test
    void pandasOrPythonReadsIt() throws IOException, InterruptedException {
        Python.assumeModules(folder, "csv");
        try (CsvHistory history = CsvHistory.create(file())) {
            history.write(5, Map.of("loss, \"train\"\nmean", 0.25));
        }
        Python.run(
                folder,
                """
                import csv, datetime, math
                rows = list(csv.DictReader(open("history.csv", newline="", encoding="utf-8"), strict=True))
                assert len(rows) == 1 and rows[0]["step"] == "5", rows
                assert rows[0]['loss, "train"\\nmean'] == "0.25", rows
                datetime.datetime.fromisoformat(rows[0]["time"].replace("Z", "+00:00"))
                """);
    }
}
