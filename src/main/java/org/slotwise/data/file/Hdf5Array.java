package org.slotwise.data.file;

import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.api.dataset.ContiguousDataset;
import io.jhdf.dataset.DatasetBase;
import io.jhdf.object.datatype.DataType;
import io.jhdf.object.datatype.EnumDataType;
import io.jhdf.object.datatype.FixedPoint;
import io.jhdf.object.datatype.FloatingPoint;
import io.jhdf.object.datatype.OrderedDataType;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/** An array of an HDF5 file, of which one record, that is one index of the first axis, is read. */
final class Hdf5Array {

    /** How many bytes a record or a chunk may have. */
    static final int MOST_BYTES = 1 << 27;

    /** The file that is read, which may be another than the one that users named. */
    private final Path file;

    private final String name;
    private final FileChannel channel;
    private final long userBlock;
    private final DatasetBase array;
    private final @Nullable Hdf5Chunks chunks;
    private final long[] shape;
    private final int elements;
    private final int elementSize;
    private final boolean floating;
    private final boolean signed;
    private final ByteOrder order;

    Hdf5Array(Hdf5Tree tree, String name) throws IOException {
        Hdf5Tree.Found found = tree.find(name);
        file = found.file().path();
        this.name = name;
        channel = found.file().channel();
        userBlock = found.file().hdf().getUserBlockSize();
        array = found.array();
        shape = array.getDimensionsAsLong();
        DataType type = array.getDataType();
        DataType plain = type instanceof EnumDataType e ? e.getBaseType() : type; // h5py's booleans
        elementSize = type.getSize();
        floating =
                plain instanceof FloatingPoint
                        && (elementSize == Float.BYTES || elementSize == Double.BYTES);
        order =
                plain instanceof OrderedDataType ordered
                        ? ordered.getByteOrder()
                        : ByteOrder.LITTLE_ENDIAN;
        boolean whole =
                plain instanceof FixedPoint
                        && (elementSize == 1
                                || elementSize == 2
                                || elementSize == Integer.BYTES
                                || elementSize == Long.BYTES);
        signed = plain instanceof FixedPoint integer && integer.isSigned();
        if (!floating && !whole) {
            throw new SceneFileException(
                    file,
                    "'" + name + "' must hold float32, float64 or integers of up to 64 bits",
                    null);
        }
        long product = 1;
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] < 0) {
                throw new SceneFileException(file, "'" + name + "' has a negative size", null);
            }
            product = i == 0 || product > MOST_BYTES ? product : product * shape[i];
        }
        if (product * elementSize > MOST_BYTES) {
            throw new SceneFileException(
                    file,
                    String.format(
                            Locale.ROOT,
                            "'%s': a record has more than %d bytes, shape %s",
                            name,
                            MOST_BYTES,
                            shapeText()),
                    null);
        }
        elements = (int) product;
        chunks = chunks();
    }

    private @Nullable Hdf5Chunks chunks() throws IOException {
        if (!(array instanceof ChunkedDataset chunked)) {
            return null;
        }
        try {
            boolean deflated = Hdf5Chunks.areDeflated(chunked);
            return new Hdf5Chunks(chunked, shape, elementSize, deflated, MOST_BYTES);
        } catch (IOException e) {
            throw new SceneFileException(file, "'" + name + "': " + e.getMessage(), e);
        }
    }

    String name() {
        return name;
    }

    long[] shape() {
        return shape;
    }

    String shapeText() {
        return Arrays.toString(shape).replace('[', '(').replace(']', ')');
    }

    /** Whether the elements are unsigned bytes as they lie there. */
    boolean isBytes() {
        return elementSize == 1;
    }

    /** The elements of a record, row by row; integers of one byte count as unsigned. */
    Numbers numbers(long record) throws IOException {
        ByteBuffer bytes = record(record);
        int start = bytes.position();
        return i -> number(bytes, start + i * elementSize);
    }

    /** The elements of a record, by their number. */
    interface Numbers {
        double at(int i);
    }

    private double number(ByteBuffer bytes, int at) {
        if (floating) {
            return elementSize == Float.BYTES ? bytes.getFloat(at) : bytes.getDouble(at);
        }
        return switch (elementSize) {
            case 1 -> bytes.get(at) & 0xff;
            case 2 -> signed ? bytes.getShort(at) : bytes.getShort(at) & 0xffff;
            case Integer.BYTES -> signed ? bytes.getInt(at) : bytes.getInt(at) & 0xffffffffL;
            default -> eightBytes(bytes.getLong(at));
        };
    }

    private double eightBytes(long value) {
        return signed || value >= 0 ? value : value + 0x1p64;
    }

    /** The bytes of a record as they lie there. */
    byte[] bytes(long record) throws IOException {
        ByteBuffer bytes = record(record);
        int size = bytes.remaining();
        boolean alone = array instanceof ContiguousDataset && bytes.hasArray();
        if (alone && bytes.arrayOffset() == 0 && bytes.array().length == size) {
            return bytes.array(); // made for this record, not kept by jHDF
        }
        byte[] values = new byte[size];
        bytes.get(values);
        return values;
    }

    private ByteBuffer record(long record) throws IOException {
        try {
            ByteBuffer bytes =
                    array instanceof ContiguousDataset contiguous
                            ? contiguous(contiguous, record)
                            : slice(record);
            if (bytes.remaining() != elements * elementSize) {
                throw new IOException("a chunk has the wrong size");
            }
            return bytes.order(order);
        } catch (EOFException e) {
            throw SceneFileException.inRecord(
                    file, record, "the file is cut short in '" + name + "'", e);
        } catch (IOException | RuntimeException e) { // jHDF reports damage in many ways
            throw SceneFileException.inRecord(
                    file, record, "'" + name + "' cannot be read: " + Hdf5File.reason(e), e);
        } catch (VirtualMachineError e) {
            throw SceneFileException.inRecord(
                    file, record, "'" + name + "' cannot be read: " + Hdf5File.excess(e), e);
        }
    }

    /** Reads in one go. jHDF's own slices take a read for each run along the last axis. */
    private ByteBuffer contiguous(ContiguousDataset contiguous, long record) throws IOException {
        if (contiguous.isEmpty()) {
            throw new IOException("it was never written");
        }
        int size = elements * elementSize;
        long at = userBlock + contiguous.getDataAddress() + record * size;
        if (at < 0 || at > channel.size() - size) {
            throw new EOFException();
        }
        ByteBuffer bytes = ByteBuffer.allocate(size);
        while (bytes.hasRemaining()) {
            int read = channel.read(bytes, at + bytes.position());
            if (read < 0) {
                throw new EOFException();
            }
        }
        return bytes.flip();
    }

    private ByteBuffer slice(long record) throws IOException {
        long[] offset = new long[shape.length];
        offset[0] = record;
        int[] size = new int[shape.length];
        for (int i = 0; i < size.length; i++) {
            size[i] = i == 0 ? 1 : (int) shape[i];
        }
        if (chunks != null) {
            chunks.check(record);
        }
        return array.getSliceDataBuffer(offset, size);
    }

    /** Whether the axes after the first are these; -1 stands for any size. */
    boolean hasRecords(long... axes) {
        if (shape.length != axes.length + 1) {
            return false;
        }
        for (int i = 0; i < axes.length; i++) {
            if (axes[i] != -1 && axes[i] != shape[i + 1]) {
                return false;
            }
        }
        return true;
    }
}
