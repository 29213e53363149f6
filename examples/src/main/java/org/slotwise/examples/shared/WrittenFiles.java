package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** The files that a program is to write, by the options that name them. */
public final class WrittenFiles {

    private final Map<String, Path> files = new LinkedHashMap<>();
    private final Map<String, Path> folders = new LinkedHashMap<>();

    /**
     * Adds a file.
     *
     * @param option the option: "--output"
     * @param file what it names; null for none
     * @return this
     */
    public WrittenFiles and(String option, @Nullable Path file) {
        if (file != null) {
            files.put(option, file);
        }
        return this;
    }

    /**
     * Adds a folder.
     *
     * @param option the option: "--out"
     * @param folder what it names; null for none
     * @return this
     */
    public WrittenFiles andFolder(String option, @Nullable Path folder) {
        if (folder != null) {
            folders.put(option, folder);
        }
        return this;
    }

    /**
     * Finds out what stands in the way before any work is done.
     *
     * @param spec the command
     * @throws IOException if one cannot be written, with a message for the user that begins with
     *     the option
     */
    public void check(CommandSpec spec) throws IOException {
        Map<Path, String> places = new HashMap<>();
        for (Map.Entry<String, Path> one : files.entrySet()) {
            try {
                new OutputFile(one.getValue()).check(null);
            } catch (IOException e) {
                throw named(one.getKey(), e);
            }
            Path place = one.getValue().toAbsolutePath().normalize();
            String other = places.putIfAbsent(place, one.getKey());
            Program.require(
                    spec,
                    other == null,
                    one.getKey() + " must be another file than " + other,
                    one.getValue());
        }
        for (Map.Entry<String, Path> one : folders.entrySet()) {
            try {
                new OutputFolder(one.getValue()).check();
            } catch (IOException e) {
                throw named(one.getKey(), e);
            }
        }
    }

    private static IOException named(String option, IOException e) {
        return new IOException(option + ": " + e.getMessage(), e);
    }
}
