package org.slotwise.data.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import org.slotwise.data.SceneFileException;

/**
 * How features lie in the file of a {@link FeatureCache}: a header, then a record of the same
 * length for each image, all numbers with their lowest byte first.
 *
 * <pre>{@code
 * header: "SLWFEAT1", N, F, images (int32 each), key (32 bytes), CRC-32C of the bytes before
 * record: N F numbers (float32), CRC-32C of the record's number and those bytes
 * }</pre>
 *
 * @param file the file
 * @param patches N
 * @param featureDim F
 * @param images how many images there are
 * @param key the SHA-256 of the origin, hexadecimal
 */
record FeatureRecords(Path file, int patches, int featureDim, int images, String key) {

    static final int HEADER = 56;

    private static final byte[] MAGIC = {'S', 'L', 'W', 'F', 'E', 'A', 'T', '1'};
    private static final int KEY = 32;
    private static final int CHECKSUM = 4;

    /** How many bytes a record may have: far more than features of an image need. */
    private static final int MOST_BYTES = 1 << 28;

    static ByteBuffer allocate(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The header's bytes. */
    ByteBuffer header() {
        ByteBuffer bytes = allocate(HEADER);
        bytes.put(MAGIC)
                .putInt(patches)
                .putInt(featureDim)
                .putInt(images)
                .put(HexFormat.of().parseHex(key));
        CRC32C checksum = new CRC32C();
        checksum.update(bytes.duplicate().flip());
        return bytes.putInt((int) checksum.getValue()).flip();
    }

    /**
     * Reads the header of a file that has one.
     *
     * @throws SceneFileException if it is no such header, damaged, or of another origin
     */
    static FeatureRecords read(Path file, FileChannel channel, String key, int images)
            throws IOException {
        ByteBuffer bytes = allocate(HEADER);
        if (!readFully(channel, bytes, 0)) {
            throw new SceneFileException(file, "the file became shorter", null);
        }
        byte[] magic = new byte[MAGIC.length];
        bytes.get(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new SceneFileException(file, "not a feature cache", null);
        }
        int patches = bytes.getInt();
        int featureDim = bytes.getInt();
        int stored = bytes.getInt();
        byte[] hash = new byte[KEY];
        bytes.get(hash);
        String itsKey = HexFormat.of().formatHex(hash);
        FeatureRecords records = new FeatureRecords(file, patches, featureDim, stored, itsKey);
        if (!records.header().equals(bytes.duplicate().rewind())) {
            throw new SceneFileException(
                    file, "the header is damaged; delete the file to make it anew", null);
        }
        if (!records.isPossible()) {
            throw new SceneFileException(
                    file, "the header is damaged; delete the file to make it anew", null);
        }
        if (!itsKey.equals(key) || stored != images) {
            throw new SceneFileException(
                    file, "these features were made by another extractor or of other images", null);
        }
        return records;
    }

    /** Whether there are features, and not more than a record may have. */
    boolean isPossible() {
        return patches > 0
                && featureDim > 0
                && images > 0
                && (long) patches * featureDim <= (MOST_BYTES - CHECKSUM) / Float.BYTES;
    }

    /** How many bytes a record has. */
    int length() {
        return Math.addExact(
                Math.multiplyExact(Math.multiplyExact(patches, featureDim), Float.BYTES), CHECKSUM);
    }

    /** How many bytes the numbers of a record have. */
    int payload() {
        return length() - CHECKSUM;
    }

    long position(long record) {
        return HEADER + record * length();
    }

    /** How many whole records a file of some size has room for. */
    int fitting(long size) {
        return (int) Math.min(images, Math.max(0, size - HEADER) / length());
    }

    /** The checksum of a record's numbers, which lie between position and limit. */
    static int checksum(int record, ByteBuffer numbers) {
        CRC32C checksum = new CRC32C();
        for (int shift = 0; shift < Integer.SIZE; shift += Byte.SIZE) {
            checksum.update(record >>> shift);
        }
        checksum.update(numbers.duplicate());
        return (int) checksum.getValue();
    }

    /** Whether a record's bytes are what was written. */
    boolean isWhole(int record, ByteBuffer bytes) {
        ByteBuffer numbers = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int written = numbers.getInt(numbers.position() + payload());
        numbers.limit(numbers.position() + payload());
        return written == checksum(record, numbers);
    }

    boolean isWhole(int record, FileChannel channel) throws IOException {
        ByteBuffer bytes = allocate(length());
        return readFully(channel, record, bytes) && isWhole(record, bytes);
    }

    /** Reads the bytes of a record; false if the file ends before. */
    boolean readFully(FileChannel channel, int record, ByteBuffer bytes) throws IOException {
        return readFully(channel, bytes, position(record));
    }

    private static boolean readFully(FileChannel channel, ByteBuffer bytes, long from)
            throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, from + bytes.position()) < 0) {
                return false;
            }
        }
        bytes.flip();
        return true;
    }
}
