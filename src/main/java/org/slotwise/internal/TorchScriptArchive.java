package org.slotwise.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive: a zip file with the source of one class and one object of it.
 *
 * <p>The format is that of {@code torch.jit.save}: {@code code/__torch__.py} holds the source,
 * {@code data.pkl} the pickled object, {@code constants.pkl} an empty tuple of tensors, {@code
 * version} the number of the operator set. The engine reads entries that are stored, not
 * compressed.
 */
public final class TorchScriptArchive {

    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

    private TorchScriptArchive() {}

    /**
     * Returns an archive with an object that has no parameters, no buffers and no children.
     *
     * @param className the class that the source defines
     * @param source its source, as {@code torch.jit.save} writes it
     * @return the bytes of the archive
     */
    public static byte[] of(String className, String source) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            store(zip, "data.pkl", object(className));
            store(zip, "code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
            store(zip, "constants.pkl", NO_CONSTANTS);
            store(zip, "version", "3\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry("archive/" + name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /** The pickle (protocol 2) of {@code Class.__new__(Class)} with the state {training: True}. */
    private static byte[] object(String className) {
        String mark = "(";
        String training = "X\b\0\0\0training"; // a string of 8 bytes
        String newTrue = "\u0088";
        String pickle =
                "\u0080\2" // protocol 2
                        + "c__torch__\n" // the class
                        + className
                        + "\n"
                        + ")\u0081" // an object of it, made with no arguments
                        + "}"
                        + mark
                        + training
                        + newTrue
                        + "u" // a dictionary with that entry
                        + "b" // is the object's state
                        + ".";
        return pickle.getBytes(StandardCharsets.ISO_8859_1);
    }
}
