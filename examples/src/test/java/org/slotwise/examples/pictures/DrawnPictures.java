package org.slotwise.examples.pictures;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import javax.imageio.ImageIO;

/** Folders of small pictures, each with a disc on a ground, and of their masks. */
public final class DrawnPictures {

    static final int SIDE = 32;

    private DrawnPictures() {}

    /** Draws pictures to "images" and masks to "masks" in a folder. */
    public static Path draw(Path folder, int count) throws IOException {
        Path images = Files.createDirectories(folder.resolve("images"));
        Path masks = Files.createDirectories(folder.resolve("masks"));
        Random random = new Random(count);
        for (int i = 0; i < count; i++) {
            String name = String.format(Locale.ROOT, "%03d.png", i);
            BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
            BufferedImage mask = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
            int ground = Color.HSBtoRGB(random.nextFloat(), 0.3f, 0.4f);
            int disc = Color.HSBtoRGB(random.nextFloat(), 1, 0.9f);
            int x = 6 + random.nextInt(SIDE - 12);
            int y = 6 + random.nextInt(SIDE - 12);
            for (int p = 0; p < SIDE * SIDE; p++) {
                boolean in = Math.hypot(p % SIDE - x, p / SIDE - y) < 5;
                image.setRGB(p % SIDE, p / SIDE, in ? disc : ground);
                mask.getRaster().setSample(p % SIDE, p / SIDE, 0, in ? 1 : 0);
            }
            ImageIO.write(image, "png", images.resolve(name).toFile());
            ImageIO.write(mask, "png", masks.resolve(name).toFile());
        }
        return folder;
    }
}
