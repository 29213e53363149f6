package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipEntry;

/**
 * Reads what {@code torch.save} writes since PyTorch 1.6: a zip archive with a pickle, {@code
 * data.pkl}, and the storages of its tensors, {@code data/0} and so on, which are not compressed.
 * {@link TorchNames} says what is read of it.
 *
 * <p>Memory: one storage at a time beside the tensors, which together may not take more than eight
 * times the file.
 */
final class TorchReader {

    private static final int MAX_PICKLE = 1 << 26;
    private static final int EXPANSION = 8;

    /** What an array takes beside its elements. */
    private static final int OVERHEAD = 512;

    private static final Map<String, DataType> TYPES =
            Map.of(
                    "Double", DataType.FLOAT64,
                    "Float", DataType.FLOAT32,
                    "Half", DataType.FLOAT16,
                    "BFloat16", DataType.BFLOAT16,
                    "Long", DataType.INT64,
                    "Int", DataType.INT32,
                    "Char", DataType.INT8,
                    "Byte", DataType.UINT8,
                    "Bool", DataType.BOOLEAN);

    private final ZipArchive zip;
    private final String prefix;
    private final boolean bigEndian;
    private long budget;

    private TorchReader(ZipArchive zip, String prefix, long fileBytes) throws IOException {
        this.zip = zip;
        this.prefix = prefix;
        budget = EXPANSION * fileBytes + MAX_PICKLE;
        bigEndian = isBigEndian();
    }

    private static boolean isPickle(String name) {
        return name.equals("data.pkl") || name.endsWith("/data.pkl");
    }

    /** Whether an archive is one of PyTorch's. */
    static boolean reads(ZipArchive zip) {
        return zip.entries().keySet().stream().anyMatch(TorchReader::isPickle);
    }

    static Map<String, NDArray> read(
            NDManager host, ZipArchive zip, long fileBytes, ReadOptions options)
            throws IOException {
        List<String> pickles =
                zip.entries().keySet().stream().filter(TorchReader::isPickle).toList();
        if (pickles.size() != 1) {
            throw new IOException("data.pkl comes twice");
        }
        String pickle = pickles.get(0);
        String prefix = pickle.substring(0, pickle.length() - "data.pkl".length());
        if (zip.entries().containsKey(prefix + "constants.pkl")) {
            throw new IOException("a TorchScript archive; in Python: " + TorchRemedy.torchScript());
        }
        TorchReader reader = new TorchReader(zip, prefix, fileBytes);
        Object root = TorchPickle.read(reader.bytes(pickle, MAX_PICKLE));
        return reader.load(host, TorchNames.of(root, options));
    }

    private Map<String, NDArray> load(NDManager host, Map<String, TorchNames.Placed> tensors)
            throws IOException {
        Map<String, List<String>> byStorage = new LinkedHashMap<>();
        tensors.forEach(
                (name, placed) ->
                        byStorage
                                .computeIfAbsent(
                                        placed.tensor().storage().key(), k -> new ArrayList<>())
                                .add(name));
        Map<String, NDArray> arrays = new LinkedHashMap<>(tensors.size());
        for (Map.Entry<String, List<String>> storage : byStorage.entrySet()) {
            String entry = prefix + "data/" + storage.getKey();
            try (NDManager scratch = host.newSubManager()) {
                NDArray stored = storage(scratch, entry);
                for (String name : storage.getValue()) {
                    TorchNames.Placed placed = Objects.requireNonNull(tensors.get(name), name);
                    arrays.put(name, array(host, name, placed, stored));
                }
            }
        }
        Map<String, NDArray> inOrder = new LinkedHashMap<>();
        tensors.keySet().forEach(name -> inOrder.put(name, arrays.get(name)));
        return inOrder;
    }

