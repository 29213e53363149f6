package org.slotwise.data.file;

/** From one mask for each entity to one label for each pixel. */
final class EntityMasks {

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
        for (int e = entities - 1; e >= 0; e--) {
            int at = e * entityStep;
            for (int p = 0; p < labels.length; p++, at += pixelStep) {
                if (masks[at] != 0) {
                    labels[p] = (byte) e;
                }
            }
        }
        return labels;
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
