package org.slotwise.examples.shared;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * A picture in a file.
 *
 * <p>{@code ImageFactory.fromFile} decodes every pixel: 24 megapixels take about 100 MB. A picture
 * of which only a small version is needed is read here row by row, skipping what is not needed.
 *
 * @param path where it is
 */
public record PictureFile(Path path) {

    /** Warnings that mean lost pixels; decoders have others, of odd metadata. */
    private static final Pattern DAMAGE =
            Pattern.compile("(?i)truncated|premature|corrupt jpeg data|out-of-sequence");

    /**
     * Reads the picture, as it would be seen on white paper: upright, without transparency, in RGB.
     *
     * @param side how long its longest side has to be at least, if the file has that many pixels;
     *     it can come out up to twice as long
     * @return the picture and its size in the file
     * @throws IOException if there is no picture that can be read, with a message for the user
     */
    public Picture read(int side) throws IOException {
        if (!Files.exists(path)) {
            throw new IOException(path + " does not exist");
        }
        if (Files.isDirectory(path)) {
            throw new IOException(path + " is a folder, not a picture");
        }
        if (!Files.isReadable(path)) {
            throw new IOException(path + " cannot be read: permission denied");
        }
        try (ImageInputStream in = ImageIO.createImageInputStream(path.toFile())) {
            if (in == null) {
                throw new IOException(path + " cannot be read");
            }
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new IOException(
                        path
                                + " is not a picture that can be read (PNG, JPEG, WebP, GIF or"
                                + " BMP)");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                return read(reader, side);
            } catch (IOException | RuntimeException e) {
                // Readers answer broken files with exceptions of every kind.
                throw new IOException(path + " is broken: " + reason(e), e);
            } finally {
                reader.dispose();
            }
        }
    }

    /**
     * An image as it would be seen on white paper.
     *
     * @param image of any kind
     * @return one in RGB, without transparency
     */
    public static Image onPaper(Image image) {
        return ImageFactory.getInstance()
                .fromImage(onWhite((BufferedImage) image.getWrappedImage()));
    }

    private static String reason(Exception e) {
        if (e instanceof EOFException) {
            return "it ends too early";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private Picture read(ImageReader reader, int side) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        int step = Math.max(1, Math.max(width, height) / side);
        ImageReadParam param = reader.getDefaultReadParam();
        param.setSourceSubsampling(step, step, 0, 0);
        // Of a file that is cut short the decoder gives what it has, and warns.
        List<String> damage = new ArrayList<>();
        reader.addIIOReadWarningListener(
                (source, warning) -> {
                    if (DAMAGE.matcher(warning).find()) {
                        damage.add(warning);
                    }
                });
        BufferedImage decoded = reader.read(0, param);
        if (!damage.isEmpty()) {
            throw new IOException(damage.get(0));
        }
        int orientation = ExifOrientation.of(path);
        BufferedImage upright = ExifOrientation.upright(onWhite(decoded), orientation);
        boolean turned = ExifOrientation.swapsSides(orientation);
        return new Picture(
                ImageFactory.getInstance().fromImage(upright),
                turned ? height : width,
                turned ? width : height);
    }

    private static BufferedImage onWhite(BufferedImage image) {
        BufferedImage rgb =
                new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_INT_RGB);
        if (isGray(image.getColorModel())) {
            copyGray(image, rgb);
            return rgb;
        }
        Graphics2D graphics = rgb.createGraphics();
        graphics.drawImage(image, 0, 0, Color.WHITE, null);
        graphics.dispose();
        return rgb;
    }

    private static boolean isGray(ColorModel model) {
        return model instanceof ComponentColorModel && model.getNumColorComponents() == 1;
    }

    /** Java takes grey levels for linear light and would brighten them; files mean sRGB. */
    private static void copyGray(BufferedImage image, BufferedImage rgb) {
        Raster raster = image.getRaster();
        boolean hasAlpha = image.getColorModel().hasAlpha();
        double top = (1L << image.getColorModel().getComponentSize(0)) - 1;
        int[] samples = new int[raster.getNumBands()];
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                raster.getPixel(x, y, samples);
                double alpha = hasAlpha ? samples[1] / top : 1;
                int level = (int) Math.round(255 * (1 - alpha + alpha * samples[0] / top));
                rgb.setRGB(x, y, level << 16 | level << 8 | level);
            }
        }
    }
}
