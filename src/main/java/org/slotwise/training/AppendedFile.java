package org.slotwise.training;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that grows by whole records: each is written in one go, and what is left of one that could
 * not be written is cut off again.
 */
final class AppendedFile implements AutoCloseable {

    private final Path path;
    private final FileChannel channel;

    /** Opens a file at its end; with CREATE_NEW one that must not be there yet. */
    AppendedFile(Path path, OpenOption... more) throws IOException {
        this.path = path;
        OpenOption[] options = new OpenOption[more.length + 1];
        options[0] = StandardOpenOption.WRITE;
        System.arraycopy(more, 0, options, 1, more.length);
        try {
            channel = FileChannel.open(path.toAbsolutePath(), options);
            channel.position(channel.size());
        } catch (IOException e) {
            throw failed(e);
        }
    }

    void append(byte[] record) throws IOException {
        long before = -1;
        try {
            before = channel.position();
            ByteBuffer buffer = ByteBuffer.wrap(record);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        } catch (IOException e) {
            if (before >= 0 && channel.isOpen()) {
                channel.truncate(before);
            }
            throw failed(e);
        }
    }

    private IOException failed(IOException e) {
        return new IOException(
                "cannot write "
                        + path
                        + ": "
                        + e.getMessage()
                        + (" (" + e.getClass().getSimpleName() + ")"),
                e);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
