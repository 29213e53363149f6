package org.slotwise.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.slotwise.internal.AtomicFile;
import org.slotwise.internal.AtomicFolder;

/**
 * The files of a model: a folder, or the same files in a .zip. It is written beside its place and
 * moved there when it is whole ({@link AtomicFolder}).
 *
 * @param who who complains
 * @param names all names that there can be
 */
record ModelFiles(String who, Set<String> names) {

    static final String CONFIGURATION = "model.json";
    static final String WEIGHTS = "weights.safetensors";

    /** More than any configuration has. */
    private static final long MOST_JSON = 1 << 22;

    /** How files of weights end, and a configuration, which is a model's only with these. */
    private static final List<String> OTHER_FILES =
            List.of(
                    ".safetensors",
                    ".npz",
                    ".npy",
                    ".bin",
                    ".pt",
                    ".pth",
                    ".ckpt",
                    ".params",
                    ".onnx",
                    ".json");

    /** What is written: a name, and its content. */
    record Item(String name, AtomicFile.Content content) {}

    /** Makes something of a folder. */
    @FunctionalInterface
    interface Reader<T> {
        T read(Path folder) throws IOException;
    }

    void write(Path path, List<Item> items) throws IOException {
        if (isZip(path)) {
            requireReplaceable(path);
            AtomicFile.write(path, out -> zip(items, out));
            UnpackedCopies.forget(path);
        } else {
            requireFolderName(path);
            writeFolder(path, items);
        }
    }

    /** A new folder that is called like a file of weights would be taken for one. */
    private void requireFolderName(Path path) throws IOException {
        String name = path.toString().toLowerCase(Locale.ROOT);
        if (OTHER_FILES.stream().anyMatch(name::endsWith) && !Files.isDirectory(path)) {
            throw new IOException(
                    who
                            + ": cannot write "
                            + path
                            + ": a model is a folder, or a .zip, and a folder must not end as files"
                            + " of weights do");
        }
    }

    private static boolean isZip(Path path) {
        return path.toString().toLowerCase(Locale.ROOT).endsWith(".zip");
    }

