package org.slotwise.training;

import java.io.IOException;
import java.util.Map;

/**
 * Where the numbers of a training go, step by step: {@link CsvHistory}, {@link TensorBoardEvents},
 * or a log of your own. {@link HistoryListener} fills it from DJL's trainer.
 */
public interface ScalarLog extends AutoCloseable {

    /**
     * Writes numbers that belong to one step.
     *
     * @param step how many steps were taken, at least 0
     * @param values numbers by name, which may be NaN or infinite
     * @throws IOException if they cannot be written; the message names the file
     */
    void write(long step, Map<String, ? extends Number> values) throws IOException;

    /**
     * Closes the file.
     *
     * @throws IOException if it cannot be closed
     */
    @Override
    void close() throws IOException;
}
