package org.slotwise.data.file;

import io.jhdf.api.dataset.ChunkedDataset;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** The chunks of an array, before jHDF unpacks them: it does so whatever comes of it. */
final class Hdf5Chunks {

    /** How many times as large as it is deflated data can be, at most. */
    private static final int DEFLATION = 1032;

    private static final int MOST_CHUNKS = 1 << 16;

    private final ChunkedDataset array;
    private final long[] shape;
    private final int[] chunk;
    private final long bytes;
    private final long harmless;
    private final boolean deflated;

    /**
     * Reads how large chunks are.
     *
     * @param elementSize bytes of an element
     * @param deflated whether chunks are compressed by deflation
     * @param most how many bytes a chunk may have
     * @throws IOException if that cannot be, or is more than allowed
     */
    Hdf5Chunks(ChunkedDataset array, long[] shape, int elementSize, boolean deflated, long most)
            throws IOException {
        this.array = array;
        this.shape = shape;
        chunk = array.getChunkDimensions();
        long product = elementSize;
        long inRecord = 1;
        boolean fits = chunk.length == shape.length;
        for (int i = 0; fits && i < chunk.length; i++) {
            fits = chunk[i] > 0;
            if (fits) {
                product = product > most ? product : product * chunk[i];
                long along = i == 0 ? 1 : (shape[i] + chunk[i] - 1) / chunk[i];
                inRecord = inRecord > MOST_CHUNKS ? inRecord : inRecord * along;
            }
        }
        if (!fits || product > most || inRecord > MOST_CHUNKS) {
            throw new IOException(
                    "chunks must have the array's axes and at most "
                            + most
                            + " bytes, and a record at most "
                            + MOST_CHUNKS
                            + " of them");
        }
        bytes = product;
        harmless = Math.max(4 * product, most / 2);
        this.deflated = deflated;
    }

    /** Whether chunks are compressed by HDF5's filter "deflate". */
    static boolean areDeflated(ChunkedDataset array) {
        return array.getFilters().stream().anyMatch(filter -> filter.getId() == 1);
    }

    /**
     * Requires all chunks of a record: those that were never written would read as zeros, and of
     * those that were, to be no larger than they must be.
     */
    void check(long record) throws IOException {
        int[] at = new int[chunk.length];
        at[0] = Math.toIntExact(record / chunk[0] * chunk[0]);
        for (int axis = at.length; axis > 0; ) {
            check(array.getRawChunkBuffer(at));
            for (axis = at.length - 1; axis > 0; axis--) {
                at[axis] += chunk[axis];
                if (at[axis] < shape[axis]) {
                    break;
                }
                at[axis] = 0;
            }
        }
    }

    private void check(ByteBuffer raw) throws IOException {
        if (!deflated || (long) raw.remaining() * DEFLATION <= harmless) {
            return;
        }
        Inflater inflater = new Inflater();
        byte[] buffer = new byte[1 << 13];
        try {
            inflater.setInput(raw.duplicate());
            long size = 0;
            for (int read = 1; read > 0; size += read) {
                if (size > bytes) {
                    throw new IOException("a chunk is larger than it must be");
                }
                read = inflater.inflate(buffer);
            }
        } catch (DataFormatException e) {
            throw new IOException("damaged compressed data", e);
        } finally {
            inflater.end();
        }
    }
}
