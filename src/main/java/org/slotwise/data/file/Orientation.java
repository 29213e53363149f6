package org.slotwise.data.file;

import com.twelvemonkeys.imageio.metadata.Entry;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEG;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegment;
import com.twelvemonkeys.imageio.metadata.jpeg.JPEGSegmentUtil;
import com.twelvemonkeys.imageio.metadata.tiff.TIFF;
import com.twelvemonkeys.imageio.metadata.tiff.TIFFReader;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * How a camera was held: a photograph is stored as the sensor saw it, with a number of where its
 * first row and its first column belong (Exif 2.3, 4.6.4, the tag Orientation).
 */
enum Orientation {
    UPRIGHT(false, false, false),
    MIRRORED(true, false, false),
    UPSIDE_DOWN(true, true, false),
    UPSIDE_DOWN_MIRRORED(false, true, false),
    ALONG_DIAGONAL(false, false, true),
    TO_BE_TURNED_RIGHT(false, true, true),
    ALONG_OTHER_DIAGONAL(true, true, true),
    TO_BE_TURNED_LEFT(true, false, true);

    private final boolean fromRight;
    private final boolean fromBelow;
    private final boolean swapped;

    Orientation(boolean fromRight, boolean fromBelow, boolean swapped) {
        this.fromRight = fromRight;
        this.fromBelow = fromBelow;
        this.swapped = swapped;
    }

    /** That of a JPEG file; upright if it does not say, or its notes are damaged. */
    static Orientation of(byte[] jpeg) {
        try (ImageInputStream in =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(jpeg))) {
            List<JPEGSegment> notes = JPEGSegmentUtil.readSegments(in, JPEG.APP1, "Exif");
            return notes.isEmpty() ? UPRIGHT : of(notes.get(0));
        } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
            return UPRIGHT; // whatever the notes say: the picture is good all the same
        }
    }

    private static Orientation of(JPEGSegment notes) throws IOException {
        try (InputStream data = notes.data()) {
            data.skipNBytes(1); // the second zero after "Exif"
            try (ImageInputStream tiff = new MemoryCacheImageInputStream(data)) {
                @Nullable Entry entry =
                        new TIFFReader().read(tiff).getEntryById(TIFF.TAG_ORIENTATION);
                int number = entry == null ? 1 : ((Number) entry.getValue()).intValue();
                return number >= 1 && number <= values().length ? values()[number - 1] : UPRIGHT;
            }
        }
    }

    /** A picture as it was seen, of the same kind as the stored one. */
    BufferedImage upright(BufferedImage stored) {
        if (this == UPRIGHT) {
            return stored;
        }
        Raster from = stored.getRaster();
        int height = swapped ? stored.getWidth() : stored.getHeight();
        int width = swapped ? stored.getHeight() : stored.getWidth();
        WritableRaster to = from.createCompatibleWritableRaster(width, height);
        Object pixel = null;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int across = swapped ? y : x;
                int down = swapped ? x : y;
                pixel =
                        from.getDataElements(
                                fromRight ? stored.getWidth() - 1 - across : across,
                                fromBelow ? stored.getHeight() - 1 - down : down,
                                pixel);
                to.setDataElements(x, y, pixel);
            }
        }
        return new BufferedImage(stored.getColorModel(), to, stored.isAlphaPremultiplied(), null);
    }
}
