package org.slotwise.data.file;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * The bytes of a picture for a decoder. Some go on behind the end as if there were zeros, for as
 * many pixels as the file declares: here they hear of it.
 */
final class PictureBytes extends MemoryCacheImageInputStream {

    /** Decoders may look ahead a little, and read the last bytes again and again. */
    private static final int PATIENCE = 256;

    private int ends;

    PictureBytes(byte[] bytes) {
        super(new ByteArrayInputStream(bytes));
    }

    @Override
    public int read() throws IOException {
        int value = super.read();
        if (value < 0) {
            end();
        }
        return value;
    }

    @Override
    public int read(byte[] to, int at, int length) throws IOException {
        int read = super.read(to, at, length);
        if (read < 0) {
            end();
        }
        return read;
    }

    private void end() throws IOException {
        if (++ends > PATIENCE) {
            throw new IOException(
                    "it is cut short or damaged: there is more to read than there is");
        }
    }
}
