package org.slotwise.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/** The file formats of a {@link StateDict}. */
public enum StateDictFormat {
    /** Hugging Face's safetensors, suffix ".safetensors". */
    SAFETENSORS(".safetensors", NDList.Encoding.SAFETENSORS),
    /** numpy's npz, suffix ".npz". */
    NPZ(".npz", NDList.Encoding.NPZ);

    private static final String WHO = "StateDict";

    private final String suffix;
    private final NDList.Encoding encoding;

    StateDictFormat(String suffix, NDList.Encoding encoding) {
        this.suffix = suffix;
        this.encoding = encoding;
    }

    /** The format that a file's suffix names. */
    static StateDictFormat of(Path path) {
        String name = path.toString().toLowerCase(Locale.ROOT);
        for (StateDictFormat format : values()) {
            if (name.endsWith(format.suffix)) {
                return format;
            }
        }
        throw new IllegalArgumentException(
                WHO + ": a file must end in .safetensors or .npz, got " + path);
    }

    /** Reads a stream that can go back, in the format that its first bytes show. */
    static Map<String, NDArray> decode(NDManager host, InputStream in) throws IOException {
        in.mark(9);
        byte[] start = in.readNBytes(9);
        in.reset();
        if (start.length == 9 && start[8] == '{') {
            return SafetensorsReader.read(host, in);
        }
        if (start.length > 2 && start[0] == 'P' && start[1] == 'K') {
            return NpzReader.read(host, in);
        }
        throw new IOException("neither a safetensors file nor an npz archive");
    }

    /** Writes arrays of any device. */
    void encode(Map<String, NDArray> arrays, OutputStream out) throws IOException {
        long bytes = 0;
        for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
            DataType type = entry.getValue().getDataType();
            Check.option(
                    FileArray.TYPES.contains(type),
                    WHO + ": cannot write " + entry.getKey() + ", of type " + Check.name(type));
            bytes += entry.getValue().size() * type.getNumOfBytes();
        }
        Check.option(
                bytes <= Integer.MAX_VALUE, WHO + ": cannot write more than 2 GiB, got " + bytes);
        Check.option(
                !arrays.containsKey("__metadata__"), WHO + ": __metadata__ cannot name an array");
        // Copies, because names belong to arrays, and those of a block's own arrays are not ours.
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            NDList list = new NDList(arrays.size());
            arrays.forEach(
                    (name, array) -> {
                        NDArray copy = host.create(array.getShape(), array.getDataType());
                        Ops.overwrite(copy, array);
                        copy.setName(name);
                        list.add(copy);
                    });
            list.encode(out, encoding);
        }
    }
}
