package org.slotwise.data.file;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The colour profile in a JPEG file, which Java's decoders apply and Pillow's {@code
 * convert("RGB")} does not.
 *
 * <pre>{@code
 * mark of the start (2 bytes), then segments up to the pixels, that of mark DA
 * segment: FF, mark, length of what follows (2 bytes, themselves included), data
 * profile: segments of mark E2 whose data begin with "ICC_PROFILE", 0
 * }</pre>
 */
final class JpegProfile {

    private static final byte[] NAME = "ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII);
    private static final int MARK = 0xff;
    private static final int PROFILE = 0xe2;
    private static final int PIXELS = 0xda;
    private static final int START = 2;
    private static final int HEAD = 4;

    private JpegProfile() {}

    /** The same file without it; what is no row of segments stays for the decoder to refuse. */
    static byte[] without(byte[] jpeg) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(jpeg.length);
        out.write(jpeg, 0, START);
        int at = START;
        while (at + HEAD <= jpeg.length
                && (jpeg[at] & 0xff) == MARK
                && (jpeg[at + 1] & 0xff) != PIXELS) {
            int end = at + 2 + ((jpeg[at + 2] & 0xff) << 8 | (jpeg[at + 3] & 0xff));
            if (end < at + HEAD || end > jpeg.length) {
                break;
            }
            if (!isProfile(jpeg, at, end)) {
                out.write(jpeg, at, end - at);
            }
            at = end;
        }
        out.write(jpeg, at, jpeg.length - at);
        return out.toByteArray();
    }

    private static boolean isProfile(byte[] jpeg, int at, int end) {
        int name = at + HEAD;
        return (jpeg[at + 1] & 0xff) == PROFILE
                && end - name >= NAME.length
                && Arrays.equals(jpeg, name, name + NAME.length, NAME, 0, NAME.length);
    }
}
