package org.slotwise.weights;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/** The file formats of a {@link StateDict}. */
public enum StateDictFormat {
    /** Hugging Face's safetensors, suffix ".safetensors". */
    SAFETENSORS(".safetensors"),
    /** numpy's npz, suffix ".npz". */
    NPZ(".npz");

    private static final String WHO = "StateDict";

    private final String suffix;

    StateDictFormat(String suffix) {
        this.suffix = suffix;
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

    /** What a file holds. */
    record Content(Map<String, NDArray> arrays, Map<String, String> metadata) {}

    /** Writes arrays of any device; npz has no place for metadata. */
    void encode(Map<String, NDArray> arrays, Map<String, String> metadata, OutputStream out)
            throws IOException {
        long bytes = 0;
        for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
            DataType type = entry.getValue().getDataType();
            Check.option(
                    FileArray.TYPES.contains(type),
                    WHO + ": cannot write " + entry.getKey() + ", of type " + Check.name(type));
            Check.option(
                    StandardCharsets.UTF_8.newEncoder().canEncode(entry.getKey()),
                    WHO + ": " + entry.getKey() + " has half a character: no file has such names");
            bytes += entry.getValue().size() * type.getNumOfBytes();
        }
        Check.option(
                bytes <= Integer.MAX_VALUE, WHO + ": cannot write more than 2 GiB, got " + bytes);
        String reserved = SafetensorsWriter.METADATA;
        Check.option(
                !arrays.containsKey(reserved), WHO + ": " + reserved + " cannot name an array");
        try (NDManager host = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            if (this == SAFETENSORS) {
                SafetensorsWriter.write(arrays, metadata, host, out);
                return;
            }
            // Copies, because names belong to arrays, and those of a block's own are not ours.
            NDList list = new NDList(arrays.size());
            arrays.forEach(
                    (name, array) -> {
                        NDArray copy = host.create(array.getShape(), array.getDataType());
                        Ops.overwrite(copy, array);
                        copy.setName(name);
                        list.add(copy);
                    });
            list.encode(out, NDList.Encoding.NPZ);
        }
    }
}
