package org.slotwise.examples.shared;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * A file that grows by whole lines, perhaps of several processes. What a process wrote of a line
 * before it was killed is no line: it is not read, and the next line takes its place.
 *
 * @param path where it is
 */
public record LineFile(Path path) {

    /**
     * Reads the lines.
     *
     * @return the text, up to the end of the last whole line
     * @throws IOException if it cannot be read, with a message for the user
     */
    public String read() throws IOException {
        try {
            String text = Files.readString(path);
            return text.substring(0, text.lastIndexOf('\n') + 1);
        } catch (IOException e) {
            throw FileTrouble.reading(path, e);
        }
    }

    /**
     * Adds lines, all of them or none.
     *
     * @param header what is written before them if the file is new or empty
     * @param lines text that ends with a line break
     * @throws IOException if it cannot be written, with a message for the user
     */
    @SuppressWarnings("try") // the lock works by being held
    public void append(String header, String lines) throws IOException {
        try {
            Path target = WholeFile.target(path);
            if (WholeFile.isSpecial(target)) {
                Files.writeString(target, lines, StandardOpenOption.APPEND);
                return;
            }
            try (FileChannel channel =
                            FileChannel.open(
                                    target,
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.READ,
                                    StandardOpenOption.WRITE);
                    FileLock lock = lock(channel)) {
                append(channel, header, lines);
            }
        } catch (IOException e) {
            throw FileTrouble.writing(path, e);
        }
    }

    /** Not every file system has locks; where there are none, one process writes at a time. */
    private static @Nullable FileLock lock(FileChannel channel) {
        try {
            return channel.lock();
        } catch (IOException e) {
            return null;
        }
    }

    private static void append(FileChannel channel, String header, String lines)
            throws IOException {
        long end = endOfLines(channel);
        channel.truncate(end);
        String text = end == 0 ? header + lines : lines;
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        channel.position(end);
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            channel.truncate(end);
            throw e;
        }
    }

    /** Just after the last line break. */
    private static long endOfLines(FileChannel channel) throws IOException {
        ByteBuffer one = ByteBuffer.allocate(1);
        for (long at = channel.size(); at > 0; at--) {
            one.clear();
            if (channel.read(one, at - 1) == 1 && one.get(0) == '\n') {
                return at;
            }
        }
        return 0;
    }
}
