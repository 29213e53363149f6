package org.slotwise.data.file;

import io.jhdf.HdfFile;
import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.dataset.ChunkedDataset;
import io.jhdf.api.dataset.ContiguousDataset;
import io.jhdf.dataset.DatasetBase;
import io.jhdf.exceptions.HdfInvalidPathException;
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
import java.util.Set;
import java.util.TreeSet;
import org.slotwise.data.SceneFileException;

/** An array of an HDF5 file, of which one record, that is one index of the first axis, is read. */
final class Hdf5Array {

    private final Path file;
    private final String name;
    private final FileChannel channel;
    private final long userBlock;
    private final DatasetBase array;
    private final long[] shape;
    private final int elements;
    private final int elementSize;
    private final boolean floating;
    private final boolean signed;
    private final ByteOrder order;

    Hdf5Array(Path file, HdfFile hdf, FileChannel channel, String name) throws IOException {
        this.file = file;
        this.name = name;
        this.channel = channel;
        userBlock = hdf.getUserBlockSize();
        array = find(file, hdf, name);
        shape = array.getDimensionsAsLong();
        long product = 1;
        for (int i = 1; i < shape.length; i++) {
            product = product > Integer.MAX_VALUE ? product : product * shape[i];
        }
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
                        && (elementSize == 1 || elementSize == 2 || elementSize == Integer.BYTES);
        signed = plain instanceof FixedPoint integer && integer.isSigned();
        if (!floating && !whole) {
            throw new SceneFileException(
                    file,
                    "'" + name + "' must hold float32, float64 or integers of up to 32 bits",
                    null);
        }
        if (product * elementSize > Integer.MAX_VALUE) {
            throw new SceneFileException(
                    file,
                    "'" + name + "': a record has too many bytes, shape " + shapeText(),
                    null);
        }
        elements = (int) product;
    }

    private static DatasetBase find(Path file, HdfFile hdf, String name) throws IOException {
        Node found;
        try {
            found = hdf.getByPath(name);
        } catch (HdfInvalidPathException e) {
            Set<String> names = new TreeSet<>();
            collect(hdf, names);
            throw new SceneFileException(
                    file, "there is no array '" + name + "', only " + names, e);
        }
        if (found instanceof DatasetBase array) {
            return array;
        }
        throw new SceneFileException(file, "'" + name + "' is not an array", null);
    }

    private static void collect(Group group, Set<String> names) {
        for (Node node : group) {
            if (node instanceof Group inner) {
                collect(inner, names);
            } else if (node instanceof Dataset) {
                names.add(node.getPath().substring(1));
            }
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
    double[] numbers(long record) throws IOException {
        ByteBuffer bytes = record(record);
        double[] values = new double[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = number(bytes);
        }
        return values;
    }

    private double number(ByteBuffer bytes) {
        if (floating) {
            return elementSize == Float.BYTES ? bytes.getFloat() : bytes.getDouble();
        }
        return switch (elementSize) {
            case 1 -> bytes.get() & 0xff;
            case 2 -> signed ? bytes.getShort() : bytes.getShort() & 0xffff;
            default -> signed ? bytes.getInt() : bytes.getInt() & 0xffffffffL;
        };
    }

    /** The bytes of a record as they lie there. */
    byte[] bytes(long record) throws IOException {
        byte[] values = new byte[elements * elementSize];
        record(record).get(values);
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
                    file, record, "'" + name + "' cannot be read: " + reason(e), e);
        }
    }

    /** Reads in one go. jHDF's own slices take a read for each run along the last axis. */
    private ByteBuffer contiguous(ContiguousDataset contiguous, long record) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(elements * elementSize);
        if (contiguous.isEmpty()) {
            throw new IOException("it was never written");
        }
        long at = userBlock + contiguous.getDataAddress() + record * bytes.capacity();
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
        if (array instanceof ChunkedDataset chunked) {
            // A chunk that was never written would read as zeros.
            int[] chunk = new int[shape.length];
            int rows = chunked.getChunkDimensions()[0];
            chunk[0] = Math.toIntExact(record / rows * rows);
            chunked.getRawChunkBuffer(chunk);
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

    /** What jHDF found wrong: it says so in the innermost of its exceptions. */
    static String reason(Throwable e) {
        Throwable innermost = e;
        while (innermost.getCause() != null) {
            innermost = innermost.getCause();
        }
        return innermost.getMessage() == null ? innermost.toString() : innermost.getMessage();
    }
}
