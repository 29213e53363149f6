package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A folder that a program is to write to, and to make if it is missing.
 *
 * @param path where it is to be
 */
public record OutputFolder(Path path) {

    /**
     * Finds out what stands in the way before any work is done.
     *
     * @throws IOException if nothing can be written there, with a message for the user
     */
    public void check() throws IOException {
        Path known = path.toAbsolutePath().normalize();
        while (!Files.exists(known) && known.getParent() != null) {
            known = known.getParent();
        }
        if (!Files.isDirectory(known)) {
            throw new IOException(known + " is a file, not a folder to write to");
        }
        try {
            tryToWriteIn(known);
        } catch (IOException e) {
            throw FileTrouble.writing("the folder " + known, e);
        }
    }

    /**
     * Refuses a name of a picture or a table, from somebody who takes the option for a file's.
     *
     * @param spec the command
     * @param option the option: "--output"
     * @param folder its value
     */
    public static void requireName(CommandSpec spec, String option, Path folder) {
        Program.require(
                spec,
                Files.isDirectory(folder)
                        || !folder.toString()
                                .toLowerCase(Locale.ROOT)
                                .matches(".*\\.(png|jpe?g|gif|bmp|json|csv)"),
                option + " must be a folder",
                folder);
    }

    /**
     * Whether there is something that was put there: not what programs leave behind, whose names
     * begin with a dot, and which nothing reads.
     *
     * @return false also where there is no such folder
     * @throws IOException if it cannot be read, with a message for the user
     */
    public boolean hasFiles() throws IOException {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (Stream<Path> inside = Files.list(path)) {
            return inside.anyMatch(file -> !file.getFileName().toString().startsWith("."));
        } catch (IOException e) {
            throw FileTrouble.reading(path, e);
        }
    }

    /** Writes something and takes it away again: permissions alone do not tell. */
    static void tryToWriteIn(Path folder) throws IOException {
        try {
            Files.delete(Files.createTempFile(folder, ".slotwise", ".tmp"));
        } catch (NoSuchFileException e) {
            // What is missing is the file that was to be made, of which nobody asked.
            throw new IOException("the system makes no files in " + folder, e);
        }
    }

    /**
     * Makes the folder.
     *
     * @throws IOException if that fails, with a message for the user
     */
    public void make() throws IOException {
        try {
            Files.createDirectories(path);
        } catch (IOException e) {
            throw FileTrouble.writing(path, e);
        }
    }
}
