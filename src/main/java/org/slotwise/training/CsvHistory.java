package org.slotwise.training;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.Check;

/**
 * The numbers of a training as a table, a line for each step that is written: RFC 4180, as
 * spreadsheets and pandas read it.
 *
 * <pre>{@code
 * time,step,train/ReconstructionLoss,validate/FG-ARI
 * 2026-11-28T12:00:00.125Z,1000,0.0123,
 * 2026-11-28T12:00:07.250Z,1000,,0.81
 * }</pre>
 *
 * <p>Lines are appended whole: a process that is killed leaves at most a last line without its end,
 * which is cut off when the training is taken up again, as are lines of steps that will be taken
 * again. A name that is new gets a column at the right, for which the file is written anew. What
 * has no number in a line is empty there. One process writes a file; several threads may.
 */
public final class CsvHistory implements ScalarLog {

    private static final String WHO = "CsvHistory";
    private static final String TIME = "time";
    private static final String STEP = "step";

    private final Path path;
    private final InstantSource clock;
    private List<String> columns;
    private AppendedFile file;

    private CsvHistory(Path path, List<String> columns, AppendedFile file, InstantSource clock) {
        this.path = path;
        this.columns = columns;
        this.file = file;
        this.clock = clock;
    }

    /**
     * Begins a history.
     *
     * @param path a file that is not there yet
     * @return the history, without lines
     * @throws IOException if there is a file, or it cannot be written; the message names it
     */
    public static CsvHistory create(Path path) throws IOException {
        return create(path, InstantSource.system());
    }

    static CsvHistory create(Path path, InstantSource clock) throws IOException {
        List<String> columns = List.of(TIME, STEP);
        AppendedFile file = open(path, StandardOpenOption.CREATE_NEW);
        append(file, columns);
        return new CsvHistory(path, columns, file, clock);
    }

    /**
     * Goes on with a history, or begins one if there is no file.
     *
     * @param path what {@link #create} or this method wrote to
     * @param lastStep how many steps were taken that will not be taken again: later lines are
     *     removed
     * @return the history
     * @throws IOException if the file is no history, or cannot be read or written; the message
     *     names it, and the line
     * @throws IllegalArgumentException if the step is negative
     */
    public static CsvHistory resume(Path path, long lastStep) throws IOException {
        return resume(path, lastStep, InstantSource.system());
    }

    static CsvHistory resume(Path path, long lastStep, InstantSource clock) throws IOException {
        Check.option(lastStep >= 0, WHO + ": lastStep must be at least 0, got " + lastStep);
        if (!Files.exists(path)) {
            return create(path, clock);
        }
        String text = read(path);
        List<List<String>> lines = CsvText.lines(text);
        if (lines.isEmpty()) {
            lines = List.of(List.of(TIME, STEP)); // killed at once
        }
        List<String> columns = lines.get(0);
        if (columns.size() < 2 || !columns.subList(0, 2).equals(List.of(TIME, STEP))) {
            throw new IOException(
                    WHO + ": " + path + " must begin with time,step; it is no history");
        }
        List<List<String>> kept = new ArrayList<>(List.of(columns));
        for (int i = 1; i < lines.size(); i++) {
            if (step(path, i + 1, columns, lines.get(i)) <= lastStep) {
                kept.add(lines.get(i));
            }
        }
        if (!text.equals(text(kept))) {
            rewrite(path, kept);
        }
        return new CsvHistory(path, columns, open(path), clock);
    }

    /** Whatever the bytes: a last line may end within a letter. */
    private static String read(Path path) throws IOException {
        try {
            return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IOException(WHO + ": cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    private static long step(Path path, int number, List<String> columns, List<String> line)
            throws IOException {
        try {
            if (line.size() == columns.size()) {
                return Long.parseLong(line.get(1));
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new IOException(
                WHO
                        + (": line " + number + " of " + path)
                        + (" must have " + columns.size() + " cells, the second a step"));
    }

    private static String text(List<List<String>> lines) {
        StringBuilder text = new StringBuilder();
        lines.forEach(line -> text.append(CsvText.line(line)));
        return text.toString();
    }

    private static void rewrite(Path path, List<List<String>> lines) throws IOException {
        try {
            AtomicFile.write(path, out -> out.write(text(lines).getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new IOException(WHO + ": " + e.getMessage(), e);
        }
    }

    private static AppendedFile open(Path path, StandardOpenOption... options) throws IOException {
        try {
            return new AppendedFile(path, options);
        } catch (IOException e) {
            throw new IOException(WHO + ": " + e.getMessage(), e);
        }
    }

    private static void append(AppendedFile file, List<String> cells) throws IOException {
        try {
            file.append(CsvText.line(cells).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new IOException(WHO + ": " + e.getMessage(), e);
        }
    }

    /** {@inheritDoc} */
    @Override
    public synchronized void write(long step, Map<String, ? extends Number> values)
            throws IOException {
        Check.option(step >= 0, WHO + ": step must be at least 0, got " + step);
        for (String own : List.of(TIME, STEP)) {
            Check.option(!values.containsKey(own), WHO + ": no value may be named " + own);
        }
        Set<String> names = new LinkedHashSet<>(columns);
        names.addAll(values.keySet());
        if (names.size() > columns.size()) {
            widen(List.copyOf(names));
        }
        List<String> cells = new ArrayList<>(columns.size());
        cells.add(clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
        cells.add(Long.toString(step));
        for (String name : columns.subList(2, columns.size())) {
            Number value = values.get(name);
            cells.add(value == null ? "" : value.toString());
        }
        append(file, cells);
    }

    /** Gives the file more columns. */
    private void widen(List<String> names) throws IOException {
        List<List<String>> lines = CsvText.lines(read(path));
        List<List<String>> wider = new ArrayList<>(List.of(names));
        for (List<String> line : lines.subList(1, lines.size())) {
            List<String> cells = new ArrayList<>(line);
            while (cells.size() < names.size()) {
                cells.add("");
            }
            wider.add(cells);
        }
        file.close();
        rewrite(path, wider);
        file = open(path);
        columns = names;
    }

    /** {@inheritDoc} */
    @Override
    public synchronized void close() throws IOException {
        file.close();
    }
}