    /** The bytes of a storage, in memory of the engine's own. */
    private NDArray storage(NDManager scratch, String name) throws IOException {
        ZipEntry entry = entry(name, FileArray.MAX_BYTES);
        try (InputStream in = zip.open(entry, true)) {
            NDArray bytes =
                    FileArray.read(
                            scratch,
                            in,
                            name,
                            new Shape(entry.getSize()),
                            ElementFormat.plain(DataType.UINT8));
            if (in.read() != -1) {
                throw new IOException(name + " has bytes after its end");
            }
            return bytes;
        }
    }

    private NDArray array(NDManager host, String name, TorchNames.Placed placed, NDArray stored)
            throws IOException {
        TorchTensor tensor = placed.tensor();
        ElementFormat elements =
                new ElementFormat(type(name, placed), bigEndian, tensor.isNegated());
        int count = FileArray.bytes(name, tensor.shape(), elements.bytes());
        long elementsStored = stored.size() / elements.bytes();
        String where = "its storage, data/" + tensor.storage().key() + " of ";
        if (tensor.storage().isTyped() && tensor.storage().elements() > elementsStored) {
            throw new IOException(
                    name
                            + " is cut off: "
                            + where
                            + stored.size()
                            + " bytes, is said to have "
                            + tensor.storage().elements()
                            + " elements");
        }
        if (last(name, tensor) >= elementsStored) {
            throw new IOException(name + " reaches beyond " + where + stored.size() + " bytes");
        }
        budget -= count + OVERHEAD;
        if (budget < 0) {
            throw new IOException("the tensors take more than eight times the file");
        }
        NDArray array = FileArray.empty(host, name, tensor.shape(), elements.type());
        if (count > 0) {
            ByteBuffer memory = array.toByteBuffer(true); // the array's own
            tensor.gather(stored.toByteBuffer(true), elements, memory);
        }
        return array;
    }

    private static DataType type(String name, TorchNames.Placed placed) throws IOException {
        String type = placed.tensor().type();
        DataType found = TYPES.get(type);
        if (found == null) {
            throw new IOException(
                    name
                            + " is of type "
                            + type.toLowerCase(Locale.ROOT)
                            + ", which is not supported"
                            + TorchRemedy.ofTensor(placed.path(), plain(type)));
        }
        return found;
    }

    /** What makes a supported type of another. */
    private static String plain(String type) {
        if (type.toLowerCase(Locale.ROOT).startsWith("complex")) {
            return "torch.view_as_real(%s.resolve_conj())";
        }
        return type.matches("Short|u?int[0-9]+") ? "%s.long()" : "%s.float()";
    }

    private static long last(String name, TorchTensor tensor) throws IOException {
        try {
            return tensor.last();
        } catch (ArithmeticException e) {
            throw new IOException(name + " reaches beyond its storage", e);
        }
    }

    private boolean isBigEndian() throws IOException {
        if (!zip.entries().containsKey(prefix + "byteorder")) {
            return false;
        }
        String order = new String(bytes(prefix + "byteorder", 16), StandardCharsets.US_ASCII);
        if (!order.equals("little") && !order.equals("big")) {
            throw new IOException("the byte order is " + order);
        }
        return order.equals("big");
    }

    private ZipEntry entry(String name, long most) throws IOException {
        ZipEntry entry = zip.entries().get(name);
        if (entry == null) {
            throw new IOException(name + " is missing");
        }
        if (entry.getMethod() != ZipEntry.STORED) {
            throw new IOException(name + " is compressed, which PyTorch's are not");
        }
        if (entry.getSize() < 0 || entry.getSize() > most) {
            throw new IOException(name + " has " + entry.getSize() + " bytes, at most " + most);
        }
        if (entry.getSize() != entry.getCompressedSize()) {
            throw new IOException(name + " is damaged: it has two sizes");
        }
        return entry;
    }

    /** An entry's bytes. PyTorch can be told to write no checksums: they are 0 then. */
    private byte[] bytes(String name, long most) throws IOException {
        ZipEntry entry = entry(name, most);
        try (InputStream in = zip.open(entry, true)) {
            byte[] bytes = FileArray.read(in, (int) entry.getSize(), name);
            if (in.read() != -1) {
                throw new IOException(name + " has bytes after its end");
            }
            return bytes;
        }
    }
}
