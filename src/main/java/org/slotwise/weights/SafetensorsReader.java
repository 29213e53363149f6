package org.slotwise.weights;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the safetensors format: the header's length (8 bytes, little-endian), a JSON header, the
 * tensors without gaps.
 *
 * <p>DJL has a decoder too, but it believes the header, and bfloat16 ends the process in it. Here
 * everything that the header says is checked before a tensor is made, and bfloat16 becomes float32.
 */
final class SafetensorsReader {

    /**
     * A hundred times what large models have. The reference implementation allows three times as
     * much, which Java's memory may not hold.
     */
    private static final long MAX_HEADER = 1 << 25;

    /** Of shapes and offsets. */
    private static final int MAX_NUMBERS = 1024;

    /** A tensor as the header describes it; begin and end count from the first tensor's start. */
    private record Entry(String name, String type, Shape shape, long begin, long end) {

        ElementFormat elements() throws IOException {
            if ("BF16".equals(type)) {
                return ElementFormat.plain(DataType.BFLOAT16);
            }
            try {
                DataType found = DataType.fromSafetensors(type);
                if (FileArray.TYPES.contains(found)) {
                    return ElementFormat.plain(found);
                }
            } catch (IllegalArgumentException e) {
                // Newer than DJL: as unsupported as those that DJL knows and the engine does not.
            }
            throw new IOException(name + " is of type " + type + ", which is not supported");
        }

        void check() throws IOException {
            int elementBytes = elements().bytes();
            if (end - begin > FileArray.MAX_BYTES) {
                throw new IOException(
                        name
                                + " takes "
                                + (end - begin)
                                + " bytes, more than an array can have; see ReadOptions.optOnly");
            }
            int bytes = FileArray.bytes(name, shape, elementBytes);
            if (bytes != end - begin) {
                throw new IOException(
                        name
                                + " takes "
                                + bytes
                                + " bytes, but its offsets are "
                                + begin
                                + " to "
                                + end);
            }
        }
    }

    private SafetensorsReader() {}

    static StateDictFormat.Content read(
            NDManager host, InputStream in, long fileBytes, ReadOptions options)
            throws IOException {
        byte[] start = FileArray.read(in, Long.BYTES, "the header's length");
        long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 0 || length > MAX_HEADER) {
            throw new IOException("the header cannot be " + length + " bytes long");
        }
        long data = fileBytes - Long.BYTES - length;
        if (data < 0) {
            throw new IOException(
                    "cut off in the header: "
                            + (fileBytes - Long.BYTES)
                            + " of "
                            + length
                            + " bytes");
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        List<Entry> entries = parse(FileArray.read(in, (int) length, "the header"), metadata);
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long at = 0;
        for (Entry entry : entries) {
            if (options.wants(entry.name)) {
                entry.check();
            }
            if (entry.begin != at) {
                throw new IOException(
                        entry.name + " begins at " + entry.begin + ", expected at " + at);
            }
            if (entry.end > data) {
                throw new IOException(
                        "cut off in "
                                + entry.name
                                + ": "
                                + Math.max(data - entry.begin, 0)
                                + " of "
                                + (entry.end - entry.begin)
                                + " bytes");
            }
            at = entry.end;
        }
        if (at < data) {
            throw new IOException("there are bytes after the last tensor");
        }
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        for (Entry entry : entries) {
            if (options.wants(entry.name)) {
                arrays.put(
                        entry.name,
                        FileArray.read(host, in, entry.name, entry.shape, entry.elements()));
            } else {
                skip(in, entry);
            }
        }
        return new StateDictFormat.Content(arrays, metadata);
    }

    private static void skip(InputStream in, Entry entry) throws IOException {
        try {
            in.skipNBytes(entry.end - entry.begin);
        } catch (EOFException e) {
            throw new IOException("cut off in " + entry.name, e);
        }
    }

