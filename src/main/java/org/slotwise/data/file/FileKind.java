package org.slotwise.data.file;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slotwise.data.SceneFileException;

/** Which kind of data a file holds, by how it begins. */
final class FileKind {

    private static final byte[] HDF5 =
            "\u0089HDF\r\n\u001a\n".getBytes(StandardCharsets.ISO_8859_1);
    private static final byte[] PARQUET = "PAR1".getBytes(StandardCharsets.ISO_8859_1);

    /** HDF5 may have blocks of its user before it. */
    private static final int FIRST_USER_BLOCK = 512;

    private static final int MOST = 1 << 13;

    private FileKind() {}

    /** The kind of a file's content; empty if it is none that is known. */
    static Optional<SceneFiles.Kind> of(Path file) throws IOException {
        if (InputFile.require(file) == 0) {
            throw new SceneFileException(file, "the file is empty", null);
        }
        byte[] start;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            start = in.readNBytes(MOST);
        }
        boolean gzip = begins(start, 0, new byte[] {0x1f, (byte) 0x8b});
        byte[] unpacked = gzip ? unpacked(file) : start;
        if (begins(start, 0, PARQUET)) {
            return Optional.of(SceneFiles.Kind.PARQUET);
        }
        for (int at = 0; at < start.length; at = at == 0 ? FIRST_USER_BLOCK : 2 * at) {
            if (begins(start, at, HDF5)) {
                return Optional.of(SceneFiles.Kind.HDF5);
            }
        }
        if (TfRecordReader.isStart(unpacked)) {
            return Optional.of(SceneFiles.Kind.TFRECORD);
        }
        if (TarArchiveInputStream.matches(unpacked, unpacked.length)) {
            return Optional.of(SceneFiles.Kind.WEBDATASET);
        }
        boolean clevr = String.valueOf(file.getFileName()).endsWith("_scenes.json");
        return clevr ? Optional.of(SceneFiles.Kind.CLEVR) : Optional.empty();
    }

    private static boolean begins(byte[] file, int at, byte[] with) {
        return file.length >= at + with.length
                && Arrays.equals(file, at, at + with.length, with, 0, with.length);
    }

    private static byte[] unpacked(Path file) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file))) {
            return in.readNBytes(FIRST_USER_BLOCK);
        } catch (IOException e) {
            throw new SceneFileException(file, "damaged GZIP: " + e.getMessage(), e);
        }
    }
}
