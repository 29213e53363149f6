package org.slotwise.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The measured times, as a table that is written to and read from a CSV file. */
final class Results {

    private static final String HEADER =
            "module,size,b,n,f,c,k,t,pass,threads,who,median_ms,q1_ms,q3_ms,ratio_to_plain";

    /** One contender at one size. */
    record Row(
            String module,
            Size size,
            String pass,
            int threads,
            String who,
            Timing timing,
            double ratio) {}

    private final List<Row> rows = new ArrayList<>();

    void add(Row row) {
        rows.add(row);
    }

    List<Row> rows() {
        return rows;
    }

    void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>(List.of(HEADER));
        for (Row row : rows) {
            Size s = row.size;
            lines.add(
                    String.format(
                            Locale.ROOT,
                            "%s,%s,%d,%d,%d,%d,%d,%d,%s,%d,%s,%.4f,%.4f,%.4f,%.3f",
                            row.module,
                            s.name(),
                            s.b(),
                            s.n(),
                            s.f(),
                            s.c(),
                            s.k(),
                            s.t(),
                            row.pass,
                            row.threads,
                            row.who,
                            row.timing.median(),
                            row.timing.low(),
                            row.timing.high(),
                            row.ratio));
        }
        Files.write(file, lines);
    }

    static Results read(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        if (!lines.get(0).equals(HEADER)) {
            throw new IOException(file + " begins with " + lines.get(0));
        }
        Results results = new Results();
        for (String line : lines.subList(1, lines.size())) {
            String[] v = line.split(",", -1);
            int[] n = new int[8];
            for (int i = 2; i < 8; i++) {
                n[i] = Integer.parseInt(v[i]);
            }
            double[] ms = new double[4];
            for (int i = 0; i < 4; i++) {
                ms[i] = Double.parseDouble(v[11 + i]);
            }
            Size size = new Size(v[1], n[2], n[3], n[4], n[5], n[5], n[6], n[7]);
            Timing timing = new Timing(ms[0], ms[1], ms[2]);
            results.add(new Row(v[0], size, v[8], Integer.parseInt(v[9]), v[10], timing, ms[3]));
        }
        return results;
    }
}
