package org.slotwise.weights;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A zip archive by its table of contents, which is at its end. The table's size is checked before
 * it is read, names may come once, and checksums are compared.
 */
final class ZipArchive implements AutoCloseable {

    /** A table of a hundred thousand arrays takes a third of it. */
    private static final long MAX_TABLE = 1 << 25;

    private static final int MAX_ENTRIES = 200_000;

    /** Of the record at the end, before its comment, which is as long as a short can say. */
    private static final int END_RECORD = 22;

    private static final int END_SIGNATURE = 0x06054b50;
    private static final int LARGE_LOCATOR = 20;
    private static final int LARGE_LOCATOR_SIGNATURE = 0x07064b50;
    private static final int LARGE_RECORD = 56;
    private static final int LARGE_RECORD_SIGNATURE = 0x06064b50;
    private static final int TABLE_ROW = 46;

    private final ZipFile zip;
    private final Map<String, ZipEntry> entries = new LinkedHashMap<>();

    private ZipArchive(ZipFile zip) {
        this.zip = zip;
    }

    /**
     * Opens an archive.
     *
     * @throws IOException if it is damaged, or its table of contents is too large
     */
    static ZipArchive open(Path file) throws IOException {
        long listed = checkTable(file);
        ZipFile zip;
        try {
            zip = new ZipFile(file.toFile());
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IOException("a malformed zip archive: " + e.getMessage(), e);
        }
        ZipArchive archive = new ZipArchive(zip);
        boolean done = false;
        try {
            archive.list(listed);
            done = true;
            return archive;
        } catch (IllegalArgumentException e) {
            throw new IOException("a malformed zip archive: " + e.getMessage(), e);
        } finally {
            if (!done) {
                zip.close();
            }
        }
    }

    private void list(long listed) throws IOException {
        for (ZipEntry entry : Collections.list(zip.entries())) {
            if (entries.put(entry.getName(), entry) != null) {
                throw new IOException(entry.getName() + " comes twice");
            }
        }
        // Those that write more entries than a short can count write the rest of the division.
        if (listed != entries.size() && listed != (entries.size() & 0xffff)) {
            throw new IOException(
                    "a damaged zip archive: it lists "
                            + listed
                            + " entries and holds "
                            + entries.size());
        }
    }

    /** How many entries the record at the end speaks of. */
    private static long checkTable(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            long size = channel.size();
            int length = (int) Math.min(size, END_RECORD + 0xffffL);
            ByteBuffer end = read(channel, size - length, length);
            int at = length - END_RECORD;
            while (at >= 0 && end.getInt(at) != END_SIGNATURE) {
                at--;
            }
            // What was cut off, or goes on, ends elsewhere than the record says.
            if (at < 0 || (end.getShort(at + 20) & 0xffff) != length - at - END_RECORD) {
                throw new IOException("a zip archive that is cut off or damaged at its end");
            }
            long count = end.getShort(at + 10) & 0xffff;
            long table = end.getInt(at + 12) & 0xffffffffL;
            if (at >= LARGE_LOCATOR && end.getInt(at - LARGE_LOCATOR) == LARGE_LOCATOR_SIGNATURE) {
                long large = end.getLong(at - LARGE_LOCATOR + 8);
                if (large < 0 || large > size - LARGE_RECORD) {
                    throw new IOException("a zip archive that is damaged at its end");
                }
                ByteBuffer record = read(channel, large, LARGE_RECORD);
                if (record.getInt(0) != LARGE_RECORD_SIGNATURE) {
                    throw new IOException("a zip archive that is damaged at its end");
                }
                count = record.getLong(32);
                table = record.getLong(40);
            }
            if (table < 0 || table > MAX_TABLE || count < 0 || count > MAX_ENTRIES) {
                throw new IOException(
                        "a zip archive of "
                                + count
                                + " entries, whose table of contents takes "
                                + table
                                + " bytes; at most "
                                + MAX_ENTRIES
                                + " and "
                                + MAX_TABLE
                                + " are read");
            }
            if (table > size || count * TABLE_ROW > table) {
                throw new IOException("a zip archive that is damaged at its end");
            }
            return count;
        }
    }

    private static ByteBuffer read(FileChannel channel, long from, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, from + bytes.position()) < 0) {
                throw new IOException("a zip archive that is cut off");
            }
        }
        return bytes.flip();
    }

    /** The entries by their names, in the order of the table. */
    Map<String, ZipEntry> entries() {
        return Collections.unmodifiableMap(entries);
    }

    /**
     * The bytes of an entry, which end in an error if their checksum is another.
     *
     * @param zeroIsNone whether a checksum of 0 says that there is none
     */
    InputStream open(ZipEntry entry, boolean zeroIsNone) throws IOException {
        InputStream in = zip.getInputStream(entry);
        if (in == null) {
            throw new IOException(entry.getName() + " is missing");
        }
        return zeroIsNone && entry.getCrc() == 0 ? in : new Checked(in, entry);
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }

    private static final class Checked extends FilterInputStream {
        private final CRC32 sum = new CRC32();
        private final ZipEntry entry;

        Checked(InputStream in, ZipEntry entry) {
            super(in);
            this.entry = entry;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = super.read(bytes, offset, length);
            if (count > 0) {
                sum.update(bytes, offset, count);
            } else if (count < 0 && sum.getValue() != entry.getCrc()) {
                throw new IOException(entry.getName() + " is damaged: its checksum differs");
            }
            return count;
        }

        @Override
        public long skip(long count) throws IOException {
            throw new IOException("what is checked cannot be passed over");
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
