package org.slotwise.weights;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import org.slotwise.internal.ExistingFile;

/** Reads files of the formats that are known, told apart by content. */
final class StateDictReader {

    private static final String WHO = "StateDict: ";

    private StateDictReader() {}

    /** Of a file. */
    static StateDict read(Path file, ReadOptions options) throws IOException {
        ExistingFile.require(file, "file");
        // To open a pipe may take for ever.
        if (!Files.isRegularFile(file)) {
            throw new IOException(
                    WHO + file + ": not a file; of what else there is, read a stream");
        }
        return read(file, file.toString(), options);
    }

    /** Of a stream, by way of a file: what a stream says of its size cannot be checked before. */
    static StateDict read(InputStream in, ReadOptions options) throws IOException {
        Path file = Files.createTempFile("state-dict", ".tmp");
        try {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            return read(file, "the stream", options);
        } finally {
            Files.delete(file);
        }
    }

    private static StateDict read(Path file, String source, ReadOptions options)
            throws IOException {
        NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        boolean done = false;
        try {
            StateDictFormat.Content content = decode(host, file, options);
            content.arrays().replaceAll((name, array) -> options.convert(array));
            content.arrays().forEach((name, array) -> array.setName(name));
            done = true;
            return new StateDict(source, content.arrays(), content.metadata(), host);
        } catch (EngineException e) {
            throw new IOException(
                    WHO + source + ": the engine cannot hold its arrays: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new IOException(WHO + source + ": " + e.getMessage(), e);
        } finally {
            if (!done) {
                host.close();
            }
        }
    }

    private static StateDictFormat.Content decode(NDManager host, Path file, ReadOptions options)
            throws IOException {
        long size = Files.size(file);
        byte[] start;
        try (InputStream in = Files.newInputStream(file)) {
            start = in.readNBytes(ForeignFile.START);
        }
        if (start.length > 8 && start[8] == '{') {
            try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
                return SafetensorsReader.read(host, in, size, options);
            }
        }
        if (start.length > 3 && start[0] == 'P' && start[1] == 'K' && start[2] < 32) {
            try (ZipArchive zip = ZipArchive.open(file)) {
                if (TorchReader.reads(zip)) {
                    return new StateDictFormat.Content(
                            TorchReader.read(host, zip, size, options), Map.of());
                }
                if (zip.entries().isEmpty() || NpzReader.reads(zip)) {
                    return new StateDictFormat.Content(
                            NpzReader.read(host, zip, size, options), Map.of());
                }
            }
        }
        throw new IOException(ForeignFile.describe(Arrays.copyOf(start, start.length), size));
    }
}
