package org.slotwise.data;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file of scenes or features is damaged, cut short, or not of the format that was expected. */
public final class SceneFileException extends IOException {

    private static final long serialVersionUID = 1L;

    /** The file's path. */
    private final String file;

    /** The record's number, or -1. */
    private final long record;

    /**
     * Creates the exception for a file that is damaged as a whole.
     *
     * @param file the file
     * @param what what is wrong with it
     * @param cause what found it, or null
     */
    public SceneFileException(Path file, String what, @Nullable Throwable cause) {
        this(file, -1, shown(file) + ": " + what, cause);
    }

    /**
     * Creates the exception for a record of a file.
     *
     * @param file the file
     * @param record the record's number, counted from 0
     * @param what what is wrong with it
     */
    public SceneFileException(Path file, long record, String what) {
        this(file, record, shown(file) + ", record " + record + ": " + what, null);
    }

    /**
     * Creates the exception for a record of a file, with what found the fault.
     *
     * @param file the file
     * @param record the record's number, counted from 0
     * @param what what is wrong with it
     * @param cause what found it
     * @return the exception
     */
    public static SceneFileException inRecord(
            Path file, long record, String what, Throwable cause) {
        return new SceneFileException(
                file, record, shown(file) + ", record " + record + ": " + what, cause);
    }

    private SceneFileException(Path file, long record, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.file = file.toString();
        this.record = record;
    }

    /**
     * The file.
     *
     * @return its path, as it was given
     */
    public String file() {
        return file;
    }

    /**
     * The record of the file.
     *
     * @return its number, counted from 0; -1 if the whole file is meant
     */
    public long record() {
        return record;
    }

    /** The path; the empty one, which is the current folder, by its name. */
    private static String shown(Path file) {
        return file.toString().isEmpty() ? "." : file.toString();
    }
}
