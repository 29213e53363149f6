package org.slotwise.examples.diffusion;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.slotwise.examples.shared.Program;
import org.slotwise.model.LatentSlotDiffusion;
import picocli.CommandLine;

/** A small model that has learnt nothing, and pictures of one's own. */
final class TinyModel {

    private TinyModel() {}

    /** The options of its sizes. */
    static DiffusionSizes sizes() {
        return CommandLine.populateCommand(
                new DiffusionSizes(), "--slots", "3", "--slot-dim", "8", "--width", "16");
    }

    static LatentSlotDiffusion fresh(NDManager manager, int seed) {
        Engine.getInstance().setRandomSeed(seed);
        return DiffusionModel.fresh(manager, sizes().configuration());
    }

    static Path write(Path file) throws IOException {
        Program.of(new DiffuseSlots());
        try (NDManager manager = NDManager.newBaseManager();
                LatentSlotDiffusion model = fresh(manager, 3)) {
            model.save(file);
        }
        return file;
    }

    /** Some pictures, each with a white square. */
    static Path pictures(Path folder, int count) throws IOException {
        Files.createDirectory(folder);
        for (int i = 0; i < count; i++) {
            BufferedImage image = new BufferedImage(40, 36, BufferedImage.TYPE_INT_RGB);
            for (int pixel = 0; pixel < 64; pixel++) {
                image.setRGB(4 * i + pixel % 8, 5 + pixel / 8, 0xffffff - 0x3000 * i);
            }
            ImageIO.write(image, "png", folder.resolve(i + ".png").toFile());
        }
        return folder;
    }
}
