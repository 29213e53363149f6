package org.slotwise.data.file;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.GZIPOutputStream;
import org.slotwise.data.Scene;

/** Writes small TFRecord files as TensorFlow does. */
public final class TfRecordFile {

    private TfRecordFile() {}

    /** Something that writes a message of protobuf. */
    interface Message {
        void write(CodedOutputStream out) throws IOException;
    }

    static byte[] message(Message message) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        message.write(out);
        out.flush();
        return bytes.toByteArray();
    }

    /** A feature of strings of one byte, as in DeepMind's files. */
    static byte[] bytes(byte... values) throws IOException {
        byte[] list =
                message(
                        out -> {
                            for (byte value : values) {
                                out.writeByteArray(1, new byte[] {value});
                            }
                        });
        return message(out -> out.writeByteArray(1, list));
    }

    /** A feature of one string. */
    static byte[] string(byte... value) throws IOException {
        byte[] list = message(out -> out.writeByteArray(1, value));
        return message(out -> out.writeByteArray(1, list));
    }

    /** A feature of numbers, packed as TensorFlow writes them. */
    static byte[] floats(float... values) throws IOException {
        byte[] packed =
                message(
                        out -> {
                            for (float value : values) {
                                out.writeFloatNoTag(value);
                            }
                        });
        byte[] list = message(out -> out.writeByteArray(1, packed));
        return message(out -> out.writeByteArray(2, list));
    }

    /** A feature of numbers one by one, which readers must understand too. */
    static byte[] unpackedFloats(float... values) throws IOException {
        byte[] list =
                message(
                        out -> {
                            for (float value : values) {
                                out.writeFloat(1, value);
                            }
                        });
        return message(out -> out.writeByteArray(2, list));
    }

    /** An example of named features. */
    static byte[] example(Object... namesAndFeatures) throws IOException {
        byte[] features =
                message(
                        out -> {
                            for (int i = 0; i < namesAndFeatures.length; i += 2) {
                                String name = (String) namesAndFeatures[i];
                                byte[] feature = (byte[]) namesAndFeatures[i + 1];
                                byte[] entry =
                                        message(
                                                e -> {
                                                    e.writeString(1, name);
                                                    e.writeBytes(2, ByteString.copyFrom(feature));
                                                });
                                out.writeByteArray(1, entry);
                            }
                        });
        return message(out -> out.writeByteArray(1, features));
    }

    /** A scene in a format. */
    public static byte[] example(Scene scene, SceneFormat format) throws IOException {
        int pixels = scene.height() * scene.width();
        byte[] image = new byte[pixels * format.channels()];
        for (int i = 0; i < image.length; i++) {
            image[i] = scene.image()[format.channels() == 3 ? i : 3 * i];
        }
        byte[] masks = new byte[pixels * format.entities()];
        float[] visibility = new float[format.entities()];
        for (int e = 0; e < format.entities(); e++) {
            visibility[e] = e <= scene.objectCount() ? 1 : 0;
        }
        for (int p = 0; p < pixels; p++) {
            int label = scene.mask()[p];
            boolean first = format.maskOrder() == SceneFormat.MaskOrder.ENTITY_FIRST;
            masks[first ? label * pixels + p : p * format.entities() + label] = (byte) 255;
        }
        return example(
                "color", floats(1, 2, 3),
                "image", bytes(image),
                "mask", bytes(masks),
                "visibility", floats(visibility));
    }

    static int maskedCrc(byte[] data) {
        CRC32C crc = new CRC32C();
        crc.update(data);
        int value = (int) crc.getValue();
        return ((value >>> 15) | (value << 17)) + 0xa282ead8;
    }

    /** A record whose length is said to be something. */
    public static byte[] record(byte[] data, long length) {
        byte[] lengthBytes =
                ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
        return ByteBuffer.allocate(data.length + 16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(lengthBytes)
                .putInt(maskedCrc(lengthBytes))
                .put(data)
                .putInt(maskedCrc(data))
                .array();
    }

    /** The content of a file without GZIP. */
    static byte[] content(List<byte[]> records) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] record : records) {
            out.write(record(record, record.length));
        }
        return out.toByteArray();
    }

    static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(content);
        }
        return out.toByteArray();
    }

    /** Writes scenes as DeepMind's files have them. */
    static Path write(Path file, List<Scene> scenes, SceneFormat format) throws IOException {
        List<byte[]> records = new ArrayList<>();
        for (Scene scene : scenes) {
            records.add(example(scene, format));
        }
        return Files.write(file, gzip(content(records)));
    }
}
