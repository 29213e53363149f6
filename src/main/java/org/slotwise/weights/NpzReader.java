package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import org.slotwise.internal.Ops;

/**
 * Reads numpy's npz format: a zip archive of .npy files.
 *
 * <p>DJL has a decoder too, which takes C order only, reads big-endian numbers as little-endian,
 * ends the process on 16-bit integers, drops names that begin with "arr_", and takes an archive
 * that was cut off between two arrays for whole.
 */
final class NpzReader {

    private static final String SUFFIX = ".npy";
    private static final int MAX_HEADER = 1 << 16;
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    /** What a small archive may become, and how many times its own size a large one. */
    private static final long SMALL = 1 << 26;

    private static final int EXPANSION = 32;

    private static final Pattern DESCR =
            Pattern.compile("['\"]descr['\"]: *['\"]([<>=|]?)([^'\"]*)['\"]");
    private static final Pattern FORTRAN =
            Pattern.compile("['\"]fortran_order['\"]: *(True|False)");

    /** Python 2 wrote sizes as 2L. */
    private static final Pattern SHAPE = Pattern.compile("['\"]shape['\"]: *\\(([0-9L, ]*)\\)");

    private static final Map<String, DataType> TYPES =
            Map.of(
                    "f8", DataType.FLOAT64,
                    "f4", DataType.FLOAT32,
                    "f2", DataType.FLOAT16,
                    "i8", DataType.INT64,
                    "i4", DataType.INT32,
                    "i1", DataType.INT8,
                    "u1", DataType.UINT8,
                    "b1", DataType.BOOLEAN);

    private NpzReader() {}

    /** Whether an archive has arrays of numpy's. */
    static boolean reads(ZipArchive zip) {
        return zip.entries().keySet().stream().anyMatch(name -> name.endsWith(SUFFIX));
    }

    static Map<String, NDArray> read(
            NDManager host, ZipArchive zip, long fileBytes, ReadOptions options)
            throws IOException {
        long budget = SMALL + EXPANSION * fileBytes;
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        for (ZipEntry entry : zip.entries().values()) {
            String file = entry.getName();
            // Tools that pack an archive anew add folders; macOS adds files about files.
            if (entry.isDirectory() || file.startsWith("__MACOSX/")) {
                continue;
            }
            boolean isArray = file.endsWith(SUFFIX);
            String name = isArray ? file.substring(0, file.length() - SUFFIX.length()) : file;
            if (!options.wants(name)) {
                continue;
            }
            if (!isArray) {
                throw new IOException(file + " is not an array");
            }
            budget -= entry.getSize();
            if (budget < 0) {
                throw new IOException(
                        name
                                + " unpacks to "
                                + entry.getSize()
                                + " bytes; all arrays of an archive of "
                                + fileBytes
                                + " bytes may take "
                                + (SMALL + EXPANSION * fileBytes));
            }
            try (InputStream in = zip.open(entry, false)) {
                arrays.put(name, array(host, name, in, entry.getSize()));
            }
        }
        return arrays;
    }

    private static NDArray array(NDManager host, String name, InputStream in, long entryBytes)
            throws IOException {
        byte[] magic = FileArray.read(in, MAGIC.length + 2, name);
        int version = magic[MAGIC.length];
        if (!Arrays.equals(MAGIC, Arrays.copyOf(magic, MAGIC.length))
                || version < 1
                || version > 3) {
            throw new IOException(name + " is not in the npy format");
        }
        int lengthBytes = version == 1 ? Short.BYTES : Integer.BYTES;
        byte[] length = Arrays.copyOf(FileArray.read(in, lengthBytes, name), Integer.BYTES);
        int headerBytes = ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (headerBytes < 0 || headerBytes > MAX_HEADER) {
            throw new IOException(name + " has a malformed header");
        }
        String header = new String(FileArray.read(in, headerBytes, name), StandardCharsets.UTF_8);
        Matcher descr = DESCR.matcher(header);
        Matcher fortran = FORTRAN.matcher(header);
        Matcher sizes = SHAPE.matcher(header);
        if (!descr.find() || !fortran.find() || !sizes.find()) {
            throw new IOException(name + " is not a plain array: " + header.strip());
        }
        DataType type = TYPES.get(descr.group(2));
        if (type == null) {
            throw new IOException(
                    name
                            + " is of type "
                            + descr.group(1)
                            + descr.group(2)
                            + ", which is not supported");
        }
        Shape shape = shape(name, sizes.group(1));
        ElementFormat elements = new ElementFormat(type, ">".equals(descr.group(1)), false);
        long before = 0L + MAGIC.length + 2 + lengthBytes + headerBytes;
        long bytes = FileArray.bytes(name, shape, elements.bytes());
        if (before + bytes > entryBytes) {
            throw new IOException(
                    "cut off in "
                            + name
                            + ": "
                            + (entryBytes - before)
                            + " of "
                            + bytes
                            + " bytes");
        }
        NDArray array =
                "True".equals(fortran.group(1))
                        ? transposed(host, in, name, shape, elements)
                        : FileArray.read(host, in, name, shape, elements);
        if (in.read() != -1) {
            throw new IOException(name + " has bytes after its last element");
        }
        return array;
    }

    private static Shape shape(String name, String text) throws IOException {
        try {
            return new Shape(
                    Arrays.stream(text.split(","))
                            .map(String::strip)
                            .filter(size -> !size.isEmpty())
                            .map(size -> size.endsWith("L") ? size.replaceFirst("L$", "") : size)
                            .mapToLong(Long::parseLong)
                            .toArray());
        } catch (NumberFormatException e) {
            throw new IOException(name + " is said to have the shape (" + text + ")", e);
        }
    }

    /** An array whose elements come in Fortran order: that of its transpose in C order. */
    private static NDArray transposed(
            NDManager host, InputStream in, String name, Shape shape, ElementFormat elements)
            throws IOException {
        int axes = shape.dimension();
        long[] reversed = new long[axes];
        for (int i = 0; i < axes; i++) {
            reversed[i] = shape.get(axes - 1 - i);
        }
        try (NDArray read = FileArray.read(host, in, name, new Shape(reversed), elements);
                NDArray view = read.transpose()) {
            NDArray array = host.create(shape, elements.type());
            Ops.overwrite(array, view);
            return array;
        }
    }
}
