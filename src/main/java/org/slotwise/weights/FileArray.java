package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * What the file formats share: arrays made of bytes, in memory of the engine's own. Java's memory
 * holds a few thousand bytes at a time, whatever size an array has.
 */
final class FileArray {

    /** DJL's buffers go no further. */
    static final long MAX_BYTES = Integer.MAX_VALUE - 8;

    /** Each takes some Java memory, however small it is. */
    static final int MAX_ARRAYS = 200_000;

    /** How many bytes are read and decoded at a time; a multiple of each element's size. */
    private static final int CHUNK = 1 << 16;

    /** The engine's limit. */
    private static final int MAX_AXES = 64;

    /**
     * The types that both the engine and the formats have. The engine ends the process on others.
     */
    static final Set<DataType> TYPES =
            Set.of(
                    DataType.FLOAT64,
                    DataType.FLOAT32,
                    DataType.FLOAT16,
                    DataType.INT64,
                    DataType.INT32,
                    DataType.INT8,
                    DataType.UINT8,
                    DataType.BOOLEAN);

    private FileArray() {}

    /**
     * The size of an array in bytes.
     *
     * @throws IOException if a size is below 0, or the array is larger than 2 GiB
     */
    static int bytes(String name, Shape shape, int elementBytes) throws IOException {
        long bytes = elementBytes;
        boolean empty = false;
        if (shape.dimension() > MAX_AXES) {
            throw new IOException(name + " is said to have " + shape.dimension() + " axes");
        }
        for (long size : shape.getShape()) {
            // Sizes beside a 0 count too: the engine multiplies them.
            if (size < 0 || size > MAX_BYTES || bytes * Math.max(size, 1) > MAX_BYTES) {
                throw new IOException(name + " is said to have the shape " + shape);
            }
            bytes *= Math.max(size, 1);
            empty |= size == 0;
        }
        return empty ? 0 : (int) bytes;
    }

    /**
     * Reads few bytes.
     *
     * @throws IOException if there are fewer
     */
    static byte[] read(InputStream in, int count, String what) throws IOException {
        byte[] bytes = in.readNBytes(count);
        if (bytes.length < count) {
            throw cutOff(what, bytes.length, count);
        }
        return bytes;
    }

    private static IOException cutOff(String what, long got, long count) {
        return new IOException("cut off in " + what + ": " + got + " of " + count + " bytes");
    }

    /**
     * Reads an array.
     *
     * @param in its elements in row-major order; known to have room for them
     * @param shape of at most 2 GiB
     * @throws IOException if there are fewer, or it would take more than 2 GiB
     */
    static NDArray read(
            NDManager host, InputStream in, String name, Shape shape, ElementFormat elements)
            throws IOException {
        long count = bytes(name, shape, elements.bytes());
        NDArray array = empty(host, name, shape, elements.type());
        if (count > 0) {
            ByteBuffer memory = array.toByteBuffer(true); // the array's own
            byte[] chunk = new byte[(int) Math.min(CHUNK, count)];
            for (long done = 0; done < count; done += chunk.length) {
                int next = (int) Math.min(chunk.length, count - done);
                int got = in.readNBytes(chunk, 0, next);
                if (got < next) {
                    throw cutOff(name, done + got, count);
                }
                elements.decode(chunk, next, memory);
            }
        }
        return array;
    }

    /**
     * An array whose values are not set yet.
     *
     * @throws IOException if it would take more than 2 GiB
     */
    static NDArray empty(NDManager host, String name, Shape shape, DataType type)
            throws IOException {
        if (shape.size() > MAX_BYTES / type.getNumOfBytes()) {
            throw new IOException(
                    name + ", " + shape + ", takes more than 2 GiB as " + type.name());
        }
        return host.create(shape, type);
    }
}