    private static List<Entry> parse(byte[] header, Map<String, String> metadata)
            throws IOException {
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Reader text =
                new InputStreamReader(
                        new ByteArrayInputStream(header), StandardCharsets.UTF_8.newDecoder());
        try (JsonReader json = new JsonReader(text)) {
            json.beginObject();
            while (json.hasNext()) {
                String name = json.nextName();
                if (!names.add(name)) {
                    throw new IOException(name + " comes twice");
                }
                if (names.size() > FileArray.MAX_ARRAYS) {
                    throw new IOException("more than " + FileArray.MAX_ARRAYS + " tensors");
                }
                if (SafetensorsWriter.METADATA.equals(name)) {
                    metadata(json, metadata);
                } else {
                    entries.add(entry(name, json));
                }
            }
            json.endObject();
            if (json.peek() != JsonToken.END_DOCUMENT) {
                throw new IOException("it goes on after its end");
            }
            return entries;
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            throw new IOException("the header is malformed: " + e.getMessage(), e);
        }
    }

    /** Only strings belong there; what else a file may have is passed over. */
    private static void metadata(JsonReader json, Map<String, String> metadata) throws IOException {
        if (json.peek() != JsonToken.BEGIN_OBJECT) {
            json.skipValue();
            return;
        }
        Set<String> keys = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            if (!keys.add(key)) {
                throw new IOException("the metadata's " + key + " comes twice");
            }
            if (keys.size() > FileArray.MAX_ARRAYS) {
                throw new IOException("metadata of more than " + FileArray.MAX_ARRAYS + " texts");
            }
            if (json.peek() == JsonToken.STRING) {
                metadata.put(key, json.nextString());
            } else {
                json.skipValue();
            }
        }
        json.endObject();
    }

    private static Entry entry(String name, JsonReader json) throws IOException {
        String type = null;
        long[] sizes = null;
        long[] given = null;
        Set<String> keys = new HashSet<>();
        json.beginObject();
        while (json.hasNext()) {
            String key = json.nextName();
            if (!keys.add(key)) {
                throw new IOException(name + " has two of " + key);
            }
            if (keys.size() > MAX_NUMBERS) {
                throw new IOException(name + " has more than " + MAX_NUMBERS + " properties");
            }
            switch (key) {
                case "dtype" -> {
                    require(json, JsonToken.STRING, name, key);
                    type = json.nextString();
                }
                case "shape" -> sizes = longs(json, name, key);
                case "data_offsets" -> given = longs(json, name, key);
                default -> json.skipValue();
            }
        }
        json.endObject();
        long[] offsets = present(name, "data_offsets", given);
        if (offsets.length != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
            throw new IOException(
                    name + " has data_offsets that cannot be: " + Arrays.toString(offsets));
        }
        long[] shape = present(name, "shape", sizes);
        for (long size : shape) {
            if (size < 0) {
                throw new IOException(
                        name + " is said to have the shape " + Arrays.toString(shape));
            }
        }
        return new Entry(
                name, present(name, "dtype", type), new Shape(shape), offsets[0], offsets[1]);
    }

    private static <T> T present(String name, String what, @Nullable T value) throws IOException {
        if (value == null) {
            throw new IOException(name + " has no " + what);
        }
        return value;
    }

    private static void require(JsonReader json, JsonToken kind, String name, String key)
            throws IOException {
        JsonToken found = json.peek();
        if (found != kind) {
            throw new IOException(name + " has a " + found + " in its " + key);
        }
    }

    private static long[] longs(JsonReader json, String name, String key) throws IOException {
        List<Long> values = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            require(json, JsonToken.NUMBER, name, key);
            values.add(json.nextLong());
            if (values.size() > MAX_NUMBERS) {
                throw new IOException(name + " has more than " + MAX_NUMBERS + " in its " + key);
            }
        }
        json.endArray();
        return values.stream().mapToLong(Long::longValue).toArray();
    }
}
