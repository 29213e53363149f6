package org.slotwise.examples.discover;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.LineFile;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.examples.shared.WholeFile;

/**
 * What happened in each step, as a CSV file. Scores stand only in the rows of steps after which
 * they were measured.
 */
final class DiscoveryHistory {

    private static final String HEADER = "step,loss,gradient_norm,learning_rate,fg_ari,ari,mse";

    private final @Nullable LineFile file;

    /**
     * Opens a file.
     *
     * @param path the file; null for none
     * @param after the rows of later steps than this one are dropped, and so is the file for 0
     */
    DiscoveryHistory(@Nullable Path path, long after) throws IOException {
        if (path == null) {
            file = null;
            return;
        }
        file = new LineFile(path);
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        if (after > 0 && Files.exists(path)) {
            file.read()
                    .lines()
                    .filter(line -> isUpTo(after, line))
                    .forEach(line -> text.append(line).append('\n'));
        }
        WholeFile.write(path, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Whether a line is a whole row of a step that is kept. */
    private static boolean isUpTo(long after, String line) {
        String[] cells = line.split(",", -1);
        return cells.length == HEADER.split(",").length
                && cells[0].matches("\\d{1,18}")
                && Long.parseLong(cells[0]) <= after;
    }

    /**
     * Adds a row.
     *
     * @param step the number of the step
     * @param loss its loss
     * @param norm the norm of its gradients, before clipping
     * @param rate its learning rate
     * @param scores on scenes held out, after the step; null if they were not measured
     */
    void add(long step, double loss, double norm, double rate, SceneScoring.@Nullable Scores scores)
            throws IOException {
        if (file == null) {
            return;
        }
        String measured =
                scores == null
                        ? ",,"
                        : String.format(
                                Locale.ROOT,
                                "%.5f,%.5f,%.6g",
                                scores.foreground(),
                                scores.all(),
                                scores.error());
        file.append(
                HEADER + "\n",
                String.format(Locale.ROOT, "%d,%.6g,%.6g,%.6g,", step, loss, norm, rate)
                        + measured
                        + "\n");
    }
}
