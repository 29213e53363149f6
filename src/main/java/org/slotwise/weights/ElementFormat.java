package org.slotwise.weights;

import ai.djl.ndarray.types.DataType;
import java.nio.ByteBuffer;

/**
 * How a file has the elements of an array.
 *
 * @param stored their type in the file; bfloat16 becomes float32, of which it is the upper half
 * @param bigEndian whether the byte of the highest value comes first
 * @param negated whether their sign is the other one
 */
record ElementFormat(DataType stored, boolean bigEndian, boolean negated) {

    /** Elements as they are in memory. */
    static ElementFormat plain(DataType type) {
        return new ElementFormat(type, false, false);
    }

    /** The type of the array. */
    DataType type() {
        return stored == DataType.BFLOAT16 ? DataType.FLOAT32 : stored;
    }

    /** The size of one in the file. */
    int bytes() {
        return stored == DataType.BFLOAT16 ? Short.BYTES : stored.getNumOfBytes();
    }

    /**
     * Puts elements into an array's memory.
     *
     * @param chunk elements as the file has them; changed on the way
     * @param length how many of its bytes, a multiple of an element's
     */
    void decode(byte[] chunk, int length, ByteBuffer to) {
        if (bigEndian) {
            reverse(chunk, length);
        }
        if (negated) {
            negate(chunk, length);
        }
        if (stored != DataType.BFLOAT16) {
            to.put(chunk, 0, length);
            return;
        }
        for (int i = 0; i < length; i += Short.BYTES) {
            to.put((byte) 0).put((byte) 0).put(chunk[i]).put(chunk[i + 1]);
        }
    }

    private void reverse(byte[] chunk, int length) {
        int size = bytes();
        for (int start = 0; start < length; start += size) {
            for (int i = start, j = start + size - 1; i < j; i++, j--) {
                byte b = chunk[i];
                chunk[i] = chunk[j];
                chunk[j] = b;
            }
        }
    }

    /** Of floating-point numbers the sign bit, of whole numbers the two's complement. */
    private void negate(byte[] chunk, int length) {
        int size = bytes();
        boolean real = stored.isFloating() || stored == DataType.BFLOAT16;
        for (int start = 0; start < length; start += size) {
            if (real) {
                chunk[start + size - 1] ^= (byte) 0x80;
                continue;
            }
            int carry = 1;
            for (int i = start; i < start + size; i++) {
                int sum = (~chunk[i] & 0xff) + carry;
                chunk[i] = (byte) sum;
                carry = sum >> 8;
            }
        }
    }
}
