package org.slotwise.data.file;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.RgbBytes;

/** An image file that was decoded. */
final class ImageFile {

    /** Warnings of the decoders that mean lost pixels; they have others, of odd metadata. */
    private static final Pattern DAMAGE =
            Pattern.compile("truncated|premature|corrupt jpeg data|out-of-sequence");

    private final Path file;
    private final BufferedImage image;

    private ImageFile(Path file, BufferedImage image) {
        this.file = file;
        this.image = image;
    }

    /**
     * Reads and decodes a file.
     *
     * @throws SceneFileException if it is damaged, cut short or no image
     */
    static ImageFile read(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        if (bytes.length == 0) {
            throw new SceneFileException(file, "the file is empty", null);
        }
        try (ImageInputStream in =
                new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new SceneFileException(file, "not an image of a known kind", null);
            }
            ImageReader reader = readers.next();
            try {
                return new ImageFile(file, decoded(file, reader, in));
            } finally {
                reader.dispose();
            }
        }
    }

    private static BufferedImage decoded(Path file, ImageReader reader, ImageInputStream in)
            throws IOException {
        List<String> damage = new ArrayList<>();
        reader.addIIOReadWarningListener(
                (source, warning) -> {
                    if (DAMAGE.matcher(warning.toLowerCase(Locale.ROOT)).find()) {
                        damage.add(warning);
                    }
                });
        reader.setInput(in, true, true);
        BufferedImage image;
        try {
            image = reader.read(0);
        } catch (IOException | RuntimeException e) { // decoders fail in both ways
            throw new SceneFileException(file, "the image cannot be decoded: " + e.getMessage(), e);
        }
        if (!damage.isEmpty()) {
            throw new SceneFileException(file, "the image is damaged: " + damage.get(0), null);
        }
        return image;
    }

    int height() {
        return image.getHeight();
    }

    int width() {
        return image.getWidth();
    }

    /** Red, green and blue (H, W, 3). */
    byte[] rgb() {
        return RgbBytes.of(image);
    }

    /** The label of each pixel (H, W), as {@link ImageFolder} describes. */
    byte[] labels() throws SceneFileException {
        return RgbBytes.isGrey(image) || image.getColorModel() instanceof IndexColorModel
                ? values()
                : colours();
    }

    private byte[] values() throws SceneFileException {
        int[] samples = RgbBytes.firstChannel(image);
        byte[] labels = new byte[samples.length];
        for (int p = 0; p < labels.length; p++) {
            if (samples[p] > 255) {
                throw new SceneFileException(
                        file, "a label must be at most 255, got " + samples[p], null);
            }
            labels[p] = (byte) samples[p];
        }
        return labels;
    }

    private byte[] colours() throws SceneFileException {
        byte[] rgb = rgb();
        int[] pixels = new int[rgb.length / 3];
        TreeSet<Integer> colours = new TreeSet<>(List.of(0));
        for (int p = 0; p < pixels.length; p++) {
            pixels[p] =
                    (rgb[3 * p] & 0xff) << 16
                            | (rgb[3 * p + 1] & 0xff) << 8
                            | (rgb[3 * p + 2] & 0xff);
            colours.add(pixels[p]);
            if (colours.size() > 256) {
                throw new SceneFileException(
                        file, "a mask must have at most 255 colours and black", null);
            }
        }
        List<Integer> sorted = List.copyOf(colours);
        byte[] labels = new byte[pixels.length];
        for (int p = 0; p < labels.length; p++) {
            labels[p] = (byte) Collections.binarySearch(sorted, pixels[p]);
        }
        return labels;
    }
}
