package org.slotwise.training;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * A protobuf message of TensorBoard's events, field by field, and as a record of its files. These
 * few fields are all that there is to write: not enough to ask users for a protobuf library.
 *
 * <pre>{@code
 * Event      { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
 *              SessionLog session_log = 7; }
 * Summary    { repeated Value value = 1; }
 * Value      { string tag = 1; float simple_value = 2; Image image = 4; }
 * Image      { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
 * SessionLog { enum status = 1; }       START = 1
 * }</pre>
 */
final class EventMessage {

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private static final int MASK = 0xa282ead8;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    EventMessage whole(int field, long value) {
        varint((long) field << 3 | VARINT);
        varint(value);
        return this;
    }

    EventMessage number(int field, double value) {
        varint((long) field << 3 | FIXED64);
        out.writeBytes(little(Double.BYTES).putDouble(value).array());
        return this;
    }

    EventMessage number(int field, float value) {
        varint((long) field << 3 | FIXED32);
        out.writeBytes(little(Float.BYTES).putFloat(value).array());
        return this;
    }

    EventMessage text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    EventMessage message(int field, EventMessage value) {
        return bytes(field, value.out.toByteArray());
    }

    EventMessage bytes(int field, byte[] value) {
        varint((long) field << 3 | BYTES);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            out.write((int) ((rest & 0x7f) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    /** Length, its checksum, the message, its checksum: a record of a TFRecord file. */
    byte[] record() {
        byte[] data = out.toByteArray();
        byte[] length = little(Long.BYTES).putLong(data.length).array();
        return little(Long.BYTES + data.length + 2 * Integer.BYTES)
                .put(length)
                .putInt(checksum(length))
                .put(data)
                .putInt(checksum(data))
                .array();
    }

    private static int checksum(byte[] data) {
        CRC32C crc = new CRC32C();
        crc.update(data, 0, data.length);
        return Integer.rotateRight((int) crc.getValue(), 15) + MASK;
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
