package org.slotwise.data.file;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** From one mask for each entity to one label for each pixel. */
final class EntityMasks {

    private static final VarHandle EIGHT =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private EntityMasks() {}

    /**
     * The first entity whose mask is set at each pixel; 0, the background, where none is.
     *
     * @param masks the masks' bytes, anything but 0 counts as set
     * @param entities the number of masks
     * @param entityStep how far the masks of two entities are apart
     * @param pixelStep how far two pixels of a mask are apart
     */
    static byte[] labels(byte[] masks, int entities, int entityStep, int pixelStep) {
        byte[] labels = new byte[masks.length / entities];
        if (pixelStep == 1) {
            for (int e = entities - 1; e >= 0; e--) {
                for (int p = next(masks, e, labels.length, 0);
                        p < labels.length;
                        p = next(masks, e, labels.length, p + 1)) {
                    labels[p] = (byte) e;
                }
            }
            return labels;
        }
        for (int p = 0; p < labels.length; p++) {
            for (int e = 0; e < entities; e++) {
                if (masks[p * pixelStep + e * entityStep] != 0) {
                    labels[p] = (byte) e;
                    break;
                }
            }
        }
        return labels;
    }

    /**
     * The entity whose mask is largest at each pixel, the first of equals.
     *
     * @param masks (E, pixels) unsigned bytes
     * @param entities E
     */
    static byte[] largest(byte[] masks, int entities) {
        byte[] labels = new byte[masks.length / entities];
        byte[] most = Arrays.copyOf(masks, labels.length);
        for (int e = 1; e < entities; e++) {
            for (int p = next(masks, e, labels.length, 0);
                    p < labels.length;
                    p = next(masks, e, labels.length, p + 1)) {
                byte value = masks[e * labels.length + p];
                if ((value & 0xff) > (most[p] & 0xff)) {
                    most[p] = value;
                    labels[p] = (byte) e;
                }
            }
        }
        return labels;
    }

    /** The next pixel of an entity that is not 0; masks are mostly 0, so eight at a time. */
    private static int next(byte[] masks, int entity, int pixels, int from) {
        int start = entity * pixels;
        int p = from;
        while (p < pixels && masks[start + p] == 0) {
            p++;
            while (p + Long.BYTES <= pixels && (long) EIGHT.get(masks, start + p) == 0) {
                p += Long.BYTES;
            }
        }
        return p;
    }

    /** Grey values as red, green and blue. */
    static byte[] tripled(byte[] grey) {
        byte[] rgb = new byte[3 * grey.length];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = grey[i / 3];
        }
        return rgb;
    }
}
