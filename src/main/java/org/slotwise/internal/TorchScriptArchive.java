package org.slotwise.internal;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive: a zip file with the source of classes, one object of them, and its
 * tensors.
 *
 * <p>The format is that of {@code torch.jit.save}: {@code code/__torch__.py} holds the source,
 * {@code data.pkl} the pickled object, {@code data/0} and so on the tensors' numbers, {@code
 * constants.pkl} an empty tuple of tensors, {@code version} the number of the operator set. The
 * engine reads entries that are stored, not compressed.
 */
public final class TorchScriptArchive {

    private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

    /** The operator set of PyTorch 1.13 and later. */
    private static final String VERSION = "10\n";

    /** The time of every entry: the same parameters make the same bytes. */
    private static final LocalDateTime EPOCH = LocalDateTime.of(1980, 1, 1, 0, 0);

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
        try {
            write(bytes, object(className), source, List.of());
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory", e);
        }
        return bytes.toByteArray();
    }

    /**
     * Writes an archive.
     *
     * @param out where to; not closed
     * @param pickle the object
     * @param source the source of all classes
     * @param tensors what the pickle's storages "0", "1" and so on hold; each is copied to the host
     *     by itself
     * @throws IOException if it cannot be written
     */
    public static void write(OutputStream out, byte[] pickle, String source, List<NDArray> tensors)
            throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        store(zip, "data.pkl", ByteBuffer.wrap(pickle));
        store(zip, "code/__torch__.py", text(source));
        store(zip, "constants.pkl", ByteBuffer.wrap(NO_CONSTANTS));
        store(zip, "version", text(VERSION));
        store(zip, "byteorder", text("little"));
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            for (int i = 0; i < tensors.size(); i++) {
                NDArray tensor = tensors.get(i);
                try (NDArray copy = host.create(tensor.getShape(), tensor.getDataType())) {
                    Ops.overwrite(copy, tensor);
                    store(zip, "data/" + i, copy.toByteBuffer(true));
                }
            }
        }
        zip.finish();
    }

    private static ByteBuffer text(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void store(ZipOutputStream zip, String name, ByteBuffer buffer)
            throws IOException {
        byte[] content = new byte[buffer.remaining()];
        buffer.get(content);
        ZipEntry entry = new ZipEntry("archive/" + name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        entry.setTimeLocal(EPOCH);
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
