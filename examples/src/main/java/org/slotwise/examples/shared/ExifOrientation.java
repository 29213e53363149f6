package org.slotwise.examples.shared;

import com.twelvemonkeys.imageio.metadata.Directory;
import com.twelvemonkeys.imageio.metadata.Entry;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEG;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegmentUtil;
import com.twelvemonkeys.imageio.metadata.tiff.TIFF;
import com.twelvemonkeys.imageio.metadata.tiff.TIFFReader;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** How a camera was held: cameras store what their sensor saw, and a number from 1 to 8. */
final class ExifOrientation {

    private static final int UPRIGHT = 1;

    private ExifOrientation() {}

    /**
     * Reads the orientation of a file.
     *
     * @param path any file
     * @return 1 to 8; 1, which is upright, if the file does not say
     */
    static int of(Path path) {
        try (ImageInputStream in = ImageIO.createImageInputStream(path.toFile())) {
            List<JPEGSegment> segments = JPEGSegmentUtil.readSegments(in, JPEG.APP1, "Exif");
            return segments.isEmpty() ? UPRIGHT : read(segments.get(0));
        } catch (IOException | RuntimeException e) {
            return UPRIGHT; // not a JPEG, or one whose notes are broken: the picture still is good
        }
    }

    private static int read(JPEGSegment segment) throws IOException {
        try (InputStream data = segment.data()) {
            data.skipNBytes(1); // the second zero after "Exif"
            try (ImageInputStream tiff = new MemoryCacheImageInputStream(data)) {
                Directory directory = new TIFFReader().read(tiff);
                Entry entry = directory.getEntryById(TIFF.TAG_ORIENTATION);
                int value = entry == null ? UPRIGHT : ((Number) entry.getValue()).intValue();
                return value >= 1 && value <= 8 ? value : UPRIGHT;
            }
        }
    }

    /**
     * Whether the upright picture is as wide as the stored one is high.
     *
     * @param orientation 1 to 8
     * @return true for those held on their side
     */
    static boolean swapsSides(int orientation) {
        return orientation >= 5;
    }

    /**
     * Turns a picture upright.
     *
     * @param stored the picture as stored
     * @param orientation 1 to 8
     * @return the picture as it was seen
     */
    static BufferedImage upright(BufferedImage stored, int orientation) {
        if (orientation == UPRIGHT) {
            return stored;
        }
        int w = stored.getWidth();
        int h = stored.getHeight();
        boolean swap = swapsSides(orientation);
        BufferedImage upright =
                new BufferedImage(swap ? h : w, swap ? w : h, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < upright.getHeight(); y++) {
            for (int x = 0; x < upright.getWidth(); x++) {
                int rgb =
                        switch (orientation) {
                            case 2 -> stored.getRGB(w - 1 - x, y);
                            case 3 -> stored.getRGB(w - 1 - x, h - 1 - y);
                            case 4 -> stored.getRGB(x, h - 1 - y);
                            case 5 -> stored.getRGB(y, x);
                            case 6 -> stored.getRGB(y, h - 1 - x);
                            case 7 -> stored.getRGB(w - 1 - y, h - 1 - x);
                            default -> stored.getRGB(w - 1 - y, x);
                        };
                upright.setRGB(x, y, rgb);
            }
        }
        return upright;
    }
}
