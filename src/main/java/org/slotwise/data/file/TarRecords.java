package org.slotwise.data.file;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * The records of a tar archive as WebDataset has them, one after the other: files whose paths are
 * the same up to the first dot of the name lie side by side.
 */
final class TarRecords implements Closeable {

    private static final int BUFFER = 1 << 16;
    private static final int RECORD = 512;

    private final Path shard;
    private final Predicate<String> wanted;
    private final long mostBytes;
    private final InputStream source;
    private final Archive tar;

    /** Of the keys only this much is kept: two that differ are not taken for one. */
    private final Set<UUID> seen = new HashSet<>();

    private long record = -1;
    private @Nullable TarArchiveEntry following;

    /**
     * What belongs together.
     *
     * @param number its number in the shard
     * @param key the path up to the first dot of the name
     * @param files the files that were wanted, by their endings
     * @param others other endings that there were
     */
    record Sample(long number, String key, Map<String, byte[]> files, Set<String> others) {}

    /** An archive that knows whether it was closed by whoever wrote it. */
    private static final class Archive extends TarArchiveInputStream {
        private boolean ended;

        Archive(InputStream in) {
            // Blocks of one record: what follows the end of larger ones would be skipped unseen.
            super(in, RECORD, RECORD, StandardCharsets.UTF_8.name());
        }

        @Override
        protected boolean isEOFRecord(byte @Nullable [] record) {
            ended = record != null && super.isEOFRecord(record);
            return record == null || ended;
        }
    }

    /**
     * Opens a shard, in GZIP or not.
     *
     * @param wanted which endings are read, in small letters and without the first dot
     * @param mostBytes how many bytes a file may have
     */
    TarRecords(Path shard, Predicate<String> wanted, long mostBytes) throws IOException {
        InputFile.require(shard);
        this.shard = shard;
        this.wanted = wanted;
        this.mostBytes = Math.min(mostBytes, Integer.MAX_VALUE - 16);
        InputStream raw = new BufferedInputStream(Files.newInputStream(shard), BUFFER);
        try {
            raw.mark(2);
            byte[] start = raw.readNBytes(2);
            raw.reset();
            if (start.length == 0) {
                throw new SceneFileException(shard, "the file is empty", null);
            }
            boolean gzip = start.length == 2 && start[0] == 0x1f && start[1] == (byte) 0x8b;
            source = gzip ? new GZIPInputStream(raw, BUFFER) : raw;
            tar = new Archive(source);
            following = entry();
        } catch (SceneFileException | RuntimeException e) {
            raw.close();
            throw e;
        } catch (IOException e) {
            raw.close();
            throw new SceneFileException(shard, "damaged at its start: " + e.getMessage(), e);
        }
    }

    /**
     * The next record; null at the end of the shard.
     *
     * @throws SceneFileException if it is damaged or cut short, or was there before
     */
    @Nullable Sample next() throws IOException {
        TarArchiveEntry entry = following;
        if (entry == null) {
            return null;
        }
        record++;
        String key = key(entry.getName());
        if (!seen.add(UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8)))) {
            throw at(key).wrong("there is another record of this name in the shard", null);
        }
        Map<String, byte[]> files = new TreeMap<>();
        Set<String> others = new TreeSet<>();
        for (; entry != null && key(entry.getName()).equals(key); entry = entry()) {
            String ending = ending(entry.getName());
            if (!wanted.test(ending)) {
                others.add(ending);
            } else if (files.put(ending, content(entry, at(key + "." + ending))) != null) {
                throw at(key + "." + ending).wrong("this file is there twice", null);
            }
        }
        following = entry;
        return new Sample(record, key, files, others);
    }

    private Place at(String part) {
        return new Place(shard, record, part);
    }

    private byte[] content(TarArchiveEntry entry, Place place) throws IOException {
        if (!entry.isFile() || entry.isLink() || entry.isSymbolicLink()) {
            throw place.wrong("not a file but a link, a pipe or a device", null);
        }
        long size = entry.getRealSize();
        if (size > mostBytes) {
            throw place.wrong("it has " + size + " bytes, more than " + mostBytes, null);
        }
        try {
            byte[] bytes = tar.readNBytes((int) mostBytes);
            if (bytes.length != size) {
                throw new EOFException(bytes.length + " of " + size + " bytes");
            }
            return bytes;
        } catch (IOException | RuntimeException e) {
            throw place.wrong("the shard is damaged or cut short: " + e.getMessage(), e);
        } catch (StackOverflowError e) { // Java goes deeper with each part of a GZIP file
            throw place.wrong("damaged GZIP: too many empty parts", e);
        }
    }

    /** The next file that belongs to a record; null at the end. */
    private @Nullable TarArchiveEntry entry() throws IOException {
        try {
            TarArchiveEntry entry = tar.getNextEntry();
            while (entry != null && !belongs(entry)) {
                entry = tar.getNextEntry();
            }
            if (entry == null) {
                if (!tar.ended) {
                    throw new EOFException("the mark of its end is missing");
                }
                requireNothingMore();
            }
            return entry;
        } catch (SceneFileException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            String what = "the shard is damaged or cut short: " + e.getMessage();
            throw record < 0
                    ? new SceneFileException(shard, what, e)
                    : new SceneFileException(shard, what + ", after record " + record, e);
        } catch (StackOverflowError e) {
            throw new SceneFileException(shard, "damaged GZIP: too many empty parts", e);
        } catch (OutOfMemoryError e) { // at a name as long as the file says
            throw new SceneFileException(shard, "a header is larger than the memory is", e);
        }
    }

    /** Also reads to where GZIP has its checksum. */
    private void requireNothingMore() throws IOException {
        byte[] buffer = new byte[1 << 13];
        for (int read = source.read(buffer); read >= 0; read = source.read(buffer)) {
            for (int i = 0; i < read; i++) {
                if (buffer[i] != 0) {
                    throw new IOException("something follows behind its end");
                }
            }
        }
    }

    private boolean belongs(TarArchiveEntry entry) throws SceneFileException {
        if (!entry.isCheckSumOK()) {
            throw new SceneFileException(
                    shard,
                    "no tar archive, or damaged: the checksum of a header does not fit"
                            + (record < 0 ? "" : ", after record " + record),
                    null);
        }
        String name = entry.getName();
        String last = name.substring(name.lastIndexOf('/') + 1);
        return !entry.isDirectory() && last.indexOf('.') > 0 && !name.contains("__MACOSX/");
    }

    private static String key(String path) {
        return path.substring(0, path.indexOf('.', path.lastIndexOf('/') + 1));
    }

    private static String ending(String path) {
        return path.substring(key(path).length() + 1).toLowerCase(Locale.ROOT);
    }

    @Override
    public void close() throws IOException {
        tar.close();
    }
}