    private static void zip(List<Item> items, OutputStream out) throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        for (Item item : items) {
            ZipEntry entry = new ZipEntry(item.name());
            entry.setTime(0); // the same model gives the same bytes
            zip.putNextEntry(entry);
            item.content().writeTo(zip);
            zip.closeEntry();
        }
        zip.finish();
    }

    private void writeFolder(Path path, List<Item> items) throws IOException {
        AtomicFolder.finish(path);
        requireReplaceable(path);
        try {
            AtomicFolder.write(
                    path,
                    folder -> {
                        for (Item item : items) {
                            AtomicFile.write(folder.resolve(item.name()), item.content());
                        }
                    });
        } catch (IOException e) {
            throw new IOException(who + ": cannot write " + path + ": " + e.getMessage(), e);
        }
    }

    /** Requires that what is there, if anything, is a model and nothing else, or empty. */
    void requireReplaceable(Path path) throws IOException {
        boolean zip = isZip(path);
        if (Files.isDirectory(path) ? zip : !zip && Files.exists(path)) {
            throw taken(path, "is a " + (zip ? "folder, not a .zip" : "file, not a folder"));
        }
        List<String> there = List.of();
        if (Files.isDirectory(path)) {
            try (Stream<Path> files = Files.list(path)) {
                there = files.map(f -> f.getFileName().toString()).sorted().toList();
            }
        } else if (Files.isRegularFile(path) && Files.size(path) > 0) {
            try (ZipFile file = new ZipFile(path.toFile())) {
                there = file.stream().map(ZipEntry::getName).sorted().toList();
            } catch (ZipException e) {
                throw taken(path, "is no whole zip file");
            }
            if (there.isEmpty()) {
                throw taken(path, "is no model");
            }
        }
        for (String name : there) {
            if (!names.contains(name)) {
                throw taken(path, "has other files than a model's in it, such as " + name);
            }
        }
        if (!there.isEmpty() && !there.containsAll(List.of(CONFIGURATION, WEIGHTS))) {
            throw taken(path, "is no model");
        }
    }

    private static FileAlreadyExistsException taken(Path path, String why) {
        return new FileAlreadyExistsException(
                path.toString(), null, "it " + why + ", and is not overwritten");
    }

    /**
     * Reads what was written.
     *
     * @param reader makes something of the folder
     * @param keeps whether that goes on to need a folder that a .zip was unpacked to
     */
    <T> T read(Path path, Reader<T> reader, BiPredicate<T, Path> keeps) throws IOException {
        try {
            AtomicFolder.finish(path);
            if (Files.isDirectory(path)) {
                return whole(path, reader);
            }
            if (!Files.isRegularFile(path)) {
                throw new IOException("there is no folder or file of this name");
            }
            Path folder = Files.createTempDirectory("slotwise-model");
            boolean kept = false;
            try {
                unzip(path, folder);
                T made = whole(folder, reader);
                kept = keeps.test(made, folder);
                return made;
            } finally {
                if (!kept) {
                    AtomicFolder.delete(folder);
                }
            }
        } catch (IOException | IllegalArgumentException | UncheckedIOException e) {
            throw new IOException(who + ": cannot load " + path + ": " + e.getMessage(), e);
        }
    }

    /**
     * Whether there is a configuration of a format. What cannot be read has none: {@link #read}
     * says why.
     */
    boolean isOf(Path path, ConfigurationJson<?> format) throws IOException {
        AtomicFolder.finish(path);
        try {
            if (Files.isDirectory(path)) {
                return format.isOf(text(Files.newInputStream(path.resolve(CONFIGURATION))));
            }
            try (ZipFile zip = new ZipFile(path.toFile())) {
                ZipEntry entry = zip.getEntry(CONFIGURATION);
                return entry != null && format.isOf(text(zip.getInputStream(entry)));
            }
        } catch (IOException e) {
            return false;
        }
    }

    private static String text(InputStream file) throws IOException {
        try (file) {
            return new String(file.readNBytes((int) MOST_JSON), StandardCharsets.UTF_8);
        }
    }

    private static <T> T whole(Path folder, Reader<T> reader) throws IOException {
        for (String name : List.of(CONFIGURATION, WEIGHTS)) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new IOException("it has no " + name);
            }
        }
        return reader.read(folder);
    }

    /** The configuration of a folder. */
    static <C> C configuration(Path folder, Function<String, C> fromJson) throws IOException {
        Path json = folder.resolve(CONFIGURATION);
        if (Files.size(json) > MOST_JSON) {
            throw new IOException(CONFIGURATION + " is too large for a configuration");
        }
        try {
            return fromJson.apply(Files.readString(json));
        } catch (IllegalArgumentException | CharacterCodingException e) {
            throw new IOException(CONFIGURATION + ": " + e.getMessage(), e);
        }
    }

    private void unzip(Path path, Path folder) throws IOException {
        try (ZipFile zip = new ZipFile(path.toFile())) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                String name = entry.getName();
                // What is not of a model stays where it is: it could lie anywhere.
                if (names.contains(name)) {
                    unzip(zip, entry, folder.resolve(name));
                }
            }
        } catch (ZipException e) {
            String hint =
                    path.toString().endsWith(".safetensors")
                            ? "; weights alone are no model: give the folder or .zip that a"
                                    + " training or packaging wrote"
                            : "";
            throw new IOException("it is no whole zip file: " + e.getMessage() + hint, e);
        }
    }

    /** Java's ZipFile does not look at checksums: other weights would pass for these. */
    private static void unzip(ZipFile zip, ZipEntry entry, Path file) throws IOException {
        try (CheckedInputStream in =
                new CheckedInputStream(zip.getInputStream(entry), new CRC32())) {
            Files.copy(in, file);
            if (in.getChecksum().getValue() != entry.getCrc()) {
                throw new IOException(entry.getName() + " is damaged: its checksum differs");
            }
        }
    }
}
