package org.slotwise.data.file;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * Reads the records of a TFRecord file, with GZIP around it or without. A record is
 *
 * <pre>{@code
 * length (8 bytes), checksum of these 8 (4 bytes), data, checksum of the data (4 bytes)
 * }</pre>
 *
 * <p>with the lowest byte first; a checksum is CRC32C, turned right by 15 bits plus 0xa282ead8.
 */
final class TfRecordReader implements Closeable {

    private static final int HEADER = 12;
    private static final int CHECKSUM = 4;
    private static final int BUFFER = 1 << 16;
    private static final int PIECE = 1 << 22;

    private final Path file;
    private final InputStream in;
    private final long mostBytes;
    private final CRC32C crc = new CRC32C();
    private long record;

    /**
     * Opens a file.
     *
     * @param mostBytes how many bytes a record may have: GZIP can make gigabytes of a small file
     * @throws SceneFileException if it is empty, or neither a TFRecord file nor one in GZIP
     */
    TfRecordReader(Path file, long mostBytes) throws IOException {
        InputFile.require(file);
        this.file = file;
        this.mostBytes = Math.min(mostBytes, Integer.MAX_VALUE - 16);
        InputStream raw = new BufferedInputStream(Files.newInputStream(file), BUFFER);
        try {
            in = unpacked(raw);
        } catch (IOException | RuntimeException e) {
            raw.close();
            throw e;
        }
    }

    private InputStream unpacked(InputStream raw) throws IOException {
        raw.mark(HEADER);
        byte[] start = raw.readNBytes(HEADER);
        raw.reset();
        if (start.length == 0) {
            throw new SceneFileException(file, "the file is empty", null);
        }
        // The first bytes of a length can look like GZIP's; then the checksum tells.
        if (start.length == HEADER && checksumFits(start, 8, littleEndian(start).getInt(8))) {
            return raw;
        }
        if (start.length > 1 && start[0] == (byte) 0x1f && start[1] == (byte) 0x8b) {
            try {
                return new GZIPInputStream(raw, BUFFER);
            } catch (EOFException e) {
                throw new SceneFileException(file, "the file is cut short in its GZIP header", e);
            } catch (ZipException e) {
                throw new SceneFileException(file, "damaged GZIP header: " + e.getMessage(), e);
            }
        }
        throw new SceneFileException(
                file, 0, "neither GZIP nor the start of a TFRecord file, or damaged at its start");
    }

    /**
     * The data of the next record; null at the end of the file.
     *
     * @param spare what becomes the data if it is as long: megabytes for each record are dear
     * @throws SceneFileException if the record is damaged or cut short
     */
    byte @Nullable [] next(byte[] spare) throws IOException {
        byte[] header = read(new byte[HEADER], HEADER, "length");
        if (header.length == 0) {
            return null;
        }
        if (header.length < HEADER) {
            throw cutShort("its length", header.length, HEADER);
        }
        if (!checksumFits(header, 8, littleEndian(header).getInt(8))) {
            throw new SceneFileException(file, record, "the checksum of the length does not fit");
        }
        long length = littleEndian(header).getLong(0);
        if (length < 0 || length > mostBytes) {
            throw new SceneFileException(
                    file,
                    record,
                    "a record of this format has at most "
                            + mostBytes
                            + " bytes, not a length of "
                            + Long.toUnsignedString(length)
                            + " bytes");
        }
        // Piece by piece: a wrong length does not fill the memory.
        byte[] room = spare.length == length ? spare : new byte[(int) Math.min(length, PIECE)];
        byte[] data = read(room, (int) length, "data");
        if (data.length < length) {
            throw cutShort("its data", data.length, length);
        }
        byte[] checksum = read(new byte[CHECKSUM], CHECKSUM, "checksum");
        if (checksum.length < CHECKSUM) {
            throw cutShort("its checksum", checksum.length, CHECKSUM);
        }
        if (!checksumFits(data, data.length, littleEndian(checksum).getInt(0))) {
            throw new SceneFileException(file, record, "the checksum of the data does not fit");
        }
        record++;
        return data;
    }

    /** That many bytes, or those that are there, in the room given or in a larger one. */
    private byte[] read(byte[] room, int bytes, String what) throws IOException {
        try {
            byte[] data = room;
            int read = in.readNBytes(data, 0, data.length);
            while (read == data.length && read < bytes) {
                data = Arrays.copyOf(data, (int) Math.min(bytes, 2L * read));
                read += in.readNBytes(data, read, data.length - read);
            }
            return read == data.length ? data : Arrays.copyOf(data, read);
        } catch (EOFException e) {
            throw SceneFileException.inRecord(
                    file, record, "the file is cut short (GZIP ends in its " + what + ")", e);
        } catch (ZipException e) {
            throw SceneFileException.inRecord(
                    file, record, "damaged GZIP in its " + what + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw SceneFileException.inRecord(file, record, "cannot be read: " + e.getMessage(), e);
        } catch (StackOverflowError e) { // Java goes deeper with each part of a GZIP file
            throw SceneFileException.inRecord(
                    file, record, "damaged GZIP in its " + what + ": too many empty parts", e);
        }
    }

    private SceneFileException cutShort(String what, long got, long expected) {
        return new SceneFileException(
                file,
                record,
                "the file is cut short in " + what + ", " + got + " of " + expected + " bytes");
    }

    /** Whether a file that begins so has records. */
    static boolean isStart(byte[] start) {
        return start.length >= HEADER
                && checksumFits(new CRC32C(), start, 8, littleEndian(start).getInt(8));
    }

    private boolean checksumFits(byte[] data, int length, int expected) {
        return checksumFits(crc, data, length, expected);
    }

    private static boolean checksumFits(CRC32C crc, byte[] data, int length, int expected) {
        crc.reset();
        crc.update(data, 0, length);
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xa282ead8 == expected;
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
