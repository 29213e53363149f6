package org.slotwise.data.file;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import org.w3c.dom.Element;

/**
 * The screen of a GIF file, on which its first frame lies: as large as the file says, and at least
 * as large as the frame needs. Around the frame is the transparent colour, where there is one, else
 * the background colour.
 *
 * @param height the screen's
 * @param width the screen's
 * @param top where the frame begins
 * @param left where the frame begins
 * @param around the index in the palette of what is around the frame
 */
record GifScreen(int height, int width, int top, int left, int around) {

    private static final int SCREEN = 6;

    /** Reads what lies before the frame's pixels. */
    static GifScreen of(byte[] gif, ImageReader reader) throws IOException {
        IIOMetadata metadata = reader.getImageMetadata(0);
        IIOMetadataNode tree =
                (IIOMetadataNode) metadata.getAsTree(metadata.getNativeMetadataFormatName());
        Element place = (Element) tree.getElementsByTagName("ImageDescriptor").item(0);
        int top = number(place, "imageTopPosition");
        int left = number(place, "imageLeftPosition");
        Element control = (Element) tree.getElementsByTagName("GraphicControlExtension").item(0);
        boolean transparent =
                control != null && control.getAttribute("transparentColorFlag").equals("TRUE");
        return new GifScreen(
                Math.max(twoBytes(gif, SCREEN + 2), top + reader.getHeight(0)),
                Math.max(twoBytes(gif, SCREEN), left + reader.getWidth(0)),
                top,
                left,
                transparent ? number(control, "transparentColorIndex") : gif[SCREEN + 5] & 0xff);
    }

    private static int number(Element element, String name) {
        return Integer.parseInt(element.getAttribute(name));
    }

    private static int twoBytes(byte[] gif, int at) {
        return (gif[at] & 0xff) | (gif[at + 1] & 0xff) << 8;
    }

    /** The whole screen. */
    BufferedImage with(BufferedImage frame) {
        if (frame.getHeight() == height && frame.getWidth() == width) {
            return frame;
        }
        WritableRaster raster = frame.getColorModel().createCompatibleWritableRaster(width, height);
        boolean known =
                frame.getColorModel() instanceof IndexColorModel palette
                        && around < palette.getMapSize();
        int[] row = new int[width];
        Arrays.fill(row, known ? around : 0);
        for (int y = 0; y < height; y++) {
            raster.setSamples(0, y, width, 1, 0, row);
        }
        raster.setRect(left, top, frame.getRaster());
        return new BufferedImage(frame.getColorModel(), raster, false, null);
    }
}
