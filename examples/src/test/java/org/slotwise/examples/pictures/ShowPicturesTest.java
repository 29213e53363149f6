package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.slotwise.examples.shared.Run;

/** Figures of what was found. */
class ShowPicturesTest extends PicturePrograms {

    @Test
    void draws() throws IOException {
        train("model.zip").succeeds();
        for (String what : List.of("scenes", "all")) {
            Run.of(
                            new ShowPictures(),
                            "--model",
                            at("model.zip"),
                            "--images",
                            drawn.toString(),
                            "--pictures",
                            "2",
                            "--what",
                            what,
                            "--out",
                            at(what + ".png"))
                    .succeeds();
        }
        BufferedImage scenes = ImageIO.read(folder.resolve("scenes.png").toFile());
        BufferedImage all = ImageIO.read(folder.resolve("all.png").toFile());
        assertEquals((scenes.getHeight() - 6) * 4, all.getHeight() - 6);
    }
}
