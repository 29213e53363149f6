package org.slotwise.data.file;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The features of a {@code tf.train.Example}, TensorFlow's protobuf message for a record:
 *
 * <pre>{@code
 * Example  { Features features = 1; }
 * Features { map<string, Feature> feature = 1; }
 * Feature  { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
 * *List    { repeated value = 1; }
 * }</pre>
 *
 * <p>A feature is decoded when it is asked for. Where something is wrong, an {@link
 * InvalidProtocolBufferException} says what.
 */
final class TfExample {

    private static final String[] KINDS = {"empty", "bytes", "float", "int64"};

    private static final VarHandle EIGHT =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** What comes before a string in a list. */
    private static final int STRING = 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;

    /** A tag, the length, and the byte. */
    private static final int STRING_OF_ONE = 3;

    /** Eight strings of one byte, 0, and which of their bits are not the byte's. */
    private static final long ZEROS_0 = 0x010a00010a00010aL;

    private static final long ZEROS_1 = 0x0a00010a00010a00L;
    private static final long ZEROS_2 = 0x00010a00010a0001L;
    private static final long TAGS_0 = 0xffff00ffff00ffffL;
    private static final long TAGS_1 = 0xff00ffff00ffff00L;
    private static final long TAGS_2 = 0x00ffff00ffff00ffL;

    private final byte[] message;

    /** Where the message of each feature begins, and how long it is. */
    private final Map<String, int[]> features = new TreeMap<>();

    TfExample(byte[] message) throws IOException {
        this.message = message;
        CodedInputStream in = CodedInputStream.newInstance(message);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (isMessage(tag, 1)) {
                int end = in.pushLimit(in.readRawVarint32());
                readFeatures(in);
                in.popLimit(end);
            } else {
                skip(in, tag);
            }
        }
    }

    private static boolean isMessage(int tag, int field) {
        return tag == (field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED);
    }

    private static void skip(CodedInputStream in, int tag) throws IOException {
        if (!in.skipField(tag)) {
            throw new InvalidProtocolBufferException("a group ends that did not begin");
        }
    }

    private void readFeatures(CodedInputStream in) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (isMessage(tag, 1)) {
                int end = in.pushLimit(in.readRawVarint32());
                readEntry(in);
                in.popLimit(end);
            } else {
                skip(in, tag);
            }
        }
    }

    /** An entry of the map: a name and a feature, in either order. */
    private void readEntry(CodedInputStream in) throws IOException {
        String name = "";
        int[] place = {0, 0};
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (isMessage(tag, 1)) {
                name = in.readStringRequireUtf8();
            } else if (isMessage(tag, 2)) {
                int length = in.readRawVarint32();
                place = new int[] {in.getTotalBytesRead(), length};
                in.skipRawBytes(length);
            } else {
                skip(in, tag);
            }
        }
        features.put(name, place);
    }

    boolean has(String name) {
        return features.containsKey(name);
    }

    /**
     * The bytes of all strings of a feature, one after the other. DeepMind's files hold an image as
     * many strings of one byte.
     */
    byte[] bytes(String name, int expected) throws IOException {
        CodedInputStream in = list(name, 1);
        byte[] values = new byte[expected];
        if (in.getBytesUntilLimit() == STRING_OF_ONE * (long) expected
                && areStringsOfOne(place(name) + in.getTotalBytesRead(), values)) {
            return values;
        }
        int count = 0;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (!isMessage(tag, 1)) {
                skip(in, tag);
                continue;
            }
            int length = in.readRawVarint32();
            if (length == 1 && count < expected) {
                values[count] = in.readRawByte();
            } else {
                byte[] several = in.readRawBytes(length);
                int fitting = Math.max(0, Math.min(length, expected - count));
                System.arraycopy(several, 0, values, Math.min(count, expected), fitting);
            }
            count += length;
        }
        if (count != expected) {
            throw size(name, expected + " bytes", count);
        }
        return values;
    }

    /** Whether there are strings of one byte from a place on: then these are what is wanted. */
    private boolean areStringsOfOne(int start, byte[] values) {
        long other = 0;
        int i = 0;
        int at = start;
        // Eight strings are three numbers; nearly all of a mask is 0, as the values are already.
        for (; i + 8 <= values.length; i += 8, at += 8 * STRING_OF_ONE) {
            long a = (long) EIGHT.get(message, at);
            long b = (long) EIGHT.get(message, at + 8);
            long c = (long) EIGHT.get(message, at + 16);
            if (a == ZEROS_0 && b == ZEROS_1 && c == ZEROS_2) {
                continue;
            }
            other |= ((a & TAGS_0) ^ ZEROS_0) | ((b & TAGS_1) ^ ZEROS_1) | ((c & TAGS_2) ^ ZEROS_2);
            EIGHT.set(values, i, bytesOf(a, b, c));
        }
        for (; i < values.length; i++, at += STRING_OF_ONE) {
            other |= (message[at] ^ STRING) | (message[at + 1] ^ 1);
            values[i] = message[at + 2];
        }
        return other == 0;
    }

    /** The bytes 2, 5, 8 and so on of 24. */
    private static long bytesOf(long a, long b, long c) {
        return (a >>> 16 & 0xff)
                | (a >>> 40 & 0xff) << 8
                | (b & 0xff) << 16
                | (b >>> 24 & 0xff) << 24
                | (b >>> 48 & 0xff) << 32
                | (c >>> 8 & 0xff) << 40
                | (c >>> 32 & 0xff) << 48
                | (c >>> 56) << 56;
    }

    private int place(String name) {
        return Objects.requireNonNull(features.get(name))[0];
    }

    /** The numbers of a feature. */
    float[] floats(String name, int expected) throws IOException {
        CodedInputStream in = list(name, 2);
        float[] values = new float[expected];
        int count = 0;
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int several = 1;
            if (isMessage(tag, 1)) { // packed
                several = in.readRawVarint32() / Float.BYTES;
            } else if (tag != (1 << 3 | WireFormat.WIRETYPE_FIXED32)) {
                skip(in, tag);
                continue;
            }
            for (; several > 0; several--) {
                float value = in.readFloat();
                if (count < expected) {
                    values[count] = value;
                }
                count++;
            }
        }
        if (count != expected) {
            throw size(name, expected + " numbers", count);
        }
        return values;
    }

    /** The content of the list of a feature that must be of a kind. */
    private CodedInputStream list(String name, int kind) throws IOException {
        int[] place = features.get(name);
        if (place == null) {
            throw new InvalidProtocolBufferException(
                    "there is no feature '" + name + "', only " + features.keySet());
        }
        CodedInputStream in = CodedInputStream.newInstance(message, place[0], place[1]);
        int tag = in.readTag();
        if (!isMessage(tag, kind)) {
            int got = tag >>> 3;
            throw new InvalidProtocolBufferException(
                    String.format(
                            Locale.ROOT,
                            "feature '%s' must be of kind %s, got %s",
                            name,
                            KINDS[kind],
                            got < KINDS.length ? KINDS[got] : "unknown"));
        }
        in.pushLimit(in.readRawVarint32());
        return in;
    }

    private static InvalidProtocolBufferException size(String name, String expected, int got) {
        return new InvalidProtocolBufferException(
                "feature '" + name + "' must have " + expected + ", got " + got);
    }
}
