package org.slotwise.data.file;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * Where something lies that is read, for messages.
 *
 * @param file the file
 * @param record the record of the file, counted from 0; -1 for the whole file
 * @param part what it is of the record, such as a name in an archive; empty if there is nothing to
 *     say
 */
record Place(Path file, long record, String part) {

    /** A whole file. */
    static Place of(Path file) {
        return new Place(file, -1, "");
    }

    /** What is said of it, where nothing is thrown. */
    String says(String what) {
        return String.valueOf(wrong(what, null).getMessage());
    }

    /** What to throw. */
    SceneFileException wrong(String what, @Nullable Throwable cause) {
        String said = part.isEmpty() ? what : part + ": " + what;
        if (record < 0) {
            return new SceneFileException(file, said, cause);
        }
        return cause == null
                ? new SceneFileException(file, record, said)
                : SceneFileException.inRecord(file, record, said, cause);
    }
}
