package org.slotwise.data.file;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import org.slotwise.data.SceneFileException;

/**
 * Checks the chunks of a PNG file, which Java's reader does not:
 *
 * <pre>{@code
 * signature (8 bytes), then chunks to the one of type IEND
 * chunk: length (4 bytes), type (4 bytes), data, CRC-32 of type and data (4 bytes)
 * }</pre>
 *
 * <p>with the highest byte first. A changed byte can pass for another picture, or another label.
 */
final class PngChunks {

    private static final int SIGNATURE = 8;
    private static final int FRAME = 12;

    /** Where the header's chunk says how many bits a sample has, and then what samples mean. */
    private static final int BITS = 24;

    private static final byte GREY = 0;

    private PngChunks() {}

    /** Whether a file that was checked has grey of 16 bits, without a channel of transparency. */
    static boolean isGreyOf16Bits(byte[] png) {
        return png[BITS] == 16 && png[BITS + 1] == GREY;
    }

    /** Requires whole chunks up to the last one; what follows that is not read by anybody. */
    static void check(Place place, byte[] png) throws SceneFileException {
        ByteBuffer bytes = ByteBuffer.wrap(png);
        CRC32 crc = new CRC32();
        String type = "the signature";
        for (int at = SIGNATURE; !type.equals("IEND"); ) {
            long left = (long) png.length - at;
            long length = left < FRAME ? 0 : bytes.getInt(at) & 0xffffffffL;
            if (left < FRAME + length) {
                throw place.wrong("the image is cut short after its chunk " + type, null);
            }
            int data = (int) length;
            type = new String(png, at + 4, 4, StandardCharsets.ISO_8859_1);
            crc.reset();
            crc.update(png, at + 4, 4 + data);
            if ((int) crc.getValue() != bytes.getInt(at + 8 + data)) {
                throw place.wrong(
                        "the image is damaged: the checksum of its chunk at byte "
                                + at
                                + " does not fit",
                        null);
            }
            at += FRAME + data;
        }
    }
}
