package org.slotwise.data.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.slotwise.data.SceneFileException;

/**
 * What a BMP file says of itself before Java's reader believes it: other files inside of it, which
 * have sizes of their own, names of files elsewhere, and places outside of it.
 */
final class BmpHeader {

    private static final int FILE_HEADER = 14;
    private static final int WITH_COMPRESSION = 40;
    private static final int WITH_PROFILE = 124;
    private static final int BITFIELDS = 3;
    private static final int LINKED = 0x4c494e4b;
    private static final int EMBEDDED = 0x4d424544;

    private BmpHeader() {}

    /** Refuses what leads astray. */
    static void check(Place place, byte[] bmp) throws SceneFileException {
        ByteBuffer bytes = ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN);
        if (bmp.length < FILE_HEADER + 12) {
            throw place.wrong("the image is cut short in its header", null);
        }
        long header = unsigned(bytes, FILE_HEADER);
        inside(place, bmp, "its header", FILE_HEADER, header);
        inside(place, bmp, "its pixels", unsigned(bytes, 10), 0);
        if (header >= WITH_COMPRESSION) {
            int compression = bytes.getInt(30);
            if (compression < 0 || compression > BITFIELDS) {
                throw place.wrong("BMP of compression " + compression + " is not read", null);
            }
        }
        if (header >= WITH_PROFILE) {
            int profile = bytes.getInt(70);
            if (profile == LINKED) {
                throw place.wrong("BMP with a colour profile in another file is not read", null);
            }
            if (profile == EMBEDDED) {
                long at = FILE_HEADER + unsigned(bytes, 126);
                inside(place, bmp, "its colour profile", at, unsigned(bytes, 130));
            }
        }
    }

    private static long unsigned(ByteBuffer bytes, int at) {
        return bytes.getInt(at) & 0xffffffffL;
    }

    private static void inside(Place place, byte[] bmp, String what, long at, long length)
            throws SceneFileException {
        if (at + length > bmp.length) {
            throw place.wrong("the image is damaged or cut short: " + what + " lies outside", null);
        }
    }
}
