package org.slotwise.examples.ablate;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Reader;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.LineFile;

/** The runs so far, in memory and, if asked for, in a CSV file that grows run by run. */
public final class AblationTable {

    private static final String[] COLUMNS = {
        "variant", "seed", "steps", "scenes", "fg_ari", "ari", "mse", "seconds"
    };

    private final @Nullable Path file;
    private final Map<AblationRun.Key, AblationRun> runs = new LinkedHashMap<>();

    /**
     * Opens a table, and reads the runs that the file holds already.
     *
     * @param file a CSV file, which need not exist; null for none
     * @throws IOException if it exists and cannot be read, or holds something else
     */
    AblationTable(@Nullable Path file) throws IOException {
        this.file = file;
        read();
    }

    /** Reads the file again: another process may have added runs of its own. */
    void read() throws IOException {
        if (file == null || !Files.exists(file)) {
            return;
        }
        String lines = new LineFile(file).read();
        require(!lines.isEmpty() || Files.size(file) == 0, 0);
        try (Reader reader = new StringReader(lines)) {
            List<CSVRecord> rows = CSVFormat.DEFAULT.parse(reader).getRecords();
            for (int i = 0; i < rows.size(); i++) {
                if (i == 0) {
                    require(List.of(COLUMNS).equals(rows.get(i).toList()), i);
                } else {
                    AblationRun run = run(rows.get(i), i);
                    runs.put(run.key(), run);
                }
            }
        } catch (UncheckedIOException e) {
            String why = e.getCause().getMessage();
            throw new IOException(file + " is no table of this program: " + why, e);
        }
    }

    private void require(boolean condition, int row) throws IOException {
        if (!condition) {
            throw new IOException(
                    file + " is no table of this program: line " + (row + 1) + " is another");
        }
    }

    private AblationRun run(CSVRecord row, int at) throws IOException {
        require(row.size() == COLUMNS.length, at);
        try {
            return new AblationRun(
                    new AblationRun.Key(
                            row.get(0),
                            Integer.parseInt(row.get(1)),
                            Integer.parseInt(row.get(2)),
                            Integer.parseInt(row.get(3))),
                    Double.parseDouble(row.get(4)),
                    Double.parseDouble(row.get(5)),
                    Double.parseDouble(row.get(6)),
                    Double.parseDouble(row.get(7)));
        } catch (NumberFormatException e) {
            throw new IOException(
                    file + " is no table of this program: line " + (at + 1) + " is another", e);
        }
    }

    boolean holds(AblationRun.Key key) {
        return runs.containsKey(key);
    }

    /** Adds a run, and writes it to the file at once. */
    void add(AblationRun run) throws IOException {
        runs.put(run.key(), run);
        if (file == null) {
            return;
        }
        String header = CSVFormat.DEFAULT.format((Object[]) COLUMNS) + "\n";
        String row =
                CSVFormat.DEFAULT.format(
                                run.key().variant(),
                                run.key().seed(),
                                run.key().steps(),
                                run.key().scenes(),
                                number("%.4f", run.foreground()),
                                number("%.4f", run.all()),
                                number("%.6f", run.error()),
                                number("%.1f", run.seconds()))
                        + "\n";
        new LineFile(file).append(header, row);
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "NaN" : String.format(Locale.ROOT, format, value);
    }

    /**
     * Prints one row for each variant: means over seeds, and the deviation of a sample where there
     * are several.
     *
     * @param out where
     * @param keys what is shown; runs that are missing are passed over
     */
    void print(PrintWriter out, List<AblationRun.Key> keys) {
        Map<String, List<AblationRun>> rows = new LinkedHashMap<>();
        for (AblationRun.Key key : keys) {
            AblationRun run = runs.get(key);
            if (run != null) {
                rows.computeIfAbsent(key.variant(), name -> new ArrayList<>()).add(run);
            }
        }
        out.printf("%-18s %-15s %-15s %-17s %6s %5s%n", "", "FG-ARI", "ARI", "MSE", "s", "runs");
        rows.forEach(
                (name, of) ->
                        out.printf(
                                Locale.ROOT,
                                "%-18s %-15s %-15s %-17s %6s %5d%n",
                                name,
                                spread(3, of, AblationRun::foreground),
                                spread(3, of, AblationRun::all),
                                spread(4, of, AblationRun::error),
                                number("%.0f", mean(of, AblationRun::seconds)),
                                of.size()));
        out.flush();
    }

    private static double mean(List<AblationRun> runs, ToDoubleFunction<AblationRun> what) {
        return runs.stream().mapToDouble(what).average().orElse(Double.NaN);
    }

    /** Such as "0.712 +- 0.021"; "-" where a run has no number. */
    public static String spread(
            int digits, List<AblationRun> runs, ToDoubleFunction<AblationRun> what) {
        double mean = mean(runs, what);
        if (Double.isNaN(mean)) {
            return "-";
        }
        String format = "%." + digits + "f";
        if (runs.size() == 1) {
            return number(format, mean);
        }
        double squares =
                runs.stream().mapToDouble(run -> Math.pow(what.applyAsDouble(run) - mean, 2)).sum();
        double deviation = Math.sqrt(squares / (runs.size() - 1));
        return number(format, mean) + " +- " + number(format, deviation);
    }
}
