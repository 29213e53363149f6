package org.slotwise.examples.discover;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slotwise.examples.shared.FileTrouble;

/**
 * What a training wrote down: for each quantity the steps at which it was measured, and its values.
 *
 * @param name what the run is called
 * @param series by the quantity's name, in the order of the file
 */
record TrainingHistory(String name, Map<String, Series> series) {

    private static final String STEP = "step";

    /** When a line was written, as text: no quantity. */
    private static final String TIME = "time";

    /**
     * Values over steps.
     *
     * @param steps where it was measured
     * @param values what was measured, as many
     */
    record Series(List<Double> steps, List<Double> values) {}

    /**
     * Reads a file of comma-separated values. The first line names the columns, of which one is
     * "step"; an empty cell is a quantity that was not measured at that step.
     *
     * @param file the file
     * @return its columns
     * @throws IOException if it cannot be read or is no such file, with a message for the user
     */
    static TrainingHistory read(Path file) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (IOException e) {
            throw FileTrouble.reading(file, e);
        }
        String[] names = lines.isEmpty() ? new String[0] : lines.get(0).strip().split(",", -1);
        int step = List.of(names).indexOf(STEP);
        if (step < 0) {
            throw new IOException(file + " has no column \"" + STEP + "\" in its first line");
        }
        Map<String, Series> series = new LinkedHashMap<>();
        for (int i = 1; i < lines.size(); i++) {
            if (lines.get(i).isBlank()) {
                continue;
            }
            String where = file + ", line " + (i + 1) + ": ";
            String[] cells = lines.get(i).strip().split(",", -1);
            if (cells.length != names.length) {
                throw new IOException(
                        where + "expected " + names.length + " cells, got " + cells.length);
            }
            double at = number(where, STEP, cells[step]);
            for (int c = 0; c < cells.length; c++) {
                if (c != step && !names[c].equals(TIME) && !cells[c].isBlank()) {
                    Series one =
                            series.computeIfAbsent(
                                    names[c],
                                    n -> new Series(new ArrayList<>(), new ArrayList<>()));
                    one.steps().add(at);
                    one.values().add(number(where, names[c], cells[c]));
                }
            }
        }
        return new TrainingHistory(nameOf(file), series);
    }

    private static String nameOf(Path file) {
        return file.getFileName().toString().replaceFirst("\\.[^.]*$", "");
    }

    private static double number(String where, String column, String cell) throws IOException {
        double value;
        try {
            value = Double.parseDouble(cell.strip());
        } catch (NumberFormatException e) {
            throw new IOException(where + column + " must be a number, got " + cell, e);
        }
        if (!Double.isFinite(value)) {
            throw new IOException(where + column + " must be finite, got " + cell);
        }
        return value;
    }
}
