package org.slotwise.examples.shared;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/** Pictures of all kinds, written for tests. */
public final class PictureFiles {

    private PictureFiles() {}

    /** Left half red, right half blue. */
    public static BufferedImage halves(int width, int height, int type) {
        BufferedImage image = new BufferedImage(width, height, type);
        Graphics2D g = image.createGraphics();
        g.setColor(Color.RED);
        g.fillRect(0, 0, width, height);
        g.setColor(Color.BLUE);
        g.fillRect(width / 2, 0, width - width / 2, height);
        g.dispose();
        return image;
    }

    /** A PNG file. */
    public static Path png(Path file, BufferedImage image) throws IOException {
        assert ImageIO.write(image, "png", file.toFile());
        return file;
    }

    /** A JPEG file. */
    public static Path jpeg(Path file, BufferedImage image) throws IOException {
        assert ImageIO.write(image, "jpeg", file.toFile());
        return file;
    }

    /** The file's first bytes only. */
    public static Path cut(Path file, Path to, double share) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Files.write(to, Arrays.copyOf(bytes, (int) (share * bytes.length)));
        return to;
    }

    /** A JPEG whose every pixel has the same ink; Adobe's programs store its complement. */
    public static Path cmyk(Path file, int width, int height, int... ink) throws IOException {
        WritableRaster raster =
                Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, width, height, 4, null);
        int[] stored = Arrays.stream(ink).map(amount -> 255 - amount).toArray();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                raster.setPixel(x, y, stored);
            }
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(raster, null, null), null);
        } finally {
            writer.dispose();
        }
        byte[] adobe = new byte[12]; // the name, a version, flags; no transform of colours
        System.arraycopy("Adobe".getBytes(StandardCharsets.US_ASCII), 0, adobe, 0, 5);
        adobe[6] = 100;
        return Files.write(file, withSegment(bytes.toByteArray(), 0xEE, adobe));
    }

    /** Writes into a JPEG how the camera was held. */
    public static Path orientation(Path jpeg, int orientation) throws IOException {
        byte[] exif = {
            'E',
            'x',
            'i',
            'f',
            0,
            0, // then a TIFF file of one entry: 0x0112, a short
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8,
            0,
            1,
            0x01,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            (byte) orientation,
            0,
            0,
            0,
            0,
            0,
            0
        };
        return Files.write(jpeg, withSegment(Files.readAllBytes(jpeg), 0xE1, exif));
    }

    private static byte[] withSegment(byte[] jpeg, int marker, byte[] data) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(jpeg, 0, 2);
        bytes.write(0xFF);
        bytes.write(marker);
        bytes.write((data.length + 2) >> 8);
        bytes.write(data.length + 2);
        bytes.write(data, 0, data.length);
        bytes.write(jpeg, 2, jpeg.length - 2);
        return bytes.toByteArray();
    }
}
