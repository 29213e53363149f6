package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/** What is wrong with a file, in words: of many failures Java tells no more than the name. */
public final class FileTrouble {

    private FileTrouble() {}

    /**
     * A failure to write.
     *
     * @param file what was written
     * @param e how it failed
     * @return an exception with a message for the user
     */
    public static IOException writing(Path file, IOException e) {
        return writing(file.toString(), e);
    }

    /** A failure to write something that has a name. */
    static IOException writing(String file, IOException e) {
        return new IOException(file + " cannot be written: " + reason(e), e);
    }

    /**
     * A failure to read.
     *
     * @param file what was read
     * @param e how it failed
     * @return an exception with a message for the user
     */
    public static IOException reading(Path file, IOException e) {
        if (e instanceof NoSuchFileException) {
            return new IOException(file + " does not exist", e);
        }
        if (e instanceof CharacterCodingException) {
            return new IOException(file + " is no text", e);
        }
        return new IOException(file + " cannot be read: " + reason(e), e);
    }

    /** The message of a failure, with the file's name where it is known. */
    static String message(IOException e) {
        if (e instanceof FileSystemException known && known.getFile() != null) {
            return known.getFile() + ": " + reason(e);
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NoSuchFileException) {
            return "it does not exist";
        }
        if (e instanceof NotDirectoryException) {
            return "it is not a folder";
        }
        if (e instanceof FileAlreadyExistsException taken && taken.getReason() == null) {
            return "there is another file of that name";
        }
        String says = e instanceof FileSystemException known ? known.getReason() : e.getMessage();
        return says == null ? e.getClass().getSimpleName() : says;
    }
}
