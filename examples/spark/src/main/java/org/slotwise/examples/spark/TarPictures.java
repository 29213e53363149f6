package org.slotwise.examples.spark;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.TaskCompletionListener;

/**
 * The pictures of a WebDataset shard, one in memory at a time, as rows of {@link EncodedPictures}.
 *
 * <p>A picture is a file whose name has, after its first dot, the ending of one: {@code 0001.jpg},
 * not {@code 0001.mask.png}. Where the archive is damaged or cut short, its last row is one with
 * the error: nothing behind it can be found.
 */
final class TarPictures implements Iterator<Row> {

    private static final Set<String> PICTURES = Set.of("png", "jpg", "jpeg", "bmp", "gif");
    private static final int BUFFER = 1 << 16;
    private static final int MOST_BYTES = 1 << 28;

    private final String shard;
    private final InputStream source;
    private InputStream content;
    private Archive tar;
    private int pictures;
    private Row next;
    private boolean over;

    /** An archive that knows whether it was closed by whoever wrote it. */
    private static final class Archive extends TarArchiveInputStream {
        private boolean ended;

        Archive(InputStream in) {
            super(in, StandardCharsets.UTF_8.name());
        }

        @Override
        protected boolean isEOFRecord(byte[] record) {
            ended = record != null && super.isEOFRecord(record);
            return record == null || ended;
        }
    }

    /** Takes over the stream, which is closed at its end or at that of the task. */
    TarPictures(String shard, InputStream source) {
        this.shard = shard;
        this.source = source;
        if (TaskContext.get() != null) {
            TaskContext.get().addTaskCompletionListener((TaskCompletionListener) task -> close());
        }
    }

    static boolean isShard(String path) {
        String name = path.toLowerCase(Locale.ROOT);
        return name.endsWith(".tar") || name.endsWith(".tar.gz") || name.endsWith(".tgz");
    }

    @Override
    public boolean hasNext() {
        if (next == null && !over) {
            try {
                next = read();
            } catch (IOException | RuntimeException e) {
                over = true;
                String where = "damaged or cut short after " + pictures + " pictures: ";
                next = RowFactory.create(shard, null, where + e.getMessage());
            }
            if (over) {
                close();
            }
        }
        return next != null;
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        Row row = next;
        next = null;
        return row;
    }

    /** The next picture; null at the end. */
    private Row read() throws IOException {
        if (tar == null) {
            content = unpacked();
            tar = new Archive(content);
        }
        for (TarArchiveEntry entry = tar.getNextEntry(); ; entry = tar.getNextEntry()) {
            if (entry == null) {
                if (!tar.ended) {
                    throw new EOFException("the mark of its end is missing");
                }
                content.transferTo(OutputStream.nullOutputStream()); // to GZIP's checksum
                over = true;
                return null;
            }
            if (!entry.isCheckSumOK()) {
                throw new IOException("the checksum of a header does not fit");
            }
            if (entry.isFile() && isPicture(entry.getName())) {
                pictures++;
                return row(entry);
            }
        }
    }

    private InputStream unpacked() throws IOException {
        InputStream raw = new BufferedInputStream(source, BUFFER);
        raw.mark(2);
        byte[] start = raw.readNBytes(2);
        raw.reset();
        boolean gzip = start.length == 2 && start[0] == 0x1f && start[1] == (byte) 0x8b;
        return gzip ? new GZIPInputStream(raw, BUFFER) : raw;
    }

    private static boolean isPicture(String path) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        int dot = name.indexOf('.');
        return dot > 0 && PICTURES.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT));
    }

    private Row row(TarArchiveEntry entry) throws IOException {
        String path = shard + "#" + entry.getName();
        long size = entry.getRealSize();
        if (size > MOST_BYTES) {
            return RowFactory.create(path, null, size + " bytes are more than " + MOST_BYTES);
        }
        byte[] bytes = tar.readNBytes((int) size);
        if (bytes.length != size) {
            throw new EOFException(
                    entry.getName() + " has " + bytes.length + " of " + size + " bytes");
        }
        return RowFactory.create(path, bytes, null);
    }

    private void close() {
        try {
            source.close();
        } catch (IOException e) {
            // All that was wanted of it has been read.
            over = true;
        }
    }
}
