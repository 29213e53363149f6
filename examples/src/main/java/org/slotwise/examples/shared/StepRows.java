package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What happened in each step of a training, as a CSV file whose first column is the step. A
 * quantity that was not measured after a step is an empty cell.
 */
public final class StepRows {

    private static final String STEP = "step,";

    private final String header;
    private final int cells;
    private final @Nullable LineFile file;

    /**
     * Opens a file.
     *
     * @param path the file; null for none
     * @param columns the names of the quantities
     * @param after the rows of later steps than this one are dropped, and so is the file for 0
     * @throws IOException if it cannot be read or written, with a message for the user
     */
    public StepRows(@Nullable Path path, List<String> columns, long after) throws IOException {
        header = STEP + String.join(",", columns) + "\n";
        cells = 1 + columns.size();
        if (path == null) {
            file = null;
            return;
        }
        file = new LineFile(path);
        StringBuilder text = new StringBuilder(header);
        if (after > 0 && Files.exists(path)) {
            file.read()
                    .lines()
                    .filter(line -> isUpTo(after, line))
                    .forEach(line -> text.append(line).append('\n'));
        }
        WholeFile.write(path, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a line is a whole row of a step that is kept. */
    private boolean isUpTo(long after, String line) {
        String[] row = line.split(",", -1);
        return row.length == cells
                && row[0].matches("\\d{1,18}")
                && Long.parseLong(row[0]) <= after;
    }

    /**
     * Adds a row.
     *
     * @param step the number of the step
     * @param values as many as there are columns; NaN for what was not measured
     * @throws IOException if it cannot be written, with a message for the user
     */
    public void add(long step, double... values) throws IOException {
        if (file == null) {
            return;
        }
        if (values.length != cells - 1) {
            throw new IllegalArgumentException(
                    "StepRows: there are " + (cells - 1) + " columns, got " + values.length);
        }
        StringBuilder row = new StringBuilder(Long.toString(step));
        for (double value : values) {
            row.append(',');
            if (!Double.isNaN(value)) {
                row.append(String.format(Locale.ROOT, "%.6g", value));
            }
        }
        file.append(header, row.append('\n').toString());
    }
}
