package org.slotwise.examples.shared;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Passes on what a training prints, and writes its whole lines to a file as well. If the file
 * cannot be written the training goes on; {@link #close} tells of it.
 */
public final class TrainingLog extends Writer {

    private final Writer out;
    private final @Nullable LineFile file;
    private final StringBuilder pending = new StringBuilder();
    private @Nullable IOException failure;

    /**
     * Opens a log.
     *
     * @param out where everything is passed on to; it stays open
     * @param path the file; null for none
     * @param goOn whether to add to what is in the file already, or to start anew
     * @throws IOException if the file cannot be written
     */
    public TrainingLog(Writer out, @Nullable Path path, boolean goOn) throws IOException {
        this.out = out;
        file = path == null ? null : new LineFile(path);
        if (path != null && !goOn) {
            WholeFile.write(path, new byte[0]);
        }
    }

    @Override
    public void write(char[] text, int from, int length) throws IOException {
        out.write(text, from, length);
        if (file != null) {
            pending.append(text, from, length);
        }
    }

    @Override
    public void flush() throws IOException {
        out.flush();
        int end = pending.lastIndexOf("\n") + 1;
        if (file != null && end > 0) {
            try {
                file.append("", pending.substring(0, end));
            } catch (IOException e) {
                failure = failure == null ? e : failure;
            }
            pending.delete(0, end);
        }
    }

    /** Tells whether all was written; what is passed on is not closed. */
    @Override
    public void close() throws IOException {
        flush();
        if (failure != null) {
            throw failure;
        }
    }
}
