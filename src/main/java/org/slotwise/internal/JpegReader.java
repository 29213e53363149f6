package org.slotwise.internal;

import com.twelvemonkeys.imageio.plugins.jpeg.JPEGImageReaderSpi;
import javax.imageio.spi.IIORegistry;

/**
 * The reader of JPEG files that gives the colours that libjpeg gives. Java's own takes CMYK for
 * brighter than it is, and for red, green and blue what has no JFIF marker and components of
 * unusual numbers.
 */
public final class JpegReader {

    private JpegReader() {}

    /**
     * Makes Java's {@code ImageIO} read JPEG files with it. It does so by itself where it sees the
     * class path of this library; not where that is in a class loader of its own, as in servers.
     */
    public static void register() {
        IIORegistry registry = IIORegistry.getDefaultInstance();
        if (registry.getServiceProviderByClass(JPEGImageReaderSpi.class) == null) {
            registry.registerServiceProvider(new JPEGImageReaderSpi());
        }
    }
}
