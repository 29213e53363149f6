package org.slotwise.examples.gnm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;

class LearntScenesTest {

    /** As "predict" and servers show them to the model: what is at the edge is not cut off. */
    @Test
    void picturesOfOnesOwnAreSeenWhole(@TempDir Path folder) throws IOException {
        BufferedImage wide = new BufferedImage(40, 20, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 20; y++) {
            for (int x = 0; x < 8; x++) {
                wide.setRGB(x, y, 0xff0000);
            }
        }
        ImageIO.write(wide, "png", folder.resolve("wide.png").toFile());
        Scenes scenes = LearntScenes.folder(folder, 20);
        Scene scene = scenes.get(0);
        assertEquals(20, scene.width());
        assertEquals(255, scene.image()[0] & 0xff);
        assertEquals(0, scene.image()[3 * 19] & 0xff);
    }
}
