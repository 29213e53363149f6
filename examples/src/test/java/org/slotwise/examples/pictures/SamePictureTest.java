package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.file.PictureDecoder;
import org.slotwise.data.file.PictureFolder;
import org.slotwise.examples.shared.PictureFiles;
import org.slotwise.examples.shared.Run;
import org.slotwise.examples.shared.ScenePicture;
import org.slotwise.image.CocoAnnotations;
import org.slotwise.image.ObjectList;
import org.slotwise.model.ObjectDiscoveryModel;

/** A model is asked about the picture that it was, or would have been, trained on. */
class SamePictureTest {

    @TempDir Path folder;

    private static BufferedImage drawn(int type) {
        BufferedImage image = new BufferedImage(90, 60, type);
        boolean clear = image.getColorModel().hasAlpha();
        for (int y = 0; y < 60; y++) {
            for (int x = 0; x < 90; x++) {
                boolean left = x > 8 && x < 40 && y > 5 && y < 25;
                boolean right = x > 50 && x < 80 && y > 30 && y < 55;
                int ground = clear ? 0 : 0xFF202020;
                image.setRGB(x, y, left ? 0xFFF03010 : right ? 0xFF10D040 : ground);
            }
        }
        return image;
    }

    private Path pictures() throws IOException {
        Path pictures = Files.createDirectory(folder.resolve("pictures"));
        for (int held = 1; held <= 8; held++) {
            Path jpeg = pictures.resolve("held" + held + ".jpg");
            ImageIO.write(drawn(BufferedImage.TYPE_INT_RGB), "jpg", jpeg.toFile());
            PictureFiles.orientation(jpeg, held);
        }
        ImageIO.write(
                drawn(BufferedImage.TYPE_INT_ARGB), "png", pictures.resolve("clear.png").toFile());
        ImageIO.write(
                drawn(BufferedImage.TYPE_BYTE_GRAY), "png", pictures.resolve("grey.png").toFile());
        Path gif = pictures.resolve("screen.gif");
        ImageIO.write(drawn(BufferedImage.TYPE_INT_RGB), "gif", gif.toFile());
        byte[] bytes = Files.readAllBytes(gif);
        bytes[6] = 120; // the screen is wider than the frame
        Files.write(gif, bytes);
        return pictures;
    }

    private Run predict(Path pictures, String... more) {
        List<String> args = new ArrayList<>();
        args.addAll(List.of("--model", "tetrominoes", "--images", pictures.toString()));
        args.addAll(List.of("--out", folder.resolve("found").toString()));
        args.addAll(List.of(more));
        return Run.of(new PredictPictures(), args.toArray(String[]::new));
    }

    @Test
    void predictSeesWhatTrainingSees() throws IOException {
        Path pictures = pictures();
        predict(pictures, "--format", "json,png,mask", "--least-score", "0").succeeds();
        PictureFolder all = PictureFolder.of(pictures);
        assertEquals(11, all.size());
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped("tetrominoes")) {
            for (int i = 0; i < all.size(); i++) {
                String name = all.file(i).getFileName().toString();
                String stem = name.substring(0, name.lastIndexOf('.'));
                ObjectList found =
                        ObjectList.fromJson(
                                Files.readString(folder.resolve("found/" + stem + ".json")));
                Scene seen = all.get(i); // as readers of data sets give it
                assertEquals(model.predict(ScenePicture.of(seen)).objects(0), found, name);
                assertEquals(
                        model.predict(new PictureDecoder().decode(all.file(i))).objects(0),
                        found,
                        name);
                BufferedImage mask =
                        ImageIO.read(folder.resolve("found/" + stem + "_mask.png").toFile());
                assertEquals(seen.height(), mask.getHeight(), name);
                assertEquals(seen.width(), mask.getWidth(), name);
            }
        }
        assertEquals(90, all.get(6).height(), all.file(6).toString());
    }

    @Test
    void damagedPicturesAreToldNotGuessed() throws IOException {
        Path pictures = pictures();
        byte[] jpeg = Files.readAllBytes(pictures.resolve("held1.jpg"));
        Files.write(pictures.resolve("cut.jpg"), Arrays.copyOf(jpeg, jpeg.length * 2 / 3));
        byte[] png = Files.readAllBytes(pictures.resolve("clear.png"));
        png[png.length / 2] ^= 1;
        Files.write(pictures.resolve("changed.png"), png);
        Run run = predict(pictures, "--format", "json");
        assertEquals(1, run.exitCode());
        assertTrue(run.err().contains("2 pictures could not be read"), run.err());
        assertTrue(run.err().contains("changed.png: the image is damaged"), run.err());
        assertFalse(Files.exists(folder.resolve("found/cut.json")));
        assertTrue(Files.exists(folder.resolve("found/clear.json")));
    }

    /** No picture's files take the place of another's, whatever they are called. */
    @Test
    void eachPictureHasFilesOfItsOwn() throws IOException {
        Path pictures = Files.createDirectory(folder.resolve("named"));
        List<String> names =
                List.of("a.jpg", "a.png", "a.png.jpg", "a_mask.jpg", "coco.jpg", "coco.gif");
        for (String name : names) {
            String kind = name.substring(name.lastIndexOf('.') + 1);
            ImageIO.write(drawn(BufferedImage.TYPE_INT_RGB), kind, pictures.resolve(name).toFile());
        }
        Run.of(
                        new PredictPictures(),
                        "--model",
                        "tetrominoes",
                        "--images",
                        pictures.toString(),
                        "--out",
                        folder.resolve("found").toString(),
                        "--format",
                        "json,png,mask,coco")
                .succeeds();
        try (Stream<Path> files = Files.list(folder.resolve("found"))) {
            assertEquals(3 * names.size() + 1, files.count());
        }
        CocoAnnotations all =
                CocoAnnotations.fromJson(Files.readString(folder.resolve("found/coco.json")));
        assertEquals(names.size(), all.images().size());
        assertTrue(Files.exists(folder.resolve("found/a.json")));
        assertTrue(Files.exists(folder.resolve("found/a.png.json")));
    }
}
